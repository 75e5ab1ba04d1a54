"""`ggtui estimate`: the forecast of one model and its parts; needs no running ggtui."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ggtui.cli.exits import ExitCode
from ggtui.cli.forecast_lines import forecast_document, part_lines
from ggtui.cli.model_file import is_file_name, summary_of_file
from ggtui.cli.surroundings import Room, beside, instance_state, look, outlook, read_room, read_shelf
from ggtui.core.errors import HeaderUnreadable
from ggtui.core.forecast_words import forecast_line

if TYPE_CHECKING:
    from ggtui.cli.call import Call
    from ggtui.config.schema import Config
    from ggtui.core.forecast import Forecast
    from ggtui.core.models import ModelSummary


def run(call: Call) -> ExitCode:
    """Print the forecast."""
    state = instance_state(call.config)
    config = beside(call.config, state)
    model, room = look(find(call.arguments.model, config, state))
    ahead = forecast_of(model, config, room, call.n_ctx)
    say_cut(call, model)
    if call.out.is_json:
        call.out.document({"schema": 1, "model": model.public_id, "forecast": forecast_document(ahead)})
        return ExitCode.DONE
    call.out.line(forecast_line(model.public_id, ahead))
    for line in part_lines(ahead):
        call.out.line(line)
    return ExitCode.DONE


async def find(name: str, config: Config, state: dict[str, Any] | None) -> tuple[ModelSummary, Room]:
    """The model of this name or path, and the memory it would find.

    Raises: ModelNotFound, HeaderUnreadable.
    """
    room = await read_room(config, state)
    if is_file_name(name):
        return summary_of_file(name), room
    return (await read_shelf(config, state)).model(name), room


def forecast_of(model: ModelSummary, config: Config, room: Room, n_ctx: int | None) -> Forecast:
    """The forecast. Raises: HeaderUnreadable for a model that cannot be loaded."""
    ahead = outlook(model, config, room, n_ctx)
    if ahead is None:
        hint = "get the file again: it is damaged, not whole, or not readable"
        raise HeaderUnreadable(f"{model.public_id}: {model.problem}", hint=hint)
    return ahead


def say_cut(call: Call, model: ModelSummary) -> None:
    """Tell when the context that was asked for is more than the model was trained for."""
    asked, most = call.n_ctx, model.n_ctx_train
    if asked and most and asked > most:
        call.out.say(f"{model.public_id} was trained for {most} tokens of context; {asked} is cut to that")
