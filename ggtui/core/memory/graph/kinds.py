"""How the graph of an architecture differs from the usual one. Source: llama.cpp src/models/."""

from __future__ import annotations

from ggtui.core.memory.families import WITHOUT_MASKS_OF_CONTEXT, names

FUSED_QKV = names("bailingmoe2 dbrx falcon gptneox modern-bert openelm qwen")
"""Queries, keys and values come out of one multiplication."""

UNPLACED = names("gpt2 mpt bloom starcoder refact jais bert")
"""No rotary embedding and no norm of queries and keys, so that they stay where they were made."""

UNPLACED_WHEN_FULL = names("cohere2 smallthinker")
"""The same of layers that attend to the whole context."""

KEYS_FIRST = WITHOUT_MASKS_OF_CONTEXT | names(
    "afmoe cohere2 cohere2moe gemma2 gpt-oss llama4 muse-glimmer smallthinker step35 bitnet"
)
"""Keys are made before values."""

PARALLEL = names("phi2")
"""Attention and feed-forward both read the same norm, attention first."""

PARALLEL_BEFORE_OUTPUT = names("cohere2 cohere2moe command-r plamo")
"""The same, with the feed-forward before the attention's last multiplication."""

PARALLEL_WITH_OWN_NORM = names("falcon gptneox")
"""The same, with a norm of its own for the feed-forward."""

STREAM_TAKES_ATTENTION = names("jamba lfm2 lfm2moe openelm")
"""What attention or recurrence finds is added in the stream's place, elsewhere the other way round."""

STREAM_TAKES_RECURRENCE = STREAM_TAKES_ATTENTION | names("qwen35 qwen35moe qwen3next minimax-01")
"""The same of what only recurrence finds."""

STREAM_TAKES_FORWARD = names("jamba phi3 phimoe")
"""The same of what the feed-forward finds."""

WITHOUT_FIRST_NORM = names("olmo2 exaone4")
"""Attention and feed-forward read the stream itself; their norms come after."""

NORMED_BEFORE_OUTPUT = names("bitnet")
"""A norm lies between the heads and the last multiplication."""

GATED_ATTENTION = names("afmoe muse-glimmer step35")
"""What attention finds is multiplied by a gate of its own."""

NORM_LAST = names("bert nomic-bert nomic-bert-moe jina-bert-v2 jina-bert-v3")
"""The norms come after attention and feed-forward."""

NORMED_EMBEDDING = names("nomic-bert jina-bert-v2")
"""A norm comes right after the embedding."""

WIDTHS_BY_LAYER = names("deci gemma4 nemotron_h nemotron_h_moe openelm plamo3")
"""A list of feed-forward widths counts; elsewhere all layers have the first one's."""

DENSE_FIRST = names(
    "afmoe bailingmoe2 bailingmoe3 cohere2moe deepseek deepseek2 deepseek2-ocr deepseek32 dots1 "
    "dots3note ernie4_5-moe exaone-moe glm-dsa glm4moe kimi-k3 kimi-linear laguna lfm2moe minimax-m3 mistral4"
)
"""`leading_dense_block_count` layers at the start have no experts; elsewhere the key is ignored."""

SHARED_EXPERTS = DENSE_FIRST - names("lfm2moe") | names(
    "bailingmoe granitehybrid granitemoe granite_swa hunyuan-moe hy_v3 llama4 nemotron_h_moe qwen2moe "
    "qwen35moe qwen3next step35 deepseek4"
)
"""An expert of its own width sees every token."""

DEEPSTACK = {"qwen3vl": 4}
"""So many times the embedding's width comes in for each token, with features of an image."""

KEPT_INPUT = {"qwen3vl": 4, "talkie": 1, "deepseek4": 8}
"""So many times the embedding's width stays in use from layer to layer, beside the usual stream."""

FUSED_GATE = names("modern-bert neo-bert plamo2 plamo3 glm4 chatglm phi3 graniteswitch")
"""Both halves of the feed-forward come out of one multiplication."""

HALVED_WIDTHS = names("qwen")
"""`feed_forward_length` counts both halves."""

TWO_MASKS_OF_BATCH = names("gemma-embedding modern-bert")
"""Without a cache, but with windowed layers: one mask of the batch for each kind of layer."""
