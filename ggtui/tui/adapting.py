"""What a person wants with LoRA adapters, turned into calls to the engine: attach, detach, weights."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ggtui.core.errors import Failure
from ggtui.core.models import AdapterFile
from ggtui.core.snapshot import FailureNote
from ggtui.core.units import gib, tokens, used_of_total
from ggtui.tui.glyphs import ENDPOINTS
from ggtui.tui.lora_files import reference
from ggtui.tui.lora_rows import Kind, key_of
from ggtui.tui.name_rows import stack_words
from ggtui.tui.questions import DETACH, before_detach, restart_words
from ggtui.tui.reasons import READ_ONLY, why_not_options
from ggtui.tui.screens.attaching import AttachScreen
from ggtui.tui.screens.choice import ChoiceScreen
from ggtui.tui.screens.form import FormScreen
from ggtui.tui.screens.lora import LoraScreen
from ggtui.tui.screens.names import NamesScreen
from ggtui.tui.weights import stepped

if TYPE_CHECKING:
    from ggtui.core.models import AdapterSummary
    from ggtui.core.snapshot import ModelStatus, TargetStatus
    from ggtui.services.names import Names
    from ggtui.tui.app import ModelsApp
    from ggtui.tui.format import Part
    from ggtui.tui.lora_rows import LoraRow
    from ggtui.tui.messages import WeightWanted

NO_ADAPTER = "no adapter under the cursor"


class Adapting:
    """One method per intent of the screen of adapters, and the weights that Running changes."""

    def __init__(self, app: ModelsApp) -> None:
        self._app = app

    @property
    def _names(self) -> Names:
        return self._app.bridge.control.names

    def open(self) -> None:
        """Show the adapters of the model under the cursor."""
        app, status = self._app, self._meant()
        if isinstance(app.screen, (LoraScreen, ChoiceScreen, FormScreen)):
            return
        reason = why_not_options(status)
        if reason or status is None:
            app.notices.tell(reason, "warning")
            return
        app.clear_notifications()
        screen = LoraScreen(app.desk, status.summary.public_id, partial(self._about, status), app.glyphs)
        app.push_screen(screen)
        self.read(screen)

    def _meant(self) -> ModelStatus | None:
        """The model of the row under the cursor, on the screen of names as on the main one."""
        app = self._app
        if not isinstance(app.screen, NamesScreen):
            return app.desk.selected
        row = app.screen.row
        return app.desk.by_name(row.endpoint.base_model) if row is not None and row.endpoint else None

    def follow(self, screen: LoraScreen) -> None:
        """The state is another one."""
        screen.draw()
        self.read(screen)

    def read(self, screen: LoraScreen) -> None:
        """Ask what models.toml says, when what is attached is not what was asked about last."""
        endpoints = self._app.desk.snapshot.endpoints
        if screen.read_with is not endpoints:
            screen.read_with = endpoints
            self._app.run_worker(self._read(screen), group="adapters", exclusive=True, exit_on_error=False)

    async def _read(self, screen: LoraScreen) -> None:
        bridge = self._app.bridge
        try:
            view = await bridge.ask(bridge.control.settings(screen.public_id))
        except Failure:  # the weights of now stand for those that are kept
            return
        screen.kept = {each.name: each.weight for each in view.own.adapters or ()}

    def do(self, wanted: LoraScreen.Wanted) -> None:
        """Attach, detach, or ask for a path."""
        app, row = self._app, wanted.row
        status = app.desk.by_name(wanted.public_id)
        if app.desk.snapshot.is_read_only or status is None:
            app.notices.tell(READ_ONLY, "warning")
        elif row.kind is Kind.ADAPTER:
            self._ask_detach(status, row.name)
        elif row.kind is Kind.STACK:
            app.notices.tell("stacks are written in models.toml", "warning")
        elif row.why:
            app.notices.tell(f"{row.name}: {row.why}", "warning")
        elif isinstance(app.screen, LoraScreen):
            self._ask_attach(status, row.found)

    def _ask_attach(self, status: ModelStatus, file: AdapterSummary | None) -> None:
        app, public_id = self._app, status.summary.public_id
        taken = {
            each.adapter
            for each in app.desk.snapshot.endpoints
            if each.base_model == public_id and each.adapter is not None
        }
        words = restart_words(self._server(public_id))
        meant = name = ""
        if file is not None:
            meant, name = reference(file, app.desk.snapshot.catalog.adapters), file.name
            words = f"{self._forecast_words(status, file)}. {words}"
        screen = AttachScreen(
            public_id, meant, name, taken, words.strip(), partial(self._attach, public_id), app.glyphs
        )
        app.push_screen(screen)

    async def _attach(self, public_id: str, file: str, name: str, weight: float) -> str:
        """Why it cannot be attached; empty when it was."""
        app = self._app
        try:
            await app.bridge.ask(self._names.attach(public_id, file, name, weight))
        except Failure as failure:
            return f"{failure.message}; {failure.hint}" if failure.hint else failure.message
        restart = restart_words(self._server(public_id))
        app.notices.tell(f"{public_id}:{name} can be asked for now. {restart}".strip())
        for screen in app.screen_stack:
            if isinstance(screen, LoraScreen):
                screen.list.move_to(key_of(Kind.ADAPTER, name))
        return ""

    def _ask_detach(self, status: ModelStatus, name: str) -> None:
        app, public_id = self._app, status.summary.public_id
        question = before_detach(public_id, name, self._server(public_id))

        def go(answer: str | None) -> None:
            if answer == DETACH:
                said = f"{name} is detached from {public_id}"
                app.bridge.submit(self._names.detach(public_id, name), public_id, lambda _: said)

        app.push_screen(ChoiceScreen(question, app.glyphs), go)

    def _server(self, public_id: str) -> TargetStatus | None:
        servers = self._app.desk.snapshot.targets
        return next((each for each in servers if each.public_id == public_id), None)

    def _forecast_words(self, status: ModelStatus, file: AdapterSummary) -> str:
        """What a load with one more file would lead to."""
        desk, options = self._app.desk, self._app.desk.options_of(status.summary)
        more = AdapterFile(file.name, file.path, file.size_bytes, file.tensor_bytes)
        outlook = desk.outlook(status, options=replace(options, adapters=(*options.adapters, more)))
        head = f"{gib(more.loaded_bytes)} more: {status.summary.public_id} with ctx {tokens(outlook.n_ctx)}"
        ahead = outlook.forecast
        if ahead is None:
            return head
        after = used_of_total(ahead.after_bytes, ahead.total_bytes or None)
        return f"{head} → {after}  {self._app.glyphs.verdict(ahead.verdict)}"

    def weigh(self, wanted: WeightWanted) -> None:
        """Show the other weight at once, and tell the engine."""
        app, desk = self._app, self._app.desk
        now = desk.weights.now(desk.snapshot, wanted.model, wanted.adapter)
        if desk.snapshot.is_read_only or now is None:
            app.notices.tell(READ_ONLY if desk.snapshot.is_read_only else NO_ADAPTER, "warning")
            return
        weight = stepped(now, wanted.step) if wanted.exact is None else wanted.exact
        if weight != now:
            desk.weights.wish(wanted.model, wanted.adapter, weight)
            self._redraw()
            app.run_worker(self._weigh(wanted.model, wanted.adapter, weight), exit_on_error=False)

    async def _weigh(self, model: str, adapter: str, weight: float) -> None:
        app, control = self._app, self._app.bridge.control

        async def weigh() -> int:
            await control.names.set_weight(model, adapter, weight)
            return control.snapshot().version

        try:
            version = await app.bridge.ask(weigh())
        except Failure as failure:
            app.desk.weights.refused(model, adapter)
            app.notices.tell_failure(FailureNote.of(failure, time.time()), model)
            self._redraw()
        else:
            app.desk.weights.granted(model, adapter, weight, version)

    def _redraw(self) -> None:
        if self._app.main is not None:
            self._app.main.draw()
        if isinstance(self._app.screen, LoraScreen):
            self._app.screen.draw()

    def _about(self, status: ModelStatus, row: LoraRow) -> list[list[Part]]:
        """What is applied, or what attaching would lead to, in three lines."""
        status = self._app.desk.by_name(status.summary.public_id) or status
        server = self._server(status.summary.public_id)
        if row.endpoint is not None:
            return self._about_attached(row, server)
        restart = restart_words(server)
        if row.found is None:
            return [["type the path of a LoRA file that lies elsewhere"], [restart], []]
        if row.why:
            return [[("! ", "$error"), (row.name, "bold"), f"  {row.why}"], [(row.file, "$quiet")], []]
        glyphs = self._app.glyphs
        words = glyphs.twin(self._forecast_words(status, row.found))
        return [[("attach  ", "$quiet"), words], [(row.file, "$quiet")], [(restart, "$quiet")]]

    def _about_attached(self, row: LoraRow, server: TargetStatus | None) -> list[list[Part]]:
        assert row.endpoint is not None
        look, glyphs = ENDPOINTS[row.endpoint.status], self._app.glyphs
        sign = f"{glyphs.endpoint(row.endpoint.status)} {look.word}  "
        first: list[Part] = [(sign, look.style), (str(row.endpoint.id), "bold")]
        if row.why:
            first.append(f"  {row.why}")
        if row.kind is Kind.STACK:
            return [first, [("applies  ", "$quiet"), stack_words(row.endpoint.stack)], []]
        return [first, [(self._live_words(row, server), "$quiet")], [(row.file, "$quiet")]]

    def _live_words(self, row: LoraRow, server: TargetStatus | None) -> str:
        carried = {each.name for each in server.adapters} if server is not None else {row.name}
        if row.name not in carried and not row.why:
            return f"not carried yet. {restart_words(server)}"
        if row.live in (None, row.weight):
            return "< and > change it for each request that follows, until ggtui ends"
        return f"{row.live:.2f} for each request that follows, until ggtui ends; then {row.weight:.2f} again"
