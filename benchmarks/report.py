"""One run as a JSON document with stable keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.figures import ratios

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from benchmarks.figures import Figure
    from benchmarks.goals import Verdict

SCHEMA = 1


def document(
    where: Mapping[str, str], figures: Mapping[str, Sequence[Figure]], verdicts: Iterable[Verdict]
) -> dict[str, Any]:
    """The whole run.

    where: the machine. figures: by family.
    """
    return {
        "schema": SCHEMA,
        "machine": dict(where),
        "families": {name: _family(rows) for name, rows in figures.items()},
        "goals": [
            {"goal": each.goal.words, "value": each.value, "limit": each.goal.limit, "is_met": each.is_met}
            for each in verdicts
        ],
    }


def _family(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    compared = ratios(figures)
    lines: dict[tuple[str, str], dict[str, Any]] = {}
    for figure in figures:
        key = (figure.row, figure.measure)
        line = lines.setdefault(
            key,
            {
                "row": figure.row,
                "measure": figure.measure,
                "unit": figure.unit,
                "targets": {},
                "ratios": compared.get(key, {}),
            },
        )
        line["targets"][figure.target] = {"median": figure.value, "rounds": list(figure.rounds)}
    return list(lines.values())
