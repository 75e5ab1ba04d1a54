"""What the door needs of the services behind it; the composition hands it the real ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ggtui.core.backends.backend import THIS_MACHINE
from ggtui.core.ports.runtime import ModelRuntimePort

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping, Sequence

    from ggtui.core.backends.backend import Backend, Capability
    from ggtui.core.backends.choice import BackendPlace
    from ggtui.core.backends.observed import BackendState
    from ggtui.core.backends.rows import Row
    from ggtui.core.deployment.deployment import ChoicePolicy, Deployment
    from ggtui.core.deployment.facts import RequestFacts
    from ggtui.core.deployment.orders import DeploymentOrder
    from ggtui.core.deployment.runtimes import RuntimeKind
    from ggtui.core.deployment.secret import Secret
    from ggtui.core.downloads.jobs import Job
    from ggtui.core.errors import Failure
    from ggtui.core.labels import LabelChange
    from ggtui.core.model_settings import SettingsView
    from ggtui.core.models import ModelSummary, RunningTarget
    from ggtui.core.ports.catalog import CatalogReport
    from ggtui.core.reload import ReloadReport
    from ggtui.core.routing.endpoints import ModelEndpoint
    from ggtui.core.routing.route import Route
    from ggtui.core.routing.router import ModelRouter
    from ggtui.core.snapshot import EngineSnapshot, LogBatch


class RunningServers(Protocol):
    """Which servers run."""

    async def list_running(self) -> Sequence[RunningTarget]:
        """All targets that became ready and live, those that are being stopped among them."""


class RuntimePort(ModelRuntimePort, RunningServers, Protocol):
    """The runtime; `ggtui.services.runtime.ModelRuntime` is it."""


class EndpointsPort(Protocol):
    """What can be asked for, and what a name leads to; `ggtui.services.endpoints.Endpoints` is it."""

    @property
    def router(self) -> ModelRouter:
        """The rule of names over what there is now."""

    @property
    def all(self) -> Sequence[ModelEndpoint]:
        """Every endpoint in the order of ids; the same object until endpoints, names or weights change."""

    async def route(self, name: str | None, running: str | None = None) -> Route:
        """The endpoint that a request is for.

        name: None or empty for a request that names none. running: public id of what became ready last.
        Raises: EndpointNotFound, NoModelsAvailable, EndpointNotReady.
        """

    def brought_elsewhere(self, endpoint: str, words: str) -> None:
        """Tell people of a request whose context decided where it went."""


class PassagePort(Protocol):
    """What one request holds of a deployment; `ggtui.services.deployments.passage.Passage` is it."""

    taken: int | None
    """The pass of the breaker for an attempt; None when there is none."""
    was_sent: bool
    """True when it counts, whatever becomes of it: something of it is on its way to a server."""

    def leave(self, error: BaseException | None = None) -> Sequence[asyncio.Future[None]]:
        """Settle, in whatever way the request has ended; what is returned is still to be written."""

    def take_breaker(self) -> None:
        """Before each attempt. Raises: CircuitOpen."""

    def attempt_succeeded(self) -> None:
        """The whole answer has come."""

    def attempt_failed(self, failure: Failure) -> None:
        """The attempt has ended with this."""

    def learned_nothing(self) -> None:
        """The attempt has ended in a way that says nothing new of its server."""

    def may_retry(self, failure: Failure, retries_done: int) -> float | None:
        """Seconds after which the same deployment is asked again; None when it is not."""

    async def pause(self, seconds: float) -> None:
        """Wait before the next attempt; ended when the breaker lets none pass."""

    def answered(self, n_tokens: int = 0) -> None:
        """A part of the answer has come, with so many tokens more where that can be seen."""

    def used(self, n_input: int, n_output: int, n_cached: int = 0) -> None:
        """The server has counted so many tokens, the cached ones among those of the input."""


class LivePort(Protocol):
    """A deployment as it runs; `ggtui.services.deployments.live.LiveDeployment` is it."""

    rules: Deployment
    counts_tokens: bool
    """True when something is counted by tokens: a price, or a limit."""

    @property
    def name(self) -> str:
        """What clients send."""

    @property
    def kind(self) -> RuntimeKind:
        """What serves it."""

    @property
    def is_by_backends(self) -> bool:
        """True when declared backends serve it."""

    def enter_at_once(self, facts: RequestFacts) -> PassagePort | None:
        """Let a request in, if that can be said without a closer look; None when it must `enter`."""

    async def enter(self, facts: RequestFacts) -> PassagePort:
        """Let a request in, which may wait; a refusal and a cancellation take nothing.

        Raises: EndpointNotReady, PolicyRefusal.
        """

    async def key(self) -> Secret | None:
        """The key for its server; None when it needs none.

        Raises: EndpointNotReady when it cannot be read.
        """


class DeploymentsPort(Protocol):
    """The deployments of the configuration; `ggtui.services.deployments.book.Deployments` is it."""

    def get(self, name: str) -> LivePort | None:
        """The deployment of this name; None for a model that has no rules."""

    def chain(self, name: str) -> Sequence[LivePort]:
        """Who is asked for this name, in order; empty for a name that is no deployment."""


class BackendsPort(Protocol):
    """The declared backends; `ggtui.services.backends.book.Backends` is it."""

    def places(
        self,
        model: str,
        *,
        policy: ChoicePolicy | None = None,
        groups: Sequence[str] = (),
        capability: Capability | None = None,
    ) -> Sequence[BackendPlace]:
        """Those that serve a model now, in the order to try; at least one.

        policy: None for that of their group, else the common one. groups: only backends in one of them.
        Raises: NoneMatched, CapabilityMissing, EndpointNotReady.
        """

    async def key(self, name: str, chosen: Backend | None = None) -> Secret | None:
        """The key of a backend; None when it needs none.

        chosen: where the request goes. Raises: EndpointNotReady when it cannot be read, and when the name
        means another place by now.
        """

    def failed(self, name: str, failure: Failure) -> None:
        """A request to it failed: it gets none until it was seen well again."""

    async def look_ended(self, model: str) -> bool:
        """Wait for a look at backends that may find a place for this model; False when none is due."""


class NamesControl(Protocol):
    """What may be changed about names and adapters; `ggtui.services.names.Names` is it."""

    def base_of(self, name: str) -> str | None:
        """Public id of the model behind a name, as far as it is known now."""

    async def model(self, name: str) -> str:
        """Public id of the model that a name leads to."""

    async def set_alias(self, alias: str, target: str | None) -> None:
        """Let another name lead to an endpoint, or to nothing."""

    async def set_default(self, target: str | None) -> None:
        """Choose what serves requests that name no model."""

    async def set_enabled(self, target: str, is_enabled: bool) -> str:
        """Switch an endpoint on or off; returns its id."""

    async def set_weight(self, model: str, adapter: str, weight: object) -> float:
        """Apply so much of an adapter from the next request on."""

    async def attach(self, model: str, lora: str, name: str | None = None, weight: object = 1.0) -> str:
        """Attach a LoRA file to a model; returns the adapter's name."""

    async def detach(self, model: str, name: str) -> None:
        """Take an adapter off a model."""


