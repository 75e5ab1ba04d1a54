"""Keys that one or a few architectures have alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Parts = dict[str, Any]
"""Keys without the architecture's prefix."""


def extras(architecture: str, parts: Parts, variant: int) -> Parts:
    """What this architecture needs besides the usual keys; may replace usual ones."""
    make = _EXTRAS.get(architecture)
    return make(parts, variant) if make else {}


def _hybrid(parts: Parts, variant: int) -> Parts:
    step = (3, 4, 2, 5)[variant]
    n_kv = 4 if variant != 2 else parts["attention.head_count"]
    if parts.get("attention.key_length_mla"):
        n_kv = 1
    heads = [n_kv if layer % step == 1 else 0 for layer in range(parts["block_count"])]
    return {"attention.head_count_kv": heads}


def _kimi(parts: Parts, variant: int) -> Parts:
    return _hybrid(parts, variant) | {
        "ssm.conv_kernel": 4,
        "kda.head_dim": (128, 64, 64, 96)[variant],
        "kda.safe_gate": True,
        "kda.gate_lower_bound": -5.0,
        "expert_latent_length": 256,
        "attn_res.block_size": 12,
        "activation.situ_beta": 4.0,
        "activation.situ_linear_beta": 25.0,
    }


def _nemotron(parts: Parts, variant: int) -> Parts:
    n_layer = parts["block_count"]
    kinds = [("mamba", "mlp", "attention", "mamba", "mlp")[layer % 5] for layer in range(n_layer)]
    # A draft layer at the end attends.
    kinds[-1] = "attention"
    n_kv = (4, 2, 10, 8)[variant]
    return {
        "attention.head_count_kv": [n_kv if kind == "attention" else 0 for kind in kinds],
        "feed_forward_length": [3072 if kind == "mlp" else 0 for kind in kinds],
    }


def _no_heads(parts: Parts, variant: int) -> Parts:
    keys = (
        "attention.head_count_kv",
        "attention.key_length",
        "attention.value_length",
        "rope.dimension_count",
    )
    return {"attention.head_count": 0} | dict.fromkeys(keys)


def _rwkv(parts: Parts, variant: int) -> Parts:
    return _no_heads(parts, variant) | {
        "wkv.head_size": 64,
        "time_mix_extra_dim": 32,
        "time_decay_extra_dim": 64,
        "rescale_every_n_layers": 6,
        "attention.decay_lora_rank": 64,
        "attention.iclr_lora_rank": 64,
        "attention.value_residual_mix_lora_rank": 32,
        "attention.gate_lora_rank": 128,
    }


def _indexer(parts: Parts, variant: int) -> Parts:
    return {
        "attention.indexer.head_count": 4,
        "attention.indexer.key_length": (128, 64, 128, 96)[variant],
        "attention.indexer.top_k": 256,
    }


def _minimax_m3(parts: Parts, variant: int) -> Parts:
    return _indexer(parts, variant) | {
        "attention.indexer.head_count": parts["attention.head_count_kv"] or parts["attention.head_count"],
        "attention.indexer.key_length": 64,
        "attention.indexer.block_size": 4,
        "attention.indexer.local_blocks": 1,
        "rope.dimension_count": 64,
    }


def _dots3note(parts: Parts, variant: int) -> Parts:
    full = [int(not windowed) for windowed in parts["attention.sliding_window_pattern"]]
    rope = parts["rope.dimension_count"]
    return _indexer(parts, variant) | {
        "attention.kv_lora_rank_swa": 128,
        "attention.key_length_swa": 128 + rope,
        "attention.value_length_swa": 128,
        "attention.key_length_mla_swa": 64 + rope,
        "attention.value_length_mla_swa": 64,
        "rope.dimension_count_swa": rope,
        "rope.freq_base_swa": 10000.0,
        "attention.indexer.types": full,
    }


def _deepseek4(parts: Parts, variant: int) -> Parts:
    n_layer = parts["block_count"]
    return {
        "embedding_length": 512, "feed_forward_length": 1024,
        "attention.head_count": 8, "attention.head_count_kv": 1,
        "attention.key_length": 64, "attention.value_length": 64, "rope.dimension_count": 32,
        "attention.q_lora_rank": 64,
        "attention.indexer.head_count": 8, "attention.indexer.key_length": 64, "attention.indexer.top_k": 8,
        "attention.output_group_count": 8, "attention.output_lora_rank": 32,
        "attention.compress_ratios": [(0, 0, 4, 128)[layer % 4] for layer in range(n_layer)],
        "attention.compress_rope_freq_base": 160000.0,
        "hyper_connection.count": 4, "hyper_connection.sinkhorn_iterations": 2,
        "hyper_connection.epsilon": 1e-6,
        "hash_layer_count": 0, "swiglu_clamp_exp": 10.0, "expert_weights_scale": 1.0,
        "expert_weights_norm": True, "expert_gating_func": 4,
    }  # fmt: skip


