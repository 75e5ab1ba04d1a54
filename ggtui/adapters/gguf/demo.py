"""Two tiny models that need no download: real files for a real engine, with nothing to say and good manners.

Embeddings name the last token and the output matrix holds which words may follow it, so every answer is a
chain of words that ends by itself, at any temperature. Attention and feed-forward run on noise, unheard.
"""

from __future__ import annotations

import random
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggtui.adapters.gguf.writer import GgufWriter

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("demo-alpha", "demo-beta")
N_CTX_TRAIN = 8192
N_EMBD = 64
N_HEAD = 2
N_LAYER = 2
N_FF = 128
FORBIDDEN = -1000.0
"""Logit of a token that must not follow; so low that no temperature reaches it."""

SPACE = "\u2581"
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n"
    "{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}"
)

_EOS = "</s>"
_OPENINGS = ("today", "once", "somewhere", "tonight", "maybe", "often", "outside", "nearby")
_TURNS = ("then", "later", "still", "meanwhile", "soon", "again")
_SENTENCE: tuple[tuple[str, ...], ...] = (
    ("a", "the", "one", "this", "every"),
    ("small", "quiet", "sleepy", "curious", "green", "patient", "polite", "round"),
    ("model", "robot", "cat", "engine", "lamp", "teapot", "parrot", "clock"),
    ("hums", "waits", "dreams", "sings", "counts", "naps", "hides", "listens"),
    ("under", "near", "behind", "beside", "above"),
    ("some", "its", "two", "many"),
    ("windows", "gardens", "numbers", "letters", "rivers", "books", "stars", "stones"),
    ("while", "because", "and", "until"),
    ("my", "your", "another", "that"),
    ("warm", "blue", "gentle", "distant", "silver", "cheerful", "old", "bright"),
    ("sea", "wind", "moon", "train", "forest", "kettle", "cloud", "river"),
    ("sleeps", "whispers", "wanders", "glows", "returns", "agrees", "laughs", "drifts"),
    ("slowly", "softly", "twice", "forever", "gladly", "alone"),
)
"""Words by their place in a sentence; each place follows the one before, so a sentence always ends."""
_STOP = "."
_MOST_PER_PLACE = 4


@dataclass(frozen=True, slots=True)
class _Chain:
    """Which word may follow which. The last token before an answer counts as the empty word."""

    words: tuple[str, ...]
    followers: dict[str, dict[str, float]]
    """Logit by following word, by word."""


