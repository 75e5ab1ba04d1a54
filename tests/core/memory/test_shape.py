"""Figures by layer in short."""

from __future__ import annotations

import sys

from hypothesis import given
from hypothesis import strategies as st

from ggtui.core.memory.shape import PerLayer


@given(st.lists(st.integers(0, 1 << 40), max_size=600))
def test_figures_come_back_as_they_were(figures: list[int]) -> None:
    kept = PerLayer.of(figures)

    assert tuple(figures) == kept.figures
    assert sum(figures) == kept.total
    assert len(kept.values) == len(set(figures))


def test_layers_that_are_alike_share_their_memory() -> None:
    one, other = PerLayer.of([8] * 94), PerLayer.of([4] * 94)

    assert one.letters is other.letters
    assert (8,) == one.values
    assert sys.getsizeof(one.letters) + sys.getsizeof(one.values) < 250
