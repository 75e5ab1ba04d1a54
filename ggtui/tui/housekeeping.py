"""Names, tags and favourites, and models taken off the disk: asks on a dialog, then calls the engine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ggtui.core.errors import Failure
from ggtui.core.health import Check, Health
from ggtui.core.labels import label_change
from ggtui.core.snapshot import FailureNote
from ggtui.tui.reasons import READ_ONLY, why_not_pin
from ggtui.tui.screens.choice import NO, Answer, ChoiceScreen, Question
from ggtui.tui.screens.doctor import DoctorScreen, terminal_check
from ggtui.tui.screens.folder import FolderScreen
from ggtui.tui.screens.form import FormScreen
from ggtui.tui.screens.labels import LabelScreen
from ggtui.tui.screens.removal import RemovalScreen
from ggtui.tui.screens.room import Room

if TYPE_CHECKING:
    from ggtui.core.labels import LabelChange
    from ggtui.core.models import ModelSummary
    from ggtui.core.removal import RemovalPlan
    from ggtui.core.snapshot import ModelStatus
    from ggtui.tui.app import ModelsApp


class Housekeeping:
    """One method per intent."""

    def __init__(self, app: ModelsApp) -> None:
        self._app = app

    def favourite(self) -> None:
        """Make the marked models, or the one under the cursor, favourites; or no longer when all are."""
        models = self._models()
        is_favourite = not all(model.is_favourite for model in models)
        for model in models:
            self._label(model, label_change(is_favourite=is_favourite))

    def label(self) -> None:
        """Ask for name and tags."""
        models = self._models()
        if not models or self._has_dialog():
            return

        def go(change: LabelChange | None) -> None:
            if change is not None and not change.is_nothing:
                for model in models:
                    self._label(model, change)

        self._app.push_screen(LabelScreen(models, self._app.glyphs), go)

    def copy_here(self) -> None:
        """Copy what the open screen has to copy, else the URL."""
        app = self._app
        found = app.screen.to_copy() if isinstance(app.screen, Room) else None
        text, what = found or (app.desk.snapshot.url, "the URL")
        if text:
            app.intents.copy(text, what)
        elif found:
            app.notices.tell(f"{what} is not known yet", "warning")
        else:
            app.notices.tell("no proxy is open, so there is no URL", "warning")

    def copy_path(self) -> None:
        """Copy where the files of the model under the cursor lie, a line each."""
        app, selected = self._app, self._app.desk.selected
        if selected is not None:
            app.run_worker(self._copy_path(selected.summary.public_id), group="path", exit_on_error=False)

    async def _copy_path(self, public_id: str) -> None:
        app = self._app
        try:
            paths = await app.bridge.ask(app.bridge.control.paths(public_id))
        except Failure as failure:
            app.notices.tell_failure(FailureNote.of(failure, time.time()), public_id)
        else:
            app.intents.copy("\n".join(paths), "the path" if len(paths) == 1 else "the paths")

    def first_folder(self, config_path: str) -> None:
        """Ask for a models folder, where there is nothing to list."""
        app = self._app
        if app.desk.snapshot.is_read_only:
            app.notices.tell(READ_ONLY, "warning")
        elif not self._has_dialog():
            app.push_screen(FolderScreen(self._name_folder, config_path, app.glyphs))

    async def _name_folder(self, typed: str) -> str:
        """Why the folder cannot be taken; empty when it was."""
        app = self._app
        try:
            report = await app.bridge.ask(app.bridge.control.add_folder(typed))
        except Failure as failure:
            return f"{failure.message}; {failure.hint}" if failure.hint else failure.message
        n_files = report.n_files
        app.notices.tell(f"{n_files} .gguf {'file' if n_files == 1 else 'files'} found")
        return ""

    def doctor(self) -> None:
        """What is in order, and what is not; looked at behind the open screen."""
        app = self._app
        if isinstance(app.screen, DoctorScreen) or self._has_dialog():
            return
        screen = DoctorScreen(app.glyphs)
        app.push_screen(screen)
        app.run_worker(self._examine(screen), group="doctor", exclusive=True, exit_on_error=False)

    async def _examine(self, screen: DoctorScreen) -> None:
        bridge = self._app.bridge
        try:
            screen.checks = (*await bridge.ask(bridge.control.examine()), terminal_check(self._app.glyphs))
        except Failure as failure:
            screen.checks = (Check("doctor", Health.FAIL, failure.message, failure.hint),)

    def _models(self) -> tuple[ModelSummary, ...]:
        """Those to act on; none, and why is said, when nothing may be changed."""
        reason = why_not_pin(self._app.desk)
        if reason:
            self._app.notices.tell(reason, "warning")
            return ()
        return tuple(row.summary for row in self._app.desk.marked_or_selected)

    def _label(self, model: ModelSummary, change: LabelChange) -> None:
        bridge = self._app.bridge
        bridge.submit(bridge.control.label(model.public_id, change), model.public_id)

    def _has_dialog(self) -> bool:
        return isinstance(self._app.screen, (ChoiceScreen, FormScreen))

    def remove(self, status: ModelStatus | None) -> None:
        """Show what would go, and ask for the name of the model."""
        if self._app.desk.snapshot.is_read_only:
            self._app.notices.tell(READ_ONLY, "warning")
        elif status is not None and not self._has_dialog():
            asking = self._ask_before_removal(status.summary.public_id)
            self._app.run_worker(asking, group="removal", exclusive=True, exit_on_error=False)

    async def _ask_before_removal(self, public_id: str) -> None:
        app = self._app
        try:
            plan = await app.bridge.ask(app.bridge.control.plan_removal(public_id))
        except Failure as failure:
            app.notices.tell_failure(FailureNote.of(failure, time.time()), public_id)
            return
        if self._has_dialog():
            return
        if plan.refusal:
            app.push_screen(ChoiceScreen(_refusal(plan), app.glyphs))
            return
        app.push_screen(
            RemovalScreen(plan, app.glyphs), lambda is_wanted: self._remove(plan) if is_wanted else None
        )

    def _remove(self, plan: RemovalPlan) -> None:
        bridge = self._app.bridge
        said = f"{plan.public_id} is removed: {plan.words}"
        bridge.submit(bridge.control.remove(plan), plan.public_id, lambda _: said)


def _refusal(plan: RemovalPlan) -> Question:
    hint = f"\n{plan.hint}" if plan.hint else ""
    return Question(
        f"{plan.public_id} stays", f"{plan.public_id}: {plan.refusal}.{hint}", (Answer(NO, "Close"),)
    )
