"""Recurrent state: by slot, never by context."""

from __future__ import annotations

from dataclasses import replace

from ggtui.core.memory.request import LoadRequest
from ggtui.core.memory.shape import RecurrentKeys
from ggtui.core.memory.state import state_bytes
from ggtui.core.units import MIB
from tests.shapes import dense_shape

MAMBA2 = replace(
    dense_shape("mamba2", n_layer=64, n_embd=2560, n_ff=0, n_head=0, n_head_kv=0, head_length=0),
    recurrent=RecurrentKeys(conv_kernel=4, inner_size=5120, state_size=128, group_count=1),
)


def test_a_slot_of_mamba2_takes_what_the_engine_says() -> None:
    assert 164 == round(state_bytes(MAMBA2, LoadRequest()) / MIB)
    assert 656 == round(state_bytes(MAMBA2, LoadRequest(n_parallel=4)) / MIB)


def test_states_are_kept_for_rolling_back_only_where_the_engine_can() -> None:
    drafting = LoadRequest(n_draft=3)
    qwen35 = replace(MAMBA2, architecture="qwen35")

    assert state_bytes(MAMBA2, LoadRequest()) == state_bytes(MAMBA2, drafting)
    assert 4 * state_bytes(qwen35, LoadRequest()) == state_bytes(qwen35, drafting)


def test_a_model_that_only_attends_keeps_none() -> None:
    assert 0 == state_bytes(dense_shape(), LoadRequest(n_parallel=8))
