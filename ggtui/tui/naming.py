"""What a person wants with names, turned into calls to the engine: aliases, the default, off and on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.tui.name_rows import why_not
from ggtui.tui.screens.alias import AliasScreen
from ggtui.tui.screens.choice import NO, Answer, ChoiceScreen, Question
from ggtui.tui.screens.form import FormScreen
from ggtui.tui.screens.model_info import ModelInfoScreen
from ggtui.tui.screens.names import NamesScreen

if TYPE_CHECKING:
    from ggtui.services.names import Names
    from ggtui.tui.app import ModelsApp
    from ggtui.tui.name_rows import NameRow


class Naming:
    """One method per intent of the screen of names."""

    def __init__(self, app: ModelsApp) -> None:
        self._app = app

    @property
    def _names(self) -> Names:
        return self._app.bridge.control.names

    def open(self) -> None:
        """Show all names, the cursor on the model of the catalog's cursor."""
        app, selected = self._app, self._app.desk.selected
        if isinstance(app.screen, (NamesScreen, ChoiceScreen, FormScreen)):
            return
        app.clear_notifications()
        public_id = selected.summary.public_id if selected is not None else ""
        app.push_screen(NamesScreen(app.desk.snapshot, public_id, app.glyphs))

    def do(self, wanted: NamesScreen.Wanted) -> None:
        """What the key means, or why it means nothing now."""
        app, row = self._app, wanted.row
        reason = why_not(row, wanted.binding_id, is_read_only=app.desk.snapshot.is_read_only)
        if reason or row is None:
            app.notices.tell(reason or "", "warning")
            return
        intents = {
            "alias": self._ask_alias,
            "unalias": self._ask_which,
            "make-default": self._turn_default,
            "switch": self._switch,
            "show-model": self._show_model,
        }
        intents[wanted.binding_id](row)

    def _ask_alias(self, row: NameRow) -> None:
        app = self._app
        ids = {str(each.id) for each in app.desk.snapshot.endpoints}
        app.push_screen(
            AliasScreen(row.name, ids, app.glyphs), lambda alias: self._give(row, alias) if alias else None
        )

    def _give(self, row: NameRow, alias: str) -> None:
        before = self._app.desk.snapshot.names.aliases.get(alias)
        moved = f", no longer to {before}" if before not in (None, row.name) else ""
        said = f"{alias} leads to {row.name} now{moved}"
        self._app.bridge.submit(self._names.set_alias(alias, row.name), row.name, lambda _: said)

    def _ask_which(self, row: NameRow) -> None:
        """Clients may rely on an alias, so even a single one is asked about."""
        app = self._app
        answers = [Answer(f"alias-{place}", alias) for place, alias in enumerate(row.aliases)]
        if len(row.aliases) == 1:
            title, text = f"Take {row.aliases[0]} away?", f"Who asks for {row.aliases[0]} is refused then."
            answers = [Answer("alias-0", f"Take {row.aliases[0]} away")]
        else:
            title, text = f"Aliases of {row.name}", "Which shall go? Who asks for it is refused then."
        question = Question(title, text, (Answer(NO, "No"), *answers))

        def go(answer: str | None) -> None:
            if answer and answer != NO:
                self._take_away(row.aliases[int(answer.removeprefix("alias-"))])

        app.push_screen(ChoiceScreen(question, app.glyphs), go)

    def _take_away(self, alias: str) -> None:
        said = f"{alias} is no alias any more"
        self._app.bridge.submit(self._names.set_alias(alias, None), alias, lambda _: said)

    def _turn_default(self, row: NameRow) -> None:
        target = None if row.is_default else row.name
        said = f"requests that name no model go to {row.name} now"
        if target is None:
            said = "there is no default any more: requests that name no model are refused"
        self._app.bridge.submit(self._names.set_default(target), row.name, lambda _: said)

    def _switch(self, row: NameRow) -> None:
        said = f"{row.name} is on again" if row.is_off else f"{row.name} is off: what runs for it goes on"
        self._app.bridge.submit(self._names.set_enabled(row.name, row.is_off), row.name, lambda _: said)

    def _show_model(self, row: NameRow) -> None:
        app = self._app
        status = app.desk.by_name(row.endpoint.base_model) if row.endpoint is not None else None
        if status is None:
            app.notices.tell(f"{row.name} has left the catalog", "warning")
            return
        while isinstance(app.screen, (NamesScreen, ModelInfoScreen)):
            app.pop_screen()
        app.select(status.summary.id)
