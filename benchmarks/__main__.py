"""`python -m benchmarks`."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from benchmarks.arguments import parse
from benchmarks.bench import Bench
from benchmarks.families import FAMILIES
from benchmarks.goals import judge
from benchmarks.load.generator import Disturbed
from benchmarks.machine import machine
from benchmarks.processes import NotReady
from benchmarks.report import document
from benchmarks.scale import FULL, QUICK
from benchmarks.table import goals_table, table
from benchmarks.targets import given_target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.families import Family
    from benchmarks.figures import Figure


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, write; 0 when every family could be measured."""
    arguments = parse(argv)
    try:
        given = tuple(given_target(text, arguments.model) for text in arguments.target)
    except ValueError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    where = machine(arguments.llama_server)
    print("\n".join(f"{name}: {value}" for name, value in where.items()) + "\n", flush=True)
    wanted = [each for each in FAMILIES if arguments.only is None or each.name in arguments.only]
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="ggtui-bench-") as folder,
        Bench(QUICK if arguments.quick else FULL, Path(folder), arguments.llama_server, given) as bench,
    ):
        measured = {family.name: _measure(family, bench) for family in wanted}
    figures = {name: rows for name, rows in measured.items() if rows is not None}
    verdicts = judge(figure for family in figures.values() for figure in family)
    print(goals_table(verdicts))
    print(f"{time.monotonic() - began:.0f} s; ~ marks figures whose rounds differ much")
    if arguments.json is not None:
        whole = document(where, figures, verdicts)
        arguments.json.write_bytes(msgspec.json.format(msgspec.json.encode(whole)))
    return 0 if len(figures) == len(measured) else 1


def _measure(family: Family, bench: Bench) -> list[Figure] | None:
    """One family, printed as soon as it is there; None when it could not be measured."""
    try:
        figures = family.measure(bench)
    except (Disturbed, NotReady, OSError) as error:
        print(f"{family.title}: not measured: {error}\n", flush=True)
        return None
    if figures:
        print(table(family.title, figures), flush=True)
    return figures


if __name__ == "__main__":
    sys.exit(main())
