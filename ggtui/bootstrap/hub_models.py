"""Headers of models on the hub: what the remote adapter reads, in the words of the one that knows GGUF."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from ggtui.adapters.gguf.found import FoundFile, models_of
from ggtui.adapters.gguf.header import Header, read_header_of
from ggtui.adapters.gguf.scan import read_facts
from ggtui.adapters.gguf.unlisted import summary_of
from ggtui.adapters.remote.access import access_from
from ggtui.adapters.remote.budget import Budget
from ggtui.adapters.remote.crew import AT_ONCE, ask_all
from ggtui.adapters.remote.hub import PREFIX, HubName
from ggtui.adapters.remote.ranges import opened_remotely
from ggtui.core.errors import Failure, HeaderUnreadable, RemoteFailure
from ggtui.core.units import MIB

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ggtui.adapters.gguf.found import FoundModel
    from ggtui.adapters.remote.access import Access
    from ggtui.core.models import ModelSummary
    from ggtui.core.ports.downloads import Offer

T = TypeVar("T")
TIME_S: Final = 20.0
"""For as many files as are read at once."""
LONGEST_LOOK_S: Final = 120.0
MOST_BYTES: Final = 64 * MIB
"""Of one model; its vocabulary is the largest part."""
MOST_ALIKE: Final = 8


class HubModels:
    """A RemoteModelsPort. Models of a repository have the same vocabulary: only the first is read whole."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """environ: where the hub is and what it is asked with, as its own tools have it."""
        self._environ = environ
        self._alike: dict[str, Header] = {}
        """By repository and commit."""

    async def summary(self, offer: Offer) -> ModelSummary:
        """As the port says."""
        repository = "/".join(offer.model.partition(":")[0].split("/")[:2])
        name = HubName.parse(f"{PREFIX}{repository}@{offer.commit or 'main'}")
        model = _model_of(offer)
        turns = -(-len(model.files) // AT_ONCE)
        budget = Budget(min(TIME_S * turns, LONGEST_LOOK_S), MOST_BYTES)
        look = _Look(name, access_from(self._environ), budget, self._alike.get(str(name)))
        try:
            summary = await _beside(partial(look.summary, model))
        finally:
            budget.end()
        self._keep(str(name), look.alike)
        return summary

    def _keep(self, name: str, header: Header | None) -> None:
        if header is None or name in self._alike:
            return
        while len(self._alike) >= MOST_ALIKE:
            del self._alike[next(iter(self._alike))]
        self._alike[name] = header


def _model_of(offer: Offer) -> FoundModel:
    """The first file of the offer with its shards; a projector is no part of it."""
    files = [FoundFile(each.path, each.path, each.size_bytes, 0, 0, 0) for each in offer.files]
    if not files:
        raise HeaderUnreadable(f"{offer.model} has no file")
    return next(model for model in models_of(files) if files[0] in model.files)


@dataclass(slots=True)
class _Look:
    """Blocks: it runs in a thread of its own."""

    name: HubName
    access: Access
    budget: Budget
    alike: Header | None

    def summary(self, model: FoundModel) -> ModelSummary:
        """Raises: RemoteFailure when the first file cannot be reached."""
        paths = [file.path for file in model.files]
        headers = self._headers(paths[:1])
        first = headers[paths[0]]
        if isinstance(first, RemoteFailure):
            raise first
        headers |= self._headers(paths[1:])
        return summary_of(model, read_facts(model, partial(_told, headers)))

    def _headers(self, paths: Sequence[str]) -> dict[str, Header | Failure]:
        questions = [partial(self._header, path) for path in paths]
        return dict(zip(paths, ask_all(questions, self.budget), strict=True))

    def _header(self, path: str) -> Header:
        with opened_remotely(self.name.address_of(path, self.access), self.access, self.budget) as file:
            header = read_header_of(file, self.budget.time_s, self.alike)
        self.alike = self.alike or header
        return header


def _told(headers: Mapping[str, Header | Failure], path: str) -> Header:
    """The header that was read. Raises: HeaderUnreadable, whatever was in the way."""
    found = headers[path]
    if isinstance(found, Header):
        return found
    raise HeaderUnreadable(found.message)


async def _beside(work: Callable[[], T]) -> T:
    """The answer of this work, done in a thread that nobody has to wait for at the end."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def tell(give: Callable[[], None]) -> None:
        if not answer.done():
            give()

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # raised again where it is awaited
            given = partial(answer.set_exception, error)
        else:
            given = partial(answer.set_result, result)
        with suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(tell, given)

    threading.Thread(target=run, name="hub-look", daemon=True).start()
    return await answer
