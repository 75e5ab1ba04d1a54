"""What the architecture's name says about its cache. Source: llama.cpp src/llama-model.cpp."""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


NO_CACHE = _names(
    "bert nomic-bert nomic-bert-moe jina-bert-v2 jina-bert-v3 neo-bert eurobert modern-bert gemma-embedding "
    "dream llada llada-moe rnd1 wavtokenizer-dec"
)
"""They keep no KV cache at all."""

EMBEDDING = _names(
    "bert nomic-bert nomic-bert-moe jina-bert-v2 jina-bert-v3 neo-bert eurobert modern-bert gemma-embedding "
    "llama-embed t5encoder"
)
"""They answer with vectors, never with text."""

ORDINARY = _names(
    "apertus arcee arctic baichuan bailingmoe bailingmoe2 bitnet bloom chameleon chatglm codeshell cogvlm "
    "command-r dbrx deci deepseek deepseek2 deepseek2-ocr dots1 ernie4_5 ernie4_5-moe exaone falcon gemma "
    "glm4 glm4moe gpt2 gptj gptneox granite granitemoe grok grovemoe hunyuan-dense hunyuan-moe hunyuan_vl "
    "internlm2 jais jais2 llama maincoder minicpm minicpm3 minimax-m2 mistral3 mistral4 mpt nemotron olmo "
    "olmo2 olmoe openelm orion paddleocr pangu-embedded phi2 phi3 phimoe plamo plm qwen qwen2 qwen2moe "
    "qwen2vl qwen3 qwen3moe qwen3vl qwen3vlmoe refact seed_oss smollm3 stablelm starcoder starcoder2 "
    "xverse"
)
"""Full attention in every layer, unless the keys below say otherwise; any other name is not modelled."""

COMPRESSED_KEYS = ("attention.key_length_mla", "attention.indexer.key_length")
"""Keys of compressed or indexed caches, without the architecture's prefix."""

RECURRENT_PREFIXES = ("ssm.", "wkv.", "shortconv.", "kda.")
"""Keys of layers whose state does not grow with the context."""

WINDOWED_BY_KEY = frozenset({"olmo2"})
"""Full attention only where the file names no sliding window."""
