"""Draws the pictures of the README from the real program, so that none is made by hand.

The screen, the engine thread and every service are the real ones. Models, servers and memory come from the
in-memory adapters, which hold a state still; `demo` runs two real tiny models on the embedded engine.

    python screenshots/make.py [NAME...]

Writes NAME.svg beside this file, and NAME.png when `rsvg-convert` is there. Install Fira Code, the font that
the SVG names: with another one the PNG's columns are not straight.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
for _name in [name for name in os.environ if name == "NO_COLOR" or name.startswith("TEXTUAL")]:
    del os.environ[_name]
os.environ["COLORTERM"] = "truecolor"

from ggtui.adapters.gguf.demo import write_demo_models  # noqa: E402 - the environment is cleaned first
from ggtui.adapters.memory.backends import MemoryBackends  # noqa: E402
from ggtui.adapters.memory.catalog import MemoryCatalog  # noqa: E402
from ggtui.adapters.memory.downloads import MemoryDownloads, MemoryHub  # noqa: E402
from ggtui.adapters.memory.gpu import MemoryProbe  # noqa: E402
from ggtui.adapters.memory.launcher import FIRST_PID, MemoryLauncher, Script  # noqa: E402
from ggtui.bootstrap import build  # noqa: E402
from ggtui.bootstrap.reconciliation import Neighbours  # noqa: E402
from ggtui.config.schema import EMBEDDED, Config  # noqa: E402
from ggtui.core.backends.backend import (  # noqa: E402
    THIS_MACHINE,
    Backend,
    BackendType,
    Declared,
    DeclaredModel,
)
from ggtui.core.backends.observed import PulledModel  # noqa: E402
from ggtui.core.downloads.jobs import FilePart, Job, JobKind, JobState  # noqa: E402
from ggtui.core.errors import OutOfMemory, PortInUse, SpawnReason  # noqa: E402
from ggtui.core.memory.shape import ModelShape, PerLayer  # noqa: E402
from ggtui.core.memory.weights import evenly  # noqa: E402
from ggtui.core.models import EngineInfo, ModelSummary  # noqa: E402
from ggtui.core.ports.gpu import GpuSample, MemoryReading  # noqa: E402
from ggtui.core.state import TargetState  # noqa: E402
from ggtui.proxy.bind import bind  # noqa: E402
from ggtui.tui.app import ModelsApp  # noqa: E402
from ggtui.tui.panes.running import RunningPane  # noqa: E402

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Iterator

    from textual.pilot import Pilot

    from ggtui.services.engine import Engine
    from ggtui.tui.app import QuitChoice

GIB = 1024**3
LIMIT_S = 60.0
PORT = 8080


def _model(
    model_id: int, name: str, size: float, quant: str, train: int, ctx: int, shape: ModelShape
) -> ModelSummary:
    return ModelSummary(
        id=model_id,
        public_id=name,
        name=name,
        architecture=shape.architecture,
        size_bytes=int(size * GIB),
        quantisation=quant,
        n_params=int(size * 1.8e9),
        n_ctx_train=train,
        n_ctx_chosen=ctx,
        capabilities=("chat", "completion"),
        shape=replace(shape, n_ctx_train=train),
        weights=evenly(int(size * GIB), shape.n_layer_all),
    )


def _shape(n_layer: int, n_head_kv: int, *, is_known: bool = True) -> ModelShape:
    return ModelShape(
        architecture="llama" if is_known else "odd",
        n_layer_all=n_layer,
        n_embd=5120,
        n_head=PerLayer.of((40,) * n_layer),
        n_head_kv=PerLayer.of((n_head_kv,) * n_layer),
        n_ff=PerLayer.of((21504,) * n_layer),
        n_vocab=151936,
        key_length=128,
        value_length=128,
    )


K = 1024
MODELS = (
    _model(1, "bge-m3", 1.1, "F16", 8 * K, 8 * K, _shape(24, 16)),
    _model(2, "deepseek-r1-671b", 227.0, "Q2_K", 160 * K, 4 * K, _shape(61, 8)),
    _model(3, "gemma-3-27b-it", 15.4, "Q4_K_M", 128 * K, 32 * K, _shape(46, 4)),
    _model(4, "llama-3.3-70b-instruct", 27.1, "IQ3_XS", 128 * K, 8 * K, _shape(80, 8)),
    _model(5, "mistral-small-3.2-24b", 15.6, "Q5_K_M", 128 * K, 32 * K, _shape(40, 8)),
    _model(6, "odd-arch-7b", 3.9, "Q4_0", 32 * K, 8 * K, _shape(32, 8, is_known=False)),
    _model(7, "phi-4-mini", 3.8, "Q8_0", 128 * K, 128 * K, _shape(32, 4)),
    _model(8, "qwen3-coder-30b-a3b", 17.3, "Q4_K_M", 256 * K, 32 * K, _shape(48, 4)),
    _model(9, "smollm3-3b", 2.6, "Q6_K", 64 * K, 64 * K, _shape(36, 4)),
)
LOG = (
    "load_model: loading model",
    "load_tensors: offloaded 49/49 layers to GPU",
    "llama_kv_cache: size = 3072.00 MiB (32768 cells, 48 layers, 4/1 seqs)",
    "main: model loaded",
    "main: server is listening on http://127.0.0.1:41001",
)


GPT, QWEN, GEMMA = "openai/gpt-oss-20b", "qwen3-coder:30b", "gemma3:12b"
DECLARED = Declared(
    backends=(
        Backend(
            "gpu-box",
            BackendType.VLLM,
            "http://192.168.1.9:8000",
            models=(DeclaredModel(GPT), DeclaredModel("qwen3-32b")),
        ),
        Backend(
            "laptop",
            BackendType.OLLAMA,
            "http://192.168.1.20:11434",
            models=(DeclaredModel(QWEN), DeclaredModel(GEMMA)),
        ),
        Backend(
            "attic", BackendType.GGTUI, "http://192.168.1.31:8080", models=(DeclaredModel("phi-4-mini"),)
        ),
    )
)


def _backends() -> MemoryBackends:
    def pulled(name: str, size: float, n_ctx: int) -> PulledModel:
        return PulledModel(
            name, size_bytes=int(size * GIB), context_length=n_ctx, can_chat=True, can_stream=True
        )

    backends = MemoryBackends(
        {
            "gpu-box": (pulled(GPT, 0, 128 * K), pulled("smollm3-3b", 0, 64 * K)),
            "laptop": (pulled(QWEN, 17.3, 256 * K),),
        }
    )
    backends.errors["attic"] = "HTTP request failed: connection refused"
    backends.may_go_on.clear()
    return backends


def _job(number: int, model: str, size: float, state: JobState, share: float = 0.0) -> Job:
    n_bytes = int(size * GIB)
    part = FilePart(f"{model.partition(':')[2]}.gguf", n_bytes, "0" * 64, int(share * n_bytes))
    return Job(
        number,
        JobKind.HUB,
        model,
        THIS_MACHINE,
        state=state,
        position=number,
        by_person=True,
        commit="a" * 40,
        files=(part,),
        completed_bytes=part.completed_bytes,
        total_bytes=n_bytes,
        why="a person paused it" if state is JobState.PAUSED else "",
    )


JOBS = (
    _job(1, "unsloth/gemma-3-27b-it-GGUF:Q4_K_M", 15.4, JobState.PENDING),
    _job(2, "bartowski/Qwen_Qwen3-14B-GGUF:Q5_K_M", 9.8, JobState.PENDING),
    _job(3, "ggml-org/gpt-oss-20b-GGUF:MXFP4", 11.3, JobState.PAUSED, 0.31),
    _job(4, "unsloth/Phi-4-mini-instruct-GGUF:Q8_0", 3.8, JobState.DONE, 1.0),
)


CUDA = "CUDA0: NVIDIA GeForce RTX 4090 (24564 MiB, 23335 MiB free)"


@dataclass
class World:
    """What the in-memory adapters show."""

    probe: MemoryProbe = field(default_factory=MemoryProbe)
    hub: MemoryHub = field(default_factory=MemoryHub)
    launcher: MemoryLauncher = field(
        default_factory=lambda: MemoryLauncher(
            info=EngineInfo("llama-server", "/usr/bin/llama-server", "b8149", (CUDA,))
        )
    )

    def fill(self, ours_gib: float) -> None:
        """Let our server hold so much of the GPU."""
        gpu = GpuSample(
            index=0,
            name="NVIDIA GeForce RTX 4090",
            total_bytes=24 * GIB,
            used_bytes=int((1.2 + ours_gib) * GIB),
            utilisation_percent=64 if ours_gib else 0,
            temperature_c=71 if ours_gib else 46,
            power_w=312.0 if ours_gib else 24.0,
            process_bytes={FIRST_PID: int(ours_gib * GIB)} if ours_gib else {},
        )
        self.probe.reading = MemoryReading(
            gpus=(gpu,), ram_total_bytes=64 * GIB, ram_available_bytes=57 * GIB
        )


class Sitting:
    """One running program in front of the camera."""

    def __init__(self, app: ModelsApp, pilot: Pilot[QuitChoice], world: World) -> None:
        self.app = app
        self.pilot = pilot
        self.world = world

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Until this is so; TimeoutError after LIMIT_S."""
        async with asyncio.timeout(LIMIT_S):
            while not is_so():
                await self.pilot.pause(0.05)
        await self.pilot.pause()

    async def cursor(self, public_id: str) -> None:
        """Put the cursor on a model."""
        await self.until(lambda: self.app.desk.by_name(public_id) is not None)
        status = self.app.desk.by_name(public_id)
        assert status is not None
        self.app.select(status.summary.id)
        await self.pilot.pause()

    async def load(self, public_id: str, state: TargetState) -> None:
        """Press enter on a model and wait for what comes of it."""
        await self.cursor(public_id)
        await self.until(lambda: self.app.desk.snapshot.engine is not None)
        await self.pilot.press("enter")

        def is_so() -> bool:
            status = self.app.desk.by_name(public_id)
            return status is not None and status.state is state

        await self.until(is_so)
        self.app.clear_notifications()


