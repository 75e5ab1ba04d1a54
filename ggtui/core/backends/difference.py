"""How declared and observed differ: a row for each model of each backend, and never an order to delete."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Final

from ggtui.core.backends.backend import THIS_MACHINE
from ggtui.core.backends.names import identity, is_same
from ggtui.core.backends.rows import Row, RowState
from ggtui.core.backends.sight import seen, told_capabilities
from ggtui.core.backends.wanted import asked, on_this_disk, wanted
from ggtui.core.downloads.jobs import JobState
from ggtui.core.downloads.order import is_same_model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ggtui.core.backends.backend import Declared, DeclaredModel
    from ggtui.core.backends.observed import BackendState, PulledModel
    from ggtui.core.downloads.jobs import Job

_OF_JOB: Final = {
    JobState.PENDING: RowState.DOWNLOADING,
    JobState.RUNNING: RowState.DOWNLOADING,
    JobState.PAUSED: RowState.PAUSED,
    JobState.FAILED: RowState.ERROR,
}
"""What a missing model is while such a job is to bring it."""


def difference(
    declared: Declared,
    states: Sequence[BackendState],
    jobs: Sequence[Job],
    local_has: Callable[[DeclaredModel], bool],
    disk_looked_at: float = inf,
) -> tuple[Row, ...]:
    """The rows: this disk first, then the backends as listed; of each its wanted models, then extra ones.

    A backend that was not asked yet has no rows. local_has: whether a model with a repository lies on this
    disk, whole. disk_looked_at: Unix time of that.
    """
    by_name = {each.name: each for each in states}
    observed = [(each, by_name[each.name]) for each in asked(declared) if each.name in by_name]
    return (
        *_of_disk(declared, jobs, local_has, disk_looked_at),
        *(row for each, state in observed for row in _of_backend(wanted(declared, each), state, jobs)),
    )


def _of_disk(
    declared: Declared, jobs: Sequence[Job], local_has: Callable[[DeclaredModel], bool], looked_at: float
) -> Iterator[Row]:
    for model in on_this_disk(declared):
        own = [e for e in jobs if e.backend == THIS_MACHINE and is_same_model(e, model.repository)]
        if local_has(model):
            yield Row(THIS_MACHINE, model.name, RowState.IN_SYNC)
        else:
            yield replace(_missing(THIS_MACHINE, model.name, own, looked_at), repository=model.repository)


def _of_backend(models: Sequence[DeclaredModel], state: BackendState, jobs: Sequence[Job]) -> Iterator[Row]:
    if state.error:
        yield Row(state.name, "", RowState.ERROR, state.error)
    elif state.observed_at is not None:
        yield from (_of_model(state, each, jobs) for each in models)
        yield from _extra(state, models)


def _of_model(state: BackendState, model: DeclaredModel, jobs: Iterable[Job]) -> Row:
    pulled = seen(state, model.name)
    if pulled is None:
        type = state.backend.type
        own = [e for e in jobs if e.backend == state.name and is_same(type, e.model, model.name)]
        return _missing(state.name, model.name, own, state.looked_at)
    why = _drift(model, pulled)
    return Row(state.name, model.name, RowState.DRIFTED if why else RowState.IN_SYNC, why)


def _missing(backend: str, model: str, jobs: Sequence[Job], looked_at: float) -> Row:
    """jobs: those of this model; the open one counts, else the youngest. looked_at: when it was missing."""
    job = max(jobs, key=lambda each: (each.state.is_open, each.number), default=None)
    state = None if job is None else _brought_by(job, looked_at)
    if job is None or state is None:
        return Row(backend, model, RowState.MISSING)
    return Row(backend, model, state, job.why, job.number, job.completed_bytes, job.total_bytes)


def _brought_by(job: Job, looked_at: float) -> RowState | None:
    """What a missing model is while this job is to bring it.

    A job that is done counts until a look that began after its end; later it has brought something else.
    """
    if job.state is not JobState.DONE:
        return _OF_JOB[job.state]
    return RowState.DOWNLOADING if (job.ended_at or 0.0) >= looked_at else None


def _drift(model: DeclaredModel, pulled: PulledModel) -> str:
    """In what it is less than declared; empty when it is enough."""
    if model.context_length is not None and 0 < pulled.context_length < model.context_length:
        return f"its context is {pulled.context_length} tokens, and {model.context_length} are declared"
    told = told_capabilities(pulled)
    lacking = sorted((model.capabilities or frozenset()) - told) if told is not None else []
    return f"it is declared for {', '.join(lacking)}, which it cannot do" if lacking else ""


def _extra(state: BackendState, models: Iterable[DeclaredModel]) -> Iterator[Row]:
    type = state.backend.type
    names = {identity(type, each.name) for each in models}
    for pulled in state.pulled_models:
        if identity(type, pulled.name) not in names:
            why = f"backend has model {pulled.name}, yet it's not declared in the configuration"
            yield Row(state.name, pulled.name, RowState.EXTRA, why)
