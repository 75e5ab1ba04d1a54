"""What an architecture's name decides about memory. Source: llama.cpp src/llama-model.cpp and src/models/."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


def names(text: str) -> frozenset[str]:
    """These architectures."""
    return frozenset(text.split())


KNOWN = names(
    "afmoe apertus arcee arctic arwkv7 baichuan bailingmoe bailingmoe2 bailingmoe3 bert bitnet bloom "
    "chameleon chatglm codeshell cogvlm cohere2 cohere2moe command-r dbrx deci deepseek deepseek2 "
    "deepseek2-ocr deepseek32 deepseek4 dots1 dots3note dream ernie4_5 ernie4_5-moe eurobert exaone "
    "exaone-moe exaone4 falcon falcon-h1 gemma gemma-embedding gemma2 gemma3 gemma3n gemma4 glm-dsa glm4 "
    "glm4moe gpt-oss gpt2 gptj gptneox granite granite_swa granitehybrid granitemoe graniteswitch grok "
    "grovemoe hunyuan-dense hunyuan-moe hunyuan_vl hy_v3 internlm2 jais jais2 jamba jina-bert-v2 "
    "jina-bert-v3 kimi-k3 kimi-linear laguna lfm2 lfm2moe llada llada-moe llama llama-embed llama4 "
    "maincoder mamba mamba2 mellum mimo2 minicpm minicpm3 minimax-01 minimax-m2 minimax-m3 mistral3 "
    "mistral4 modern-bert mpt muse-glimmer nanbeige nemotron nemotron_h nemotron_h_moe neo-bert "
    "nomic-bert nomic-bert-moe olmo olmo2 olmoe openelm orion paddleocr pangu-embedded phi2 phi3 phimoe "
    "plamo plamo2 plamo3 plm pockettts qwen qwen2 qwen2moe qwen2vl qwen3 qwen35 qwen35moe qwen3moe "
    "qwen3next qwen3tts qwen3vl qwen3vlmoe refact rnd1 rwkv6 rwkv6qwen2 rwkv7 seed_oss smallthinker "
    "smollm3 stablelm starcoder starcoder2 step35 t5 t5encoder talkie wavtokenizer-dec xverse"
)
"""Names whose caches are modelled, or estimated with a warning (see OWN_CACHES)."""

NO_CACHE = names(
    "bert nomic-bert nomic-bert-moe jina-bert-v2 jina-bert-v3 neo-bert eurobert modern-bert gemma-embedding "
    "dream llada llada-moe rnd1 wavtokenizer-dec"
)
"""They keep no KV cache at all."""

WITHOUT_MASKS_OF_CONTEXT = NO_CACHE | names("llama-embed t5encoder")
"""They look at the tokens of one batch only."""

NEVER_CAUSAL = names("dream llada llada-moe rnd1 gemma-embedding")
"""A batch of theirs may be longer than the context, whatever the file says of causal attention."""

NO_OUTPUT = names(
    "bert nomic-bert nomic-bert-moe jina-bert-v2 jina-bert-v3 neo-bert eurobert modern-bert t5encoder "
    "llama-embed gemma-embedding"
)
"""They have no output matrix, so that their embedding matrix is never loaded a second time for it."""

OWN_CACHES = names("t5 t5encoder pockettts qwen3tts")
"""They keep caches of their own kind, which are estimated only."""

RECURRENT = names("mamba mamba2 rwkv6 rwkv7 rwkv6qwen2 arwkv7")
"""Every layer is recurrent, none attends."""

HYBRID_BY_HEADS = names("jamba granitehybrid lfm2 lfm2moe plamo2 kimi-linear kimi-k3 bailingmoe3")
"""A layer without KV heads is recurrent, any other attends."""

HYBRID_BY_INTERVAL = {"qwen3next": 4, "qwen35": 4, "qwen35moe": 4, "minimax-01": 8}
"""Every so many layers one attends, the others are recurrent, unless the file lists them."""

HYBRID_NEMOTRON = names("nemotron_h nemotron_h_moe")
HYBRID_PARALLEL = names("falcon-h1")
"""Every layer does both."""

TRUNK_ONLY = names("step35 hy_v3 mimo2 glm-dsa deepseek32 dots3note")
"""Layers that only predict further tokens have no cache here, unlike everywhere else."""

COMPRESSED = names("deepseek4")
"""Every layer looks through a window; some keep compressed cells and indexers of the whole context too."""

ROLLS_BACK = names("qwen35 qwen35moe nemotron_h nemotron_h_moe lfm2 lfm2moe bailingmoe3 deepseek4")
"""Their recurrent state is kept once more for each drafted token."""

SPARSE_INDEXED = names("deepseek32 glm-dsa dots3note")
GEMMA3N_KV_LAYERS = 20
"""Layers of gemma3n that own a cache; the engine has this number built in."""
GLM_INDEXER_FROM_CTX = 1 << 20
"""glm-dsa models trained for so much context share indexers among layers."""

NO_FLASH_ATTENTION = names("grok")

NO_TENSOR_SPLIT = names(
    "grok mpt plamo2 minicpm3 gemma3n mamba mamba2 jamba falcon-h1 olmo2 olmoe deepseek2 deepseek32 "
    "dots3note glm-dsa bitnet t5 nemotron_h nemotron_h_moe granitehybrid minimax-01 minimax-m2 minimax-m3 "
    "mistral4 kimi-linear kimi-k3 bailingmoe3 qwen3tts"
)
"""The engine refuses `-sm tensor` for them."""

UNGATED = names(
    "gpt2 gptj gptneox falcon mpt bloom starcoder starcoder2 phi2 codeshell nemotron jais2 bert pockettts "
    "nomic-bert-moe jina-bert-v3 arcee apertus"
)
"""Feed-forward layers of two matrices instead of three."""


EXPERTS_BY_COMMON_WIDTH = names(
    "arctic dbrx granitemoe granitehybrid hunyuan-moe jamba minimax-m2 phimoe granite_swa minimax-01 llama "
    "olmoe nomic-bert-moe"
)
"""Their experts are as wide as `feed_forward_length` says."""

ALL_LOGITS = names("cogvlm dflash")
"""They compute the logits of every token of a batch."""

SHARED_BLOCKS = names("minimax-m3")
"""They choose blocks of the context by scores that are kept whole."""


class PatternKey(StrEnum):
    """Which forms of `attention.sliding_window_pattern` an architecture reads."""

    NONE = "none"
    SCALAR = "scalar"
    ARRAY = "array"
    EITHER = "either"


@dataclass(frozen=True, slots=True)
class WindowRule:
    """How an architecture decides which layers look through a window, and how wide it is."""

    pattern: PatternKey = PatternKey.SCALAR
    period: int = 4
    """Without a pattern in the file: one layer of so many is full."""
    default_width: int | None = None
    """Tokens when the file names none; None for no window then."""
    fixed_width: int | None = None
    """Tokens whatever the file says."""
    is_dense_first: bool = False
    is_always_on: bool = False
    """True when a window of 0 tokens in the file is the only way to switch it off."""
    only_n_layer: int | None = None
    """Only models of so many layers have windows."""
    includes_nextn: bool = False
    """The pattern runs on over layers that only predict further tokens; elsewhere they attend fully."""


WINDOWS: dict[str, WindowRule] = {
    "gemma2": WindowRule(period=2, default_width=4096),
    "gemma3": WindowRule(period=6),
    "gemma3n": WindowRule(period=5),
    "gpt-oss": WindowRule(period=2),
    "cohere2": WindowRule(),
    "exaone-moe": WindowRule(includes_nextn=True),
    "olmo2": WindowRule(),
    "afmoe": WindowRule(),
    "plamo3": WindowRule(period=8),
    "llama4": WindowRule(fixed_width=8192, is_always_on=True),
    "exaone4": WindowRule(default_width=4096, only_n_layer=64),
    "smallthinker": WindowRule(fixed_width=4096, is_dense_first=True),
    "laguna": WindowRule(is_dense_first=True),
    "cohere2moe": WindowRule(pattern=PatternKey.EITHER, is_dense_first=True),
    "mellum": WindowRule(pattern=PatternKey.EITHER),
    "muse-glimmer": WindowRule(pattern=PatternKey.EITHER),
    "gemma4": WindowRule(pattern=PatternKey.ARRAY),
    "mimo2": WindowRule(pattern=PatternKey.ARRAY),
    "step35": WindowRule(pattern=PatternKey.ARRAY),
    "deepseek4": WindowRule(pattern=PatternKey.NONE),
    "dots3note": WindowRule(pattern=PatternKey.ARRAY),
    "granite_swa": WindowRule(pattern=PatternKey.ARRAY),
    "lfm2": WindowRule(pattern=PatternKey.NONE),
}
"""Every architecture that is not here attends fully in all layers, whatever its file says of windows."""
