"""One download while it runs: who fetches it, how far it is and how fast it goes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ggtui.core.downloads.jobs import JobState
from ggtui.core.downloads.progress import PullProgress, with_parts
from ggtui.core.downloads.rate import RateEstimator, left_s
from ggtui.services.downloads.allowance import Meter

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence

    from ggtui.core.downloads.jobs import FilePart, Job
    from ggtui.core.ports.downloads import Offer
    from ggtui.services.deployments.clock import Clock
    from ggtui.services.downloads.allowance import Allowance
    from ggtui.services.downloads.kept import KeptJobs


class Run:
    """Lives on the engine's loop, but for its meter. A run that was ended changes nothing any more."""

    def __init__(self, number: int, kept: KeptJobs, allowance: Allowance, clock: Clock) -> None:
        self.number = number
        self.meter = Meter(allowance)
        self.task: asyncio.Task[None] | None = None
        self.is_over = False
        self.n_fetched = 0
        """Bytes that came over the network in this run."""
        self.written_at = clock.monotonic()
        """When its progress went to the queue's file."""
        self._kept = kept
        self._clock = clock
        self._estimator = RateEstimator(clock.monotonic())
        self._pull = PullProgress()
        self._remaining_bytes = 0

    @property
    def job(self) -> Job:
        """As it is now."""
        return self._kept.get(self.number)

    def begin(self, offer: Offer) -> None:
        """What the hub has of it now is what is fetched, also after a restart."""
        job = self.job
        if [(each.path, each.sha256) for each in job.files] != [(e.path, e.sha256) for e in offer.files]:
            job = replace(job, files=(), completed_bytes=0)
        self._kept.put(replace(with_parts(job, offer.files, ""), commit=offer.commit))

    def fetched(self, parts: Sequence[FilePart], status: str) -> None:
        """The hub's files are so far."""
        self._remaining_bytes = sum(max(0, part.size_bytes - part.completed_bytes) for part in parts)
        self._show(lambda job: with_parts(job, parts, status))

    def pulled(self, status: str, digest: str, total: int, completed: int) -> None:
        """A backend's pull is so far. total: of this layer, 0 where it is not known."""
        self.meter.add(self._pull.note(digest, total, completed))
        self._remaining_bytes = self._pull.remaining_bytes
        self._show(lambda job: self._pull.shown(job, status, digest))

    def tick(self) -> None:
        """Say anew how fast it goes, also when nothing comes."""
        self._show(lambda job: job)

    def _show(self, change: Callable[[Job], Job]) -> None:
        if self.is_over or not self._kept.has(self.number) or self.job.state is not JobState.RUNNING:
            return
        now = self._clock.monotonic()
        came = self.meter.taken()
        self.n_fetched += came
        self._estimator.note(came, now)
        rate = self._estimator.rate(now)
        before = self.job
        job = replace(change(before), rate=rate, left_s=left_s(self._remaining_bytes, rate))
        if job != before:
            self._kept.put(job)
