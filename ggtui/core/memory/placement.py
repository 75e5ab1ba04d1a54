"""Which layer goes to which device. Source: llama.cpp src/llama-model.cpp, load_tensors."""

from __future__ import annotations

import struct
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ON_HOST = -1


def places(n_layer_all: int, n_gpu_layers: int | None, shares: Sequence[float]) -> tuple[int, ...]:
    """The device of each layer and, last, of the output; ON_HOST for the host.

    n_gpu_layers: layers from the end that go to devices, the output counted; None for all.
    shares: one figure per device, in proportion; free bytes when nobody chose them.
    """
    n_all = n_layer_all + 1
    wanted = n_all if n_gpu_layers is None or n_gpu_layers < 0 else min(n_gpu_layers, n_all)
    if not shares or not wanted or not any(share > 0 for share in shares):
        return (ON_HOST,) * n_all
    ends = _ends(shares)
    on_devices = (bisect_right(ends, _single(at / wanted)) for at in range(wanted))
    last = len(shares) - 1
    return (ON_HOST,) * (n_all - wanted) + tuple(min(device, last) for device in on_devices)


def _ends(shares: Sequence[float]) -> list[float]:
    """Where each device's part of the layers ends, from 0 to 1."""
    sums = list(accumulate((_single(max(0.0, share)) for share in shares), lambda a, b: _single(a + b)))
    return [_single(each / sums[-1]) for each in sums]


def _single(value: float) -> float:
    """The value in single precision, as the engine computes it: a layer at a border depends on it."""
    return float(struct.unpack("f", struct.pack("f", value))[0])
