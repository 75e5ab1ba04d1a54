"""`ggtui load`: the forecast first, then the load or swap, asked from the running ggtui."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.cli.client import connect
from ggtui.cli.commands.estimate import find, forecast_of, say_cut
from ggtui.cli.exits import ExitCode
from ggtui.cli.forecast_lines import needs_consent
from ggtui.cli.surroundings import beside, look
from ggtui.core.errors import Failure
from ggtui.core.forecast_words import forecast_line
from ggtui.core.units import tokens

if TYPE_CHECKING:
    from ggtui.cli.call import Call
    from ggtui.core.forecast import Forecast

LOAD_S = 3600.0
"""How long a load may take when nobody says; the engine gives up much earlier on one that stalls."""


class DoesNotFit(Failure):
    """The forecast says no, and nobody said --yes."""

    title = "Does not fit"
    exit_code = ExitCode.DOES_NOT_FIT


def run(call: Call) -> ExitCode:
    """Load the model and wait until it answers."""
    instance = connect(call.config)
    state = instance.state()
    config = beside(call.config, state)
    model, room = look(find(call.arguments.model, config, state))
    ahead = forecast_of(model, config, room, call.n_ctx)
    say_cut(call, model)
    call.out.say(forecast_line(model.public_id, ahead))
    if needs_consent(ahead) and not call.arguments.yes:
        raise DoesNotFit(_refusal(model.public_id, ahead), hint=_way_out(model.public_id, ahead))
    wish: dict[str, object] = {"model": model.public_id}
    if call.n_ctx is not None:
        wish["num_ctx"] = call.n_ctx
    answer = instance.post("/ggtui/load", wish, call.arguments.timeout or LOAD_S)
    if call.out.is_json:
        call.out.document(answer)
    else:
        call.out.line(f"{model.public_id} answers at {instance.url}")
    return ExitCode.DONE


def _refusal(name: str, ahead: Forecast) -> str:
    return f"{name} at {tokens(ahead.n_ctx)} of context"


def _way_out(name: str, ahead: Forecast) -> str:
    if ahead.largest_ctx is None:
        return "--yes tries all the same"
    return f"ggtui load {name} --ctx {ahead.largest_ctx} fits; --yes tries all the same"
