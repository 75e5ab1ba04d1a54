"""`ggtui enable`: lets an endpoint be asked for again; needs no running ggtui."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.cli.exits import ExitCode
from ggtui.cli.names_desk import names_desk

if TYPE_CHECKING:
    from ggtui.cli.call import Call


def run(call: Call) -> ExitCode:
    """Switch it on."""
    return switch(call, is_enabled=True)


def switch(call: Call, *, is_enabled: bool) -> ExitCode:
    """Switch an endpoint on or off, and tell what became of it."""
    document = names_desk(call.config).set_enabled(call.arguments.endpoint, is_enabled)
    if call.out.is_json:
        call.out.document(document)
        return ExitCode.DONE
    name, status = document["endpoint"], document["status"]
    call.out.line(f"{name} is switched {'on' if document['enabled'] else 'off'}")
    if is_enabled and status is None:
        call.out.say(f"{name} does not exist")
    elif is_enabled and document["why"]:
        call.out.say(f"{name}: {document['why']}")
    return ExitCode.DONE