async def main_screen(sitting: Sitting) -> None:
    """One model serves, the cursor is on another."""
    sitting.world.launcher.script("qwen3-coder-30b-a3b", Script(log=LOG))
    await sitting.load("qwen3-coder-30b-a3b", TargetState.READY)
    sitting.world.fill(20.5)
    await sitting.until(lambda: any(gpu.process_bytes for gpu in sitting.app.desk.snapshot.memory.gpus))
    await sitting.cursor("gemma-3-27b-it")


async def loading(sitting: Sitting) -> None:
    """A load that is at 43%."""
    sitting.world.launcher.script("smollm3-3b", Script(progress=(0.0, 0.43), log=LOG[:2], hangs=True))
    await sitting.load("smollm3-3b", TargetState.LOADING)
    await sitting.until(lambda: "43%" in _running_text(sitting.app))


def _running_text(app: ModelsApp) -> str:
    return "" if app.main is None else app.main.query_one(RunningPane).text


async def failure(sitting: Sitting) -> None:
    """A load that failed, and its detail."""
    trouble = OutOfMemory(
        "the GPU has no room for the KV cache of 131072 tokens",
        reason=SpawnReason.OUT_OF_MEMORY,
        hint="choose a smaller context with [ , or stop what else uses the GPU",
        exit_code=1,
        log_tail=(*LOG[:2], "ggml_backend_cuda_buffer_type_alloc_buffer: cudaMalloc failed: out of memory"),
    )
    sitting.world.launcher.script("phi-4-mini", Script(failure=trouble, log=LOG[:2]))
    await sitting.load("phi-4-mini", TargetState.FAILED)
    await sitting.pilot.press("i")
    await sitting.pilot.pause()


