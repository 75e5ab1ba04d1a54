"""Downloads as the command line orders them: from the running ggtui, else carried out by this process."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Protocol

from ggtui.cli.client import ANSWER_S, InstanceSilent, running
from ggtui.cli.exits import ExitCode
from ggtui.core.downloads_json import REMOVED
from ggtui.core.errors import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ggtui.cli.client import InstanceClient
    from ggtui.config.schema import Config

Document = dict[str, Any]
OPEN: Final = frozenset({"pending", "running"})
"""States of a download that goes on by itself."""
_DATA: Final = "data: "


class DownloadFailed(Failure):
    """It ended without the model."""

    title = "Not downloaded"
    exit_code = ExitCode.FAILED


class DownloadsDesk(Protocol):
    """Each call returns a document of ggtui/core/downloads_json.py.

    Each may raise InstanceSilent and InstanceRefused with a running ggtui, without one StoreUnavailable,
    DownloadNotFound, BackendNotFound and ConfigInvalid.
    """

    is_kept: bool
    """True when nobody works on what is queued here before a ggtui starts."""

    def queue(self) -> Document:
        """All downloads."""

    def add(self, model: str, backend: str, revision: str) -> Document:
        """A person wants this model there: the download, under `download`."""

    def order(self, number: int, action: str, to: int | None = None) -> Document:
        """Pause, resume, cancel, move or remove one: what it is then, under `download`."""

    def fetch(self, model: str, backend: str, revision: str, show: Callable[[Document], None]) -> Document:
        """Add it and return its last status_document, when it goes on no more.

        show: gets each on the way. Whoever interrupts it pauses it. Raises: KeyboardInterrupt then.
        """


def downloads_desk(config: Config) -> DownloadsDesk:
    """The running ggtui where there is one, else the queue on this disk."""
    from ggtui.cli.kept_downloads import KeptDownloads

    instance = running(config)
    return KeptDownloads(config) if instance is None else RunningDownloads(instance)


class RunningDownloads:
    """The DownloadsDesk of a ggtui that runs."""

    is_kept = False

    def __init__(self, instance: InstanceClient) -> None:
        self._instance = instance

    def queue(self) -> Document:
        """See DownloadsDesk."""
        return self._instance.get("/ggtui/queue")

    def add(self, model: str, backend: str, revision: str) -> Document:
        """See DownloadsDesk."""
        wish = {"model": model, "backend": backend, "revision": revision}
        return self._instance.post("/ggtui/queue", wish, ANSWER_S)

    def order(self, number: int, action: str, to: int | None = None) -> Document:
        """See DownloadsDesk."""
        wish: dict[str, object] = {"number": number, "action": action}
        if to is not None:
            wish["to"] = to
        return self._instance.post("/ggtui/queue/order", wish, ANSWER_S)

    def fetch(self, model: str, backend: str, revision: str, show: Callable[[Document], None]) -> Document:
        """See DownloadsDesk."""
        number = self.add(model, backend, revision)["download"]["number"]
        try:
            for told in self._told_of(number):
                show(told)
                if told["state"] not in OPEN:
                    return told
        except KeyboardInterrupt:
            with suppress(Failure):
                self.order(number, "pause")
            raise
        raise InstanceSilent(
            f"pid {self._instance.pid} ended before the download did",
            hint="the same command goes on with it",
        )

    def _told_of(self, number: int) -> Iterator[Document]:
        for line in self._instance.lines("/ggtui/queue/events"):
            if line.startswith(_DATA):
                told: Document = json.loads(line.removeprefix(_DATA))
                if told["number"] == number:
                    yield told


def check_done(told: Document) -> None:
    """told: the last status_document. Raises: DownloadFailed, unless the model is there."""
    state, model = told["state"], told["model"]
    if state == "paused":
        hint = f"ggtui downloads resume {told['number']} goes on"
        raise DownloadFailed(f"{model} was paused", hint=hint)
    if state == REMOVED:
        raise DownloadFailed(f"{model} was taken out of the queue")
    if state != "done":
        raise DownloadFailed(f"{model}: {told['why'] or state}", hint=told["hint"])
