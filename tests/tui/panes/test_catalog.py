"""The list of models: columns under their heads, and no more work for a step than one row is."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ggtui.core.snapshot import ModelStatus
from tests.tui.fake_engine import full, model
from tests.tui.stage import on_stage

if TYPE_CHECKING:
    from ggtui.core.snapshot import EngineSnapshot


def many(count: int) -> EngineSnapshot:
    """So many models of the same size."""
    rows = (model(number, f"model-{number:03d}", 5.0) for number in range(1, count + 1))
    return full(models=tuple(ModelStatus(summary, n_ctx=8192) for summary in rows))


@pytest.mark.parametrize("count", [3, 60])
@pytest.mark.parametrize("size", [(80, 24), (60, 20), (61, 20), (140, 40)])
def test_columns_stand_under_their_heads_with_and_without_a_scroll_bar(
    count: int, size: tuple[int, int]
) -> None:
    async def run() -> None:
        async with on_stage(many(count), size=size) as stage:
            lines = stage.text.splitlines()
            head = next(line for line in lines if " Model " in line)
            row = next(line for line in lines if "model-001" in line)

            assert head.index("Ctx") == row.index("8k")
            assert head.index("Fit") == row.index("✓ fits")

    asyncio.run(run())


def test_a_step_makes_one_row_anew() -> None:
    async def run() -> None:
        async with on_stage(many(60)) as stage:
            await stage.put_cursor_on("model-030")
            before = stage.main.catalog.table.rows
            await stage.press("]")
            after = stage.main.catalog.table.rows

            changed = [new.public_id for old, new in zip(before, after, strict=True) if new is not old]
            assert ["model-030"] == changed
            assert "12k" == after[29].ctx

    asyncio.run(run())


def test_ordered_by_context_a_step_moves_the_row_and_the_cursor_with_it() -> None:
    async def run() -> None:
        async with on_stage(many(60)) as stage:
            await stage.press("o", "o")
            await stage.put_cursor_on("model-030")
            await stage.press("]")
            table = stage.main.catalog.table

            assert "model-030" == table.rows[0].public_id
            assert 0 == table.cursor

    asyncio.run(run())


def test_the_architecture_is_no_part_of_a_name() -> None:
    async def run() -> None:
        rows = tuple(
            replace(row, summary=replace(row.summary, architecture="llama")) for row in full().models
        )
        async with on_stage(full(models=rows)) as stage:
            await stage.press("/", *"llama")

            shown = [row.public_id for row in stage.main.catalog.table.rows]
            assert ["llama-3.3-70b-instruct"] == shown

    asyncio.run(run())
