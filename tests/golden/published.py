"""Hyper-parameters of real models, as their publishers give them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.golden.header_file import Keys

EPSILONS = {"attention.layer_norm_epsilon": 1e-5, "attention.layer_norm_rms_epsilon": 1e-6}


def published(architecture: str) -> Iterator[tuple[str, Keys]]:
    """(name, keys) of each real model of this architecture."""
    for name, (its_architecture, parts) in _MODELS.items():
        if its_architecture == architecture:
            keys: Keys = {"general.architecture": architecture, "tokenizer.ggml.model": "no_vocab"}
            if "bert" in architecture:
                keys["tokenizer.ggml.token_type_count"] = 2
            keys |= {f"{architecture}.{key}": value for key, value in (EPSILONS | parts).items()}
            yield name, keys


def _model(
    n_vocab: int, n_ctx: int, n_layer: int, n_embd: int, n_ff: int | list[int],
    n_head: int, n_kv: int | list[int] | None, head: int | None = None, **more: Any,
) -> dict[str, Any]:  # fmt: skip
    """Keyword arguments are keys, `__` for a point; `head` is the key and value length where written."""
    parts: dict[str, Any] = {
        "vocab_size": n_vocab,
        "context_length": n_ctx,
        "embedding_length": n_embd,
        "block_count": n_layer,
        "feed_forward_length": n_ff,
        "attention.head_count": n_head,
    }
    if n_kv is not None:
        parts["attention.head_count_kv"] = n_kv
    if head:
        parts |= {"attention.key_length": head, "attention.value_length": head}
    if n_head:
        parts["rope.dimension_count"] = head or n_embd // n_head
    return parts | {key.replace("__", "."): value for key, value in more.items()}


def _experts(count: int, used: int, n_ff: int, **more: Any) -> dict[str, Any]:
    usual = {"expert_gating_func": 2, "expert_shared_count": 1}
    return (
        usual | {"expert_count": count, "expert_used_count": used, "expert_feed_forward_length": n_ff} | more
    )


def _latent(rope: int = 64, rank: int = 512) -> dict[str, Any]:
    return {
        "attention__key_length": rank + rope, "attention__value_length": rank,
        "attention__key_length_mla": 128 + rope, "attention__value_length_mla": 128,
        "attention__kv_lora_rank": rank, "rope__dimension_count": rope,
    }  # fmt: skip


def _states(inner: int, state: int, heads: int, groups: int | None = None) -> dict[str, Any]:
    parts = {"conv_kernel": 4, "inner_size": inner, "state_size": state, "time_step_rank": heads}
    if groups is not None:
        parts["group_count"] = groups
    return {f"ssm__{key}": value for key, value in parts.items()}


def _at(layers: Iterable[int], n_kv: int, n_layer: int) -> list[int]:
    chosen = set(layers)
    return [n_kv if layer in chosen else 0 for layer in range(n_layer)]


def _window(width: int, pattern: int | list[bool] | None = None) -> dict[str, Any]:
    parts: dict[str, Any] = {"attention__sliding_window": width}
    return parts if pattern is None else parts | {"attention__sliding_window_pattern": pattern}


_NANO = "M-M-M-MM-M-M-M*-M-M-M*-M-M-M-M*-M-M-M-M*-M-MM-M-M-M-M-M-"
"""Layers of nemotron nano 9b v2: state space, feed forward, attention."""

_MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama3.1-8b": ("llama", _model(128256, 131072, 32, 4096, 14336, 32, 8)),
    "llama3.3-70b": ("llama", _model(128256, 131072, 80, 8192, 28672, 64, 8)),
    "mixtral-8x7b": (
        "llama",
        _model(32000, 32768, 32, 4096, 14336, 32, 8, expert_count=8, expert_used_count=2),
    ),
    "mistral-small-24b": ("llama", _model(131072, 32768, 40, 5120, 32768, 32, 8, 128)),
    "qwen2.5-7b": ("qwen2", _model(152064, 32768, 28, 3584, 18944, 28, 4)),
    "qwen3-0.6b": ("qwen3", _model(151936, 40960, 28, 1024, 3072, 16, 8, 128)),
    "qwen3-8b": ("qwen3", _model(151936, 40960, 36, 4096, 12288, 32, 8, 128)),
    "qwen3-30b-a3b": (
        "qwen3moe",
        _model(151936, 40960, 48, 2048, 6144, 32, 4, 128, **_experts(128, 8, 768)),
    ),
    "qwen3-next-80b": (
        "qwen3next",
        _model(
            151936, 262144, 48, 2048, 5120, 16, 2, 256, **_states(4096, 128, 32, 16),
            **_experts(512, 10, 512, expert_shared_feed_forward_length=512, rope__dimension_count=64),
        ),
    ),
    "gemma2-9b": ("gemma2", _model(256000, 8192, 42, 3584, 14336, 16, 8, 256, **_window(4096))),
    "gemma3-4b": ("gemma3", _model(262144, 131072, 34, 2560, 10240, 8, 4, 256, **_window(1024))),
    "gemma3-12b": ("gemma3", _model(262144, 131072, 48, 3840, 15360, 16, 8, 256, **_window(1024))),
    "gemma3-27b": ("gemma3", _model(262144, 131072, 62, 5376, 21504, 32, 16, 128, **_window(1024))),
    "gemma3n-e4b": (
        "gemma3n",
        _model(
            262144, 32768, 35, 2048, 16384, 8, 2, 256,
            **_window(512, [layer % 5 != 4 for layer in range(35)]),
        ),
    ),
    "embeddinggemma-300m": (
        "gemma-embedding",
        _model(262144, 2048, 24, 768, 1152, 3, 1, 256, **_window(512), pooling_type=1),
    ),
    "nomic-embed-text-v1.5": ("nomic-bert", _model(30522, 2048, 12, 768, 3072, 12, None, pooling_type=1)),
    "bge-m3": ("bert", _model(250002, 8192, 24, 1024, 4096, 16, None, pooling_type=2)),
    "gpt-oss-20b": (
        "gpt-oss",
        _model(201088, 131072, 24, 2880, 2880, 64, 8, 64, **_experts(32, 4, 2880), **_window(128)),
    ),
    "deepseek-v2-lite": (
        "deepseek2",
        _model(
            102400, 163840, 27, 2048, 10944, 16, 1, **_latent(), leading_dense_block_count=1,
            **_experts(64, 6, 1408, expert_shared_count=2, expert_gating_func=1),
        ),
    ),
    "deepseek-v2-lite-old": (
        "deepseek2",
        _model(
            102400, 163840, 27, 2048, 10944, 16, 16, attention__key_length=192, attention__value_length=128,
            attention__kv_lora_rank=512, rope__dimension_count=64, leading_dense_block_count=1,
            **_experts(64, 6, 1408, expert_shared_count=2, expert_gating_func=1),
        ),
    ),
    "deepseek-v3": (
        "deepseek2",
        _model(
            129280, 163840, 61, 7168, 18432, 128, 1, **_latent(), attention__q_lora_rank=1536,
            leading_dense_block_count=3, **_experts(256, 8, 2048),
        ),
    ),
    "kimi-linear-48b": (
        "kimi-linear",
        _model(
            163840, 1048576, 27, 2304, 9216, 32, _at((3, 7, 11, 15, 19, 23, 26), 1, 27), **_latent(),
            ssm__conv_kernel=4, kda__head_dim=128, leading_dense_block_count=1, **_experts(256, 8, 1024),
        ),
    ),
    "mamba-2.8b": ("mamba", _model(50280, 1048576, 64, 2560, 0, 0, None, **_states(5120, 16, 160))),
    "mamba2-2.7b": ("mamba2", _model(50288, 1048576, 64, 2560, 0, 0, None, **_states(5120, 128, 80, 1))),
    "granite4-h-small": (
        "granitehybrid",
        _model(
            100352, 131072, 40, 4096, 768, 32, _at((5, 15, 25, 35), 8, 40), **_states(8192, 128, 128, 1),
            expert_count=72, expert_used_count=10, expert_shared_feed_forward_length=1536,
        ),
    ),
    "granite3.3-8b": ("granite", _model(49159, 131072, 40, 4096, 12800, 32, 8, logit_scale=16.0)),
    "lfm2-1.2b": (
        "lfm2",
        _model(65536, 128000, 16, 2048, 8192, 32, _at((2, 5, 8, 10, 12, 14), 8, 16), shortconv__l_cache=3),
    ),
    "lfm2-8b-a1b": (
        "lfm2moe",
        _model(
            65536, 128000, 24, 2048, 7168, 32, _at((2, 6, 10, 14, 18, 21), 8, 24), shortconv__l_cache=3,
            leading_dense_block_count=2, **_experts(32, 4, 1792),
        ),
    ),
    "falcon-h1-7b": (
        "falcon-h1",
        _model(130048, 262144, 44, 3072, 12288, 12, 2, 128, **_states(3072, 256, 24, 1)),
    ),
    "nemotron-nano-9b-v2": (
        "nemotron_h",
        _model(
            131072, 131072, 56, 4480, [15680 if kind == "-" else 0 for kind in _NANO], 40,
            [8 if kind == "*" else 0 for kind in _NANO], 128, **_states(10240, 128, 128, 8),
        ),
    ),
    "jamba-mini": (
        "jamba",
        _model(
            65536, 262144, 32, 4096, 14336, 32, _at((4, 12, 20, 28), 8, 32), **_states(8192, 16, 256),
            expert_count=16, expert_used_count=2,
        ),
    ),
    "command-r-35b": ("command-r", _model(256000, 131072, 40, 8192, 22528, 64, 64, logit_scale=0.0625)),
    "command-r7b": (
        "cohere2",
        _model(256000, 131072, 32, 4096, 14336, 32, 8, 128, logit_scale=0.25, **_window(4096)),
    ),
    "llama4-scout": (
        "llama4",
        _model(
            202048, 10485760, 48, 5120, 16384, 40, 8, 128, interleave_moe_layer_step=1,
            **_experts(16, 1, 8192),
        ),
    ),
    "phi3-mini": ("phi3", _model(32064, 131072, 32, 3072, 8192, 32, 32, 96, **_window(262144))),
    "phi4-14b": ("phi3", _model(100352, 16384, 40, 5120, 17920, 40, 10)),
    "olmo3-7b": ("olmo2", _model(100278, 65536, 32, 4096, 11008, 32, 32, **_window(4096))),
    "exaone4-32b": ("exaone4", _model(102400, 131072, 64, 5120, 27392, 40, 8, **_window(4096))),
    "starcoder2-7b": ("starcoder2", _model(49152, 16384, 32, 4608, 18432, 36, 4, **_window(4096))),
    "smollm3-3b": ("smollm3", _model(128256, 65536, 36, 2048, 11008, 16, 4)),
    "seed-oss-36b": ("seed_oss", _model(155136, 524288, 64, 5120, 27648, 80, 8, 128)),
    "glm4-9b": ("glm4", _model(151552, 32768, 40, 4096, 13696, 32, 2, 128, rope__dimension_count=64)),
    "glm4.5-air": (
        "glm4moe",
        _model(
            151552, 131072, 47, 4096, 10944, 96, 8, 128, nextn_predict_layers=1,
            leading_dense_block_count=1, **_experts(128, 8, 1408, rope__dimension_count=64),
        ),
    ),
    "minimax-m2": (
        "minimax-m2",
        _model(
            200064, 196608, 62, 3072, 1536, 48, 8, 128,
            **_experts(256, 8, 1536, rope__dimension_count=64),
        ),
    ),
    "ernie4.5-21b-a3b": (
        "ernie4_5-moe",
        _model(
            103424, 131072, 28, 2560, 12288, 20, 4, 128, interleave_moe_layer_step=1,
            leading_dense_block_count=1,
            **_experts(64, 6, 1536, expert_shared_count=2, expert_shared_feed_forward_length=3072),
        ),
    ),
    "smallthinker-21b-a3b": (
        "smallthinker",
        _model(151936, 32768, 52, 2560, 768, 28, 4, 128, **_experts(64, 6, 768), **_window(4096, 4)),
    ),
    "rwkv6-7b": (
        "rwkv6",
        _model(
            65536, 1048576, 32, 4096, 14336, 0, None, wkv__head_size=64, time_mix_extra_dim=64,
            time_decay_extra_dim=128, rescale_every_n_layers=6,
        ),
    ),
}  # fmt: skip