def _gemma4(parts: Parts, variant: int) -> Parts:
    # The last two layers that own a cache must be a windowed one and a full one.
    head, period, shared = ((64, 3, 0), (128, 4, 4), (96, 5, 3), (128, 4, 2))[variant]
    n_layer = 2 * period + shared
    varied = ("attention.head_count_kv", "feed_forward_length")
    return {
        "block_count": n_layer,
        "attention.sliding_window_pattern": [layer % period != period - 1 for layer in range(n_layer)],
        "embedding_length_per_layer_input": (256, 0, 128, 64)[variant],
        "attention.shared_kv_layers": shared,
        "attention.key_length_swa": head,
        "attention.value_length_swa": head,
        "rope.dimension_count_swa": head,
        "rope.freq_base_swa": 10000.0,
        "rope.freq_base": 1000000.0,
        **{key: (parts[key] * 2)[:n_layer] for key in varied if isinstance(parts[key], list)},
    }


def _gemma3n(parts: Parts, variant: int) -> Parts:
    return {"attention.sliding_window_pattern": (5, 2, None, 4)[variant]}


def _draft(parts: Parts, variant: int) -> Parts:
    return {"target_layers": [1, 3, 5], "target_hidden_size": parts["embedding_length"]}


def _adapters(parts: Parts, variant: int) -> Parts:
    return {
        "logit_scale": 8.0,
        "adapters.count": 2,
        "adapters.lora_rank": 16,
        "adapters.token_ids_activate": [5, 6],
        "adapters.token_ids_substitute": [7, 8],
    }


def _xielu(parts: Parts, variant: int) -> Parts:
    n_layer = parts["block_count"]
    return {f"xielu.{key}": [1.0] * n_layer for key in ("alpha_n", "alpha_p", "beta", "eps")}


def _low_rank(parts: Parts, variant: int) -> Parts:
    head = parts["attention.head_count"]
    return {
        "attention.q_lora_rank": 384,
        "attention.kv_lora_rank": 256,
        "attention.head_count_kv": head,
        "attention.key_length": 96,
        "attention.value_length": 64,
        "rope.dimension_count": 32,
    }


def _shared(**fixed: Any) -> Callable[[Parts, int], Parts]:
    return lambda _parts, _variant: dict(fixed)


def _interval(*steps: int) -> Callable[[Parts, int], Parts]:
    return lambda _parts, variant: {"full_attention_interval": steps[variant]}


def _short_convolution(parts: Parts, variant: int) -> Parts:
    return _hybrid(parts, variant) | {"shortconv.l_cache": 3 + variant}


def _one_shift(parts: Parts, variant: int) -> Parts:
    return _rwkv(parts, variant) | {"token_shift_count": 1}


def _one_shift_with_heads(parts: Parts, variant: int) -> Parts:
    n_heads = parts["embedding_length"] // 64
    return _one_shift(parts, variant) | {"attention.head_count_kv": n_heads // (1, 4, 2, 1)[variant]}


def _linear(parts: Parts, variant: int) -> Parts:
    return {"residual_scale": 3.5, "full_attention_interval": (8, 4, 2, 3)[variant]}


_EXTRAS: dict[str, Callable[[Parts, int], Parts]] = {
    "apertus": _xielu,
    "arwkv7": _one_shift,
    "bailingmoe3": _kimi,
    "cohere2": _shared(logit_scale=0.0625),
    "cohere2moe": _shared(logit_scale=0.0625),
    "command-r": _shared(logit_scale=0.0625),
    "dbrx": _shared(**{"attention.clamp_kqv": 8.0}),
    "deepseek32": _indexer,
    "deepseek4": _deepseek4,
    "dflash": _draft,
    "dots3note": _dots3note,
    "eagle3": _draft,
    "gemma3n": _gemma3n,
    "gemma4": _gemma4,
    "glm-dsa": _indexer,
    "gptneox": _shared(use_parallel_residual=True),
    "granite": _shared(logit_scale=8.0),
    "granite_swa": _shared(logit_scale=8.0),
    "granitehybrid": _hybrid,
    "granitemoe": _shared(logit_scale=8.0),
    "graniteswitch": _adapters,
    "jamba": _hybrid,
    "kimi-k3": _kimi,
    "kimi-linear": _kimi,
    "lfm2": _short_convolution,
    "lfm2moe": _short_convolution,
    "mamba": _no_heads,
    "mamba2": _no_heads,
    "minicpm3": _low_rank,
    "minimax-01": _linear,
    "minimax-m3": _minimax_m3,
    "muse-glimmer": _shared(logit_scale=1.0),
    "nanbeige": _shared(num_loops=2),
    "nemotron_h": _nemotron,
    "nemotron_h_moe": _nemotron,
    "nomic-bert-moe": _shared(moe_every_n_layers=2),
    "plamo2": _hybrid,
    "plm": _low_rank,
    "qwen35": _interval(4, 3, 2, 5),
    "qwen3next": _interval(4, 3, 2, 5),
    "qwen3tts": _shared(vocab_size=4096),
    "qwen3vl": _shared(n_deepstack_layers=3),
    "rwkv6": _rwkv,
    "rwkv6qwen2": _one_shift_with_heads,
    "rwkv7": _rwkv,
    "t5": _shared(**{"attention.relative_buckets_count": 32}),
    "t5encoder": _shared(**{"attention.relative_buckets_count": 32}),
    "talkie": _shared(logit_scale=1.0),
}
