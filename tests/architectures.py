"""Tiny models of several architectures, each small enough to load in a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gguf
import numpy as np

from tests.models import add_vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

N_LAYER, N_EMBD, N_FF, N_HEAD, N_HEAD_KV, HEAD = 4, 128, 256, 4, 2, 32
N_EXPERT = 4
INNER, STATE, CONV, RANK = 256, 16, 4, 8

Tensor = tuple[str, tuple[int, ...]]
"""Name without `blk.N.`, dimensions as the engine counts them: row length first."""

_ATTENTION: tuple[Tensor, ...] = (
    ("attn_q.weight", (N_EMBD, N_HEAD * HEAD)),
    ("attn_k.weight", (N_EMBD, N_HEAD_KV * HEAD)),
    ("attn_v.weight", (N_EMBD, N_HEAD_KV * HEAD)),
    ("attn_output.weight", (N_HEAD * HEAD, N_EMBD)),
)
_GATED: tuple[Tensor, ...] = (
    ("ffn_gate.weight", (N_EMBD, N_FF)),
    ("ffn_up.weight", (N_EMBD, N_FF)),
    ("ffn_down.weight", (N_FF, N_EMBD)),
)
_EXPERTS: tuple[Tensor, ...] = (
    ("ffn_gate_inp.weight", (N_EMBD, N_EXPERT)),
    ("ffn_gate_exps.weight", (N_EMBD, N_FF, N_EXPERT)),
    ("ffn_up_exps.weight", (N_EMBD, N_FF, N_EXPERT)),
    ("ffn_down_exps.weight", (N_FF, N_EMBD, N_EXPERT)),
)
_HEAD_NORMS: tuple[Tensor, ...] = (("attn_q_norm.weight", (HEAD,)), ("attn_k_norm.weight", (HEAD,)))
_BIASES: tuple[Tensor, ...] = (
    ("attn_q.bias", (N_HEAD * HEAD,)),
    ("attn_k.bias", (N_HEAD_KV * HEAD,)),
    ("attn_v.bias", (N_HEAD_KV * HEAD,)),
)
_MAMBA: tuple[Tensor, ...] = (
    ("ssm_in.weight", (N_EMBD, 2 * INNER)),
    ("ssm_conv1d.weight", (CONV, INNER)),
    ("ssm_conv1d.bias", (INNER,)),
    ("ssm_x.weight", (INNER, RANK + 2 * STATE)),
    ("ssm_dt.weight", (RANK, INNER)),
    ("ssm_dt.bias", (INNER,)),
    ("ssm_a", (STATE, INNER)),
    ("ssm_d", (INNER,)),
    ("ssm_out.weight", (INNER, N_EMBD)),
)


def _norms(*names: str) -> tuple[Tensor, ...]:
    return tuple((f"{name}.weight", (N_EMBD,)) for name in names)


_LAYERS: dict[str, tuple[Tensor, ...]] = {
    "llama": (*_norms("attn_norm", "ffn_norm"), *_ATTENTION, *_GATED),
    "qwen2": (*_norms("attn_norm", "ffn_norm"), *_ATTENTION, *_BIASES, *_GATED),
    "qwen3": (*_norms("attn_norm", "ffn_norm"), *_ATTENTION, *_HEAD_NORMS, *_GATED),
    "gemma": (*_norms("attn_norm", "ffn_norm"), *_ATTENTION, *_GATED),
    "gemma2": (
        *_norms("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm"),
        *_ATTENTION,
        *_GATED,
    ),
    "gemma3": (
        *_norms("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm"),
        *_ATTENTION,
        *_HEAD_NORMS,
        *_GATED,
    ),
    "phi3": (
        *_norms("attn_norm", "ffn_norm"),
        ("attn_qkv.weight", (N_EMBD, (N_HEAD + 2 * N_HEAD_KV) * HEAD)),
        ("attn_output.weight", (N_HEAD * HEAD, N_EMBD)),
        ("ffn_up.weight", (N_EMBD, 2 * N_FF)),
        ("ffn_down.weight", (N_FF, N_EMBD)),
    ),
    "olmo2": (
        *_norms("post_attention_norm", "post_ffw_norm"),
        *_ATTENTION,
        ("attn_q_norm.weight", (N_HEAD * HEAD,)),
        ("attn_k_norm.weight", (N_HEAD_KV * HEAD,)),
        *_GATED,
    ),
    "qwen3moe": (*_norms("attn_norm", "ffn_norm"), *_ATTENTION, *_HEAD_NORMS, *_EXPERTS),
    "mamba": (*_norms("attn_norm"), *_MAMBA),
}
ARCHITECTURES = tuple(_LAYERS)
TIED = frozenset({"gemma", "gemma2", "gemma3"})
"""They have no output matrix of their own."""


def _add_window(writer: Any) -> None:
    writer.add_sliding_window(300)


def _add_experts(writer: Any) -> None:
    writer.add_expert_count(N_EXPERT)
    writer.add_expert_used_count(2)
    writer.add_expert_feed_forward_length(N_FF)


def _add_state(writer: Any) -> None:
    writer.add_ssm_conv_kernel(CONV)
    writer.add_ssm_inner_size(INNER)
    writer.add_ssm_state_size(STATE)
    writer.add_ssm_time_step_rank(RANK)


_KEYS: dict[str, Callable[[Any], None]] = {
    "gemma2": _add_window,
    "gemma3": _add_window,
    "phi3": _add_window,
    "qwen3moe": _add_experts,
    "mamba": _add_state,
}


def tiny_architecture(path: Path, architecture: str) -> Path:
    """Write a model of this architecture, all its weights alike, and return its path."""
    writer = gguf.GGUFWriter(str(path), architecture)
    writer.add_context_length(8192)
    writer.add_embedding_length(N_EMBD)
    writer.add_block_count(N_LAYER)
    writer.add_layer_norm_rms_eps(1e-5)
    is_recurrent = architecture == "mamba"
    writer.add_feed_forward_length(0 if is_recurrent else N_FF)
    writer.add_head_count(0 if is_recurrent else N_HEAD)
    if not is_recurrent:
        writer.add_head_count_kv(N_HEAD_KV)
        writer.add_key_length(HEAD)
        writer.add_value_length(HEAD)
        writer.add_rope_dimension_count(HEAD)
    _KEYS.get(architecture, lambda _: None)(writer)
    n_vocab = add_vocabulary(writer)
    writer.add_vocab_size(n_vocab)
    for name, dims in _tensors(architecture, n_vocab):
        writer.add_tensor(name, np.full(dims[::-1], 0.01, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _tensors(architecture: str, n_vocab: int) -> Iterator[Tensor]:
    yield "token_embd.weight", (N_EMBD, n_vocab)
    yield "output_norm.weight", (N_EMBD,)
    if architecture not in TIED:
        yield "output.weight", (N_EMBD, n_vocab)
    for layer in range(N_LAYER):
        for name, dims in _LAYERS[architecture]:
            yield f"blk.{layer}.{name}", dims
