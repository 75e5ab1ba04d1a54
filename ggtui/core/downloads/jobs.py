"""A download: what is fetched, in which files, and how it stands."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class JobKind(StrEnum):
    """Who fetches."""

    HUB = "hub"
    """ggtui, from the model hub onto this disk."""
    PULL = "pull"
    """A backend that fetches by itself, because it was asked to."""


class JobState(StrEnum):
    """How a download stands."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    """A person paused or cancelled it: it stays so until a person resumes it. What is on disk is kept."""
    DONE = "done"
    FAILED = "failed"

    @property
    def is_open(self) -> bool:
        """True when it will go on by itself."""
        return self in (JobState.PENDING, JobState.RUNNING)


@dataclass(frozen=True, slots=True)
class FilePart:
    """One file of a download: a shard, or a projector."""

    path: str
    """In the repository, `/` between its parts."""
    size_bytes: int
    sha256: str = ""
    """64 hexadecimal digits that the hub tells for it; empty for a small file that has none."""
    completed_bytes: int = 0
    """On disk already."""


@dataclass(frozen=True, slots=True)
class Job:
    """One download. Its number is its place of birth, `position` its place in the queue."""

    number: int
    kind: JobKind
    model: str
    """`OWNER/REPO:QUANT`, `OWNER/REPO/FILE.gguf`, or the name that a backend pulls by."""
    backend: str
    """Name of the backend; THIS_MACHINE for the disk."""
    base_url: str = ""
    """Of the backend, or of the hub."""
    state: JobState = JobState.PENDING
    position: int = 0
    """Lower ones are taken first."""
    by_person: bool = False
    """False for one that a cycle asked for, because a declared model is missing."""
    revision: str = "main"
    commit: str = ""
    """The commit that the revision was when the job began; 40 hexadecimal digits, empty before."""
    files: tuple[FilePart, ...] = ()
    """Empty before the first look, and for a pull."""
    status: str = ""
    """What it does now, a few words such as `verifying`; for a pull what the backend says."""
    digest: str = ""
    """Of what is fetched now."""
    completed_bytes: int = 0
    total_bytes: int = 0
    """0 where it is not known."""
    rate: float | None = None
    """Bytes per second; None when nothing is known yet, or it does not run."""
    left_s: float | None = None
    why: str = ""
    """Why it failed or waits: one sentence."""
    hint: str = ""
    created_at: float = 0.0
    """Unix time."""
    ended_at: float | None = None
