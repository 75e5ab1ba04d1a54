"""`ggtui ls`: the catalog with context and verdict, sorted by name; needs no running ggtui."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ggtui.cli.exits import ExitCode
from ggtui.cli.forecast_lines import forecast_document
from ggtui.cli.found_adapters import print_found
from ggtui.cli.shelf import Shelf, read_shelf
from ggtui.cli.surroundings import (
    Room,
    beside,
    context_of,
    instance_state,
    look,
    outlook,
    read_room,
)
from ggtui.core.names_json import found_document
from ggtui.core.snapshot import EngineSnapshot, ModelStatus
from ggtui.core.state_json import state_document
from ggtui.core.text import listed
from ggtui.core.units import MIB, gib, tokens

if TYPE_CHECKING:
    from ggtui.cli.call import Call
    from ggtui.cli.output import Output
    from ggtui.config.schema import Config
    from ggtui.core.models import ModelSummary

HEAD = ("MODEL", "QUANT", "SIZE", "CTX", "FIT", "STATE", "STORE")
RIGHT = frozenset({2, 3})
WORTH_A_LINE = 64 * MIB
"""Copies that take less are not mentioned."""
NAMED = 4
"""Copies that a remark names before it counts the rest."""


def run(call: Call) -> ExitCode:
    """Print the models."""
    state = instance_state(call.config)
    config = beside(call.config, state)
    shelf, room = look(_look(config, state))
    if call.out.is_json:
        call.out.document(_document(config, shelf, room, state))
        return ExitCode.DONE
    if call.arguments.adapters:
        _print_adapters(call.out, shelf)
        return ExitCode.DONE
    states = _states(state)
    rows = [_row(model, config, room, states) for model in shelf.models]
    call.out.table(HEAD, rows, RIGHT)
    for remark in _remarks(shelf):
        call.out.say(remark)
    if not rows:
        call.out.say(_emptiness(shelf))
    return ExitCode.DONE


def _print_adapters(out: Output, shelf: Shelf) -> None:
    print_found(out, [found_document(adapter) for adapter in shelf.report.adapters])
    if shelf.report.adapters:
        out.say("ggtui lora attach MODEL ADAPTER lets clients ask for MODEL:ADAPTER")
    else:
        out.say("no LoRA adapters")


def _remarks(shelf: Shelf) -> list[str]:
    """What a person should know beside the rows, a line each."""
    remarks = [*shelf.report.problems, *shelf.report.unfinished]
    for model in shelf.models:
        if model.warning:
            remarks.append(f"{model.public_id}: {model.warning}")
        if model.projector_candidates:
            names = listed(model.projector_candidates, NAMED)
            remarks.append(f"{model.public_id}: no projector is chosen of {names}")
        if model.waste_bytes >= WORTH_A_LINE:
            copies = listed((*model.places, *model.copies), NAMED)
            remarks.append(f"{model.public_id}: further copies take {gib(model.waste_bytes)}: {copies}")
    return remarks


async def _look(config: Config, state: dict[str, Any] | None) -> tuple[Shelf, Room]:
    shelf = await read_shelf(config, state)
    return shelf, replace(await read_room(config, state), adapters=shelf.adapters, plans=shelf.plans)


def _row(model: ModelSummary, config: Config, room: Room, states: dict[str, str]) -> tuple[str, ...]:
    ahead = outlook(model, config, room)
    return (
        model.public_id,
        model.quantisation or "–",
        gib(model.size_bytes),
        "–" if ahead is None else tokens(ahead.n_ctx),
        "broken" if ahead is None else str(ahead.verdict),
        states.get(model.public_id, "idle"),
        model.store or "–",
    )


def _states(state: dict[str, Any] | None) -> dict[str, str]:
    return {} if state is None else {row["public_id"]: row["state"] for row in state["models"]}


def _emptiness(shelf: Shelf) -> str:
    if not shelf.report.folders:
        return "no models folder; set one: ggtui --models-dir DIR"
    where = ", ".join(shelf.report.folders)
    has_own_folder = len(shelf.report.folders) > len(shelf.report.stores)
    return f"no .gguf files in {where}" + (
        "" if has_own_folder else "; name a folder: ggtui --models-dir DIR"
    )


def _document(config: Config, shelf: Shelf, room: Room, state: dict[str, Any] | None) -> dict[str, object]:
    """The models as everywhere else, each with its forecast; the running ggtui's states where it is there."""
    rows = tuple(ModelStatus(model, n_ctx=context_of(model, config, room)) for model in shelf.models)
    snapshot = EngineSnapshot(0, models=rows, catalog=shelf.report, default_n_ctx=config.n_ctx)
    document: dict[str, Any] = state_document(snapshot, time.time())
    known = {row["public_id"]: row for row in (state["models"] if state else [])}
    models = []
    for row, model in zip(document["models"], shelf.models, strict=True):
        told = known.get(model.public_id, {})
        models.append({**row, **told, "forecast": forecast_document(outlook(model, config, room))})
    return {key: document[key] for key in ("schema", "version", "catalog", "adapters", "default_n_ctx")} | {
        "models": models
    }
