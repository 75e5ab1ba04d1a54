"""What a person wants of downloads and of the hub, turned into calls to the engine."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ggtui.core.backends.backend import THIS_MACHINE
from ggtui.core.downloads.jobs import JobKind, JobState
from ggtui.core.downloads.order import in_order
from ggtui.core.errors import Failure
from ggtui.core.forecast import Verdict
from ggtui.core.memory.pool import PoolKind
from ggtui.core.units import gib, tokens, used_of_total
from ggtui.tui.download_rows import why_not
from ggtui.tui.reasons import READ_ONLY
from ggtui.tui.screens.choice import NO, Answer, ChoiceScreen, Question
from ggtui.tui.screens.downloads import DownloadsScreen
from ggtui.tui.screens.form import FormScreen
from ggtui.tui.screens.hub_offers import HubAsks, OffersScreen
from ggtui.tui.screens.hub_search import HubScreen

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from ggtui.core.downloads.jobs import Job
    from ggtui.core.models import ModelSummary
    from ggtui.core.ports.downloads import Offer, RepositoryHit
    from ggtui.core.snapshot import EngineSnapshot
    from ggtui.services.downloads.control import DownloadsControl
    from ggtui.tui.app import ModelsApp
    from ggtui.tui.download_rows import DownloadRow
    from ggtui.tui.hub_rows import OfferRow

_LOG = logging.getLogger(__name__)
T = TypeVar("T")
GO = "go"
"""The answer beside `NO`."""


class Fetching:
    """One method per intent of the screens of downloads and of the hub."""

    def __init__(self, app: ModelsApp) -> None:
        self._app = app

    @property
    def _downloads(self) -> DownloadsControl:
        return self._app.bridge.control.downloads

    def open(self) -> None:
        """Show the queue."""
        app = self._app
        if isinstance(app.screen, (DownloadsScreen, ChoiceScreen, FormScreen)):
            return
        app.clear_notifications()
        app.push_screen(DownloadsScreen(app.desk.snapshot, app.glyphs))

    def do(self, wanted: DownloadsScreen.Wanted) -> None:
        """What the key means, or why it means nothing now."""
        app, row = self._app, wanted.row
        if wanted.binding_id == "download-add":
            self.search()
            return
        reason = why_not(row, wanted.binding_id, app.desk.snapshot)
        if reason or row is None:
            app.notices.tell(reason or "", "warning")
            return
        intents: dict[str, Callable[[DownloadRow], None]] = {
            "download-hold": self._hold,
            "download-later": partial(self._move, step=1),
            "download-sooner": partial(self._move, step=-1),
            "download-remove": self._remove,
        }
        intents[wanted.binding_id](row)

    def retry(self, row: DownloadRow | None) -> None:
        """Try a failed one again."""
        app = self._app
        if row is None or row.job.state is not JobState.FAILED:
            app.notices.tell("no failed download under the cursor", "warning")
        elif app.desk.snapshot.is_read_only:
            app.notices.tell(READ_ONLY, "warning")
        else:
            self._hold(row)

    def _hold(self, row: DownloadRow) -> None:
        job, bridge = row.job, self._app.bridge
        if job.state.is_open:
            said = f"{job.model} is paused: what is there already is kept"
            bridge.submit(self._downloads.pause(job.number), job.model, lambda _: said)
        else:
            said = f"{job.model} goes on"
            bridge.submit(self._downloads.resume(job.number), job.model, lambda _: said)

    def _move(self, row: DownloadRow, step: int) -> None:
        to = place_beside(row.job, self._app.desk.snapshot, step)
        if to is not None:
            self._app.bridge.submit(self._downloads.move(row.job.number, to), row.job.model)

    def _remove(self, row: DownloadRow) -> None:
        question = before_remove(row)
        if question is None:
            self._remove_now(row)
            return
        self._app.push_screen(
            ChoiceScreen(question, self._app.glyphs),
            lambda answer: self._remove_now(row) if answer == GO else None,
        )

    def _remove_now(self, row: DownloadRow) -> None:
        job, downloads = row.job, self._downloads
        self._app.bridge.submit(
            downloads.remove(job.number), job.model, lambda _: removed_words(job, downloads.jobs)
        )

    # The hub

    def search(self) -> None:
        """Show the field to search with; one that is open below is gone back to, with what it found."""
        app = self._app
        if isinstance(app.screen, (HubScreen, ChoiceScreen, FormScreen)):
            return
        app.clear_notifications()
        if any(isinstance(screen, HubScreen) for screen in app.screen_stack):
            while not isinstance(app.screen, HubScreen):
                app.pop_screen()
        else:
            app.push_screen(HubScreen(self._search, app.glyphs))

    def show_offers(self, repository: str) -> None:
        """Show the quantisations of a repository."""
        app = self._app
        asks = HubAsks(self._offers, self._look)
        app.push_screen(OffersScreen(repository, asks, app.desk, app.glyphs))

    async def _search(self, words: str) -> tuple[RepositoryHit, ...] | str:
        return await self._answered(self._downloads.search(words))

    async def _offers(self, repository: str) -> tuple[Offer, ...] | str:
        return await self._answered(self._downloads.offers(repository))

    async def _look(self, offer: Offer) -> ModelSummary | str:
        return await self._answered(self._app.bridge.control.hub_look.summary(offer))

    async def _answered(self, work: Coroutine[Any, Any, T]) -> T | str:
        """The answer, or why there is none: what is asked here is asked of another machine."""
        try:
            return await self._app.bridge.fetch(work)
        except Failure as failure:
            return f"{failure.message}; {failure.hint}" if failure.hint else failure.message
        except Exception as error:
            _LOG.exception("the hub could not be asked")
            return f"internal error: {type(error).__name__}"

    def take(self, row: OfferRow) -> None:
        """Put it in the queue; what does not fit here is asked about."""
        app = self._app
        if row.offer.is_here:
            app.notices.tell(f"{row.offer.model} is on this disk already", "warning")
        elif app.desk.snapshot.is_read_only:
            app.notices.tell(READ_ONLY, "warning")
        elif row.job is not None and row.job.state.is_open:
            app.notices.tell(f"{row.offer.model} is being fetched already; v shows all downloads", "warning")
        elif (question := before_take(row)) is not None:
            app.push_screen(
                ChoiceScreen(question, app.glyphs),
                lambda answer: self._take_now(row) if answer == GO else None,
            )
        else:
            self._take_now(row)

    def _take_now(self, row: OfferRow) -> None:
        offer = row.offer
        said = f"{offer.model} is in the queue, {gib(offer.size_bytes)}; v shows how far it is"
        self._app.bridge.submit(self._downloads.add(offer.model), offer.model, lambda _: said)

    def follow(self, before: EngineSnapshot, after: EngineSnapshot) -> None:
        """Say what has come, and what has failed, since the state before."""
        if before.version == 0 or before.downloads is after.downloads:
            return
        for text, is_bad in ended_words(before.downloads, after.downloads):
            self._app.notices.tell(text, "error" if is_bad else "information")


def place_beside(job: Job, snapshot: EngineSnapshot, step: int) -> int | None:
    """The place, from 0, that a job takes by going past its neighbour; None where there is none.

    step: 1 for the one after it, -1 for the one before. What is done is no neighbour.
    """
    queue = [each for each in snapshot.downloads if each.state is not JobState.DONE]
    numbers = [each.number for each in queue]
    if job.number not in numbers:
        return None
    at = numbers.index(job.number) + step
    if not 0 <= at < len(queue):
        return None
    return [each.number for each in in_order(snapshot.downloads)].index(numbers[at])


def before_remove(row: DownloadRow) -> Question | None:
    """What to ask before a download goes off the list; None for one that is done."""
    job = row.job
    if job.state is JobState.DONE:
        return None
    text = f"{job.model} is not fetched any more."
    if job.completed_bytes and job.kind is JobKind.HUB:
        text += f" What of it is on disk stays there, {gib(job.completed_bytes)}."
    if not job.by_person:
        text += "\nIf it is still declared, it stays on the list as paused."
    return Question(f"Take {job.model} off the list?", text, (Answer(NO, "No"), Answer(GO, "Take it off")))


def removed_words(job: Job, left: Iterable[Job]) -> str:
    """What became of a download that was to go off the list. left: the jobs that are on it."""
    if any(each.number == job.number for each in left):
        return f"{job.model} is declared, so it stays on the list, paused"
    return f"{job.model} is off the list"


def before_take(row: OfferRow) -> Question | None:
    """What to ask before a download; None for one that fits, or of which nobody knows."""
    if row.ahead is None or row.ahead.verdict is not Verdict.NO:
        return None
    ahead, where = row.ahead, "RAM" if row.ahead.pool is PoolKind.RAM else "GPU memory"
    held = used_of_total(ahead.after_bytes, ahead.total_bytes or None)
    why = f": {ahead.refusal}" if ahead.refusal else ""
    text = (
        f"{row.offer.model} takes {gib(row.offer.size_bytes)} of disk. This machine cannot run it "
        f"with ctx {tokens(ahead.n_ctx)}, which would take {held} of {where}{why}."
    )
    return Question(
        f"Download {row.offer.label}?", text, (Answer(NO, "No"), Answer(GO, "Download it anyway"))
    )


def ended_words(before: tuple[Job, ...], after: tuple[Job, ...]) -> list[tuple[str, bool]]:
    """What to say of each download that has come (False) or failed (True) since."""
    was = {job.number: job.state for job in before}
    told: list[tuple[str, bool]] = []
    for job in after:
        if job.number not in was or was[job.number] is job.state:
            continue
        if job.state is JobState.DONE:
            where = "here" if job.backend == THIS_MACHINE else f"on {job.backend}"
            told.append((f"{job.model} is {where} now", False))
        elif job.state is JobState.FAILED:
            told.append((f"{job.model}: {job.why or 'it failed'}; v shows all downloads", True))
    return told
