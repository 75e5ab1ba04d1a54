"""Opens the other screens: which one a key leads to depends on the model under the cursor."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from textual.command import CommandPalette

from ggtui.core.errors import Failure
from ggtui.tui.copying import PATH, copy_answers, copy_source
from ggtui.tui.keys import GONE_WHEN_READ_ONLY, Where
from ggtui.tui.name_facts import name_facts
from ggtui.tui.screens.choice import ChoiceScreen
from ggtui.tui.screens.error_detail import ErrorScreen
from ggtui.tui.screens.help import HelpScreen
from ggtui.tui.screens.history import HistoryScreen
from ggtui.tui.screens.logs import LogScreen
from ggtui.tui.screens.model_info import ModelInfoScreen
from ggtui.tui.screens.notices import NoticesScreen
from ggtui.tui.screens.room import Room
from ggtui.tui.screens.waiting import WaitingScreen
from ggtui.tui.waiting import WaitingView

if TYPE_CHECKING:
    from ggtui.core.snapshot import ModelStatus
    from ggtui.tui.app import ModelsApp


class Visits:
    """One method per screen. Each screen is made from what the desk knows at that moment."""

    def __init__(self, app: ModelsApp) -> None:
        self._app = app

    def info(self) -> None:
        """What happened to a failed model, else everything about a sound one."""
        app, selected = self._app, self._app.desk.selected
        app.clear_notifications()
        if selected is None:
            app.notices.tell("no model under the cursor", "warning")
        elif selected.failure is not None:
            app.push_screen(ErrorScreen(selected.failure, app.glyphs, selected.summary.public_id))
        else:
            self._push_info(selected)

    def _push_info(self, selected: ModelStatus) -> None:
        app, summary = self._app, selected.summary
        screen = ModelInfoScreen(
            app.desk.outlook(selected),
            app.desk.options_of(summary),
            partial(app.desk.forecast_at, summary),
            app.glyphs,
            app.clock,
        )
        screen.set_reactive(ModelInfoScreen.names, name_facts(app.desk.snapshot, summary.public_id))
        app.push_screen(screen)
        if summary.problem is None:
            app.run_worker(self._fetch_command(screen, selected), group="command", exit_on_error=False)
            app.run_worker(self._fetch_history(screen, selected), group="history", exit_on_error=False)

    def follow_info(self, screen: ModelInfoScreen, selected: ModelStatus) -> None:
        """The memory, the choice or the options moved; the last two make another command."""
        desk = self._app.desk
        screen.names = name_facts(desk.snapshot, selected.summary.public_id)
        if screen.follow(desk.outlook(selected), desk.options_of(selected.summary)):
            work = self._fetch_command(screen, selected)
            self._app.run_worker(work, group="command", exclusive=True, exit_on_error=False)

    async def _fetch_command(self, screen: ModelInfoScreen, selected: ModelStatus) -> None:
        bridge = self._app.bridge
        asked = bridge.control.command(selected.summary.public_id, self._app.desk.n_ctx(selected))
        screen.command = await bridge.ask(asked)

    async def _fetch_history(self, screen: ModelInfoScreen, selected: ModelStatus) -> None:
        bridge = self._app.bridge
        with suppress(Failure):  # without a database the rest of the page is as good
            screen.history = await bridge.ask(bridge.control.load_history(selected.summary.public_id))

    def logs(self, *, begins_search: bool) -> None:
        """The full log of the model that `l` means."""
        app, subject = self._app, self._app.desk.log_subject()
        if not subject:
            app.notices.tell("no model to show the log of", "warning")
            return
        why_empty = f"{subject} was not started in this run of ggtui"
        lines = app.desk.log(subject)
        app.push_screen(LogScreen(subject, lines, why_empty, app.glyphs, begins_search=begins_search))

    def copy_more(self) -> None:
        """Choose what to copy."""
        app = self._app

        def copy(answer: str | None) -> None:
            if answer == PATH:
                app.housekeeping.copy_path()
                return
            text = copy_source(app.desk, answer or "")
            if text:
                app.intents.copy(text, "the text")

        app.push_screen(ChoiceScreen(copy_answers(app.desk), app.glyphs), copy)

    def help(self) -> None:
        """Help for where the focus is."""
        app = self._app
        if not isinstance(app.screen, (HelpScreen, ChoiceScreen)):
            engine = app.desk.snapshot.engine
            problem = engine.problem if engine is not None else None
            absent = GONE_WHEN_READ_ONLY if app.desk.snapshot.is_read_only else frozenset()
            app.push_screen(HelpScreen(app.glyphs, self._place(), problem or "", absent))

    def _place(self) -> Where:
        screen, focused = self._app.screen, self._app.focused
        place = screen.PLACE if isinstance(screen, Room) else Where.MAIN
        if place is not Where.MAIN or focused is None:
            return place
        return {"catalog-table": Where.CATALOG, "running": Where.RUNNING}.get(focused.id or "", place)

    def palette(self) -> None:
        """Everything by name."""
        if not isinstance(self._app.screen, CommandPalette):
            palette = CommandPalette(placeholder="models, actions, themes", id="--command-palette")
            self._app.push_screen(palette)

    def waiting(self) -> None:
        """Who waits, one line each."""
        app = self._app
        if not isinstance(app.screen, (WaitingScreen, ChoiceScreen)):
            app.push_screen(WaitingScreen(WaitingView.of(app.desk.snapshot), app.glyphs, app.clock))

    def history(self) -> None:
        """What was served."""
        app = self._app
        if not isinstance(app.screen, (HistoryScreen, ChoiceScreen)):
            app.push_screen(HistoryScreen(app.desk.snapshot.history, app.glyphs, app.clock))

    def notices(self) -> None:
        """What was said before."""
        self._app.push_screen(NoticesScreen(tuple(self._app.notices.kept), self._app.glyphs))
