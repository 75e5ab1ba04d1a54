"""The app: knows the screens, the theme and the one crossing to the engine; each intent is one line."""

from __future__ import annotations

import os
import time
from collections import deque
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import App
from textual.command import CommandPalette
from textual.content import Content
from textual.scrollbar import ScrollBar, ScrollBarRender

from ggtui.core.errors import SpawnReason
from ggtui.tui.bridge import Bridge
from ggtui.tui.commands import Commands
from ggtui.tui.copying import copy_answers, copy_source
from ggtui.tui.desk import Desk
from ggtui.tui.format import cut
from ggtui.tui.glyphs import ASCII, UNICODE
from ggtui.tui.intents import Intents, QuitChoice
from ggtui.tui.keys import Where, bindings
from ggtui.tui.messages import CallFailed, EngineFailed, LogsArrived, SnapshotArrived
from ggtui.tui.reasons import NO_RETRY, why_not, why_not_load
from ggtui.tui.screens.choice import ChoiceScreen
from ggtui.tui.screens.error_detail import ErrorScreen
from ggtui.tui.screens.help import HelpScreen
from ggtui.tui.screens.logs import LogScreen
from ggtui.tui.screens.main import MainScreen
from ggtui.tui.screens.model_info import ModelInfoScreen
from ggtui.tui.screens.notices import NoticesScreen
from ggtui.tui.themes import DARK, THEMES, variable_defaults
from ggtui.tui.widgets.ascii_bars import AsciiBars

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import PurePath

    from textual.command import Provider
    from textual.notifications import SeverityLevel
    from textual.timer import Timer

    from ggtui.core.models import LaunchOptions
    from ggtui.core.snapshot import FailureNote, ModelStatus
    from ggtui.services.engine import Engine

__all__ = ["ModelsApp", "QuitChoice"]

KEEP_CHOICE_AFTER_S = 0.3
"""Pause in moving the slider after which the choice is written."""

MORE = "  (i: what happened, r: try again)"
LONGEST_DETAIL = 130
"""Cells of a failure told at the edge of the screen; its own screen has the rest."""

START_FAILED = 3
"""Exit code when the engine did not start."""


