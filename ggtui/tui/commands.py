"""The palette: models by name, every action, themes, earlier notices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.command import DiscoveryHit, Hit, Provider

from ggtui.tui.keys import GONE_WHEN_READ_ONLY, TABLE, Where

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textual.command import Hits

    from ggtui.tui.app import ModelsApp

_PLACES = frozenset({Where.ANY, Where.MAIN, Where.CONTEXT, Where.CATALOG})
_LEFT_OUT = frozenset({"palette", "back", "quit-now", "pane-1", "pane-2", "pane-3", "pane-4", "filter"})


@dataclass(frozen=True, slots=True)
class Command:
    """One entry."""

    text: str
    help: str
    run: Callable[[], object]


def commands(app: ModelsApp) -> Iterator[Command]:
    """Everything the palette offers now."""
    for status in app.desk.snapshot.models:
        name = status.summary.public_id
        yield Command(f"load {name}", "load this model", _on_model(app, status.summary.id, app.action_load))
        yield Command(f"info {name}", "model info", _on_model(app, status.summary.id, app.action_info))
    for key in TABLE:
        is_absent = key.id in GONE_WHEN_READ_ONLY and app.desk.snapshot.is_read_only
        if key.where in _PLACES and key.id not in _LEFT_OUT and not is_absent:
            yield Command(key.words, f"key {app.glyphs.twin(key.shown)}", _press(app, key.keys.split(",")[0]))
    for theme in sorted(app.available_themes):
        yield Command(f"theme {theme}", "colours of the screen", _theme(app, theme))
    yield Command("earlier notices", "what was said at the edge of the screen", app.action_notices)


def _on_model(app: ModelsApp, model_id: int, then: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        app.select(model_id)
        then()

    return run


def _press(app: ModelsApp, key: str) -> Callable[[], None]:
    return lambda: app.simulate_key(key)


def _theme(app: ModelsApp, name: str) -> Callable[[], None]:
    def run() -> None:
        app.theme = name

    return run


class Commands(Provider):
    """Fuzzy search over all of it; without words, all of it."""

    @property
    def _app(self) -> ModelsApp:
        from ggtui.tui.app import ModelsApp

        assert isinstance(self.app, ModelsApp)
        return self.app

    async def discover(self) -> Hits:
        """Everything."""
        for command in commands(self._app):
            yield DiscoveryHit(command.text, command.run, help=command.help)

    async def search(self, query: str) -> Hits:
        """What matches."""
        matcher = self.matcher(query)
        for command in commands(self._app):
            if (score := matcher.match(command.text)) > 0:
                yield Hit(score, matcher.highlight(command.text), command.run, help=command.help)
