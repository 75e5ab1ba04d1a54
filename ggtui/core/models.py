"""The nouns: a model in the catalog, how it is launched, what is running."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from ggtui.core.deployment.shares import WHOLE, MachineShare
from ggtui.core.engine_devices import has_accelerator
from ggtui.core.naming import shard_names

if TYPE_CHECKING:
    from pathlib import Path

    from ggtui.core.memory.compute import MeasuredCompute
    from ggtui.core.memory.shape import ModelShape
    from ggtui.core.memory.weights import ModelWeights

DEFAULT_N_CTX = 4096
"""Context size in tokens when neither the request, the model nor the configuration chooses one."""

DEFAULT_N_PARALLEL = 4
"""Slots of a server, on one shared KV pool: llama-server's own choice when nobody chooses."""


class KvType(StrEnum):
    """A KV-cache element type that llama-server accepts for `-ctk` and `-ctv`."""

    F32 = "f32"
    F16 = "f16"
    BF16 = "bf16"
    Q8_0 = "q8_0"
    Q5_1 = "q5_1"
    Q5_0 = "q5_0"
    Q4_1 = "q4_1"
    Q4_0 = "q4_0"
    IQ4_NL = "iq4_nl"


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """A catalog entry as people and clients may see it. Holds no file path."""

    id: int
    """Stable numeric catalog id."""
    public_id: str
    """Stable unique name a client sends as `model`; never all digits."""
    name: str
    """Display name, free of control characters."""
    architecture: str
    size_bytes: int
    """All shards together."""
    quantisation: str = ""
    """Such as `Q4_K_M`; empty when unknown."""
    n_params: int | None = None
    n_ctx_train: int | None = None
    """Context the model was trained for, in tokens."""
    n_ctx_chosen: int | None = None
    """Context a person chose for this model; None leaves it to the default."""
    n_ctx_advised: int | None = None
    """The largest round context that this machine holds, in tokens; None until it is known."""
    loaded_at: float | None = None
    """Unix time of the last time it was loaded, in this or an earlier run."""
    capabilities: tuple[str, ...] = ("completion",)
    """Of `chat`, `completion`, `embedding`, `rerank`, from the file's own metadata."""
    tags: tuple[str, ...] = ()
    """Words that a person gave it, in lower case."""
    given_name: str = ""
    """The name that a person gave it, which is then `name` too; empty when that is the file's own."""
    is_favourite: bool = False
    shape: ModelShape | None = None
    """None when the header does not tell: the forecast is then a guess."""
    weights: ModelWeights | None = None
    """Tensors by layer; None when they are not known."""
    problem: str | None = None
    """Why the file cannot be loaded, in one sentence; None for a sound file."""
    warning: str | None = None
    """Why a load may fail although the file is sound, in one sentence."""
    store: str = ""
    """A StoreKind: where it was found first; empty when no catalog tells."""
    places: tuple[str, ...] = ()
    """Every place that holds it, such as `ollama llama3.2:1b`, the one it is launched from first."""
    waste_bytes: int = 0
    """What further copies of it take on disk; links to the same file take nothing."""
    copies: tuple[str, ...] = ()
    """Public ids of models with the same content that are listed for themselves."""
    measured: tuple[MeasuredCompute, ...] = ()
    """What earlier loads of this file have taught of its compute buffer, the newest first."""
    overhead_bytes: int | None = None
    """What the driver took on each device in the newest load of any model here; None until one has told."""
    projector: str = ""
    """The vision projector that belongs to it; empty when there is none, or more than one."""
    projector_bytes: int = 0
    """Its size on disk."""
    projector_candidates: tuple[str, ...] = ()
    """The projectors that may belong to it, when there is more than one."""


@dataclass(frozen=True, slots=True)
class AdapterSummary:
    """A LoRA adapter on disk. Text in it is plain."""

    name: str
    architecture: str
    size_bytes: int
    path: Path
    base_hints: tuple[str, ...] = ()
    """Names of the models it may be made for, as the file or its store tells; often none."""
    places: tuple[str, ...] = ()
    problem: str | None = None
    tensor_bytes: int = 0
    """What its tensors add up to; 0 while that is not known."""


@dataclass(frozen=True, slots=True)
class AdapterFile:
    """A LoRA file that a server carries. Its place among them is its number in the engine's requests."""

    name: str
    """What stands behind the colon of `model:adapter`."""
    path: Path
    size_bytes: int = 0
    """Of the file, as it was when it was last looked at; a file that is written anew is another one."""
    tensor_bytes: int = 0
    """What its tensors add up to; 0 while that is not known."""

    @property
    def loaded_bytes(self) -> int:
        """What the engine allocates for it; of an adapter whose tensors are not known, the file's size."""
        return self.tensor_bytes or self.size_bytes


