"""`ggtui default`: what serves requests that name no model, in config.toml; needs no running ggtui."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ggtui.cli.exits import ExitCode, WrongUse
from ggtui.cli.names_desk import names_desk
from ggtui.core.routing.name_settings import Unnamed

if TYPE_CHECKING:
    from ggtui.cli.call import Call


def run(call: Call) -> ExitCode:
    """Choose the default, then tell it; without a choice only tell it."""
    desk, wanted = names_desk(call.config), call.arguments.endpoint
    if wanted is not None and call.arguments.none:
        raise WrongUse("name an endpoint or give --none, not both", hint="ggtui default ENDPOINT")
    if wanted is None and not call.arguments.none:
        document = desk.endpoints()
        document = {key: document[key] for key in ("schema", "default", "unnamed")}
    else:
        document = desk.set_default(wanted)
    if call.out.is_json:
        call.out.document(document)
    else:
        _print(call, document)
    return ExitCode.DONE


def _print(call: Call, document: dict[str, Any]) -> None:
    if document["default"]:
        call.out.line(document["default"])
    elif document["unnamed"] == Unnamed.RUNNING:
        call.out.say("no default: a request that names no model gets the one that became ready last")
    else:
        call.out.say("no default: a request that names no model is refused")
