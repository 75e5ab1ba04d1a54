"""The line under the catalog in every situation it knows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ggtui.core.models import EngineInfo
from ggtui.core.state import TargetState
from ggtui.tui.desk import Desk
from ggtui.tui.glyphs import ASCII, UNICODE
from ggtui.tui.panes.forecast import forecast_line, slider_line, tiny_line
from tests.tui.fake_engine import GPU, NO_GPU, WITH_GPU, full, running, target

if TYPE_CHECKING:
    from ggtui.core.snapshot import EngineSnapshot

TWO_GPUS = replace(WITH_GPU, gpus=(GPU, replace(GPU, index=1)))
CPU = EngineInfo("llama-server", "/x", "b1")
BUSY = running(target(in_flight=2))
LOADING = running(target(10, TargetState.LOADING))


def line(snapshot: EngineSnapshot, public_id: str, n_ctx: int | None = None, width: int = 100) -> str:
    """The forecast line of this model."""
    desk = Desk()
    desk.apply(snapshot)
    status = desk.by_name(public_id)
    assert status is not None
    if n_ctx is not None:
        desk.choose(status, n_ctx)
    return forecast_line(desk.outlook(status), width, UNICODE).plain


@pytest.mark.parametrize(
    ("snapshot", "public_id", "n_ctx", "expected"),
    [
        (full(), "gemma-3-27b-it", None, "load gemma-3-27b-it  ctx 32k → 20.1/24.0G  ✓ fits"),
        (full(), "llama-3.3-70b-instruct", None, "load llama-3.3-70b-instruct  ctx 8k → 31.3/24.0G  ~ part"),
        (full(), "deepseek-r1-671b", None, "✗ no  more than GPU and RAM hold"),
        (full(), "odd-arch-7b", None, "load odd-arch-7b  ctx 8k → ≈6.4/24.0G  ? guess"),
        (full(memory=TWO_GPUS), "gemma-3-27b-it", None, "/48.0G on 2 GPUs  ✓ fits"),
        (full(memory=NO_GPU, engine=CPU), "phi-4-mini", 8192, "ctx 8k → RAM 8.4/64.0G  ✓ fits  CPU only"),
        (
            running(target()),
            "qwen3-coder-30b-a3b",
            None,
            "loaded qwen3-coder-30b-a3b  ctx 32k  20.5G  predicted 20.4G",
        ),
        (running(target()), "qwen3-coder-30b-a3b", 49_152, "reload qwen3-coder-30b-a3b  ctx 32k → 48k → "),
        (running(target()), "qwen3-coder-30b-a3b", 49_152, "restarts it"),
        (running(target()), "gemma-3-27b-it", None, "✓ fits  frees qwen3-coder-30b-a3b"),
        (BUSY, "gemma-3-27b-it", None, "2 in flight"),
        (LOADING, "smollm3-3b", None, "loading smollm3-3b  ctx 64k → "),
        (full(), "broken-7b", None, "broken-7b cannot be loaded: shard 2 of 3 is missing"),
    ],
)
def test_situations(snapshot: EngineSnapshot, public_id: str, n_ctx: int | None, expected: str) -> None:
    assert expected in line(snapshot, public_id, n_ctx)


def test_a_loaded_model_counts_once() -> None:
    """What a swap frees is not counted again: the same model forecast with and without the other running."""
    alone, beside = line(full(), "gemma-3-27b-it"), line(running(target()), "gemma-3-27b-it")

    assert "20.1/24.0G" in alone
    assert "20.1/24.0G" in beside


def test_long_names_are_cut_and_verdicts_are_not() -> None:
    long = "a-very-long-name-of-a-model-that-somebody-has-published-with-a-lot-of-words"
    rows = tuple(replace(row, summary=replace(row.summary, public_id=long)) for row in full().models[3:4])
    text = line(full(models=rows), long, width=78)

    assert len(text) <= 78
    assert "…  ctx 32k → 20.1/24.0G  ✓ fits" in text


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
@pytest.mark.parametrize("width", [38, 57, 78, 90, 200])
def test_no_line_is_wider_than_its_pane(width: int, glyphs: object) -> None:
    assert glyphs in (UNICODE, ASCII)
    desk = Desk()
    desk.apply(BUSY)
    for status in desk.snapshot.models:
        outlook = desk.outlook(status)
        chosen = UNICODE if glyphs is UNICODE else ASCII

        assert forecast_line(outlook, width, chosen).cell_length <= width
        assert tiny_line(outlook, width, chosen).cell_length <= width
        assert slider_line(outlook, width, chosen)[0].cell_length <= width


def test_what_a_long_name_leaves_no_room_for_is_left_out_whole() -> None:
    long = "a-very-long-name-of-a-model-that-somebody-has-published-with-a-lot-of-words"
    rows = tuple(replace(row, summary=replace(row.summary, public_id=long)) for row in full().models[3:4])
    busy = full(models=rows, targets=(target(in_flight=2),))
    text = line(busy, long, width=78)

    assert "✓ fits  2 in flight" in text
    assert len(text) <= 78
    assert text.endswith(("2 in flight", "…"))
