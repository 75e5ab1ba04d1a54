"""Layers to devices, as the engine shares them out."""

from __future__ import annotations

import struct
from bisect import bisect_right
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ggtui.core.memory.placement import borders


def _single(value: float) -> float:
    return float(struct.unpack("f", struct.pack("f", value))[0])


def _one_by_one(n_layer: int, n_gpu_layers: int, shares: list[int]) -> list[int]:
    """The device of each layer, -1 for the host: the loop of load_tensors, word for word."""
    sums = list(accumulate(map(_single, shares), lambda a, b: _single(a + b)))
    ends = [_single(each / sums[-1]) for each in sums]
    start, active = max(n_layer + 1 - n_gpu_layers, 0), min(n_gpu_layers, n_layer + 1)
    return [
        -1 if layer < start else bisect_right(ends, _single((layer - start) / active))
        for layer in range(n_layer + 1)
    ]


@given(st.integers(1, 130), st.integers(0, 140), st.lists(st.integers(1, 1 << 37), min_size=1, max_size=5))
def test_borders_are_those_of_going_layer_by_layer(
    n_layer: int, n_gpu_layers: int, shares: list[int]
) -> None:
    expected = _one_by_one(n_layer, n_gpu_layers, shares)

    ends = borders(n_layer, n_gpu_layers, shares)

    found = [-1] * ends[0]
    for device, (first, end) in enumerate(pairwise(ends)):
        found += [device] * (end - first)
    assert expected == found


@pytest.mark.parametrize(
    ("n_gpu_layers", "shares", "expected"),
    [
        (None, (1,), (0, 33)),
        (0, (1,), (33, 33)),
        (10, (1,), (23, 33)),
        (99, (1, 1), (0, 17, 33)),
        (None, (3, 1), (0, 25, 33)),
        (None, (), (33,)),
        (None, (0, 0), (33, 33, 33)),
    ],
)
def test_32_layers_and_the_output(
    n_gpu_layers: int | None, shares: tuple[float, ...], expected: tuple[int, ...]
) -> None:
    assert expected == borders(32, n_gpu_layers, shares)
