"""Which download is which, which is next, and how a person changes their order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ggtui.core.backends.backend import THIS_MACHINE, BackendType
from ggtui.core.backends.names import is_same
from ggtui.core.downloads.jobs import JobState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ggtui.core.downloads.jobs import Job

FIRST_WAIT_S: Final = 5.0
LONGEST_WAIT_S: Final = 300.0
MOST_DONE: Final = 100
"""Downloads that are done and still listed: nobody looks further back."""


def in_order(jobs: Iterable[Job]) -> tuple[Job, ...]:
    """By position; of the same position the older one first."""
    return tuple(sorted(jobs, key=lambda job: (job.position, job.number)))


def found(jobs: Iterable[Job], backend: str, model: str) -> Job | None:
    """The job that brings this model to this backend; there is one at most."""
    return next((job for job in jobs if job.backend == backend and is_same_model(job, model)), None)


def is_same_model(job: Job, model: str) -> bool:
    """True when the job brings this model, however it is spelled.

    The hub does not look at the case of a repository, nor does ggtui at that of a quantisation; two files
    whose names differ by it alone are two.
    """
    if job.backend == THIS_MACHINE:
        return _hub_name(job.model) == _hub_name(model)
    return is_same(BackendType.OLLAMA, job.model, model)


def _hub_name(model: str) -> tuple[str, ...]:
    """Repository with quantisation, and a path, as they are compared."""
    owner, _, rest = model.partition("/")
    name, slash, path = rest.partition("/")
    return owner.casefold().removeprefix("hf:"), name.casefold(), slash + path


def is_among(declared: Iterable[tuple[str, str]], job: Job) -> bool:
    """True when these pairs of backend and model name what the job brings."""
    return any(job.backend == backend and is_same_model(job, model) for backend, model in declared)


def due(jobs: Iterable[Job], is_free: Callable[[Job], bool]) -> tuple[Job, ...]:
    """Those that may begin now, the first one first. is_free: neither begun already nor waiting."""
    return tuple(job for job in in_order(jobs) if job.state is JobState.PENDING and is_free(job))


def forgettable(jobs: Iterable[Job], most: int = MOST_DONE) -> tuple[Job, ...]:
    """Those that are done and behind so many newer ones."""
    done = [job for job in jobs if job.state is JobState.DONE]
    return tuple(sorted(done, key=lambda job: (job.ended_at or 0.0, job.number), reverse=True)[most:])


def moved(jobs: Sequence[Job], number: int, to: int) -> tuple[Job, ...]:
    """Those that get another position when this job becomes the one at `to`, from 0; beyond the end is last.

    jobs: in order. Raises: StopIteration when it is none of them.
    """
    own = next(job for job in jobs if job.number == number)
    others = [job for job in jobs if job.number != number]
    others.insert(min(max(0, to), len(others)), own)
    return tuple(
        replace(job, position=position) for position, job in enumerate(others) if job.position != position
    )


def wait_s(n_failures: int) -> float:
    """How long to wait after so many failures in a row, from 1: 5 s, and twice as long each time to 5 min."""
    return float(min(FIRST_WAIT_S * 2 ** min(n_failures - 1, 10), LONGEST_WAIT_S))


def anew(job: Job, position: int) -> Job:
    """The job as if nobody had worked on it; what lies on the disk counts when it is looked at."""
    return replace(
        job,
        state=JobState.PENDING,
        position=position,
        commit="",
        files=(),
        status="",
        digest="",
        completed_bytes=0,
        total_bytes=0,
        rate=None,
        left_s=None,
        why="",
        hint="",
        ended_at=None,
    )


def held(job: Job, why: str) -> Job:
    """The job as a person stopped it; one that is done meanwhile stays so."""
    if job.state is JobState.DONE:
        return job
    return replace(job, state=JobState.PAUSED, status="", digest="", rate=None, left_s=None, why=why, hint="")


def at_rest(job: Job) -> Job:
    """The job as it is when no ggtui works on it: one that ran is pending again."""
    if job.state is JobState.RUNNING:
        job = replace(job, state=JobState.PENDING, status="", digest="")
    return replace(job, rate=None, left_s=None)
