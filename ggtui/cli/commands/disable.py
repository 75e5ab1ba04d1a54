"""`ggtui disable`: refuses every request for an endpoint; what runs goes on. Needs no running ggtui."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.cli.commands.enable import switch

if TYPE_CHECKING:
    from ggtui.cli.call import Call
    from ggtui.cli.exits import ExitCode


def run(call: Call) -> ExitCode:
    """Switch it off."""
    return switch(call, is_enabled=False)
