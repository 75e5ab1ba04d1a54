"""The way back from memory to context and layers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ggtui.core.memory.inverse import LargestContext, Limit, largest_context, most_gpu_layers


@given(st.integers(1, 1 << 20), st.integers(0, 1 << 21))
def test_the_largest_context_is_found_exactly(n_ctx_train: int, most: int) -> None:
    found = largest_context(n_ctx_train, lambda n_ctx: n_ctx <= most)

    if most >= n_ctx_train:
        assert LargestContext(n_ctx_train, Limit.TRAINED) == found
    else:
        assert LargestContext(most // 256 * 256 or None, Limit.MEMORY) == found


def test_an_unknown_maximum_offers_128k() -> None:
    assert LargestContext(131_072, Limit.TRAINED) == largest_context(None, lambda _: True)


@given(st.integers(0, 130), st.integers(0, 200))
def test_the_most_layers_are_found_exactly(n_layer: int, most: int) -> None:
    assert min(n_layer, most) == most_gpu_layers(n_layer, lambda n: n <= most)
