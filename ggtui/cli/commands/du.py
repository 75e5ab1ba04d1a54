"""`ggtui du`: what the models take in each place, and what of it are copies; needs no running ggtui."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.cli.exits import ExitCode
from ggtui.cli.shelf import read_shelf
from ggtui.cli.surroundings import instance_state, look
from ggtui.core.state_json import place_document
from ggtui.core.units import gib

if TYPE_CHECKING:
    from ggtui.cli.call import Call
    from ggtui.core.ports.catalog import PlaceUse

HEAD = ("STORE", "MODELS", "SIZE", "COPIES", "FREE", "PATH")
RIGHT = frozenset({1, 2, 3, 4})


def run(call: Call) -> ExitCode:
    """Print a line per place; the sum goes to a person only."""
    report = look(read_shelf(call.config, instance_state(call.config))).report
    if call.out.is_json:
        places = [place_document(use) for use in report.disk]
        call.out.document({"schema": 1, "places": places, "waste_bytes": report.waste_bytes})
        return ExitCode.DONE
    call.out.table(HEAD, [_row(use) for use in report.disk], RIGHT)
    for problem in report.problems:
        call.out.say(problem)
    total = gib(sum(use.n_bytes for use in report.disk))
    call.out.say(f"{total} together" if report.disk else "no models folder; set one: ggtui --models-dir DIR")
    return ExitCode.DONE


def _row(use: PlaceUse) -> tuple[str, ...]:
    copies = gib(use.waste_bytes) if use.waste_bytes else "–"
    return (use.store, str(use.n_models), gib(use.n_bytes), copies, gib(use.free_bytes), use.path)