@dataclass(frozen=True, slots=True)
class LaunchOptions:
    """How llama-server is started beyond model and context. None leaves the choice to the engine."""

    n_gpu_layers: int | None = None
    n_parallel: int = DEFAULT_N_PARALLEL
    kv_unified: bool = True
    """True: every slot may use the whole context, from one pool."""
    cache_type_k: KvType = KvType.F16
    cache_type_v: KvType = KvType.F16
    flash_attn: bool | None = None
    n_threads: int | None = None
    projector: bool = True
    """True: a vision projector that belongs to the model is loaded with it."""
    extra_args: tuple[str, ...] = ()
    template: str | None = None
    """Chat template: an absolute path of a Jinja file, or the name of one that llama.cpp has built in."""
    adapters: tuple[AdapterFile, ...] = ()
    """LoRA files that are loaded with the model, so that a request can choose among them."""

    @property
    def adapters_bytes(self) -> int:
        """What the engine allocates for all adapters."""
        return sum(each.loaded_bytes for each in self.adapters)


@dataclass(frozen=True, slots=True)
class ModelLaunchSpec:
    """What only the launcher may know of a model: its files."""

    model_id: int
    public_id: str
    path: Path
    """First shard."""
    n_ctx_train: int | None = None
    n_ctx_chosen: int | None = None
    n_ctx_advised: int | None = None
    capabilities: tuple[str, ...] = ("completion",)
    options: LaunchOptions = field(default_factory=LaunchOptions)
    problem: str | None = None
    """Why a launch would be refused at once; None when it may be tried."""
    is_missing: bool = False
    """True when the file, or one of its shards, has gone since the last look."""
    projector: Path | None = None
    """The vision projector that belongs to the model, when exactly one does."""

    @property
    def paths(self) -> tuple[Path, ...]:
        """The model's files, all shards in their order; those that are missing among them."""
        return tuple(self.path.with_name(name) for name in shard_names(self.path.name))


@dataclass(frozen=True, slots=True)
class LaunchPlan:
    """One launch, fully decided: the launcher adds only address, key and log."""

    spec: ModelLaunchSpec
    n_ctx: int
    """Context per request in tokens, already clamped."""
    stall_timeout_s: float = 120.0
    """A load that shows no progress for this long is given up."""
    stop_grace_s: float = 5.0
    """Time between a polite stop and SIGKILL."""
    is_verbose: bool = True
    """True: the engine is asked to tell what it allocates."""
    replica: int | None = None
    """Its number among the servers of this model, from 0; None where the model has only one."""
    share: MachineShare = WHOLE
    """What of the machine it may use."""

    @property
    def log_name(self) -> str:
        """What its log is called: that of the model, with the number of each further replica."""
        return f"{self.spec.public_id}.replica-{self.replica + 1}" if self.replica else self.spec.public_id


@dataclass(frozen=True, slots=True)
class RunningTarget:
    """A ready server. `effective_ctx` is what one request may really use, read back from the server."""

    base_url: str
    port: int
    model_id: int
    model_name: str
    effective_ctx: int
    n_slots: int = 1
    pid: int | None = None
    api_key: str = field(default="", repr=False)
    """The launch's own key: it goes to this server and nowhere else."""
    adapters: tuple[str, ...] = ()
    """Names of the adapters that it carries; the place of each is its number in a request's `lora` list."""
    replica: int | None = None
    """Its number among the servers of its model, from 0; None where the model has only one."""

    @classmethod
    def local(cls, port: int, model_id: int, model_name: str, effective_ctx: int) -> RunningTarget:
        """A server on this machine's loopback."""
        return cls(f"http://127.0.0.1:{port}", port, model_id, model_name, effective_ctx)


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """Which llama.cpp will be launched, or why none can be."""

    kind: str
    """`llama-server`, `embedded` or `missing`."""
    path: str = ""
    version: str = ""
    devices: tuple[str, ...] = ()
    """Compute devices beside the CPU that this build can use."""
    problem: str | None = None
    """What is wrong and where was looked, for `missing` or an engine that does not start."""

    @property
    def has_accelerator(self) -> bool:
        """True when it can use a device with memory; a library that computes on the CPU is none."""
        return has_accelerator(self.devices)

    @property
    def is_usable(self) -> bool:
        """True when a launch may be tried."""
        return self.problem is None