async def help_screen(sitting: Sitting) -> None:
    """The keys."""
    await sitting.cursor("gemma-3-27b-it")
    await sitting.pilot.press("question_mark")
    await sitting.pilot.pause()


async def options(sitting: Sitting) -> None:
    """How a model would be launched."""
    await sitting.until(lambda: sitting.app.desk.snapshot.engine is not None)
    await sitting.cursor("gemma-3-27b-it")
    await sitting.pilot.press("e")
    await sitting.pilot.pause(0.3)


async def info(sitting: Sitting) -> None:
    """What is known of a model, and context against memory."""
    await sitting.until(lambda: sitting.app.desk.snapshot.engine is not None)
    await sitting.cursor("gemma-3-27b-it")
    await sitting.pilot.press("i")
    await sitting.pilot.pause(0.3)


async def backends(sitting: Sitting) -> None:
    """Other servers, and how they differ from what is declared."""
    await sitting.until(lambda: any(row.completed_bytes for row in sitting.app.desk.snapshot.rows))
    await sitting.pilot.press("B", "down")
    await sitting.pilot.pause(0.3)


async def downloads(sitting: Sitting) -> None:
    """Two that run, one that is paused, one that is done."""
    running = sitting.world.hub.fetching
    await sitting.until(lambda: len(running) == 2)
    await sitting.pilot.press("v")
    for step in range(12):
        for fetching in running.values():
            fetching.allow(GIB // 50)
            fetching.reach(int((4.1 + 0.02 * step) * GIB))
        await sitting.pilot.pause(0.3)


async def demo(sitting: Sitting) -> None:
    """Two real models on the embedded engine, one of them serving."""
    await sitting.load("demo-alpha-f32", TargetState.READY)
    await sitting.cursor("demo-beta-f32")


@dataclass(frozen=True)
class Picture:
    """One file."""

    size: tuple[int, int]
    scene: Callable[[Sitting], Awaitable[None]]
    is_real: bool = False
    declared: Declared = field(default_factory=Declared)
    jobs: tuple[Job, ...] = ()


PICTURES = {
    "main-80x24": Picture((80, 24), main_screen),
    "main-140x40": Picture((140, 40), main_screen),
    "loading": Picture((80, 24), loading),
    "failure": Picture((80, 24), failure),
    "help": Picture((80, 24), help_screen),
    "options": Picture((100, 30), options),
    "info": Picture((100, 34), info),
    "backends": Picture((100, 20), backends, declared=DECLARED),
    "downloads": Picture((100, 16), downloads, jobs=JOBS),
    "demo": Picture((80, 24), demo, is_real=True),
}


@contextmanager
def engine_of(world: World, folder: Path, picture: Picture) -> Iterator[Engine]:
    """An engine with a proxy, not started yet."""
    config = Config(
        data_dir=folder,
        cache_dir=folder,
        log_dir=folder / "logs",
        runtime_dir=folder / "run",
        llama_server=EMBEDDED if picture.is_real else "",
        declared=picture.declared,
        models_dirs=(folder / "models",),
    )
    for path in (config.log_dir, config.runtime_dir, folder / "models"):
        path.mkdir(mode=0o700)
    with _socket() as sock:
        if picture.is_real:
            write_demo_models(folder / "models")
            engine = build(config, sock)
        else:
            catalog = MemoryCatalog(MODELS)
            others = _backends()
            neighbours = Neighbours(others, others, world.hub, MemoryDownloads(picture.jobs))
            engine = build(
                config,
                sock,
                catalog=catalog,
                launcher=world.launcher,
                probe=world.probe,
                neighbours=neighbours,
            )
        try:
            yield engine
        finally:
            engine.stop()


def _socket() -> socket.socket:
    try:
        return bind("127.0.0.1", PORT)
    except PortInUse:
        return bind("127.0.0.1", 0)


async def take(name: str, picture: Picture, engine: Engine, world: World) -> None:
    """Play the scene and write the file."""
    app = ModelsApp(engine, clock=lambda: time.time() + (252 if picture.scene is main_screen else 6))
    app.animation_level = "none"
    async with app.run_test(size=picture.size) as pilot:
        sitting = Sitting(app, pilot, world)
        await sitting.until(lambda: app.desk.snapshot.version > 0)
        await picture.scene(sitting)
        await pilot.pause()
        target = HERE / f"{name}.svg"
        target.write_text(app.export_screenshot(title="ggtui"), encoding="utf-8")
    _to_png(target)


def _to_png(svg: Path) -> None:
    """A PNG for eyes that cannot open SVG; leading spaces count there only when told so."""
    if shutil.which("rsvg-convert") is None:
        return
    spaced = svg.read_text(encoding="utf-8").replace("<svg ", '<svg xml:space="preserve" ', 1)
    command = ["rsvg-convert", "-w", "1600", "-o", str(svg.with_suffix(".png"))]
    subprocess.run(command, input=spaced.encode(), check=True)


def main(names: list[str]) -> None:
    """Draw the named pictures, or all."""
    logging.getLogger("ggtui").addHandler(logging.NullHandler())
    for name in names or PICTURES:
        world = World()
        world.fill(0.0)
        with (
            tempfile.TemporaryDirectory(prefix="ggtui-picture-") as folder,
            engine_of(world, Path(folder), PICTURES[name]) as engine,
        ):
            asyncio.run(take(name, PICTURES[name], engine, world))
        sys.stdout.write(f"{name}.svg\n")


if __name__ == "__main__":
    main(sys.argv[1:])
