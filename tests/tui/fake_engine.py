"""An engine that does as it is told: the same surface as the real one, on a thread with a loop of its own."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from ggtui.adapters.memory.model_settings import MemoryModelSettings
from ggtui.core.errors import EngineStopping
from ggtui.core.labels import Labels
from ggtui.core.model_settings import CommonSettings, ModelSettings, launch_options, settings_view
from ggtui.core.models import EngineInfo, ModelSummary, RunningTarget
from ggtui.core.ports.catalog import CatalogReport
from ggtui.core.ports.gpu import GpuSample, MemoryReading
from ggtui.core.reload import ReloadReport
from ggtui.core.removal import RemovalPlan
from ggtui.core.snapshot import EngineSnapshot, LogBatch, ModelStatus, QueueEntry, TargetStatus
from ggtui.core.state import TargetState
from tests.shapes import dense_shape
from tests.tui.fake_deployments import FakeDeployments
from tests.tui.fake_fetching import FakeBackends, FakeDownloads, FakeHubLook
from tests.tui.fake_names import FakeNames

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from ggtui.core.errors import Failure
    from ggtui.core.health import Check
    from ggtui.core.labels import LabelChange
    from ggtui.core.load_history import LoadRecord
    from ggtui.core.model_settings import SettingsView
    from ggtui.core.models import LaunchOptions

T = TypeVar("T")
GIB = 1024**3
MIB = 1024**2


def model(
    model_id: int,
    public_id: str,
    size_gib: float,
    *,
    quant: str = "Q4_K_M",
    n_ctx_train: int = 131072,
    n_layer: int = 48,
    n_head_kv: int = 4,
    is_ordinary: bool = True,
    problem: str | None = None,
) -> ModelSummary:
    """A model whose cache takes n_layer * n_head_kv * 512 bytes a token."""
    return ModelSummary(
        id=model_id,
        public_id=public_id,
        name=public_id,
        architecture="qwen3" if is_ordinary else "odd",
        size_bytes=int(size_gib * GIB),
        quantisation=quant,
        n_ctx_train=n_ctx_train,
        n_params=int(size_gib * 1.8e9),
        capabilities=("chat", "completion"),
        shape=dense_shape(
            "qwen3" if is_ordinary else "odd",
            n_layer=n_layer,
            n_ff=12288,
            n_head_kv=n_head_kv,
            n_vocab=151936,
            n_ctx_train=n_ctx_train,
        ),
        problem=problem,
    )


MODELS = (
    model(1, "bge-m3", 1.1, quant="F16", n_ctx_train=8192, n_layer=24),
    model(2, "broken-7b", 3.9, quant="Q4_0", problem="shard 2 of 3 is missing"),
    model(3, "deepseek-r1-671b", 227.0, quant="Q2_K", n_ctx_train=163840, n_layer=61),
    model(4, "gemma-3-27b-it", 15.4, n_layer=48, n_head_kv=4),
    model(5, "llama-3.3-70b-instruct", 27.1, quant="IQ3_XS", n_layer=80, n_head_kv=8),
    model(6, "mistral-small-3.2-24b", 15.6, quant="Q5_K_M", n_layer=40, n_head_kv=8),
    model(7, "odd-arch-7b", 3.9, quant="Q4_0", n_ctx_train=32768, is_ordinary=False),
    model(8, "phi-4-mini", 3.8, quant="Q8_0", n_layer=32, n_head_kv=4),
    model(9, "qwen3-coder-30b-a3b", 17.3, n_ctx_train=262144, n_layer=48, n_head_kv=4),
    model(10, "smollm3-3b", 2.6, quant="Q6_K", n_ctx_train=65536, n_layer=36),
)
CONTEXTS = {1: 8192, 3: 4096, 4: 32768, 5: 8192, 6: 32768, 7: 8192, 8: 131072, 9: 32768, 10: 65536}
GPU = GpuSample(
    index=0,
    name="NVIDIA GeForce RTX 4090",
    total_bytes=24 * GIB,
    used_bytes=int(1.2 * GIB),
    utilisation_percent=64,
    temperature_c=71,
    power_w=312.0,
)
NO_GPU = MemoryReading(
    gpu_problem="No NVIDIA driver (libnvidia-ml.so.1 not found)",
    ram_total_bytes=64 * GIB,
    ram_available_bytes=60 * GIB,
)
WITH_GPU = MemoryReading(gpus=(GPU,), ram_total_bytes=64 * GIB, ram_available_bytes=60 * GIB)
READY_AT = 1_700_000_000.0


def full(**changes: Any) -> EngineSnapshot:
    """Ten models, one GPU, nothing running."""
    snapshot = EngineSnapshot(
        version=1,
        url="http://127.0.0.1:8080/v1",
        models=tuple(ModelStatus(summary, n_ctx=CONTEXTS.get(summary.id, 4096)) for summary in MODELS),
        memory=WITH_GPU,
        memory_history=tuple(int((1.2 + (20.5 if i > 25 else 0)) * GIB) for i in range(60)),
        engine=EngineInfo("llama-server", "/usr/bin/llama-server", "b1234", ("CUDA0",)),
        catalog=CatalogReport(("/models",), n_files=10, scanned_at=READY_AT),
        default_n_ctx=4096,
    )
    return replace(snapshot, **changes)


def target(model_id: int = 9, state: TargetState = TargetState.READY, **changes: Any) -> TargetStatus:
    """A server of one of MODELS."""
    summary = next(summary for summary in MODELS if summary.id == model_id)
    status = TargetStatus(
        model_id=model_id,
        public_id=summary.public_id,
        state=state,
        since=READY_AT,
        pid=48213,
        port=9101,
        base_url="http://127.0.0.1:9101",
        n_ctx=CONTEXTS[model_id],
        n_slots=4,
        argv=("llama-server", "-c", "32768", "-ngl", "99", "-fa", "on", "--jinja"),
        memory_bytes=int(20.5 * GIB),
        predicted_bytes=int(20.4 * GIB),
        prompt_per_second=812.4,
        predicted_per_second=61.4,
    )
    return replace(status, **changes)


def running(one: TargetStatus, **changes: Any) -> EngineSnapshot:
    """The full snapshot with this server in it."""
    gpu = replace(GPU, used_bytes=int(21.7 * GIB), process_bytes={48213: int(20.5 * GIB)})
    models = tuple(
        replace(row, state=one.state) if row.summary.id == one.model_id else row for row in full().models
    )
    memory = replace(WITH_GPU, gpus=(gpu,))
    return replace(full(models=models, targets=(one,), memory=memory), **changes)


def waiter(public_id: str, position: int = 1, since: float = READY_AT, **changes: Any) -> QueueEntry:
    """A request for one of MODELS that waits; since: Unix time."""
    model_id = next(summary.id for summary in MODELS if summary.public_id == public_id)
    entry = QueueEntry(public_id, None, 0.0, position=position, model_id=model_id, since=since)
    return replace(entry, **changes)


def _labelled(row: ModelStatus, change: LabelChange) -> ModelStatus:
    summary = row.summary
    labels = change.applied_to(Labels(summary.given_name, summary.tags, summary.is_favourite))
    name = labels.name or summary.public_id
    return replace(
        row,
        summary=replace(
            summary, name=name, given_name=labels.name, tags=labels.tags, is_favourite=labels.is_favourite
        ),
    )


class FakeControl:
    """Keeps what it was asked, answers at once or fails as scripted."""

    def __init__(self, snapshot: EngineSnapshot) -> None:
        self.calls: list[tuple[object, ...]] = []
        self.failure: Failure | None = None
        """Raised by the next call that does or writes something."""
        self.report = ReloadReport()
        """The answer of the next reload."""
        self.checks: tuple[Check, ...] = ()
        """What the doctor finds."""
        self.removal = RemovalPlan(0, "")
        """The answer to the next question of what would go."""
        self.logs: dict[str, tuple[str, ...]] = {}
        self._snapshot = snapshot
        self.kept = MemoryModelSettings()
        """Settings of single models, which end with the test."""
        self.common = CommonSettings(snapshot.default_n_ctx, snapshot.options)
        self.history: dict[str, tuple[LoadRecord, ...]] = {}
        """What earlier loads took, by public id."""
        self.names = FakeNames(self)
        self.deployments = FakeDeployments(self)
        self.backends = FakeBackends(self)
        self.downloads = FakeDownloads(self)
        self.hub_look = FakeHubLook()
        self._hearers: list[Callable[[EngineSnapshot], None]] = []
        self._log_hearers: list[Callable[[LogBatch], None]] = []

    def snapshot(self) -> EngineSnapshot:
        return self._snapshot

    def subscribe(self, hear: Callable[[EngineSnapshot], None]) -> Callable[[], None]:
        self._hearers.append(hear)
        hear(self._snapshot)
        return lambda: self._hearers.remove(hear)

    def subscribe_logs(self, hear: Callable[[LogBatch], None]) -> Callable[[], None]:
        self._log_hearers.append(hear)
        return lambda: self._log_hearers.remove(hear)

    def log_tail(self, public_id: str, n_lines: int, *, is_verbose: bool = False) -> tuple[str, ...]:
        return self.logs.get(public_id, ())[-n_lines:]

    async def publish(self, snapshot: EngineSnapshot) -> None:
        self._snapshot = replace(snapshot, version=self._snapshot.version + 1)
        for hear in self._hearers:
            hear(self._snapshot)

    async def say(self, batch: LogBatch) -> None:
        for hear in self._log_hearers:
            hear(batch)

    async def load(self, name: str, n_ctx: int | None = None) -> RunningTarget:
        self.record("load", name, n_ctx)
        return RunningTarget.local(9101, 9, name, n_ctx or 0)

    async def stop(self, name: str | None = None, *, is_forced: bool = False) -> None:
        self.record("stop", name, is_forced)

    async def set_context(self, name: str, n_ctx: int | None) -> None:
        self.record("set_context", name, n_ctx)

    async def pin(self, name: str, is_pinned: bool) -> None:
        self.record("pin", name, is_pinned)

    async def reload(self) -> ReloadReport:
        self.record("reload")
        return self.report

    async def label(self, name: str, change: LabelChange) -> ModelSummary:
        self.record("label", name, change)
        rows = [
            _labelled(row, change) if row.summary.public_id == name else row for row in self._snapshot.models
        ]
        await self.publish(replace(self._snapshot, models=tuple(rows)))
        return next(row.summary for row in rows if row.summary.public_id == name)

    async def paths(self, name: str) -> tuple[str, ...]:
        self.record("paths", name)
        return (f"/models/{name}.gguf",)

    async def examine(self) -> tuple[Check, ...]:
        self.record("examine")
        return self.checks

    async def add_folder(self, folder: str) -> CatalogReport:
        self.record("add_folder", folder)
        return CatalogReport((folder,), n_files=2)

    async def plan_removal(self, name: str) -> RemovalPlan:
        self.record("plan_removal", name)
        return self.removal

    async def remove(self, plan: RemovalPlan) -> CatalogReport:
        self.record("remove", plan)
        return self._snapshot.catalog

    async def rescan(self) -> CatalogReport:
        self.record("rescan")
        return self._snapshot.catalog

    async def command(self, name: str, n_ctx: int, options: LaunchOptions | None = None) -> tuple[str, ...]:
        self.calls.append(("command", name, n_ctx))
        layers = options.n_gpu_layers if options is not None else None
        chosen = () if layers is None else ("-ngl", str(layers))
        return ("llama-server", "-m", f"/models/{name}.gguf", "-c", str(n_ctx), *chosen, "--port", "PORT")

    async def settings(self, name: str) -> SettingsView:
        return settings_view(name, self.own_settings(name), self.common)

    async def change_settings(self, name: str, changes: Mapping[str, object]) -> SettingsView:
        self.record("change_settings", name, dict(changes))
        self.kept.own.setdefault(name, self.own_settings(name))
        await self.kept.write(name, changes)
        await self.publish(replace(self._snapshot, models=tuple(map(self._as_set, self._snapshot.models))))
        return await self.settings(name)

    async def load_history(self, name: str) -> tuple[LoadRecord, ...]:
        return self.history.get(name, ())

    def own_settings(self, name: str) -> ModelSettings:
        """What is kept for a model; the contexts of the rows count as kept too."""
        if name in self.kept.own:
            return self.kept.own[name]
        row = next(row for row in self._snapshot.models if row.summary.public_id == name)
        return ModelSettings(ctx=row.n_ctx if row.n_ctx != self.common.n_ctx else None)

    def _as_set(self, row: ModelStatus) -> ModelStatus:
        own = self.kept.own.get(row.summary.public_id)
        if own is None:
            return row
        options = launch_options(self.common.options, own)
        return replace(row, n_ctx=own.ctx or self.common.n_ctx, options=options)

    def record(self, *call: object) -> None:
        """Note a call; fail when that is what was scripted."""
        self.calls.append(call)
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure


class FakeEngine:
    """`start`, `submit`, `stop`, `started` and `control`, as of the real engine."""

    def __init__(
        self, snapshot: EngineSnapshot | None = None, start_failure: Exception | None = None
    ) -> None:
        self.control = FakeControl(snapshot or full())
        self.started: Future[None] = Future()
        self._start_failure = start_failure
        self._loop = asyncio.new_event_loop()
        self.is_open = False
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self) -> None:
        self.is_open = True
        self._thread.start()
        if self._start_failure is not None:
            self.started.set_exception(self._start_failure)
        else:
            self.started.set_result(None)

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        if self.is_open:
            return asyncio.run_coroutine_threadsafe(work, self._loop)
        work.close()
        refused: Future[T] = Future()
        refused.set_exception(EngineStopping("the engine is not running"))
        return refused

    def stop(self, timeout_s: float = 15.0) -> bool:
        if self.is_open:
            self.is_open = False
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout_s)
        self._loop.close()
        return True
