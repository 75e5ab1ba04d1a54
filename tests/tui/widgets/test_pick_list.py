"""A list with headings: the cursor stays on its entry, passes over words, and draws what is seen."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.app import App

from ggtui.tui.glyphs import UNICODE
from ggtui.tui.widgets.pick_list import PickList

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from ggtui.tui.format import Part


@dataclass(frozen=True)
class Row:
    key: str
    is_heading: bool = False


def entries(*keys: str) -> tuple[Row, ...]:
    return tuple(Row(key, key.startswith("#")) for key in keys)


class Host(App[None]):
    CSS = "PickList { height: 5; scrollbar-size: 1 1; }"

    def __init__(self) -> None:
        super().__init__()
        self.drawn: list[str] = []
        self.moves: list[str] = []
        self.activated = 0
        self.picks: PickList[Row] = PickList(self.draw_row, UNICODE, id="rows")

    def compose(self) -> ComposeResult:
        yield self.picks

    def draw_row(self, row: Row, width: int) -> list[Part]:
        self.drawn.append(row.key)
        return [row.key]

    def on_pick_list_moved(self) -> None:
        self.moves.append(self.here)

    def on_pick_list_activated(self) -> None:
        self.activated += 1

    @property
    def here(self) -> str:
        return self.picks.current.key if self.picks.current is not None else ""


def test_the_cursor_passes_over_headings_and_stops_at_both_ends() -> None:
    async def run() -> None:
        app = Host()
        async with app.run_test() as pilot:
            app.picks.focus()
            app.picks.entries = entries("#one", "a", "b", "#two", "#three", "c", "#end")
            await pilot.pause()
            seen = [app.here]
            for key in ("down", "j", "j", "k", "g", "up", "G", "down"):
                await pilot.press(key)
                seen.append(app.here)

            assert ["a", "b", "c", "c", "b", "a", "a", "c", "c"] == seen

    asyncio.run(run())


def test_the_cursor_stays_on_its_entry_when_others_come_and_go() -> None:
    async def run() -> None:
        app = Host()
        async with app.run_test() as pilot:
            app.picks.entries = entries("a", "b", "c")
            app.picks.move_to("b")
            await pilot.pause()
            app.picks.entries = entries("#new", "0", "a", "b", "c")
            await pilot.pause()
            assert "b" == app.here
            app.picks.entries = entries("0", "a")
            await pilot.pause()
            assert "a" == app.here
            app.picks.entries = ()
            await pilot.pause()
            assert "" == app.here

    asyncio.run(run())


def test_an_entry_that_is_not_there_yet_is_gone_to_when_it_comes() -> None:
    async def run() -> None:
        app = Host()
        async with app.run_test() as pilot:
            app.picks.move_to("c")
            app.picks.entries = entries("a", "b")
            await pilot.pause()
            assert "a" == app.here
            app.picks.entries = entries("a", "b", "c")
            await pilot.pause()
            assert "c" == app.here

    asyncio.run(run())


def test_only_what_is_seen_is_drawn() -> None:
    async def run() -> None:
        app = Host()
        async with app.run_test() as pilot:
            app.picks.entries = entries(*(f"row {place}" for place in range(5000)))
            await pilot.pause()
            app.drawn.clear()
            app.picks.focus()
            await pilot.press("G")

            assert "row 4999" == app.here
            assert "row 4999" in app.drawn
            assert 10 >= len(set(app.drawn))

    asyncio.run(run())


def test_a_click_moves_and_a_second_one_activates() -> None:
    async def run() -> None:
        app = Host()
        async with app.run_test() as pilot:
            app.picks.entries = entries("#one", "a", "b")
            app.picks.focus()
            await pilot.pause()
            await pilot.click("#rows", offset=(1, 2))
            assert ("b", 0) == (app.here, app.activated)
            await pilot.click("#rows", offset=(1, 0))
            assert ("b", 0) == (app.here, app.activated)
            await pilot.click("#rows", offset=(1, 2))
            assert ("b", 1) == (app.here, app.activated)
            assert "b" == app.moves[-1]

    asyncio.run(run())
