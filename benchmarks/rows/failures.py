"""Launches that must fail: how soon after the process has ended its client knows why."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from benchmarks.figures import Figure
from benchmarks.load.generator import Disturbed
from benchmarks.programs import engine_command, read_notes, write_noting_server, write_strange_model
from benchmarks.targets import headless_ggtui, router

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.bench import Bench
    from benchmarks.targets import Target

BAD_FLAG = "--no-such-flag"


def failures(bench: Bench) -> list[Figure]:
    """A model of an unknown architecture and a flag nobody knows, on every engine there is.

    Every request is for another model: one whose launch has just failed is not launched again at once.
    """
    strange_dir, sound_dir = bench.folder / "strange-models", bench.folder / "sound-models"
    sound_dir.mkdir()
    for number in range(bench.scale.failures):
        write_strange_model(bench.models[0], strange_dir / f"strange-{number}.gguf")
        (sound_dir / f"sound-{number}.gguf").write_bytes(bench.models[0].read_bytes())
    engines = {"ggtui embedded": "embedded"}
    if bench.llama_server is not None:
        engines["ggtui"] = bench.llama_server
    figures: list[Figure] = []
    for name, engine in engines.items():
        figures += _by_ggtui(bench, "unknown architecture", name, engine, strange_dir)
        figures += _by_ggtui(bench, "unknown flag", name, engine, sound_dir, GGTUI_EXTRA_ARGS=BAD_FLAG)
    if bench.llama_server is not None and bench.has_router:
        with router(bench.folder, strange_dir, bench.llama_server) as target:
            figures.append(_whole("unknown architecture", target.name, _ask(bench, target)))
    return figures


def _by_ggtui(
    bench: Bench, row: str, name: str, engine: str, models_dir: Path, **environment: str
) -> list[Figure]:
    folder = bench.folder / "failures" / f"{row} {name}".replace(" ", "-")
    folder.mkdir(parents=True)
    notes = folder / "notes"
    program = str(write_noting_server(folder, engine_command(engine), notes))
    with headless_ggtui(name, folder, models_dir, program, **environment) as target:
        asked = _ask(bench, target)
    ended = read_notes(notes)
    after = tuple((done - max(end for end in ended if end <= done)) / 1e6 for _, done in asked)
    attempts = len(ended) / len(asked)
    return [
        _whole(row, name, asked),
        Figure(row, "from the exit to the cause", "ms", name, after),
        Figure(row, "processes per request", "", name, (attempts,)),
    ]


def _ask(bench: Bench, target: Target) -> list[tuple[int, int]]:
    """When each request was sent and answered, in nanoseconds of the monotonic clock.

    Raises: Disturbed when one was answered well.
    """
    asked = []
    for model in target.models:
        began = time.monotonic_ns()
        status, _ = target.chat(model)
        asked.append((began, time.monotonic_ns()))
        if status < 400:
            raise Disturbed(f"{target.name} launched what cannot be launched")
    return asked


def _whole(row: str, target: str, asked: list[tuple[int, int]]) -> Figure:
    times = tuple((done - began) / 1e6 for began, done in asked)
    return Figure(row, "end to end", "ms", target, times)