class ModelsApp(App[QuitChoice]):
    """Returns what becomes of the engine. The engine outlives the app: stopping it is the caller's."""

    TITLE = "ggtui"
    CSS_PATH: ClassVar[list[str | PurePath]] = [
        "styles/base.tcss",
        "styles/main.tcss",
        "styles/screens.tcss",
    ]
    BINDINGS = bindings(Where.ANY)
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {Commands}
    NOTIFICATION_TIMEOUT = 6

    def __init__(
        self,
        engine: Engine,
        *,
        ascii_only: bool = False,
        options: LaunchOptions | None = None,
        starts_engine: bool = True,
        config_path: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        """options: what launches start from. starts_engine: False when it was started already.

        config_path: the configuration file, for the text of an empty catalog. clock: Unix time, for ages.
        """
        super().__init__()
        self.glyphs = ASCII if ascii_only else UNICODE
        ScrollBar.renderer = AsciiBars if ascii_only else ScrollBarRender
        self.desk = Desk(options)
        self.bridge = Bridge(self, engine)
        self.intents = Intents(self)
        self.notices: deque[tuple[float, str]] = deque(maxlen=100)
        """What was said at the edge of the screen: Unix time and words."""
        self._starts_engine = starts_engine
        self._config_path = config_path
        self._clock = clock
        self._keep_timer: Timer | None = None
        self._told: tuple[str, str] = ("", "")
        if "SSH_CONNECTION" in os.environ or "TMUX" in os.environ:
            self.animation_level = "none"
        for theme in THEMES:
            self.register_theme(theme)
        if "TEXTUAL_THEME" not in os.environ:
            self.theme = DARK.name

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own colours for a theme that does not name them."""
        return variable_defaults(self.current_theme.dark)

    def on_mount(self) -> None:
        """Paint first; the engine starts behind the painted screen."""
        self.push_screen(MainScreen(self.desk, self.glyphs, self._config_path, self._clock))
        self.call_after_refresh(self._open)
        self.set_interval(1.0, self._tick)

    def _open(self) -> None:
        opening = self.bridge.open(starts_engine=self._starts_engine)
        self.run_worker(opening, group="engine-start", exit_on_error=False)

    async def on_unmount(self) -> None:
        """The engine must not talk to a closed screen."""
        await self.bridge.close()

    @property
    def main(self) -> MainScreen | None:
        """The main screen, once it is there and until it is taken apart."""
        screens = (screen for screen in self.screen_stack if isinstance(screen, MainScreen))
        return next((screen for screen in screens if screen.is_whole), None)

    def _tick(self) -> None:
        if self.main is not None:
            silent_s = self.bridge.silent_s(time.monotonic()) if self.desk.snapshot.version else 0.0
            self.main.tick(self._clock(), silent_s)

    def why_not(self, binding_id: str) -> str:
        """For the footer: why a key can do nothing now; empty when it can."""
        if binding_id == "restart" and isinstance(self.screen, ErrorScreen):
            return "" if self.screen.public_id else NO_RETRY
        return why_not(self.desk, binding_id)

    def tell(self, text: str, severity: SeverityLevel = "information", title: str = "") -> None:
        """Say something at the edge of the screen, and keep it."""
        if text:
            self.notices.append((self._clock(), f"{title}: {text}" if title else text))
            # One at a time: a pile of them would cover the forecast.
            self.clear_notifications()
            self.notify(self.glyphs.twin(text), title=title, severity=severity, markup=False)

    def _tell_failure(self, note: FailureNote, public_id: str = "") -> None:
        """Once, even when both the call and the snapshot bring it."""
        if self._told == (note.title, note.detail):
            return
        self._told = (note.title, note.detail)
        hint = f". {note.hint}" if note.hint else ""
        more = MORE if public_id and note.reason else hint
        subject = f"{public_id}: " if public_id else ""
        detail = cut((note.detail.splitlines() or [""])[0], LONGEST_DETAIL, self.glyphs)
        self.tell(f"{subject}{detail}{more}", "error", note.title)

    @on(SnapshotArrived)
    def take_snapshot(self, arrived: SnapshotArrived) -> None:
        """Show the newest state everywhere."""
        failed = self.desk.apply(arrived.snapshot)
        if self.main is not None:
            self.main.draw()
        for public_id, note in failed:
            self._tell_failure(note, public_id)
        if arrived.snapshot.target is not None:
            self._told = ("", "")
        self._refresh_info()

    @on(LogsArrived)
    def take_logs(self, arrived: LogsArrived) -> None:
        """Keep the lines and show them where their log is open."""
        self.desk.hear(arrived.batch)
        if self.main is not None:
            self.main.hear(arrived.batch)
        if isinstance(self.screen, LogScreen) and self.screen.public_id == arrived.batch.public_id:
            self.screen.pane.add(arrived.batch.lines)

    @on(CallFailed)
    def take_failure(self, failed: CallFailed) -> None:
        """Say why it was refused; a load that was cancelled is no failure."""
        if failed.note.reason == SpawnReason.CANCELLED:
            what = f"the load of {failed.about}" if failed.about else "the load"
            self.tell(f"{what} was cancelled")
        else:
            self._tell_failure(failed.note, failed.about)

    @on(EngineFailed)
    def take_start_failure(self, failed: EngineFailed) -> None:
        """Nothing works without the engine: show why, then leave."""
        message = f"{failed.note.title}: {failed.note.detail}"
        self.push_screen(
            ErrorScreen(failed.note, self.glyphs),
            lambda _: self.exit(QuitChoice.STOP, return_code=START_FAILED, message=Content(message)),
        )

    @on(MainScreen.LoadWanted)
    def load(self, wanted: MainScreen.LoadWanted) -> None:
        """Load this model."""
        self.intents.load(self.desk.status_of(wanted.model_id))

    def action_load(self) -> None:
        """Load the model under the cursor."""
        self.intents.load(self.desk.selected)

    @on(ModelInfoScreen.LoadWanted)
    def load_from_info(self) -> None:
        """Load, and show it happen; what cannot be loaded says so where it stands."""
        if not why_not_load(self.desk, self.desk.selected):
            self.pop_screen()
        self.intents.load(self.desk.selected)

    @on(MainScreen.ContextWanted)
    @on(ModelInfoScreen.ContextWanted)
    def change_context(self, wanted: MainScreen.ContextWanted | ModelInfoScreen.ContextWanted) -> None:
        """Move the slider: arithmetic now, the disk after a pause."""
        exact, selected = None, self.desk.selected
        if isinstance(wanted, MainScreen.ContextWanted):
            exact, selected = wanted.exact, self.desk.status_of(wanted.model_id)
        if selected is None:
            return
        self._move_context(selected, wanted.step if exact is None else exact, is_exact=exact is not None)
        if self.main is not None:
            self.main.context_changed(selected)
        self._refresh_info()
        if self._keep_timer is not None:
            self._keep_timer.stop()
        self._keep_timer = self.set_timer(KEEP_CHOICE_AFTER_S, self.intents.keep_choices)

    def _move_context(self, selected: ModelStatus, step: int | str, *, is_exact: bool) -> None:
        if step == "saved":
            self.intents.forget_context(selected)
        elif step == "largest":
            self._take_largest(selected)
        elif isinstance(step, int):
            self.intents.choose_context(selected, step if is_exact else self.desk.step(selected, step))

    def _take_largest(self, selected: ModelStatus) -> None:
        ahead = self.desk.forecast_of(selected)
        if ahead is None or ahead.largest_ctx is None:
            self.tell(f"no context of {selected.summary.public_id} fits", "warning")
        else:
            self.intents.choose_context(selected, ahead.largest_ctx)

    def _refresh_info(self) -> None:
        selected = self.desk.selected
        if isinstance(self.screen, ModelInfoScreen) and selected is not None:
            self.screen.outlook = self.desk.outlook(selected)

    def select(self, model_id: int) -> None:
        """Put the cursor on a model; a filter that hides it is cleared."""
        if self.main is not None:
            self.main.action_back()
            self.main.draw()
            self.main.select(model_id)
            self.desk.selected_id = model_id

    @on(MainScreen.InfoWanted)
    def open_info(self, wanted: MainScreen.InfoWanted) -> None:
        """About this model."""
        self.desk.selected_id = wanted.model_id
        self.action_info()

    def action_info(self) -> None:
        """What happened to a failed model, else everything about a sound one."""
        selected = self.desk.selected
        self.clear_notifications()
        if selected is None:
            self.tell("no model under the cursor", "warning")
        elif selected.failure is not None:
            self.push_screen(ErrorScreen(selected.failure, self.glyphs, selected.summary.public_id))
        else:
            self._push_info(selected)

    def _push_info(self, selected: ModelStatus) -> None:
        summary = selected.summary
        screen = ModelInfoScreen(
            self.desk.outlook(selected), lambda n_ctx: self.desk.forecast_at(summary, n_ctx), self.glyphs
        )
        self.push_screen(screen)
        if summary.problem is None:
            self.run_worker(self._fetch_command(screen, selected), group="command", exit_on_error=False)

    async def _fetch_command(self, screen: ModelInfoScreen, selected: ModelStatus) -> None:
        asked = self.bridge.control.command(selected.summary.public_id, self.desk.n_ctx(selected))
        screen.command = await self.bridge.ask(asked)

    @on(MainScreen.LogsWanted)
    def open_logs(self, wanted: MainScreen.LogsWanted) -> None:
        """The full log of the model that `l` means."""
        subject = self.desk.log_subject()
        if not subject:
            self.tell("no model to show the log of", "warning")
            return
        why_empty = f"{subject} was not started in this run of ggtui"
        lines = self.desk.log(subject)
        screen = LogScreen(subject, lines, why_empty, self.glyphs, begins_search=wanted.begins_search)
        self.push_screen(screen)

    def action_stop(self) -> None:
        """Stop, or cancel a load."""
        self.intents.stop()

    def action_restart(self) -> None:
        """Restart, or try again; from the detail of a failure, that one."""
        if isinstance(self.screen, ErrorScreen):
            self._retry(self.screen.public_id)
            return
        self.intents.restart(self.desk.selected)

    def _retry(self, public_id: str) -> None:
        if not public_id:
            self.tell(NO_RETRY, "warning")
            return
        self.pop_screen()
        self.intents.load(self.desk.by_name(public_id))

    def action_rescan(self) -> None:
        """Look at the folders again."""
        self.intents.rescan()

    def action_copy_url(self) -> None:
        """Copy the URL; from the detail of a failure, its report."""
        if isinstance(self.screen, ErrorScreen):
            self.intents.copy(self.screen.report, "the report")
        elif self.desk.snapshot.url:
            self.intents.copy(self.desk.snapshot.url, "the URL")
        else:
            self.tell("no proxy is open, so there is no URL", "warning")

    def action_copy_more(self) -> None:
        """Choose what to copy."""
        self.push_screen(ChoiceScreen(copy_answers(self.desk), self.glyphs), self._copy_chosen)

    def _copy_chosen(self, answer: str | None) -> None:
        text = copy_source(self.desk, answer or "")
        if text:
            self.intents.copy(text, "the text")

    def action_help(self) -> None:
        """Help for where the focus is."""
        if not isinstance(self.screen, (HelpScreen, ChoiceScreen)):
            engine = self.desk.snapshot.engine
            problem = engine.problem if engine is not None else None
            self.push_screen(HelpScreen(self.glyphs, self._place(), problem or ""))

    def action_command_palette(self) -> None:
        """Everything by name."""
        if not isinstance(self.screen, CommandPalette):
            self.push_screen(CommandPalette(placeholder="models, actions, themes", id="--command-palette"))

    def _place(self) -> Where:
        if isinstance(self.screen, LogScreen):
            return Where.LOGS
        if isinstance(self.screen, ModelInfoScreen):
            return Where.INFO
        focused = self.focused
        return Where.CATALOG if focused is not None and focused.id == "catalog-table" else Where.MAIN

    def action_notices(self) -> None:
        """What was said before."""
        self.push_screen(NoticesScreen(tuple(self.notices), self.glyphs))

    async def action_quit(self) -> None:
        """Leave; asks when a model runs."""
        self.intents.quit()
