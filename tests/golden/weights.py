"""Tensors of real models in the usual mixtures of types, for files that hold no data."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

F32, F16, Q4_0, Q5_0, Q8_0, Q4_K, Q6_K, BF16, MXFP4 = 0, 1, 2, 6, 8, 12, 14, 30, 39
BLOCKS = {F32: (1, 4), F16: (1, 2), Q4_0: (32, 18), Q5_0: (32, 22), Q8_0: (32, 34), Q4_K: (256, 144),
          Q6_K: (256, 210), BF16: (1, 2), MXFP4: (32, 17)}  # fmt: skip
"""Elements and bytes of a block, by type number."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor of a file."""

    name: str
    dims: tuple[int, ...]
    type_id: int

    @property
    def n_bytes(self) -> int:
        """Bytes of its data, without padding."""
        elements, size = BLOCKS[self.type_id]
        return math.prod(self.dims) // elements * size


@dataclass(frozen=True, slots=True)
class WeightFile:
    """A real file: whose hyper-parameters, in which types, and which optional tensors it has."""

    model: str
    mixture: str
    kept: str = r"(?!)"
    """Optional tensors that the file has, as a pattern over the whole name."""
    missing: str = r"(?!)"
    """Tensors that the engine would take and the file does not have."""

    @property
    def name(self) -> str:
        """What the corpus calls it."""
        return f"{self.model}-{self.mixture}"


QWEN2_BIASES = r"blk\.\d+\.attn_[qkv]\.bias"
TIED = r"output\.weight"
WEIGHT_FILES = (
    WeightFile("llama3.1-8b", "Q4_K_M"),
    WeightFile("llama3.1-8b", "Q4_0", missing=r"rope_freqs\.weight"),
    WeightFile("llama3.3-70b", "Q4_K_M"),
    WeightFile("mixtral-8x7b", "Q4_K_M", missing=r"rope_freqs\.weight"),
    WeightFile("qwen2.5-7b", "Q4_K_M", kept=QWEN2_BIASES),
    WeightFile("qwen3-0.6b", "Q8_0", missing=TIED),
    WeightFile("qwen3-0.6b", "F16", missing=TIED),
    WeightFile("qwen3-30b-a3b", "Q4_K_M"),
    WeightFile("gemma2-9b", "Q4_K_M", missing=TIED),
    WeightFile("gemma3-27b", "Q4_0", missing=TIED),
    WeightFile("gpt-oss-20b", "MXFP4", kept=r".*\.bias"),
    WeightFile("deepseek-v2-lite", "Q4_K_M", missing=r".*(exp_probs_b.*|attn_kv_b\.weight)"),
    WeightFile("deepseek-v3", "Q4_K_M", kept=r".*exp_probs_b\.bias", missing=r".*attn_kv_b\.weight"),
    WeightFile("mamba2-2.7b", "F16", kept=r".*ssm_\w+\.bias"),
    WeightFile("starcoder2-7b", "Q4_K_M", kept=r".*\.bias", missing=TIED),
    WeightFile("phi3-mini", "Q4_0"),
    WeightFile("granite4-h-small", "Q4_K_M", kept=r".*ssm_\w+\.bias"),
    WeightFile("gpt-oss-1", "Q8_0", kept=r".*\.bias"),
    WeightFile("jamba-mini", "Q4_K_M", kept=r".*ssm_\w+\.bias"),
    WeightFile("glm4.5-air", "Q4_K_M", kept=r"(.*attn_[qkv]|.*exp_probs_b)\.bias"),
)


def tensors_of(file: WeightFile, possible: Iterable[str]) -> list[Tensor]:
    """The file's tensors. `possible` has a name and four dimensions a line, as the engine lists them."""
    seen: dict[str, tuple[int, ...]] = {}
    for line in possible:
        name, *dims = line.split()
        if _is_there(file, name):
            sizes = tuple(map(int, dims))
            seen[name] = sizes[: max(1, max((i + 1 for i, size in enumerate(sizes) if size > 1), default=1))]
    n_layer = 1 + max((int(name.split(".")[1]) for name in seen if name.startswith("blk.")), default=0)
    return [Tensor(name, dims, _type(file.mixture, name, dims, n_layer)) for name, dims in seen.items()]


def _is_there(file: WeightFile, name: str) -> bool:
    if re.fullmatch(file.missing, name) or name.endswith((".scale", ".input_scale")):
        return False
    return not name.endswith(".bias") or re.fullmatch(file.kept, name) is not None


def _type(mixture: str, name: str, dims: tuple[int, ...], n_layer: int) -> int:
    if len(dims) == 1 or "norm" in name or "ffn_gate_inp" in name or "ssm_conv1d" in name:
        return F32
    if re.search(r"ssm_[ad]$", name) or name.endswith(".bias"):
        return F32
    for type_id in _wanted(mixture, name, n_layer):
        if dims[0] % BLOCKS[type_id][0] == 0:
            return type_id
    return F16


def _wanted(mixture: str, name: str, n_layer: int) -> Iterator[int]:
    if mixture == "Q4_K_M":
        layer = int(name.split(".")[1]) if name.startswith("blk.") else -1
        is_more = layer < n_layer // 8 or layer >= 7 * n_layer // 8 or layer % 3 == 2
        precious = name in ("output.weight", "token_embd.weight") or (
            is_more and re.search(r"attn_v|ffn_down", name) is not None
        )
        yield Q6_K if precious else Q4_K
        yield Q8_0 if precious else Q5_0
    elif mixture == "MXFP4":
        yield MXFP4 if "_exps" in name else Q8_0
    else:
        yield {"Q4_0": Q4_0, "Q8_0": Q8_0, "F16": F16, "F32": F32}[mixture]


def with_draft_layer(architecture: str, trunk: Iterable[str], n_trunk: int, n_embd: int) -> list[Tensor]:
    """All these tensors in f32, and a draft layer after the last of `n_trunk` layers."""
    usual = WeightFile("", "F32", kept=r".*(norm|exp_probs_b)\.bias", missing=r"rope_freqs\.weight")
    tensors = tensors_of(usual, trunk)
    if architecture == "dots3note":
        return tensors  # Its draft layer is optional as a whole.
    # A draft layer of exaone-moe is dense, as its first layer.
    alike = "blk.0." if architecture == "exaone-moe" else f"blk.{n_trunk - 1}."
    new = f"blk.{n_trunk}."
    tensors += [
        Tensor(new + tensor.name.removeprefix(alike), tensor.dims, tensor.type_id)
        for tensor in tensors
        if tensor.name.startswith(alike)
    ]
    tensors.append(Tensor(f"{new}nextn.eh_proj.weight", (2 * n_embd, n_embd), F32))
    norms = ["nextn.enorm", "nextn.hnorm", "nextn.shared_head_norm"]
    norms += ["layer_output_norm"] if architecture == "bailingmoe2" else []
    return tensors + [Tensor(f"{new}{norm}.weight", (n_embd,), F32) for norm in norms]