class DeploymentsControl(Protocol):
    """What may be ordered of deployments; `ggtui.services.deployments.control.DeploymentsControl` is it."""

    async def order(self, name: str, order: DeploymentOrder) -> None:
        """Do it; counts from the next request on. Raises: EndpointNotFound, LaunchRejected when read-only."""


class BackendsControl(Protocol):
    """What may be asked of backends; `ggtui.services.backends.control.BackendsControl` is it."""

    @property
    def states(self) -> Sequence[BackendState]:
        """What was seen of each; has what is old looked at again."""

    @property
    def rows(self) -> Sequence[Row]:
        """How declared and observed differ."""

    async def reconcile(self, *, is_dry_run: bool = False) -> Sequence[Row]:
        """Look at all now, queue what is missing unless it is a dry run; how they differ then.

        Raises: ReadOnly unless it is a dry run; StoreUnavailable.
        """


class DownloadsControl(Protocol):
    """What may be done with downloads; `ggtui.services.downloads.control.DownloadsControl` is it.

    Each call may raise ReadOnly, StoreUnavailable, and DownloadNotFound for a number that is not there.
    """

    @property
    def problem(self) -> str:
        """Why the queue is not kept on disk now; empty when it is."""

    async def add(self, model: str, *, backend: str = THIS_MACHINE, revision: str = "main") -> Job:
        """A person wants this model there: a new download, or the one there is, resumed.

        Raises: BackendNotFound, RemoteFailure.
        """

    async def pause(self, number: int) -> None:
        """Stop it; what is on disk is kept."""

    async def cancel(self, number: int) -> None:
        """The same, said of one that is not wanted now."""

    async def resume(self, number: int) -> None:
        """Let it go on, or try again what failed."""

    async def remove(self, number: int) -> None:
        """Forget it."""

    async def move(self, number: int, to: int) -> None:
        """Give it another place in the queue; 0 is the first."""


class ControlPort(Protocol):
    """What the door needs of ggtui's control surface; `ggtui.services.control.Control` is it."""

    @property
    def names(self) -> NamesControl:
        """What may be changed about names."""

    @property
    def deployments(self) -> DeploymentsControl:
        """What may be ordered of deployments."""

    @property
    def backends(self) -> BackendsControl:
        """What may be asked of backends."""

    @property
    def downloads(self) -> DownloadsControl:
        """What may be ordered of downloads."""

    def snapshot(self) -> EngineSnapshot:
        """The state now."""

    def subscribe(self, hear: Callable[[EngineSnapshot], None]) -> Callable[[], None]:
        """Hear every new snapshot until the returned call."""

    def subscribe_logs(self, hear: Callable[[LogBatch], None]) -> Callable[[], None]:
        """Hear new log lines until the returned call."""

    def log_tail(self, public_id: str, n_lines: int, *, is_verbose: bool = False) -> tuple[str, ...]:
        """The last lines of a model's server."""

    async def load(self, name: str, n_ctx: int | None = None) -> RunningTarget:
        """Make this model the running one."""

    async def stop(self, name: str | None = None, *, is_forced: bool = False) -> None:
        """Stop this model, or whatever runs or loads."""

    async def set_context(self, name: str, n_ctx: int | None) -> None:
        """Keep a context choice for a model."""

    async def label(self, name: str, change: LabelChange) -> ModelSummary:
        """Change what a person calls a model."""

    async def rescan(self) -> CatalogReport:
        """Look at the model folders again."""

    async def pin(self, name: str, is_pinned: bool) -> None:
        """Keep this model resident once it is loaded, or no longer."""

    async def settings(self, name: str) -> SettingsView:
        """The settings of a model, with what is in force where none was set."""

    async def change_settings(self, name: str, changes: Mapping[str, object]) -> SettingsView:
        """Write settings of a model; None removes a key."""

    async def reload(self) -> ReloadReport:
        """Read the configuration again and apply what changed."""
