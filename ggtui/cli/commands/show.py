"""`ggtui show`: what is known of a model, how it is launched, and the forecast by context."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ggtui.cli.commands.estimate import find_on_shelf
from ggtui.cli.exits import ExitCode
from ggtui.cli.forecast_lines import forecast_document
from ggtui.cli.name_facts import name_documents, name_facts
from ggtui.cli.shelf import not_found, open_catalog, read_shelf
from ggtui.cli.surroundings import (
    Room,
    beside,
    context_of,
    instance_state,
    look,
    options_of,
    outlook,
)
from ggtui.core.forecast import context_stops
from ggtui.core.forecast_servers import advised_ctx_of_servers
from ggtui.core.model_settings import NOTHING_SET, settings_document, settings_view, value_words
from ggtui.core.snapshot import EngineSnapshot, ModelStatus
from ggtui.core.state_json import state_document
from ggtui.core.units import gib, parameters, tokens, used_of_total

if TYPE_CHECKING:
    from ggtui.cli.call import Call
    from ggtui.config.schema import Config
    from ggtui.core.forecast import Forecast
    from ggtui.core.model_settings import SettingsView
    from ggtui.core.models import ModelLaunchSpec, ModelSummary

HEAD = ("CTX", "AFTER", "KV", "SPARE", "FIT")
RIGHT = frozenset({0, 1, 2, 3})
SETTINGS_HEAD = ("KEY", "SETTING", "VALUE", "FROM")


def run(call: Call) -> ExitCode:
    """Print the facts and the table."""
    state = instance_state(call.config)
    config = beside(call.config, state)
    if call.arguments.path:
        return _print_paths(call, config, state)
    model, room, shelf = look(find_on_shelf(call.arguments.model, config, state))
    table = _by_context(model, config, room)
    if call.out.is_json:
        call.out.document(_document(model, config, room, table) | name_documents(shelf, model.public_id))
        return ExitCode.DONE
    for name, fact in [*_facts(model, config, room), *name_facts(shelf, model.public_id)]:
        call.out.line(f"{name:<13} {fact}")
    call.out.line()
    call.out.table(SETTINGS_HEAD, _settings(model, config, room), frozenset())
    if table:
        call.out.line()
    call.out.table(HEAD, [_row(ahead) for ahead in table], RIGHT)
    return ExitCode.DONE


def _print_paths(call: Call, config: Config, state: dict[str, Any] | None) -> ExitCode:
    spec = look(_spec(call.arguments.model, config, state))
    paths = [str(path) for path in spec.paths]
    if call.out.is_json:
        call.out.document({"schema": 1, "model": spec.public_id, "paths": paths})
        return ExitCode.DONE
    for path in paths:
        call.out.path(path)
    return ExitCode.DONE


async def _spec(name: str, config: Config, state: dict[str, Any] | None) -> ModelLaunchSpec:
    public_id = (await read_shelf(config, state)).model(name).public_id
    async with open_catalog(config, state) as catalog:
        spec = await catalog.resolve_for_launch(public_id)
        if spec is None:
            raise not_found(name, ())
        return spec


def _by_context(model: ModelSummary, config: Config, room: Room) -> list[Forecast]:
    stops = {*context_stops(model.n_ctx_train), context_of(model, config, room)}
    looks = [outlook(model, config, room, stop) for stop in sorted(stops)]
    return [ahead for ahead in looks if ahead is not None]


def _facts(model: ModelSummary, config: Config, room: Room) -> list[tuple[str, str]]:
    facts = [
        ("model", model.public_id),
        ("name", model.name),
        ("architecture", model.architecture or "–"),
        ("quant", model.quantisation or "–"),
        ("size", gib(model.size_bytes)),
        ("parameters", parameters(model.n_params)),
        ("trained ctx", tokens(model.n_ctx_train)),
        ("chosen ctx", tokens(context_of(model, config, room))),
        ("serves", ", ".join(model.capabilities)),
    ]
    beside = [
        ("tags", " ".join(model.tags)),
        ("lies in", ", ".join(model.places)),
        ("copies", ", ".join(model.copies)),
        ("projector", model.projector or _to_choose(model)),
        ("warning", model.warning),
        ("problem", model.problem),
    ]
    return facts + [(name, words) for name, words in beside if words]


def _to_choose(model: ModelSummary) -> str:
    names = ", ".join(model.projector_candidates)
    return f"not chosen: {names}" if names else ""


def _row(ahead: Forecast) -> tuple[str, ...]:
    held = used_of_total(ahead.after_bytes, ahead.total_bytes or None)
    return (tokens(ahead.n_ctx), held, gib(ahead.kv_bytes), gib(ahead.spare_bytes), str(ahead.verdict))


def _document(model: ModelSummary, config: Config, room: Room, table: list[Forecast]) -> dict[str, object]:
    row = ModelStatus(model, n_ctx=context_of(model, config, room))
    document = state_document(EngineSnapshot(0, models=(row,)), time.time())
    models = document["models"]
    facts = models[0] if isinstance(models, list) else None
    settings = settings_document(_view(model, config, room))
    return {
        "schema": 1,
        "model": facts,
        "settings": settings["settings"],
        "in_force": settings["in_force"],
        "forecasts": [forecast_document(ahead) for ahead in table],
    }


def _view(model: ModelSummary, config: Config, room: Room) -> SettingsView:
    own = config.model_settings.get(model.public_id, NOTHING_SET)
    advised = advised_ctx_of_servers(model, options_of(model, config, room), room.pool, room.plan_of(model))
    return settings_view(model.public_id, own, config.common_settings, advised)


def _settings(model: ModelSummary, config: Config, room: Room) -> list[tuple[str, ...]]:
    rows = _view(model, config, room).in_force
    return [(each.key, each.label, value_words(each.key, each.value), each.source) for each in rows]
