"""The log keeps a bounded number of lines."""

from __future__ import annotations

import asyncio

from textual.app import App, ComposeResult

from ggtui.tui.widgets.log_view import MAX_LINES, LogView


class LogApp(App[None]):
    def compose(self) -> ComposeResult:
        yield LogView(id="log")


def test_old_lines_make_room() -> None:
    async def run() -> None:
        app = LogApp()
        async with app.run_test(size=(20, 5)) as pilot:
            view = app.query_one(LogView)
            for start in range(0, MAX_LINES + 3000, 1000):
                view.add_lines(f"line {n}" for n in range(start, start + 1000))
            await pilot.pause()

            assert MAX_LINES == view.line_count
            assert f"line {MAX_LINES + 2999}" == view.rows_shown[-1]
            assert view.is_vertical_scroll_end

    asyncio.run(run())