def write_demo_models(folder: Path) -> tuple[Path, ...]:
    """Write `demo-alpha.gguf` and `demo-beta.gguf`, half a megabyte each, and return their paths.

    The same bytes each time; files of these names are replaced.
    Raises: OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for seed, name in enumerate(NAMES, start=1):
        path = folder / f"{name}.gguf"
        _write_model(path, name, seed)
        paths.append(path)
    return tuple(paths)


def _write_model(path: Path, name: str, seed: int) -> None:
    dice = random.Random(seed)
    chain = _chain(dice)
    tokens = _tokens(chain)
    writer = GgufWriter()
    _add_hyper_parameters(writer, name, len(tokens))
    _add_tokenizer(writer, tokens)
    _add_ends(writer, chain, tokens)
    _add_layers(writer, dice)
    writer.write(path)


def _chain(dice: random.Random) -> _Chain:
    places = [tuple(dice.sample(words, min(len(words), _MOST_PER_PLACE))) for words in _SENTENCE]
    openings, turns = tuple(dice.sample(_OPENINGS, 4)), tuple(dice.sample(_TURNS, 2))
    followers = {"": _logits(dice, openings)}
    for place, words in zip((openings, *places), (*places, (_STOP,)), strict=True):
        followers.update({word: _logits(dice, words) for word in place})
    followers.update({word: _logits(dice, places[0]) for word in turns})
    # Ending is the likeliest, so that an answer without chance has one sentence instead of no end.
    followers[_STOP] = {_EOS: 1.0, turns[0]: 0.4, turns[1]: 0.3}
    words = tuple(word for word in followers if word)
    return _Chain(words, followers)


def _logits(dice: random.Random, words: tuple[str, ...]) -> dict[str, float]:
    return {word: dice.uniform(0.0, 1.5) for word in words}


def _tokens(chain: _Chain) -> list[str]:
    """Special, byte, letter and word tokens; all different, as the engine demands."""
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    text = [*letters, SPACE, *(SPACE + letter for letter in letters), *map(_spelled, chain.words)]
    return ["<unk>", "<s>", _EOS, *(f"<0x{byte:02X}>" for byte in range(256)), *dict.fromkeys(text)]


def _spelled(word: str) -> str:
    return word if word in (_STOP, _EOS) else SPACE + word


def _add_hyper_parameters(writer: GgufWriter, name: str, n_vocab: int) -> None:
    writer.add_text("general.architecture", "llama")
    writer.add_text("general.name", name)
    writer.add_number("general.file_type", 0)
    for key, value in (
        ("context_length", N_CTX_TRAIN),
        ("embedding_length", N_EMBD),
        ("block_count", N_LAYER),
        ("feed_forward_length", N_FF),
        ("attention.head_count", N_HEAD),
        ("attention.head_count_kv", N_HEAD),
        ("rope.dimension_count", N_EMBD // N_HEAD),
        ("vocab_size", n_vocab),
    ):
        writer.add_number(f"llama.{key}", value)
    writer.add_float("llama.attention.layer_norm_rms_epsilon", 1e-5)


def _add_tokenizer(writer: GgufWriter, tokens: list[str]) -> None:
    n_text = len(tokens) - 259
    writer.add_text("tokenizer.ggml.model", "llama")
    writer.add_texts("tokenizer.ggml.tokens", tokens)
    writer.add_floats("tokenizer.ggml.scores", [0.0] * 259 + [-float(rank) for rank in range(n_text)])
    writer.add_integers("tokenizer.ggml.token_type", [2, 3, 3] + [6] * 256 + [1] * n_text)
    writer.add_number("tokenizer.ggml.bos_token_id", 1)
    writer.add_number("tokenizer.ggml.eos_token_id", 2)
    writer.add_number("tokenizer.ggml.unknown_token_id", 0)
    writer.add_text("tokenizer.chat_template", CHAT_TEMPLATE)


def _add_ends(writer: GgufWriter, chain: _Chain, tokens: list[str]) -> None:
    """Embeddings and output: dimension 0 stands for any token outside the chain, the others for one word."""
    states = ["", *chain.words]
    dimension = {_spelled(word): index for index, word in enumerate(states)}
    # The output norm turns the one value of a row into sqrt(n_embd), whatever its size.
    scale = N_EMBD**0.5
    embeddings = array("f", bytes(4 * len(tokens) * N_EMBD))
    output = array("f", [FORBIDDEN / scale]) * (len(tokens) * N_EMBD)
    row = {token: index for index, token in enumerate(tokens)}
    for index, token in enumerate(tokens):
        embeddings[index * N_EMBD + dimension.get(token, 0)] = scale
    for index, word in enumerate(states):
        for follower, logit in chain.followers[word].items():
            output[row[_spelled(follower)] * N_EMBD + index] = logit / scale
    writer.add_tensor("token_embd.weight", embeddings, N_EMBD)
    writer.add_tensor("output_norm.weight", array("f", [1.0]) * N_EMBD, N_EMBD)
    writer.add_tensor("output.weight", output, N_EMBD)


def _add_layers(writer: GgufWriter, dice: random.Random) -> None:
    def noise(n_rows: int, n_columns: int) -> array[float]:
        return array("f", (dice.random() * 0.1 - 0.05 for _ in range(n_rows * n_columns)))

    for layer in range(N_LAYER):
        for norm in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{layer}.{norm}.weight", array("f", [1.0]) * N_EMBD, N_EMBD)
        for part in ("attn_q", "attn_k", "attn_v"):
            writer.add_tensor(f"blk.{layer}.{part}.weight", noise(N_EMBD, N_EMBD), N_EMBD)
        for part in ("ffn_gate", "ffn_up"):
            writer.add_tensor(f"blk.{layer}.{part}.weight", noise(N_FF, N_EMBD), N_EMBD)
        # Nothing comes back from attention and feed-forward: the words must not depend on noise.
        nothing = array("f", bytes(4 * N_EMBD * N_FF))
        writer.add_tensor(f"blk.{layer}.attn_output.weight", nothing[: N_EMBD * N_EMBD], N_EMBD)
        writer.add_tensor(f"blk.{layer}.ffn_down.weight", nothing, N_FF)
