"""Models whose vocabulary makes their header as long as a real one's; their tensors are nearly nothing."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from tests.adapters.gguf import raw

if TYPE_CHECKING:
    from collections.abc import Sequence

N_TOKENS = 120_000
_F32, _Q8_0 = (0, 4, 1), (8, 34, 32)


def words(count: int, salt: str = "") -> bytes:
    """So many strings of different lengths, as an array holds them."""
    return b"".join(
        raw.text(f"{salt}{number * 7919 % 104729:x}" * (1 + number % 3)) for number in range(count)
    )


def vocabulary_model(
    *, is_quantised: bool = False, n_tokens: int = N_TOKENS, salt: str = "", name: str = "large"
) -> bytes:
    """A whole file: keys, tokens, scores, and tensors at its end."""
    keys = [
        *raw.LLAMA_KEYS,
        raw.string("general.name", name),
        raw.array("tokenizer.ggml.tokens", raw.STRING, n_tokens, words(n_tokens, salt)),
        raw.array("tokenizer.ggml.scores", raw.F32, n_tokens, bytes(4 * n_tokens)),
        raw.array("tokenizer.ggml.merges", raw.STRING, n_tokens, words(n_tokens, "m" + salt)),
    ]
    return _file(keys, _shapes(), is_quantised)


def shards_of_model(count: int) -> list[bytes]:
    """The same model in so many files; the keys are in the first."""
    shapes = _shapes()
    split = [raw.u32("split.count", count)]
    parts = [shapes[number::count] for number in range(count)]
    return [
        _file([*(raw.LLAMA_KEYS if not number else ()), *split], each) for number, each in enumerate(parts)
    ]


def _shapes() -> list[tuple[str, tuple[int, int]]]:
    found = [
        ("token_embd.weight", (64, 1000)),
        ("output.weight", (64, 1000)),
    ]
    for layer in range(2):
        found += [(f"blk.{layer}.{part}.weight", (64, 64)) for part in ("attn_q", "attn_output", "ffn_up")]
    return found


def _file(
    keys: Sequence[bytes], shapes: Sequence[tuple[str, tuple[int, int]]], is_quantised: bool = False
) -> bytes:
    type_id, size, block = _Q8_0 if is_quantised else _F32
    infos, offset = [], 0
    for name, dims in shapes:
        infos.append(raw.tensor(name, dims, type_id, offset))
        offset += -(-dims[0] * dims[1] // block * size // 32) * 32
    return raw.header(keys, infos, data=bytes(offset))


def endless() -> bytes:
    """The beginning of a header that claims four million strings; zeros behind it are as many empty ones."""
    key = raw.array("tokenizer.ggml.tokens", raw.STRING, 4_000_000)
    return b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + key
