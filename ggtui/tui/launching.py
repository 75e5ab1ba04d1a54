"""Opens the launch options of a model, keeps what was changed there, and loads with it."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING

from ggtui.core.errors import Failure
from ggtui.core.snapshot import FailureNote
from ggtui.core.state import TargetState
from ggtui.tui.launch_draft import Draft
from ggtui.tui.launch_words import saved_words, unsaved_words
from ggtui.tui.questions import LARGEST, LOAD, PART
from ggtui.tui.reasons import READ_ONLY, why_not_load, why_not_options
from ggtui.tui.screens.launch_options import LaunchOptionsScreen

if TYPE_CHECKING:
    from ggtui.core.snapshot import ModelStatus
    from ggtui.tui.app import ModelsApp
    from ggtui.tui.outlook import Outlook

ASK_AFTER_S = 0.15
"""Pause in changing options after which their command is asked for."""
NOT_A_RESTART = frozenset({"ctx", "keep_alive", "pinned"})
"""Keys whose change alone leaves the launch as it is; another context is another matter."""


class Launching:
    """One method per intent of the screen. Nothing is written before a person says so."""

    def __init__(self, app: ModelsApp) -> None:
        self._app = app

    def open(self, status: ModelStatus | None) -> None:
        """Show the options of this model."""
        app, reason = self._app, why_not_options(status)
        if reason or status is None:
            app.notices.tell(reason, "warning")
            return
        if isinstance(app.screen, LaunchOptionsScreen):
            return
        app.clear_notifications()
        screen = LaunchOptionsScreen(
            status.summary.public_id,
            partial(self._look, status),
            app.glyphs,
            is_read_only=app.desk.snapshot.is_read_only,
        )
        app.push_screen(screen)
        app.run_worker(self._read(screen, status), group="settings", exit_on_error=False)

    async def _read(self, screen: LaunchOptionsScreen, status: ModelStatus) -> None:
        app = self._app
        try:
            view = await app.bridge.ask(app.bridge.control.settings(status.summary.public_id))
        except Failure as failure:
            app.notices.tell_failure(FailureNote.of(failure, time.time()), status.summary.public_id)
            return
        desk = app.desk
        screen.draft = Draft.of(status.summary, view, desk.snapshot.options, desk.n_ctx(status))

    def _look(self, opened: ModelStatus, draft: Draft) -> Outlook:
        """opened: the row as it was; the model may have left the catalog since."""
        desk = self._app.desk
        status = desk.status_of(opened.summary.id) or opened
        return desk.outlook(status, draft.n_ctx, draft.options)

    def fetch_command(self, screen: LaunchOptionsScreen) -> None:
        """Ask for the command of the newest draft, once nobody changes it any more."""
        work = self._fetch_command(screen)
        self._app.run_worker(work, group="options-command", exclusive=True, exit_on_error=False)

    async def _fetch_command(self, screen: LaunchOptionsScreen) -> None:
        if screen.command:
            await asyncio.sleep(ASK_AFTER_S)
        bridge, draft = self._app.bridge, screen.draft
        if draft is not None:
            asked = bridge.control.command(screen.public_id, draft.n_ctx, draft.options)
            screen.command = await bridge.ask(asked)

    def save(self, screen: LaunchOptionsScreen, *, loads: bool) -> None:
        """Write the changes; with `loads`, ask as enter does and load then."""
        app, draft = self._app, screen.draft
        status = app.desk.by_name(screen.public_id)
        if app.desk.snapshot.is_read_only or draft is None or status is None:
            app.notices.tell(READ_ONLY, "warning")
        elif loads:
            self._ask_and_load(screen, draft, status)
        elif not draft.changes:
            app.notices.tell("nothing was changed")
        else:
            self._begin(screen, draft, status)

    def _ask_and_load(self, screen: LaunchOptionsScreen, draft: Draft, status: ModelStatus) -> None:
        app, outlook = self._app, self._look(status, draft)
        reason = why_not_load(app.desk, status, outlook)
        if reason:
            app.notices.tell(reason, "warning")
            return

        def go(answer: str) -> None:
            ahead, chosen = outlook.forecast, draft
            if answer == LARGEST and ahead is not None:
                chosen = draft.with_value("ctx", ahead.largest_ctx)
            if answer == PART and ahead is not None and draft.options.n_gpu_layers is None:
                chosen = draft.with_value("gpu_layers", ahead.n_layers_on_gpu)
            if answer in (LOAD, LARGEST, PART):
                self._begin(screen, chosen, status, loads=True)

        app.intents.ask_before_load(outlook, go)

    def _begin(
        self, screen: LaunchOptionsScreen, draft: Draft, status: ModelStatus, *, loads: bool = False
    ) -> None:
        work = self._save(screen, draft, status, loads=loads)
        self._app.run_worker(work, group="settings", exclusive=True, exit_on_error=False)

    async def _save(
        self, screen: LaunchOptionsScreen, draft: Draft, status: ModelStatus, *, loads: bool
    ) -> None:
        """A failure leaves the screen with all its changes."""
        app, bridge, name = self._app, self._app.bridge, screen.public_id
        app.notices.forget_failure()
        outlook = self._look(status, draft)
        app.intents.forget_unkept(name)
        try:
            if draft.changes:
                await bridge.ask(bridge.control.change_settings(name, draft.changes))
        except Failure as failure:
            app.notices.tell_failure(FailureNote.of(failure, time.time()))
            return
        app.desk.choose(status, draft.n_ctx)
        if screen.is_current:
            screen.dismiss()
        if loads:
            app.show_main()
            bridge.submit(bridge.control.load(name, draft.n_ctx), name)
        else:
            app.notices.tell(saved_words(outlook, restarts=_restarts(draft, outlook)))

    def left(self, public_id: str, n_changes: int) -> None:
        """Say what was not saved."""
        if n_changes:
            self._app.notices.tell(unsaved_words(public_id, n_changes))


def _restarts(draft: Draft, outlook: Outlook) -> bool:
    """True when the model's own server was launched otherwise than the draft says."""
    target = outlook.target
    if target is None or target.state is TargetState.STOPPING:
        return False
    has_other_ctx = "ctx" in draft.changes and target.n_ctx != draft.n_ctx
    return has_other_ctx or bool(draft.changes.keys() - NOT_A_RESTART)
