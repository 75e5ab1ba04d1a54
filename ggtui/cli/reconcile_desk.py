"""Reconciliation as the command line orders it: of the running ggtui, else by this process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, Protocol

from ggtui.cli.client import InstanceRefused, InstanceSilent, running
from ggtui.cli.exits import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ggtui.cli.client import InstanceClient
    from ggtui.config.schema import Config

Document = dict[str, Any]
CYCLE_S: Final = 60.0
"""A look at a backend is bounded by a fraction of this."""
_DATA: Final = "data: "


class ReconcileDesk(Protocol):
    """Each document has `rows` and `in_sync` of ggtui/core/backends_json.py.

    Each may raise InstanceSilent and InstanceRefused with a running ggtui, StoreUnavailable without one.
    """

    def backends(self) -> Document:
        """What was seen of each backend, as backends_document has it."""

    def once(self, *, is_dry_run: bool) -> Document:
        """One cycle, and how declared and observed differ then. is_dry_run: look only."""

    def watch(self, tell: Callable[[Document], None]) -> None:
        """Cycles until all is in sync; tell gets a document at the begin and after changes."""


def reconcile_desk(config: Config, show: Callable[[Document], None]) -> ReconcileDesk:
    """The running ggtui where there is one, else this process by the configuration.

    show: gets the status_document of a download that this process works on.
    """
    from ggtui.cli.own_cycles import OwnCycles

    instance = running(config)
    return OwnCycles(config, show) if instance is None else RunningCycles(instance)


class RunningCycles:
    """The ReconcileDesk of a ggtui that runs."""

    def __init__(self, instance: InstanceClient) -> None:
        self._instance = instance

    def backends(self) -> Document:
        """See ReconcileDesk."""
        return self._instance.get("/ggtui/backends")

    def once(self, *, is_dry_run: bool) -> Document:
        """See ReconcileDesk. A refusal is none of the codes that tell of drift."""
        try:
            return self._instance.post("/ggtui/reconcile", {"dry_run": is_dry_run}, CYCLE_S)
        except InstanceRefused as refusal:
            if refusal.exit_code is ExitCode.FAILED:
                refusal.exit_code = ExitCode.ENVIRONMENT
            raise

    def watch(self, tell: Callable[[Document], None]) -> None:
        """See ReconcileDesk."""
        document = self.once(is_dry_run=False)
        tell(document)
        if document["in_sync"]:
            return
        for state in self._states():
            told = {key: state[key] for key in ("schema", "in_sync", "rows")}
            tell(told)
            if told["in_sync"]:
                return
        raise InstanceSilent(f"pid {self._instance.pid} ended")

    def _states(self) -> Iterator[Document]:
        for line in self._instance.lines("/ggtui/events"):
            if line.startswith(_DATA):
                yield json.loads(line.removeprefix(_DATA))
