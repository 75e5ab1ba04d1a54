"""Reads crafted files and mutants of a sound one, in a process of its own whose memory is bounded.

Run as a program: `hostile.py FOLDER SEED N`. Prints one JSON object: how the files ended, and the slowest.
"""

from __future__ import annotations

import json
import os
import random
import resource
import struct
import sys
import time
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from ggtui.adapters.gguf.facts import facts_of
from ggtui.adapters.gguf.header import read_header
from ggtui.core.errors import HeaderUnreadable
from tests.adapters.gguf import raw

if TYPE_CHECKING:
    from collections.abc import Iterator

GROWTH_BYTES = 100 << 20
"""Address space that all reading together may take beyond what the process had before."""
HUGE = struct.pack("<Q", 1 << 60)


def crafted(folder: Path) -> Iterator[Path]:
    """One file per bound that a header can break by its content."""
    string = raw.text("k") + struct.pack("<I", raw.STRING)
    alike = [raw.array("k", raw.STRING, 1, HUGE), string + HUGE, raw.array("k", raw.U8, 1 << 60)]
    nested = raw.array("k", raw.ARRAY, 1, struct.pack("<IQ", raw.ARRAY, 1) * 200)
    contents = [raw.header([key]) for key in (*alike, nested, raw.array("k", raw.STRING, 1 << 60))]
    contents += [
        raw.header(n_keys=1 << 60),
        raw.header(n_tensors=1 << 60),
        raw.header([raw.u32("general.alignment", 0)]),
        raw.header([raw.u32("general.alignment", 1 << 31)]),
        raw.header([], [raw.tensor(dims=(1 << 32, 1 << 31))]),
        raw.header([], [raw.tensor(offset=(1 << 64) - 32)]),
        raw.header([*raw.LLAMA_KEYS, raw.u32("llama.expert_used_count", 9)]),
        b"GGUF" + bytes(20),
        b"GGUF" + b"\xff" * 1000,
    ]
    for number, content in enumerate(contents):
        yield raw.written(folder, content, f"crafted-{number}.gguf")
    yield from large(folder)


def large(folder: Path) -> Iterator[Path]:
    """Files that are large for real, or claim to be; a hole takes no space on the disk."""
    yield sparse(folder / "strings.gguf", raw.header([raw.array("k", raw.STRING, 50_000_000)]))
    yield sparse(folder / "zeros.gguf", raw.header([raw.array("k", raw.STRING, 4_000_000)]))
    yield sparse(folder / "numbers.gguf", raw.header([raw.array("k", raw.U8, 1 << 25)]))
    arrays = [raw.array(str(n), raw.F64, 1024, struct.pack("<1024d", *range(1024))) for n in range(8_000)]
    yield raw.written(folder, raw.header(arrays), "arrays.gguf")
    names = [raw.u32(f"{n:060000}", 1) for n in range(600)]
    yield raw.written(folder, raw.header(names), "names.gguf")
    texts = [raw.string(f"tokenizer.chat_template.{n}", b"\xf0\x9f\x98\x80" * 250_000) for n in range(24)]
    yield raw.written(folder, raw.header(texts), "texts.gguf")


def sparse(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    os.truncate(path, 1 << 30)
    return path


def mutants(folder: Path, seed: int, count: int) -> Iterator[Path]:
    """A small file with a value of every type, some of its bits turned over."""
    whole = rich_header()
    dice = random.Random(seed)
    path = folder / "mutant.gguf"
    for _ in range(count):
        mutant = bytearray(whole)
        for _ in range(dice.choice((1, 1, 1, 2, 4, 16))):
            mutant[dice.randrange(4, len(mutant))] ^= 1 << dice.randrange(8)
        path.write_bytes(mutant)
        yield path


def rich_header() -> bytes:
    words = b"".join(raw.text(f"word{n}") for n in range(20))
    keys = [
        *raw.LLAMA_KEYS,
        raw.u32("general.alignment", 32),
        raw.string("general.name", "sound"),
        raw.string("tokenizer.chat_template", "{{ messages }}"),
        raw.array("tokenizer.ggml.tokens", raw.STRING, 20, words),
        raw.array("tokenizer.ggml.scores", raw.F32, 20, bytes(80)),
        raw.u32s("llama.attention.layer_heads", [2, 2]),
    ]
    keys += [
        raw.text(code) + struct.pack(f"<I{code}", kind, 1)
        for code, kind in zip("BbHhIif?Qqd", (0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12), strict=True)
    ]
    tensors = [raw.tensor(f"blk.{n}.attn_q.weight", (64, 64), 0, n * 16_384) for n in range(4)]
    return raw.header(keys, tensors)


def main(folder: Path, seed: int, count: int) -> None:
    files = [*crafted(folder)]
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + GROWTH_BYTES, resource.RLIM_INFINITY))
    ends: Counter[str] = Counter()
    slowest_s = 0.0
    for path in chain(files, mutants(folder, seed, count)):
        began = time.monotonic()
        ends[outcome(path)] += 1
        slowest_s = max(slowest_s, time.monotonic() - began)
    print(json.dumps({"ends": ends, "slowest_s": slowest_s, "crafted": len(files)}))


def outcome(path: Path) -> str:
    """`read`, `refused`, or the name of what nobody expected."""
    try:
        facts_of(read_header(path), path.name)
    except HeaderUnreadable:
        return "refused"
    except BaseException as error:
        return type(error).__name__
    return "read"


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
