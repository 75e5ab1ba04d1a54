"""What a person wants done, turned into calls to the engine; asks first where something could be lost."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from ggtui.core.errors import ConfigInvalid
from ggtui.core.state import TargetState
from ggtui.tui.answers import STAYS, pin_words, reload_words
from ggtui.tui.clipboard import copy_text
from ggtui.tui.questions import (
    KEEP,
    LARGEST,
    LOAD,
    PART,
    STOP,
    STOP_NOW,
    before_load,
    before_quit,
    before_stop,
)
from ggtui.tui.reasons import READ_ONLY, why_not_load, why_not_pin, why_not_stop
from ggtui.tui.screens.choice import ChoiceScreen, Question

if TYPE_CHECKING:
    from collections.abc import Callable

    from ggtui.core.reload import ReloadReport
    from ggtui.core.snapshot import ModelStatus
    from ggtui.tui.app import ModelsApp
    from ggtui.tui.outlook import Outlook


class QuitChoice(StrEnum):
    """What becomes of the engine when the screen closes."""

    STOP = "stop"
    KEEP_SERVING = "keep-serving"


class Intents:
    """One method per intent. Nothing here waits: calls go out, snapshots come back."""

    def __init__(self, app: ModelsApp) -> None:
        self._app = app
        self._unkept: dict[str, int] = {}

    def load(self, status: ModelStatus | None) -> None:
        """Load this model with its chosen context, asking when it may not work or cuts into requests."""
        desk = self._app.desk
        reason = why_not_load(desk, status)
        if reason or status is None:
            self._app.notices.tell(reason, severity="warning")
            return
        outlook = desk.outlook(status)

        def go(answer: str) -> None:
            if answer == LARGEST and outlook.forecast is not None and outlook.forecast.largest_ctx:
                desk.choose(status, outlook.forecast.largest_ctx)
            if answer == PART and self._engine_places(status):
                self._load_partly(status, outlook)
            elif answer in (LOAD, LARGEST, PART):
                self._load_now(status)

        self.ask_before_load(outlook, go)

    def ask_before_load(self, outlook: Outlook, go: Callable[[str], None]) -> None:
        """Ask what enter asks before this load; `go` hears the answer, `LOAD` when nothing is asked."""
        self._ask(before_load(outlook), go, LOAD)

    def forget_unkept(self, public_id: str) -> None:
        """Write no earlier choice of a context for this model any more."""
        self._unkept.pop(public_id, None)

    def _engine_places(self, status: ModelStatus) -> bool:
        """True while nobody chose how many layers go to the devices."""
        return self._app.desk.options_of(status.summary).n_gpu_layers is None

    def _load_partly(self, status: ModelStatus, outlook: Outlook) -> None:
        """Load with as many layers on the devices as were forecast; the number becomes the model's own."""
        control, public_id = self._app.bridge.control, status.summary.public_id
        n_layers = outlook.forecast.n_layers_on_gpu if outlook.forecast is not None else None

        async def partly() -> None:
            await control.change_settings(public_id, {"gpu_layers": n_layers})
            await control.load(public_id, outlook.n_ctx)

        self._unkept.pop(public_id, None)
        self._app.bridge.submit(partly(), public_id)

    def _load_now(self, status: ModelStatus) -> None:
        public_id = status.summary.public_id
        self._unkept.pop(public_id, None)
        loading = self._app.bridge.control.load(public_id, self._app.desk.n_ctx(status))
        self._app.bridge.submit(loading, public_id)

    def stop(self) -> None:
        """Stop what runs, or cancel what loads."""
        reason = why_not_stop(self._app.desk)
        target = self._app.desk.target
        if reason or target is None:
            self._app.notices.tell(reason, severity="warning")
            return

        def go(answer: str) -> None:
            if answer in (STOP, STOP_NOW):
                stopping = self._app.bridge.control.stop(target.public_id, is_forced=answer == STOP_NOW)
                self._app.bridge.submit(stopping, target.public_id)

        self._ask(before_stop(target), go, STOP)

    def restart(self, status: ModelStatus | None) -> None:
        """Try a failed model again, else restart what runs with its chosen context."""
        desk = self._app.desk
        if status is not None and status.state is TargetState.FAILED:
            self.load(status)
            return
        target = desk.target
        running = None if target is None else desk.status_of(target.model_id)
        if running is None or target is None or target.state is not TargetState.READY:
            self._app.notices.tell(
                "nothing is running, and the model under the cursor has not failed", "warning"
            )
        elif desk.snapshot.is_read_only:
            self._app.notices.tell(READ_ONLY, severity="warning")
        elif desk.n_ctx(running) != target.n_ctx:
            self.load(running)
        else:
            self._restart_as_it_is(running)

    def _restart_as_it_is(self, running: ModelStatus) -> None:
        control, public_id = self._app.bridge.control, running.summary.public_id
        n_ctx = self._app.desk.n_ctx(running)
        outlook = self._app.desk.outlook(running)

        async def again() -> None:
            await control.stop(public_id)
            await control.load(public_id, n_ctx)

        def go(answer: str) -> None:
            if answer == PART and self._engine_places(running):
                self._load_partly(running, outlook)
            elif answer in (LOAD, PART):
                self._app.bridge.submit(again(), public_id)

        self.ask_before_load(outlook, go)

    def rescan(self) -> None:
        """Look at the model folders again."""
        self._app.bridge.submit(self._app.bridge.control.rescan())
        self._app.notices.tell("looking at the model folders again")

    def pin(self) -> None:
        """Pin the model under the cursor, or unpin it."""
        desk = self._app.desk
        reason, selected = why_not_pin(desk), desk.selected
        if reason or selected is None:
            self._app.notices.tell(reason, severity="warning")
            return
        public_id, is_pinned = selected.summary.public_id, not selected.is_pinned
        said = pin_words(public_id, desk.snapshot.strategy, is_pinned=is_pinned)
        pinning = self._app.bridge.control.pin(public_id, is_pinned)
        self._app.bridge.submit(pinning, public_id, lambda _: said)

    def reload(self) -> None:
        """Read the configuration again; says what counts now, or why everything stays as it was."""
        bridge = self._app.bridge

        async def reload() -> ReloadReport:
            try:
                return await bridge.control.reload()
            except ConfigInvalid as error:
                raise ConfigInvalid(error.message, hint=STAYS) from error

        self._app.notices.forget_failure()
        bridge.submit(reload(), words=reload_words)

    def move_context(self, status: ModelStatus, step: int | str, exact: int | None = None) -> None:
        """Move the slider: a step (-1, 1), `saved`, `largest`; or to exactly so many tokens."""
        if step == "saved":
            self._forget_context(status)
        elif step == "largest":
            self._take_largest(status)
        elif exact is not None:
            self._choose_context(status, exact)
        elif isinstance(step, int):
            self._choose_context(status, self._app.desk.step(status, step))

    def _take_largest(self, status: ModelStatus) -> None:
        ahead = self._app.desk.forecast_of(status)
        if ahead is None or ahead.largest_ctx is None:
            self._app.notices.tell(f"no context of {status.summary.public_id} fits", "warning")
        else:
            self._choose_context(status, ahead.largest_ctx)

    def _choose_context(self, status: ModelStatus, n_ctx: int) -> None:
        """Take another context; it is kept on disk a moment later by `keep_choices`."""
        self._app.desk.choose(status, n_ctx)
        self._unkept[status.summary.public_id] = n_ctx

    def _forget_context(self, status: ModelStatus) -> None:
        """Back to the value that is kept."""
        self._app.desk.forget_choice(status)
        self._unkept.pop(status.summary.public_id, None)

    def keep_choices(self) -> None:
        """Hand the newest choices to the catalog."""
        unkept, self._unkept = self._unkept, {}
        if self._app.desk.snapshot.is_read_only:
            return
        for public_id, n_ctx in unkept.items():
            self._app.bridge.submit(self._app.bridge.control.set_context(public_id, n_ctx))

    def quit(self) -> None:
        """Leave; asks what becomes of running models."""

        def go(answer: str) -> None:
            choice = {STOP: QuitChoice.STOP, KEEP: QuitChoice.KEEP_SERVING}.get(answer)
            if choice is not None:
                self.keep_choices()
                self._app.exit(choice)

        self._ask(before_quit(self._app.desk.snapshot), go, STOP)

    def copy(self, text: str, what: str) -> None:
        """Copy a text and say by which route, with the text itself to select by hand.

        what: the text's name in a sentence.
        """

        async def run() -> None:
            route = await copy_text(text, self._app.copy_to_clipboard)
            shown = text if len(text) < 200 and "\n" not in text else what
            self._app.notices.tell(f"{route}: {shown}")

        self._app.run_worker(run(), group="copy", exclusive=True, exit_on_error=False)

    def _ask(self, question: Question | None, go: Callable[[str], None], unasked: str) -> None:
        """Ask, then go on with the answer; go on with `unasked` when there is nothing to ask."""
        if question is None:
            go(unasked)
            return
        if isinstance(self._app.screen, ChoiceScreen):
            return
        self._app.push_screen(
            ChoiceScreen(question, self._app.glyphs), lambda answer: go(answer) if answer else None
        )
