"""The models of a repository, each with what it would take: so that a person can choose before a download."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggtui.adapters.gguf.facts import KIND_MODEL
from ggtui.cli.forecast_lines import estimate_document
from ggtui.core.text import plain
from ggtui.core.units import gib, tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ggtui.cli.output import Output
    from ggtui.cli.remote_model import RemoteModel, Repository
    from ggtui.core.forecast import Forecast

HEAD = ("FILE", "QUANT", "SIZE", "CTX", "HOLDS", "MOST CTX", "FIT")
RIGHT = frozenset({2, 3, 4, 5})
_NAMES = {"mmproj": "projector"}


@dataclass(frozen=True, slots=True)
class Row:
    """A model and its forecast; None where it cannot be loaded."""

    model: RemoteModel
    ahead: Forecast | None
    n_parallel: int


def tell_repository(out: Output, repository: Repository, rows: Sequence[Row]) -> None:
    """Print the rows, the smallest model first, and what is wrong with any."""
    if out.is_json:
        out.document(_document(repository, rows))
        return
    out.table(HEAD, [_cells(row) for row in rows], RIGHT)
    for row in rows:
        if row.model.summary.problem:
            out.say(f"{plain(row.model.path)}: {row.model.summary.problem}")
    out.say(f"read {gib(repository.fetched_bytes)} of headers; name a file for the parts of its sum")


def _cells(row: Row) -> tuple[str, ...]:
    summary, ahead = row.model.summary, _loadable(row)
    size = gib(summary.size_bytes)
    if ahead is None:
        fit = "?" if summary.problem else _NAMES.get(row.model.kind, row.model.kind)
        return (plain(row.model.path), summary.quantisation or "–", size, "–", "–", "–", fit)
    return (
        plain(row.model.path),
        summary.quantisation or "–",
        size,
        tokens(ahead.n_ctx),
        gib(_held(ahead)),
        "–" if ahead.largest_ctx is None else tokens(ahead.largest_ctx),
        str(ahead.verdict),
    )


def _loadable(row: Row) -> Forecast | None:
    """The forecast of a model; projectors and the like are never loaded for themselves."""
    return row.ahead if row.model.kind == KIND_MODEL else None


def _held(ahead: Forecast) -> int:
    return sum(share.total_bytes for share in ahead.devices)


def _document(repository: Repository, rows: Sequence[Row]) -> dict[str, object]:
    return {
        "schema": 1,
        "repository": repository.name,
        "fetched_bytes": repository.fetched_bytes,
        "models": [_model_document(row) for row in rows],
    }


def _model_document(row: Row) -> dict[str, object]:
    summary, ahead = row.model.summary, _loadable(row)
    estimate = None if ahead is None else estimate_document(summary.public_id, ahead, row.n_parallel, ())
    return {
        "path": row.model.path,
        "kind": row.model.kind,
        "n_files": row.model.n_files,
        "size_bytes": summary.size_bytes,
        "quantisation": summary.quantisation,
        "problem": summary.problem,
        "estimate": estimate,
    }
