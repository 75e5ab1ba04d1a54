"""Which layer goes to which device. Source: llama.cpp src/llama-model.cpp, load_tensors."""

from __future__ import annotations

import struct
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def borders(n_layer_all: int, n_gpu_layers: int | None, shares: Sequence[float]) -> tuple[int, ...]:
    """Where each place's layers end: the host's, then each device's; the output is the last layer.

    Layers before the first number are the host's, those from one number to the next a device's.
    n_gpu_layers: layers from the end that go to devices, the output counted; None for all.
    shares: one figure per device, in proportion; free bytes when nobody chose them.
    """
    n_all = n_layer_all + 1
    wanted = n_all if n_gpu_layers is None or n_gpu_layers < 0 else min(n_gpu_layers, n_all)
    if not any(share > 0 for share in shares):
        wanted = 0
    n_host = n_all - wanted
    ends = [_first_beyond(end, wanted) for end in _ends(shares)] if wanted else [0 for _ in shares]
    if ends:
        ends[-1] = wanted
    return (n_host, *(n_host + end for end in ends))


def _first_beyond(end: float, wanted: int) -> int:
    """The first of the `wanted` layers whose place, from 0 to 1, is not before `end`."""
    at = max(0, min(wanted, int(end * wanted) - 1))
    while at < wanted and _single(at / wanted) < end:
        at += 1
    return at


def _ends(shares: Sequence[float]) -> list[float]:
    """Where each device's part of the layers ends, from 0 to 1."""
    sums = list(accumulate((_single(max(0.0, share)) for share in shares), lambda a, b: _single(a + b)))
    return [_single(each / sums[-1]) for each in sums]


def _single(value: float) -> float:
    """The value in single precision, as the engine computes it: a layer at a border depends on it."""
    return float(struct.unpack("f", struct.pack("f", value))[0])
