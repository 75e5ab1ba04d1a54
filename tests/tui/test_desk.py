"""What the screen works on when several models may stay loaded side by side."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ggtui.core.deployment.replicas import ReplicaPlan
from ggtui.core.forecast import Verdict
from ggtui.core.models import KvType, LaunchOptions
from ggtui.core.state import TargetState
from ggtui.tui.desk import Desk
from tests.tui.fake_engine import GIB, full, running, target
from tests.tui.stage import on_stage

if TYPE_CHECKING:
    from ggtui.core.snapshot import EngineSnapshot, TargetStatus

PHI = target(8, n_ctx=8192, in_flight=1, predicted_bytes=5 * GIB, memory_bytes=5 * GIB)
SMOL = replace(
    target(10, predicted_bytes=4 * GIB, memory_bytes=4 * GIB), pid=48214, port=9102, base_url="http://h"
)


def several(*targets: TargetStatus) -> EngineSnapshot:
    """These servers, under the strategy that keeps what the memory holds."""
    states = {each.model_id: each.state for each in (PHI, SMOL)}
    models = tuple(replace(row, state=states.get(row.summary.id, TargetState.IDLE)) for row in full().models)
    return full(models=models, targets=targets, strategy="memory")


def test_what_fits_beside_the_others_frees_nothing_and_asks_nothing() -> None:
    desk = Desk()
    desk.apply(several(PHI))
    bge = desk.by_name("bge-m3")
    assert bge is not None
    outlook = desk.outlook(bge)

    assert outlook.forecast is not None
    assert () == outlook.forecast.frees
    assert Verdict.FITS == outlook.forecast.verdict
    assert outlook.forecast.after_bytes > 5 * GIB + int(1.2 * GIB)
    assert 0 == outlook.in_flight


def test_a_model_is_forecast_as_its_own_settings_would_launch_it() -> None:
    desk = Desk()
    desk.apply(full())
    row = next(each for each in full().models if each.summary.public_id == "gemma-3-27b-it")
    common = desk.forecast_of(row)
    own = replace(row, options=LaunchOptions(cache_type_k=KvType.Q4_0, cache_type_v=KvType.Q4_0))
    desk.apply(full(models=(own,)))
    less = desk.forecast_of(own)

    assert common is not None
    assert less is not None
    assert less.kv_bytes < common.kv_bytes


def test_all_servers_of_a_model_are_forecast() -> None:
    desk = Desk()
    desk.apply(full())
    row = desk.snapshot.models[0]
    one = desk.forecast_of(row)
    several = replace(row, plan=ReplicaPlan(2))
    desk.apply(full(models=(several,)))
    both = desk.forecast_of(several)

    assert one is not None
    assert both is not None
    assert (1, 2) == (one.n_servers, both.n_servers)
    assert 2 * one.kv_bytes == both.kv_bytes


def test_what_does_not_fit_beside_them_takes_their_place() -> None:
    desk = Desk()
    desk.apply(several(PHI))
    gemma = desk.by_name("gemma-3-27b-it")
    assert gemma is not None
    outlook = desk.outlook(gemma)

    assert outlook.forecast is not None
    assert ("phi-4-mini",) == outlook.forecast.frees
    assert 1 == outlook.in_flight


def test_the_column_follows_what_is_loaded() -> None:
    desk = Desk()
    desk.apply(full(strategy="memory"))
    mistral = desk.by_name("mistral-small-3.2-24b")
    assert mistral is not None
    alone = desk.forecast_of(mistral)
    desk.apply(several(replace(PHI, predicted_bytes=2 * GIB)))
    beside = desk.forecast_of(mistral)

    assert alone is not None
    assert beside is not None
    assert beside.frees or beside.after_bytes == alone.after_bytes + 2 * GIB


@pytest.mark.parametrize(("cursor", "expected"), [("phi-4-mini", "phi-4-mini"), ("smollm3-3b", "smollm3-3b")])
def test_keys_mean_the_loaded_model_under_the_cursor(cursor: str, expected: str) -> None:
    async def run() -> None:
        async with on_stage(several(replace(PHI, in_flight=0), SMOL)) as stage:
            await stage.put_cursor_on(cursor)

            lines = stage.main.query_one("#running-text").shown.plain.splitlines()  # type: ignore[attr-defined]
            other = "smollm3-3b" if expected == "phi-4-mini" else "phi-4-mini"
            assert lines[0].endswith(expected)
            assert f"● READY  {other}" == lines[3]
            assert "● phi-4-mini +1  " in stage.text.splitlines()[0]
            await stage.press("s")
            assert [("stop", expected)] == [call[:2] for call in stage.calls]

    asyncio.run(run())


def test_one_model_at_a_time_is_forecast_in_its_place() -> None:
    desk = Desk()
    desk.apply(running(target()))
    bge = desk.by_name("bge-m3")
    assert bge is not None
    ahead = desk.forecast_of(bge)

    assert ahead is not None
    assert ("qwen3-coder-30b-a3b",) == ahead.frees
