"""Hyper-parameters for tests of the forecast, without a file."""

from __future__ import annotations

from ggtui.core.memory.shape import ModelShape, PerLayer


def dense_shape(
    architecture: str = "llama",
    *,
    n_layer: int = 32,
    n_embd: int = 4096,
    n_ff: int = 14_336,
    n_head: int = 32,
    n_head_kv: int = 8,
    head_length: int = 128,
    n_vocab: int = 128_256,
    n_ctx_train: int = 131_072,
) -> ModelShape:
    """A gated dense model whose layers are all alike; by default those of Llama 3.1 8B."""
    return ModelShape(
        architecture=architecture,
        n_layer_all=n_layer,
        n_embd=n_embd,
        n_vocab=n_vocab,
        n_ctx_train=n_ctx_train,
        n_head=PerLayer.of([n_head] * n_layer),
        n_head_kv=PerLayer.of([n_head_kv] * n_layer),
        n_ff=PerLayer.of([n_ff] * n_layer),
        key_length=head_length,
        value_length=head_length,
        key_length_swa=head_length,
        value_length_swa=head_length,
    )
