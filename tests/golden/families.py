"""Which architectures share which keys. Source: src/models/*.cpp of llama.cpp."""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


ARCHITECTURES = sorted(_names(
    "llama llama4 deci falcon grok gpt2 gptj gptneox mpt baichuan starcoder refact bert modern-bert "
    "nomic-bert nomic-bert-moe neo-bert jina-bert-v2 jina-bert-v3 eurobert bloom stablelm qwen qwen2 "
    "qwen2moe qwen2vl qwen3 qwen3moe qwen3next qwen3vl qwen3vlmoe qwen35 qwen35moe phi2 phi3 phimoe "
    "plamo plamo2 plamo3 codeshell orion internlm2 minicpm minicpm3 gemma gemma2 gemma3 gemma3n gemma4 "
    "gemma4-assistant gemma-embedding starcoder2 mamba mamba2 jamba falcon-h1 xverse command-r cohere2 "
    "cohere2moe dbrx olmo olmo2 olmoe muse-glimmer openelm arctic deepseek deepseek2 deepseek2-ocr "
    "deepseek32 deepseek4 chatglm glm4 glm4moe glm-dsa bitnet t5 t5encoder jais jais2 nemotron "
    "nemotron_h nemotron_h_moe exaone exaone4 exaone-moe rwkv6 rwkv6qwen2 rwkv7 arwkv7 granite "
    "granitemoe granitehybrid graniteswitch granite_swa chameleon wavtokenizer-dec plm bailingmoe "
    "bailingmoe2 bailingmoe3 dots1 dots3note arcee afmoe laguna ernie4_5 ernie4_5-moe hunyuan-moe "
    "hunyuan-dense hunyuan_vl hy_v3 smollm3 gpt-oss lfm2 lfm2moe dream smallthinker llada llada-moe "
    "seed_oss grovemoe apertus minimax-01 minimax-m2 minimax-m3 cogvlm rnd1 pangu-embedded mistral3 "
    "eagle3 dflash mistral4 paddleocr mimo2 step35 llama-embed maincoder kimi-linear kimi-k3 talkie "
    "mellum nanbeige qwen3tts pockettts"
))  # fmt: skip
"""Every name the engine knows, except the projector `clip`. Source: src/llama-arch.cpp."""

EXPERTS = _names(
    "llama4 grok qwen2moe qwen3moe qwen3next qwen3vlmoe qwen35moe phimoe dbrx olmoe arctic deepseek "
    "deepseek2 deepseek2-ocr deepseek32 deepseek4 glm4moe glm-dsa exaone-moe bailingmoe bailingmoe2 "
    "bailingmoe3 dots1 dots3note afmoe laguna ernie4_5-moe hunyuan-moe hy_v3 gpt-oss lfm2moe "
    "smallthinker llada-moe grovemoe minimax-01 minimax-m2 minimax-m3 rnd1 mimo2 step35 mistral4 "
    "kimi-linear kimi-k3 mellum cohere2moe granitemoe nemotron_h_moe nomic-bert-moe jamba granitehybrid "
    "granite_swa"
)
KIMI_LIKE = _names("kimi-linear kimi-k3 bailingmoe3")
MLA = _names("deepseek2 deepseek32 glm-dsa mistral4 dots3note") | KIMI_LIKE
MAMBA = _names("mamba mamba2 jamba falcon-h1 plamo2 granitehybrid nemotron_h nemotron_h_moe")
DELTA_NET = _names("qwen3next qwen35 qwen35moe")
RWKV = _names("rwkv6 rwkv6qwen2 rwkv7 arwkv7")
MROPE = _names("qwen2vl qwen3vl qwen3vlmoe qwen35 qwen35moe qwen3tts paddleocr hunyuan_vl glm4 glm4moe")

WINDOWED = _names(
    "gemma2 gemma3 gemma3n gpt-oss cohere2 exaone-moe olmo2 afmoe plamo3 llama4 exaone4 smallthinker "
    "laguna cohere2moe mellum muse-glimmer gemma4 mimo2 step35 dots3note granite_swa lfm2 "
    "gemma-embedding modern-bert deepseek4"
)
ARRAY_PATTERN = _names("gemma4 mimo2 step35 dots3note granite_swa")
NO_PATTERN = _names("lfm2 deepseek4")

PATTERN_NEEDED = _names("cohere2moe mellum muse-glimmer")
DRAFT_LAYERS = _names(
    "deepseek2 deepseek32 glm-dsa glm4 glm4moe exaone4 exaone-moe bailingmoe2 bailingmoe3 cohere2moe "
    "hy_v3 mimo2 step35 nemotron_h_moe qwen3next qwen35 qwen35moe dots3note"
)
"""They know layers that only predict drafts."""

ODD_HEADS = _names(
    "llama qwen2 qwen3 phi2 gemma3 gpt-oss falcon-h1 mistral3 stablelm starcoder2 olmo2 command-r "
    "lfm2 granitehybrid qwen3moe cohere2 bert grok"
)
DRAFTING = DRAFT_LAYERS - _names("bailingmoe2 dots3note exaone4 exaone-moe glm4 mimo2")
"""The engine can open a context on these layers; mimo2's wants a tensor that no header promises."""

EMBEDDING = _names(
    "bert nomic-bert nomic-bert-moe jina-bert-v2 jina-bert-v3 neo-bert eurobert modern-bert "
    "gemma-embedding llama-embed t5encoder"
)
"""Embedding models; most keep no cache."""

LAYERS = {"gemma3n": 24, "exaone4": 64, "minimax-01": 17}
"""Numbers of layers that switch something in the engine."""
