"""Backends and downloads of the fake engine, in every state; orders show in its next state."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from ggtui.core.backends.backend import THIS_MACHINE, Backend, BackendType
from ggtui.core.backends.observed import BackendState, ModelDetails, PulledModel
from ggtui.core.backends.rows import Row, RowState
from ggtui.core.downloads.jobs import FilePart, Job, JobKind, JobState
from ggtui.core.downloads.order import in_order, moved
from ggtui.core.errors import Failure
from ggtui.core.ports.downloads import Offer, RepositoryHit

if TYPE_CHECKING:
    from ggtui.core.models import ModelSummary
    from ggtui.core.snapshot import EngineSnapshot

GIB = 1024**3
MIB = 1024**2
QWEN = "unsloth/Qwen3-8B-GGUF"
COMMIT = "a1b2c3d4" * 5


class Talks(Protocol):
    """What these need of the fake control."""

    def record(self, *call: object) -> None: ...

    def snapshot(self) -> EngineSnapshot: ...

    async def publish(self, snapshot: EngineSnapshot) -> None: ...


def jobs() -> tuple[Job, ...]:
    """One for each state of a download."""
    big = "bartowski/Meta-Llama-3.1-70B-Instruct-GGUF:Q4_K_M"
    shards = tuple(
        FilePart(f"Q4_K_M/Llama-70B-Q4_K_M-0000{n}-of-00002.gguf", 20 * GIB, "ab" * 32, done)
        for n, done in ((1, 20 * GIB), (2, 5 * GIB))
    )
    return (
        Job(
            1,
            JobKind.HUB,
            big,
            THIS_MACHINE,
            "https://huggingface.co",
            JobState.RUNNING,
            0,
            by_person=True,
            commit=COMMIT,
            files=shards,
            status="downloading",
            completed_bytes=25 * GIB,
            total_bytes=40 * GIB,
            rate=12_300_000.0,
            left_s=1309.0,
        ),
        Job(
            2,
            JobKind.PULL,
            "llama3:8b",
            "ollama-box",
            "http://192.168.1.9:11434",
            JobState.RUNNING,
            1,
            status="pulling manifest",
            digest="sha256:" + "ab" * 32,
        ),
        Job(
            3,
            JobKind.HUB,
            f"{QWEN}:Q4_K_M",
            THIS_MACHINE,
            state=JobState.PENDING,
            position=2,
            total_bytes=5 * GIB,
        ),
        Job(
            4,
            JobKind.HUB,
            "ggml-org/gemma-3-4b-it-GGUF:Q8_0",
            THIS_MACHINE,
            state=JobState.PENDING,
            position=3,
            by_person=True,
            completed_bytes=1 * GIB,
            total_bytes=4 * GIB,
            why="huggingface.co does not answer; tried again in 10 s",
        ),
        Job(
            5,
            JobKind.HUB,
            "ggml-org/SmolVLM-500M-Instruct-GGUF:F16",
            THIS_MACHINE,
            state=JobState.PAUSED,
            position=4,
            by_person=True,
            completed_bytes=300 * MIB,
            total_bytes=1 * GIB,
            why="a person paused it",
        ),
        Job(
            6,
            JobKind.HUB,
            "meta-llama/Secret-GGUF:Q4_0",
            THIS_MACHINE,
            state=JobState.FAILED,
            position=5,
            by_person=True,
            why="huggingface.co answers 403: its owner must let you in",
            hint="ask for access on its page, then set HF_TOKEN",
        ),
        Job(
            7,
            JobKind.HUB,
            "ggml-org/tiny-GGUF:Q8_0",
            THIS_MACHINE,
            state=JobState.DONE,
            position=6,
            by_person=True,
            completed_bytes=600 * MIB,
            total_bytes=600 * MIB,
        ),
    )


def pulled(name: str, size_gib: float = 4.7, n_ctx: int = 8192, **changes: object) -> PulledModel:
    """A model that a backend has and that can chat."""
    found = PulledModel(
        name,
        size_bytes=int(size_gib * GIB),
        context_length=n_ctx,
        details=ModelDetails(family="llama", parameter_size="8.0B", quantization_level="Q4_K_M"),
        can_chat=True,
        can_prompt=True,
        can_stream=True,
    )
    return replace(found, **changes)  # type: ignore[arg-type]


def backends(now: float) -> tuple[BackendState, ...]:
    """One that is well, two that are not, one that was not asked yet. now: Unix time."""
    box = Backend("ollama-box", BackendType.OLLAMA, "http://192.168.1.9:11434")
    gpu = Backend("gpu-box", BackendType.VLLM, "http://192.168.1.10:8000")
    cloud = Backend("cloud", BackendType.OPENAI)
    new = Backend("new-box", BackendType.GGTUI, "http://127.0.0.1:9999")
    return (
        BackendState(
            "ollama-box",
            "ollama-box",
            box,
            ("qwen3:8b", "llama3:8b", "phi4", "mistral"),
            (
                pulled("qwen3:8b", is_loaded=True),
                pulled("old-model:latest", 2.1),
                pulled("nomic:latest", 0.3),
            ),
            last_seen=now - 3,
            observed_at=now - 3,
            latency_s=0.0124,
        ),
        BackendState(
            "gpu-box",
            "gpu-box",
            gpu,
            ("qwen3-32b", "embedder"),
            (PulledModel("qwen3-32b", context_length=16384),),
            last_seen=now - 1,
            observed_at=now - 1,
            latency_s=0.003,
        ),
        BackendState(
            "cloud",
            "cloud",
            cloud,
            ("gpt-4o-mini",),
            error="API key not configured",
            last_seen=now - 4000,
            observed_at=now - 5,
        ),
        BackendState("new-box", "new-box", new, ("m",)),
    )


def rows() -> tuple[Row, ...]:
    """One for each way in which declared and observed differ."""
    unseen = "backend has model {}, yet it's not declared in the configuration"
    return (
        Row(THIS_MACHINE, "tiny", RowState.IN_SYNC),
        Row(THIS_MACHINE, "qwen3", RowState.DOWNLOADING, "", 3, 0, 5 * GIB),
        Row(
            THIS_MACHINE, "secret", RowState.ERROR, "huggingface.co answers 403: its owner must let you in", 6
        ),
        Row("ollama-box", "qwen3:8b", RowState.IN_SYNC),
        Row("ollama-box", "llama3:8b", RowState.DOWNLOADING, "", 2),
        Row("ollama-box", "phi4", RowState.MISSING),
        Row("ollama-box", "mistral", RowState.PAUSED, "a person paused it", 8),
        Row("ollama-box", "old-model:latest", RowState.EXTRA, unseen.format("old-model:latest")),
        Row("ollama-box", "nomic:latest", RowState.EXTRA, unseen.format("nomic:latest")),
        Row("gpu-box", "qwen3-32b", RowState.DRIFTED, "its context is 16384 tokens, and 32768 are declared"),
        Row("gpu-box", "embedder", RowState.MISSING),
        Row("cloud", "", RowState.ERROR, "API key not configured"),
    )


HITS = (
    RepositoryHit(QWEN, 1_234_567, 890, 1_745_000_000.0),
    RepositoryHit("bartowski/Qwen3-8B-GGUF-with-a-rather-long-name-of-its-own", 98_765, 43, 1_744_000_000.0),
    RepositoryHit("meta-llama/Qwen3-Secret-GGUF", 12, 0, None, is_gated=True),
)


def offer(label: str, size_gib: float, n_files: int = 1, **changes: object) -> Offer:
    """A quantisation of QWEN."""
    files = tuple(
        FilePart(f"Qwen3-8B-{label}-{n}.gguf", int(size_gib * GIB / n_files), "ab" * 32)
        for n in range(n_files)
    )
    return replace(Offer(f"{QWEN}:{label}", label, COMMIT, files), **changes)  # type: ignore[arg-type]


OFFERS = (
    offer("Q2_K", 3.3, is_here=True),
    offer("Q4_K_M", 5.0),
    offer("Q8_0", 8.7),
    offer("BF16", 16.4, 2),
    offer("F32", 132.8, 4),
    offer("broken", 1.0),
)


class FakeHubLook:
    """Reads headers as scripted."""

    def __init__(self) -> None:
        self.models: dict[str, ModelSummary | Failure] = {}
        """What is told of an offer, by its model."""
        self.gates: dict[str, asyncio.Event] = {}
        """Those that are waited for, by model."""
        self.asked: list[str] = []
        self.cancelled: list[str] = []

    async def summary(self, offer: Offer) -> ModelSummary:
        self.asked.append(offer.model)
        try:
            if offer.model in self.gates:
                await self.gates[offer.model].wait()
        except asyncio.CancelledError:
            self.cancelled.append(offer.model)
            raise
        told = self.models[offer.model]
        if isinstance(told, Failure):
            raise told
        return told


class FakeDownloads:
    """Takes orders, and answers as the hub would."""

    def __init__(self, control: Talks) -> None:
        self._control = control
        self.hits: tuple[RepositoryHit, ...] = HITS
        self.offered: tuple[Offer, ...] = OFFERS
        self.hub_failure: Failure | None = None
        """Raised by every question to the hub."""
        self.hangs = False
        """Let questions to the hub wait until they are cancelled."""
        self.n_cancelled = 0
        self.declared: frozenset[int] = frozenset()
        """Jobs that removing only holds."""

    @property
    def jobs(self) -> tuple[Job, ...]:
        return self._control.snapshot().downloads

    async def add(self, model: str, *, backend: str = THIS_MACHINE, revision: str = "main") -> Job:
        self._control.record("add", model, backend)
        number = max((job.number for job in self.jobs), default=0) + 1
        kind = JobKind.HUB if backend == THIS_MACHINE else JobKind.PULL
        job = Job(number, kind, model, backend, position=len(self.jobs), by_person=True)
        await self._publish((*self.jobs, job))
        return job

    async def pause(self, number: int) -> None:
        self._control.record("pause", number)
        await self._change(number, state=JobState.PAUSED, why="a person paused it", rate=None, left_s=None)

    async def resume(self, number: int) -> None:
        self._control.record("resume", number)
        await self._change(number, state=JobState.PENDING, why="", hint="")

    async def remove(self, number: int) -> None:
        self._control.record("remove", number)
        if number in self.declared:
            await self._change(number, state=JobState.PAUSED, why="a person removed it")
        else:
            await self._publish(tuple(job for job in self.jobs if job.number != number))

    async def move(self, number: int, to: int) -> None:
        self._control.record("move", number, to)
        changed = {job.number: job for job in moved(in_order(self.jobs), number, to)}
        await self._publish(in_order(changed.get(job.number, job) for job in self.jobs))

    async def search(self, text: str) -> tuple[RepositoryHit, ...]:
        self._control.record("search", text)
        await self._ask()
        return self.hits

    async def offers(self, repository: str) -> tuple[Offer, ...]:
        self._control.record("offers", repository)
        await self._ask()
        return self.offered

    async def _ask(self) -> None:
        if self.hub_failure is not None:
            raise self.hub_failure
        if self.hangs:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.n_cancelled += 1
                raise

    async def _change(self, number: int, **changes: object) -> None:
        await self._publish(
            tuple(
                replace(job, **changes) if job.number == number else job  # type: ignore[arg-type]
                for job in self.jobs
            )
        )

    async def _publish(self, changed: tuple[Job, ...]) -> None:
        await self._control.publish(replace(self._control.snapshot(), downloads=changed))


class FakeBackends:
    """Takes orders."""

    def __init__(self, control: Talks) -> None:
        self._control = control

    async def reconcile(self, *, is_dry_run: bool = False) -> tuple[Row, ...]:
        self._control.record("reconcile", is_dry_run)
        return self._control.snapshot().rows

    async def prune(self, backend: str, model: str) -> None:
        self._control.record("prune", backend, model)
        state = self._control.snapshot()
        left = tuple(row for row in state.rows if (row.backend, row.model) != (backend, model))
        await self._control.publish(replace(state, rows=left))
