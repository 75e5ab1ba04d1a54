"""Everything a view may show, at one moment. Views draw whole snapshots, never a sum of changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from ggtui.core.deployment.breaker import BreakerState
from ggtui.core.deployment.replicas import ONE
from ggtui.core.errors import Failure, HealthCheckFailed, SpawnFailed
from ggtui.core.models import LaunchOptions
from ggtui.core.ports.catalog import CatalogReport
from ggtui.core.ports.gpu import MemoryReading
from ggtui.core.routing.name_settings import NameSettings
from ggtui.core.state import TargetState

if TYPE_CHECKING:
    from ggtui.core.backends.observed import BackendState
    from ggtui.core.backends.rows import Row
    from ggtui.core.deployment.limits import Limit
    from ggtui.core.deployment.policies import Budget
    from ggtui.core.deployment.replicas import Replica, ReplicaPlan
    from ggtui.core.deployment.runtimes import RuntimeKind
    from ggtui.core.downloads.jobs import Job
    from ggtui.core.history import Generation
    from ggtui.core.load_history import LoadRecord
    from ggtui.core.models import EngineInfo, ModelSummary
    from ggtui.core.routing.adapters import AdapterRef
    from ggtui.core.routing.endpoints import ModelEndpoint


@dataclass(frozen=True, slots=True)
class FailureNote:
    """A failure as it is kept and shown after it happened."""

    title: str
    detail: str
    hint: str = ""
    code: str = ""
    reason: str = ""
    """The machine-readable cause of a failed start, else empty."""
    log_tail: tuple[str, ...] = ()
    at: float = 0.0
    """Unix time."""

    @classmethod
    def of(cls, failure: Failure, at: float) -> FailureNote:
        """Keep what a person needs of a failure."""
        if isinstance(failure, (SpawnFailed, HealthCheckFailed)):
            return cls(
                failure.title,
                failure.cause,
                failure.hint,
                failure.code,
                str(failure.reason),
                failure.log_tail,
                at,
            )
        return cls(failure.title, failure.message, failure.hint, failure.code, at=at)


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """One row of the catalog."""

    summary: ModelSummary
    state: TargetState = TargetState.IDLE
    n_ctx: int = 0
    """The context a load would use now: a person's choice, else the default, clamped."""
    failure: FailureNote | None = None
    """Why the last load failed or the server died; None after a success."""
    is_pinned: bool = False
    """Never evicted while it is resident."""
    options: LaunchOptions | None = None
    """How a load would launch it now, which a forecast needs; None: like a model without settings."""
    plan: ReplicaPlan = ONE
    """How many servers it shall have, and what each of them gets."""


@dataclass(frozen=True, slots=True)
class TargetStatus:
    """A server that loads, runs or ends."""

    model_id: int
    public_id: str
    state: TargetState
    since: float
    """Unix time of the last change of state."""
    pid: int | None = None
    port: int | None = None
    base_url: str = ""
    n_ctx: int = 0
    """Context per request: read back when ready, wished before."""
    n_slots: int = 0
    in_flight: int = 0
    progress: float | None = None
    """0 to 1 while loading, None when the engine does not tell."""
    expected_load_s: float | None = None
    """How long this model's last load took."""
    argv: tuple[str, ...] = ()
    memory_bytes: int | None = None
    """Device memory of the process where the driver tells, else its resident memory."""
    predicted_bytes: int | None = None
    """What the forecast said before the load."""
    load: LoadRecord | None = None
    """What the engine's own log says it holds, beside the forecast; None until it has told."""
    adapters: tuple[AdapterRef, ...] = ()
    """LoRA adapters that it carries, with the weight that `model:adapter` applies now."""
    last_used_at: float | None = None
    """Unix time at which its last request came or ended; None while it has had none."""
    keep_alive_s: float | None = None
    """Idle seconds after which it is stopped; negative for never, None when nobody told."""
    prompt_per_second: float | None = None
    predicted_per_second: float | None = None
    """Speeds of the last answer, tokens per second, when the server reported them."""
    replica: int | None = None
    """Its number among the servers of its model, from 0; None where the model has only one."""

    @property
    def title(self) -> str:
        """What it is called: the model's id, with the number where there are several."""
        return self.public_id if self.replica is None else f"{self.public_id} #{self.replica + 1}"


class WaitPhase(StrEnum):
    """What a request waits for at this moment."""

    LOADING = "loading"
    """Its model is being loaded."""
    SLOT = "slot"
    """Its model is ready, and every slot is taken."""
    RESTART = "restart"
    """The server of its own model must end and start again."""
    BEHIND_LOADING = "behind_loading"
    """Another model is being loaded first."""
    BEHIND_BUSY = "behind_busy"
    """A model in the way is serving, and takes new requests until its turn is over."""
    BEHIND_DRAINING = "behind_draining"
    """A model in the way finishes the requests it has."""
    BEHIND_STOPPING = "behind_stopping"
    """The server of a model in the way is ending."""
    BEHIND_QUEUE = "behind_queue"
    """Requests for other models come first."""


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """A request that waits for its model."""

    public_id: str
    n_ctx: int | None
    waiting_s: float
    words: str = ""
    """What it waits for at this moment."""
    position: int = 0
    """Its place in the line, 1 for the first."""
    model_id: int = 0
    since: float = 0.0
    """Unix time of its arrival."""
    phase: WaitPhase = WaitPhase.BEHIND_QUEUE
    behind: tuple[str, ...] = ()
    """Public ids of the models that come first, in the order in which they do."""
    expected_s: float | None = None
    """Seconds it still waits, by how long loads took before; None when nothing is known."""

    @property
    def is_expected_at_least(self) -> bool:
        """True when the wait may be longer: nobody knows how long the requests of other models take."""
        return self.expected_s is not None and self.phase is not WaitPhase.LOADING


