"""Downloads as rows: their order, how much of each is there, and which keys can do something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggtui.core.backends.backend import THIS_MACHINE
from ggtui.core.downloads.jobs import JobState
from ggtui.core.units import rate
from ggtui.tui.glyphs import JOBS
from ggtui.tui.reasons import READ_ONLY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ggtui.core.downloads.jobs import Job
    from ggtui.core.snapshot import EngineSnapshot

CHANGES = ("download-hold", "download-later", "download-sooner", "download-remove")
"""Keys that change the queue."""


@dataclass(frozen=True, slots=True)
class DownloadRow:
    """One download at one moment."""

    job: Job
    place: int | None = None
    """Its place among those that wait, from 1; None for one that does not wait."""

    @property
    def key(self) -> str:
        """Which row it is."""
        return str(self.job.number)

    @property
    def is_heading(self) -> bool:
        """The cursor stands on every row."""
        return False

    @property
    def where(self) -> str:
        """The backend that fetches it; empty for this machine."""
        return "" if self.job.backend == THIS_MACHINE else self.job.backend


def download_rows(snapshot: EngineSnapshot, words: str = "") -> tuple[DownloadRow, ...]:
    """Those that hold every word: in the order of the queue, and what is done behind it, the newest first."""
    waiting = [job.number for job in snapshot.downloads if job.state is JobState.PENDING]
    places = {number: place for place, number in enumerate(waiting, 1)}
    rows = (DownloadRow(job, places.get(job.number)) for job in sorted(snapshot.downloads, key=_behind))
    wanted = words.lower().split()
    return tuple(row for row in rows if _holds(row, wanted))


def _behind(job: Job) -> tuple[bool, float]:
    """Sorts what is done behind the rest, whose order stays."""
    is_done = job.state is JobState.DONE
    return is_done, -(job.ended_at or 0.0) if is_done else 0.0


def _holds(row: DownloadRow, wanted: Iterable[str]) -> bool:
    text = f"{row.job.model} {row.job.backend} {JOBS[row.job.state].word}".lower()
    return all(word in text for word in wanted)


def share(job: Job) -> float | None:
    """How much of it is there, 0 to 1; None where nobody knows. Never 1 before it is done."""
    if job.state is JobState.DONE:
        return 1.0
    if job.total_bytes <= 0:
        return None
    return min(0.99, max(0.0, job.completed_bytes / job.total_bytes))


def share_text(job: Job) -> str:
    """`41%`, rounded down; `–` for unknown."""
    part = share(job)
    return "–" if part is None else f"{int(part * 100)}%"


def summary(snapshot: EngineSnapshot, n_shown: int, words: str) -> str:
    """`3 downloads · 2 running · 12 MB/s`, for the lower edge of the frame."""
    jobs = snapshot.downloads
    if not jobs:
        return ""
    told = [f"{n_shown} of {len(jobs)}" if words else str(len(jobs))]
    told[0] += " download" if len(jobs) == 1 else " downloads"
    for state in (JobState.RUNNING, JobState.FAILED):
        n_jobs = sum(job.state is state for job in jobs)
        told += [f"{n_jobs} {JOBS[state].word}"] * bool(n_jobs)
    pace = total_rate(jobs)
    return " · ".join([*told, *([rate(pace)] if pace is not None else [])])


def total_rate(jobs: Iterable[Job]) -> float | None:
    """Bytes per second of all that run; None when nothing is known of any."""
    rates = [job.rate for job in jobs if job.state is JobState.RUNNING and job.rate is not None]
    return sum(rates) if rates else None


def progress_texts(jobs: Iterable[Job]) -> list[str]:
    """`2  41% 12 MB/s` of what runs, then the same in short as `41%`; nothing when nothing runs."""
    running = [job for job in jobs if job.state is JobState.RUNNING]
    if not running:
        return []
    total = sum(job.total_bytes for job in running)
    is_known = all(job.total_bytes > 0 for job in running)
    part = min(99, 100 * sum(job.completed_bytes for job in running) // total) if is_known else None
    pace = total_rate(running)
    count, known = str(len(running)), part is not None
    told = [f" {part}%"] * known + [rate(pace)] * (pace is not None)
    return [" ".join([count, *told]), f"{part}%" if known else count]


def why_not(row: DownloadRow | None, binding_id: str, snapshot: EngineSnapshot) -> str | None:
    """Why this key can do nothing to this row; empty when it can, None for a key of another place."""
    if binding_id not in CHANGES:
        return None
    if row is None:
        return "no download under the cursor"
    if snapshot.is_read_only:
        return READ_ONLY
    state = row.job.state
    if binding_id == "download-hold":
        return "it is done" if state is JobState.DONE else ""
    if binding_id in ("download-later", "download-sooner"):
        return why_not_move(row, -1 if binding_id == "download-sooner" else 1, snapshot)
    return ""


def why_not_move(row: DownloadRow, step: int, snapshot: EngineSnapshot) -> str:
    """Why it cannot change its place with the next (1) or the one before (-1); empty when it can."""
    if row.job.state is JobState.DONE:
        return "it is done: its place does not matter"
    queue = [job.number for job in snapshot.downloads if job.state is not JobState.DONE]
    to = queue.index(row.job.number) + step
    if 0 <= to < len(queue):
        return ""
    return "it is the last already" if step > 0 else "it is the first already"
