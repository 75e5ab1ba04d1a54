"""Models on disk: a header with a large vocabulary, a scan of many, and how long the loop waits in it."""

from __future__ import annotations

import asyncio
import os
import shutil
import struct
import time
from typing import TYPE_CHECKING

from benchmarks.figures import Figure
from ggtui.adapters.gguf.catalog import GgufCatalog
from ggtui.adapters.gguf.header import read_header
from ggtui.adapters.gguf.writer import GgufWriter
from ggtui.core.models import LaunchOptions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from benchmarks.bench import Bench

VOCABULARY = 150_000
SMALL_FILES = 5
"""For each large one: a library has more files than large vocabularies."""
MS = 1e3


def catalog(bench: Bench) -> list[Figure]:
    """Cold: nothing is known of any file. Warm: all are known and none has changed."""
    large = _large_file(bench.folder / "large.gguf")
    header = [_timed_ms(lambda: read_header(large)) for _ in range(bench.scale.rounds)]
    folder, count = bench.folder / "library", bench.scale.headers
    _fill(folder, large, count)
    rounds = [asyncio.run(_scans(bench.folder / f"c{n}.sqlite3", folder)) for n in range(bench.scale.rounds)]
    cold, warm, watch, wait = zip(*rounds, strict=True)
    row = f"{count} such files, {count * SMALL_FILES} small"
    shutil.rmtree(folder)
    return [
        Figure(f"{VOCABULARY:,} words and merges", "header", "ms", "ggtui", tuple(header)),
        Figure(row, "cold scan", "ms", "ggtui", cold),
        Figure(row, "longest wait of the loop", "ms", "ggtui", wait),
        Figure(row, "warm scan", "ms", "ggtui", warm),
        Figure(row, "look for changes", "ms", "ggtui", watch),
    ]


async def _scans(database: Path, folder: Path) -> tuple[float, float, float, float]:
    """Milliseconds of a cold scan, a warm one, a look for changes, and of the loop's longest wait."""
    shelf = GgufCatalog(database, [folder], LaunchOptions())
    waits = [0.0]
    ticking = asyncio.create_task(_tick(waits))
    try:
        cold = await _awaited_ms(shelf.refresh)
        longest = max(waits) * MS
        return cold, await _awaited_ms(shelf.refresh), await _awaited_ms(shelf.refresh_changed), longest
    finally:
        ticking.cancel()
        await shelf.close()


async def _tick(waits: list[float]) -> None:
    while True:
        began = time.perf_counter()
        await asyncio.sleep(0.001)
        waits.append(time.perf_counter() - began - 0.001)


def _timed_ms(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * MS


async def _awaited_ms(work: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await work()
    return (time.perf_counter() - began) * MS


def _fill(folder: Path, large: Path, count: int) -> None:
    """Copies of the large file that differ in their last bytes, and small files beside them."""
    for number in range(count):
        place = folder / f"r{number}"
        place.mkdir(parents=True)
        copy = place / f"large-{number}-Q4_K_M.gguf"
        shutil.copyfile(large, copy)
        with copy.open("r+b") as file:
            file.seek(-8, os.SEEK_END)
            file.write(struct.pack("<q", number))
        for small in range(SMALL_FILES):
            small_file(place / f"small-{small}.gguf", f"small {number} {small}")


def small_file(path: Path, name: str) -> None:
    """A model without tensors or words."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _writer(name).write(path)


def _large_file(path: Path) -> Path:
    writer = _writer("large")
    words = [f"word{number}" for number in range(VOCABULARY)]
    writer.add_texts("tokenizer.ggml.tokens", words)
    writer.add_floats("tokenizer.ggml.scores", [0.0] * VOCABULARY)
    writer.add_texts("tokenizer.ggml.merges", words)
    writer.write(path)
    with path.open("ab") as file:
        file.write(bytes(64))
    return path


def _writer(name: str) -> GgufWriter:
    writer = GgufWriter()
    writer.add_text("general.architecture", "llama")
    writer.add_text("general.name", name)
    writer.add_number("llama.block_count", 32)
    writer.add_number("llama.context_length", 8192)
    writer.add_number("llama.embedding_length", 4096)
    writer.add_number("llama.attention.head_count", 32)
    return writer
