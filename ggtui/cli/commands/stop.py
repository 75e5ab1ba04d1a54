"""`ggtui stop`: drain and stop what runs; nothing running is success."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.cli.client import connect
from ggtui.cli.exits import ExitCode

if TYPE_CHECKING:
    from ggtui.cli.call import Call

STOP_S = 600.0
"""Requests in flight end first, which may take as long as their answers do."""


def run(call: Call) -> ExitCode:
    """Stop the named model, or whatever runs."""
    name = call.arguments.model
    wish: dict[str, object] = {"model": name} if name else {}
    answer = connect(call.config).post("/ggtui/stop", wish, STOP_S)
    if call.out.is_json:
        call.out.document(answer)
    else:
        call.out.say(f"{name} is stopped" if name else "nothing runs now")
    return ExitCode.DONE
