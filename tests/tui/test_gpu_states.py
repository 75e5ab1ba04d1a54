"""The memory pane on every kind of machine, in the running app at both sizes it is built for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.memory.gpu import every_state, made_up_gpu, made_up_machine
from ggtui.core.models import EngineInfo
from ggtui.tui.panes.gpu import GpuPane
from tests.tui.fake_engine import GIB, FakeEngine, full, running, target
from tests.tui.stage import Stage, make_app, on_stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

    from ggtui.core.ports.gpu import MemoryReading
    from ggtui.core.snapshot import EngineSnapshot

NARROW, WIDE = (80, 24), (140, 40)
SERVER = 48213
CPU = EngineInfo("llama-server", "/usr/bin/llama-server", "b1234")
STATES = every_state()


def on_machine(reading: MemoryReading, **changes: object) -> EngineSnapshot:
    """The catalog on this machine, with five minutes of its past."""
    past = tuple(tuple((gpu.used_bytes or 0) * i // 300 for i in range(300)) for gpu in reading.gpus)
    used = reading.ram_total_bytes - reading.ram_available_bytes
    pool = tuple(sum(each) for each in zip(*past, strict=True)) or tuple(used for _ in range(300))
    return full(memory=reading, memory_history=pool, gpu_history=past, **changes)


def pane_text(snapshot: EngineSnapshot, size: tuple[int, int], cursor: str = "gemma-3-27b-it") -> str:
    """What the pane holds, lines that have to be scrolled to among them."""

    async def main() -> str:
        async with on_stage(snapshot, size=size) as stage:
            await stage.put_cursor_on(cursor)
            return stage.main.query_one(GpuPane).text

    return asyncio.run(main())


def seen(snapshot: EngineSnapshot, size: tuple[int, int], cursor: str = "gemma-3-27b-it") -> str:
    """What the whole screen shows."""

    async def main() -> str:
        async with on_stage(snapshot, size=size) as stage:
            await stage.put_cursor_on(cursor)
            return stage.text

    return asyncio.run(main())


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("none", ["No GPU found", "CPU only, RAM 7.0/64.0G"]),
        ("no_library", ["No NVML library", "CPU only"]),
        ("no_permission", ["NVIDIA driver present, no perm", "CPU only"]),
        ("driver_missing", ["NVIDIA GPU present (0000:01:00.0)", "CPU only"]),
        ("unified", ["GB10, in RAM", "other 7.0"]),
        ("unknown_use", ["–/15.9G"]),
        ("one", ["0 RTX 4090", "other 1.2"]),
        ("four", ["all ", "4.8", "/96.0G"]),
        ("eight", ["all ", "9.6", "/192G"]),
        ("one_lost", ["GPU 2: lost (GPU is lost)", "/72.0G"]),
        ("silent", ["0 RTX 4090", "40s old"]),
    ],
)
def test_every_state_is_seen_without_scrolling(state: str, words: list[str], size: tuple[int, int]) -> None:
    shown = seen(on_machine(STATES[state]), size)

    assert [] == [word for word in words if word not in shown]


@pytest.mark.parametrize("state", ["four", "eight"])
@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
def test_every_device_is_seen_without_scrolling(state: str, size: tuple[int, int]) -> None:
    shown = seen(on_machine(STATES[state]), size)
    lines = [line.rsplit("││", 1)[-1] for line in shown.splitlines() if "││" in line]

    for gpu in STATES[state].gpus:
        assert any(f" {gpu.index} ▓" in line or f" {gpu.index} ▒" in line for line in lines), gpu.index


def test_an_engine_without_a_backend_is_told_with_its_cure_where_there_is_room() -> None:
    snapshot = on_machine(STATES["one"], engine=CPU)

    assert "Engine built without a GPU backend…" in seen(snapshot, NARROW)
    assert "--llama-server PATH" in pane_text(snapshot, WIDE)


def test_without_a_gpu_the_pane_tells_all_of_main_memory() -> None:
    reading = replace(made_up_machine(pid=SERVER), gpu_problem="no GPU found")
    snapshot = replace(running(target()), memory=reading, engine=CPU)
    text = pane_text(snapshot, NARROW)

    assert "ours: 3.0G own, 17.0G mapped files" in text
    assert "swap 0.5/8.0G" in text
    assert "16 cores, AVX2 AVX-512 AVX-512 VNNI" in text


def test_each_device_shows_what_the_row_under_the_cursor_would_add() -> None:
    text = pane_text(on_machine(STATES["four"]), WIDE)
    rows = [line for line in text.splitlines() if line[:2] in ("0 ", "1 ", "2 ", "3 ") and "→" in line]

    assert 4 == len(rows)
    assert all("▓" in row and row.endswith("/24.0G") for row in rows)
    assert "▓ adds " in text
    assert "→" in text.splitlines()[1]


def test_a_swap_takes_off_what_it_frees() -> None:
    memory = made_up_machine(made_up_gpu(0, used_gib=21.2, pid=SERVER), made_up_gpu(1))
    snapshot = replace(running(target()), memory=memory)
    small = pane_text(snapshot, WIDE, "bge-m3")

    first = next(line for line in small.splitlines() if "21.2→" in line)
    after = float(first.partition("→")[2].partition("/")[0])
    assert after < 4


def test_a_device_that_is_lost_while_one_looks_changes_the_pane() -> None:
    async def main() -> None:
        async with on_stage(on_machine(STATES["four"]), size=NARROW) as stage:
            assert "lost" not in stage.text

            await stage.publish(on_machine(STATES["one_lost"]))

            assert "GPU 2: lost (GPU is lost)" in stage.text

    asyncio.run(main())


@dataclass(frozen=True)
class Frame:
    """One picture."""

    name: str
    snapshot: EngineSnapshot
    size: tuple[int, int]


SERVING = replace(
    running(target(in_flight=2)),
    memory=made_up_machine(*(made_up_gpu(i, used_gib=6.2, pid=SERVER) for i in range(4)), pid=SERVER),
    memory_history=(25 * GIB,) * 300,
    gpu_history=(tuple(6 * GIB * i // 300 for i in range(300)),) * 4,
)
FRAMES = (
    Frame("none_140x40", on_machine(STATES["driver_missing"]), WIDE),
    Frame("unified_80x24", on_machine(STATES["unified"]), NARROW),
    Frame("four_140x40", SERVING, WIDE),
    Frame("eight_80x24", on_machine(STATES["eight"]), NARROW),
    Frame("eight_140x40", on_machine(STATES["eight"]), WIDE),
    Frame("one_lost_80x24", on_machine(STATES["one_lost"]), NARROW),
)


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame.name)
def test_frame(frame: Frame, snap_compare: Callable[..., bool]) -> None:
    engine = FakeEngine(frame.snapshot)
    app = make_app(engine)
    app.theme, app.animation_level = "ggtui-dark", "none"

    async def before(pilot: Pilot[object]) -> None:
        stage = Stage(app, pilot, engine)  # type: ignore[arg-type]
        await stage.until(lambda: app.desk.snapshot.version > 0)
        await stage.put_cursor_on("gemma-3-27b-it")

    try:
        assert snap_compare(app, terminal_size=frame.size, run_before=before)
    finally:
        engine.stop()
