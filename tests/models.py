"""Tiny GGUF files for tests: valid ones that every engine loads in milliseconds, and broken ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gguf
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

SPACE = "\u2581"
WORDS = ("hello", "world", "yes", "no")
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n"
    "{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}"
)


def tiny_model(
    path: Path,
    name: str = "tiny",
    seed: int = 0,
    n_ctx_train: int = 4096,
    *,
    architecture: str = "llama",
    n_layer: int = 2,
    n_embd: int = 64,
    n_head: int = 4,
    n_ff: int = 128,
    has_chat_template: bool = True,
    pooling_type: int | None = None,
    duplicate_token: bool = False,
) -> Path:
    """Write a model of random weights to `path` and return it; 0.5 MB with the defaults.

    n_head: n_embd / n_head is the head size; 16 by default, which quantised KV types refuse.
    pooling_type: sets `<architecture>.pooling_type` (1 mean, 4 rank) as embedding models have it.
    duplicate_token: a vocabulary that makes the engine abort.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    tokens = _tokens(duplicate_token)
    writer = gguf.GGUFWriter(str(path), architecture)
    writer.add_name(name)
    writer.add_file_type(0)
    writer.add_context_length(n_ctx_train)
    writer.add_embedding_length(n_embd)
    writer.add_block_count(n_layer)
    writer.add_feed_forward_length(n_ff)
    writer.add_head_count(n_head)
    writer.add_head_count_kv(n_head)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(n_embd // n_head)
    writer.add_vocab_size(len(tokens))
    if pooling_type is not None:
        writer.add_uint32(f"{architecture}.pooling_type", pooling_type)
    _add_tokenizer(writer, tokens, has_chat_template)
    _add_tensors(writer, np.random.default_rng(seed), len(tokens), n_layer, n_embd, n_ff)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def add_vocabulary(writer: Any) -> int:
    """Add the tiny tokenizer to a model of any architecture; returns its number of tokens."""
    tokens = _tokens(duplicate_token=False)
    _add_tokenizer(writer, tokens, has_chat_template=False)
    return len(tokens)


def _tokens(duplicate_token: bool) -> list[str]:
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    text = [*letters, SPACE, *(SPACE + letter for letter in letters), *WORDS]
    if duplicate_token:
        text.append(text[0])
    return ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *text]


def _add_tokenizer(writer: Any, tokens: list[str], has_chat_template: bool) -> None:
    n_text = len(tokens) - 259
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * 259 + [-float(rank) for rank in range(n_text)])
    writer.add_token_types([2, 3, 3] + [6] * 256 + [1] * n_text)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    if has_chat_template:
        writer.add_chat_template(CHAT_TEMPLATE)


def _add_tensors(
    writer: Any, random: np.random.Generator, n_vocab: int, n_layer: int, n_embd: int, n_ff: int
) -> None:
    def matrix(name: str, rows: int, columns: int) -> None:
        weights = random.standard_normal((rows, columns), dtype=np.float32) * np.float32(0.05)
        writer.add_tensor(f"{name}.weight", weights)

    def norm(name: str) -> None:
        writer.add_tensor(f"{name}.weight", np.ones(n_embd, dtype=np.float32))

    matrix("token_embd", n_vocab, n_embd)
    norm("output_norm")
    matrix("output", n_vocab, n_embd)
    for block in range(n_layer):
        norm(f"blk.{block}.attn_norm")
        norm(f"blk.{block}.ffn_norm")
        for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
            matrix(f"blk.{block}.{part}", n_embd, n_embd)
        for part in ("ffn_gate", "ffn_up"):
            matrix(f"blk.{block}.{part}", n_ff, n_embd)
        matrix(f"blk.{block}.ffn_down", n_embd, n_ff)


def write_lora(
    path: Path,
    seed: int = 1,
    *,
    name: str = "",
    architecture: str = "llama",
    n_layer: int = 2,
    n_in: int = 64,
    n_out: int = 64,
    rank: int = 4,
    parts: tuple[str, ...] = ("attn_q", "attn_v"),
    magnitude: float = 0.6,
) -> Path:
    """Write a LoRA adapter that fits the tiny model to `path` and return it; it changes greedy answers.

    n_in, n_out: columns and rows of the tensors it changes; any other n_in than the model's is refused.
    parts: which tensors of every layer.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(str(path), architecture)
    writer.add_type("adapter")
    writer.add_name(name or path.stem)
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(rank))
    random = np.random.default_rng(seed)
    for block in range(n_layer):
        for part in parts:
            a = random.standard_normal((rank, n_in), dtype=np.float32) * np.float32(magnitude)
            b = random.standard_normal((n_out, rank), dtype=np.float32) * np.float32(magnitude)
            writer.add_tensor(f"blk.{block}.{part}.weight.lora_a", a)
            writer.add_tensor(f"blk.{block}.{part}.weight.lora_b", b)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def wrong_architecture_model(path: Path, name: str = "alien") -> Path:
    """A sound GGUF file of an architecture that no engine knows: `zzz`."""
    return tiny_model(path, name, architecture="zzz")


def truncated_model(path: Path, n_bytes: int = -1000) -> Path:
    """A tiny model cut to its first n_bytes bytes; a negative figure cuts that much off the end."""
    whole = tiny_model(path).read_bytes()
    path.write_bytes(whole[:n_bytes])
    return path


def corrupt_model(path: Path) -> Path:
    """A tiny model whose metadata is overwritten with noise behind the first 24 bytes."""
    whole = bytearray(tiny_model(path).read_bytes())
    whole[24:2024] = b"\xff" * 2000
    path.write_bytes(bytes(whole))
    return path


def zero_byte_model(path: Path) -> Path:
    """An empty file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path


def html_model(path: Path) -> Path:
    """An error page saved under a model's name, as failed downloads leave it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("<html><body>404 Not Found</body></html>\n")
    return path


def aborting_model(path: Path) -> Path:
    """A file that looks sound and makes the engine abort: its vocabulary names one token twice."""
    return tiny_model(path, "aborting", duplicate_token=True)
