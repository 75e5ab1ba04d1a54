"""`ggtui estimate`: the forecast of one model and its parts; needs no running ggtui."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ggtui.cli.exits import ExitCode
from ggtui.cli.forecast_lines import estimate_document, part_lines
from ggtui.cli.model_file import is_address, is_file_name, summary_of_file
from ggtui.cli.shelf import Shelf, read_shelf
from ggtui.cli.surroundings import (
    Room,
    beside,
    instance_state,
    look,
    options_of,
    outlook,
    read_room,
)
from ggtui.core.errors import HeaderUnreadable
from ggtui.core.forecast_servers import largest_of_servers
from ggtui.core.forecast_words import forecast_line
from ggtui.core.memory.inverse import USUAL_TYPES
from ggtui.core.ports.catalog import CatalogReport

if TYPE_CHECKING:
    from ggtui.cli.call import Call
    from ggtui.config.schema import Config
    from ggtui.core.forecast import Forecast
    from ggtui.core.models import LaunchOptions, ModelSummary

GET_AGAIN = "get the file again: it is damaged, not whole, or not readable"


def run(call: Call) -> ExitCode:
    """Print the forecast."""
    name = call.arguments.model
    if is_address(name):
        return _run_elsewhere(call, name)
    state = instance_state(call.config)
    config = beside(call.config, state)
    model, room = look(find(name, config, state))
    return _tell(call, config, model, room)


def _run_elsewhere(call: Call, name: str) -> ExitCode:
    """The same for a file on another machine, or for all those of a repository."""
    from ggtui.cli.remote_model import is_repository, summary_of_address

    if is_repository(name):
        return _run_repository(call, name)
    model = summary_of_address(name, os.environ)
    state = instance_state(call.config)
    config = beside(call.config, state)
    return _tell(call, config, model, look(read_room(config, state)))


def _run_repository(call: Call, name: str) -> ExitCode:
    from ggtui.cli.remote_model import read_repository
    from ggtui.cli.repository_listing import Row, tell_repository

    repository = read_repository(name, os.environ)
    state = instance_state(call.config)
    config = beside(call.config, state)
    room = look(read_room(config, state))
    rows = []
    for each in repository.models:
        options = _options(call, options_of(each.summary, config, room))
        rows.append(Row(each, outlook(each.summary, config, room, call.n_ctx, options), options.n_parallel))
    tell_repository(call.out, repository, rows)
    return ExitCode.DONE


def _tell(call: Call, config: Config, model: ModelSummary, room: Room) -> ExitCode:
    options = _options(call, options_of(model, config, room))
    is_elsewhere = is_address(call.arguments.model)
    ahead = forecast_of(model, config, room, call.n_ctx, options, hint="" if is_elsewhere else GET_AGAIN)
    largest = largest_of_servers(model, options, room.pool, USUAL_TYPES, room.plan_of(model))
    say_cut(call, model)
    if call.out.is_json:
        call.out.document(estimate_document(model.public_id, ahead, options.n_parallel, largest))
        return ExitCode.DONE
    call.out.line(forecast_line(model.public_id, ahead))
    for line in part_lines(ahead, largest):
        call.out.line(line)
    return ExitCode.DONE


def _options(call: Call, options: LaunchOptions) -> LaunchOptions:
    """The configured launch, with what this call wants otherwise."""
    wanted = {
        "n_parallel": call.arguments.parallel,
        "cache_type_k": call.arguments.ctk,
        "cache_type_v": call.arguments.ctv,
        "n_gpu_layers": call.arguments.ngl,
    }
    return replace(options, **{name: value for name, value in wanted.items() if value is not None})


async def find(name: str, config: Config, state: dict[str, Any] | None) -> tuple[ModelSummary, Room]:
    """The model of this name or path, and the memory it would find.

    Raises: ModelNotFound, HeaderUnreadable.
    """
    model, room, _ = await find_on_shelf(name, config, state)
    return model, room


async def find_on_shelf(
    name: str, config: Config, state: dict[str, Any] | None
) -> tuple[ModelSummary, Room, Shelf]:
    """The same with all models beside it and their names; a path has none."""
    room = await read_room(config, state)
    if is_address(name):
        raise HeaderUnreadable("it is on another machine", hint="ggtui estimate reads it there")
    if is_file_name(name):
        return summary_of_file(name), room, Shelf((), CatalogReport())
    shelf = await read_shelf(config, state)
    return shelf.model(name), replace(room, adapters=shelf.adapters, plans=shelf.plans), shelf


def forecast_of(
    model: ModelSummary,
    config: Config,
    room: Room,
    n_ctx: int | None,
    options: LaunchOptions | None = None,
    *,
    hint: str = GET_AGAIN,
) -> Forecast:
    """The forecast. Raises: HeaderUnreadable for a model that cannot be loaded."""
    ahead = outlook(model, config, room, n_ctx, options)
    if ahead is None:
        raise HeaderUnreadable(f"{model.public_id}: {model.problem}", hint=hint)
    return ahead


def say_cut(call: Call, model: ModelSummary) -> None:
    """Tell when the context that was asked for is more than the model was trained for."""
    asked, most = call.n_ctx, model.n_ctx_train
    if asked and most and asked > most:
        call.out.say(f"{model.public_id} was trained for {most} tokens of context; {asked} is cut to that")
