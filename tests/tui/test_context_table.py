"""Context against memory: the rows around the choice, one column a cache type, and what limits each."""

from __future__ import annotations

from functools import partial

from ggtui.core.models import KvType, LaunchOptions
from ggtui.core.units import gib, tokens
from ggtui.tui.context_table import ContextTable, context_table, stops_around, table_lines
from ggtui.tui.desk import Desk
from ggtui.tui.glyphs import ASCII, UNICODE
from tests.tui.fake_engine import MODELS, full

BY_NAME = {each.public_id: each for each in MODELS}


def table(public_id: str, n_ctx: int, options: LaunchOptions | None = None) -> ContextTable:
    """The table of one of MODELS on one free GPU."""
    desk = Desk()
    desk.apply(full())
    summary = BY_NAME[public_id]
    return context_table(
        n_ctx, summary.n_ctx_train, options or LaunchOptions(), partial(desk.forecast_at, summary)
    )


def rows(found: ContextTable, width: int = 75) -> list[str]:
    """Its lines."""
    return [line.plain.rstrip() for line in table_lines(found, width, UNICODE)]


def test_the_rows_are_the_stops_around_the_choice_and_the_last() -> None:
    assert (12288, 16384, 24576, 32768, 49152, 65536, 98304, 131072) == stops_around(32768, 131072)
    assert (1024, 1536, 2048, 3072, 4096, 8192) == stops_around(1024, 8192)
    assert 5000 in stops_around(5000, 8192)


def test_each_cell_has_the_cache_the_sum_and_the_verdict() -> None:
    found = table("gemma-3-27b-it", 32768)
    ahead = found.chosen[1]

    assert ahead is not None
    assert ("f16", "q8_0", "q4_0") == found.labels
    line = next(row for row in rows(found) if row.startswith("→"))
    assert f"{gib(ahead.kv_bytes)} → {gib(ahead.after_bytes)} ✓" in line


def test_the_largest_context_is_told_with_what_limits_it() -> None:
    found = table("gemma-3-27b-it", 32768)
    last = rows(found)[-1]
    first = found.chosen[0]

    assert first is not None
    assert last.startswith(f"fits to  {tokens(first.largest_ctx)} by memory")
    assert last.endswith("128k as trained")


def test_what_does_not_fit_whole_tells_the_layers() -> None:
    found = table("llama-3.3-70b-instruct", 8192)
    layers = [ahead.n_layers_on_gpu or 0 for ahead in found.chosen if ahead is not None]
    cells = [cell.strip() for cell in rows(found)[-1].removeprefix("on GPU").split("  ") if cell.strip()]

    assert [f"{count} of 80" for count in layers] == cells
    assert sorted(layers) == layers


def test_a_cache_type_of_one_s_own_has_a_column_too() -> None:
    own = LaunchOptions(cache_type_k=KvType.Q8_0, cache_type_v=KvType.F16)
    found = table("gemma-3-27b-it", 4096, own)

    assert "q8_0/f16" == found.labels[0]
    assert "→" in rows(found)[2]


def test_a_cache_that_the_engine_refuses_says_so() -> None:
    off = LaunchOptions(flash_attn=False)
    line = next(row for row in rows(table("gemma-3-27b-it", 4096, off)) if row.startswith("→"))

    assert 2 == line.count("✗ refused")


def test_a_narrow_table_keeps_sum_and_verdict() -> None:
    found = table("gemma-3-27b-it", 32768)
    narrow = [line.plain for line in table_lines(found, 35, ASCII)]
    ahead = found.chosen[0]

    assert ahead is not None
    assert any(f"{gib(ahead.after_bytes)} ok" in line for line in narrow)
    assert all(len(line.rstrip()) <= 35 for line in narrow)
    assert "→" not in "".join(narrow)