@dataclass(frozen=True, slots=True)
class RouteNote:
    """Where a request went that its context brought elsewhere, and why."""

    endpoint: str
    words: str
    """Such as `12041 tokens; qwen holds 8192`."""
    at: float
    """Unix time."""


class DeploymentState(StrEnum):
    """Whether a deployment takes requests."""

    SERVING = "serving"
    DRAINING = "draining"
    """Takes no new request, and finishes those it has."""
    DISABLED = "disabled"
    """A person has drained it, and it has no request left."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class DeploymentCounts:
    """What became of a deployment's requests since ggtui began, and what they took."""

    succeeded: int = 0
    failed: int = 0
    """Failures of its server, and of its start, that have no count of their own."""
    rate_limited: int = 0
    """Its own limits, or its server's, let them not through."""
    circuit_open: int = 0
    timed_out: int = 0
    content_filtered: int = 0
    refused: int = 0
    """Turned away before they were sent for another reason: no slot, a full queue, a spent budget."""
    input_tokens: int = 0
    output_tokens: int = 0
    cost_pusd: int = 0


@dataclass(frozen=True, slots=True)
class LimitUse:
    """One rate limit of a deployment, and how much of it is used now."""

    limit: Limit
    used: int
    allowed: int
    client: str = ""
    """Who holds the key that has used most of it, where each has the limit for itself."""


@dataclass(frozen=True, slots=True)
class DeploymentStatus:
    """A deployment: what serves it, whether it does, and how far its rules are used up."""

    name: str
    kind: RuntimeKind
    why_kind: str
    """Why this kind serves it, half a sentence."""
    model: str
    """Id in the catalog, path, or the name that another server knows."""
    state: DeploymentState = DeploymentState.SERVING
    why: str = ""
    """Why it does not serve, or what a person should know although it does, such as a spent budget."""
    in_flight: int = 0
    queued: int = 0
    slots: int | None = None
    """Requests served at once at most, with what a spent budget takes off; None for any number."""
    limits: tuple[LimitUse, ...] = ()
    """Those that are set."""
    breaker: BreakerState = BreakerState.CLOSED
    is_breaker_forced: bool = False
    """True while a person holds the breaker in its state."""
    retry_at: float | None = None
    """Unix time from which an open breaker lets a probe pass; None when it is not open, or forced open."""
    spent_hour_pusd: int = 0
    spent_day_pusd: int = 0
    budget: Budget | None = None
    replicas: tuple[Replica, ...] = ()
    """Its servers in their order; empty where it has only one, or none of this machine."""
    counts: DeploymentCounts = field(default_factory=DeploymentCounts)


@dataclass(frozen=True, slots=True)
class EngineSnapshot:
    """The whole state."""

    version: int
    """Grows with every change."""
    url: str = ""
    """What a client uses as base URL, ending in /v1; empty without a proxy."""
    models: tuple[ModelStatus, ...] = ()
    targets: tuple[TargetStatus, ...] = ()
    queue: tuple[QueueEntry, ...] = ()
    memory: MemoryReading = field(default_factory=MemoryReading)
    memory_history: tuple[int, ...] = ()
    """Used bytes of the pool at 1 Hz, oldest first, at most 300."""
    gpu_history: tuple[tuple[int, ...], ...] = ()
    """Used bytes at 1 Hz of each of memory.gpus, in their order; oldest first, at most 300 each."""
    engine: EngineInfo | None = None
    """None until it has been looked up."""
    catalog: CatalogReport = field(default_factory=CatalogReport)
    is_scanning: bool = False
    strategy: str = "single"
    """`single`: one model at a time; `memory`: as many as the memory holds."""
    options: LaunchOptions = field(default_factory=LaunchOptions)
    """How a model without settings of its own would be launched."""
    memory_budget_bytes: int = 0
    """What all models may take together at most, under `memory`; 0 for what the machine has."""
    default_n_ctx: int = 0
    is_read_only: bool = False
    endpoints: tuple[ModelEndpoint, ...] = ()
    """What clients can ask for, ordered by id; the same object until something changes."""
    names: NameSettings = field(default_factory=NameSettings)
    """Aliases, the default, what is switched off."""
    last_route: RouteNote | None = None
    """The last request that context brought elsewhere than to the default; None when there was none."""
    history: tuple[Generation, ...] = ()
    """What was served, newest first, 32 at most; the same object until something changes."""
    deployments: tuple[DeploymentStatus, ...] = ()
    """Those of the configuration, in its order; models without one are not among them."""
    backends: tuple[BackendState, ...] = ()
    """Those of the configuration, in its order; the same object until something changes."""
    rows: tuple[Row, ...] = ()
    """How declared and observed differ, by backend; empty where nothing is declared."""
    is_reconciling: bool = False
    """True while backends are asked."""
    downloads: tuple[Job, ...] = ()
    """By their place in the queue, those that ended among them; the same object until something changes."""

    def status_of(self, model_id: int) -> ModelStatus | None:
        """The row of a model, or None."""
        return next((row for row in self.models if row.summary.id == model_id), None)

    @property
    def target(self) -> TargetStatus | None:
        """The one target of the single-model strategy: what runs, else what loads, else what ends."""
        return self.targets[0] if self.targets else None


@dataclass(frozen=True, slots=True)
class LogBatch:
    """Lines of one model's server, in order, gathered for about a tenth of a second."""

    public_id: str
    lines: tuple[str, ...]
