"""The hyper-parameters that decide how much memory a model takes, as its file states them."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_FIRST_LETTER = 65


@dataclass(frozen=True, slots=True)
class PerLayer:
    """One whole number for each layer, kept as the different numbers and one letter per layer.

    Most models have one to three different numbers in a hundred layers, and many models share the letters.
    """

    values: tuple[int, ...] = ()
    letters: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "letters", sys.intern(self.letters))

    @classmethod
    def of(cls, figures: Iterable[int]) -> PerLayer:
        """These figures, in layer order."""
        places: dict[int, str] = {}
        letters = [places.setdefault(each, chr(_FIRST_LETTER + len(places))) for each in figures]
        return cls(tuple(places), "".join(letters))

    @property
    def figures(self) -> tuple[int, ...]:
        """The figures again, in layer order."""
        values = self.values
        if len(values) == 1:
            return values * len(self.letters)
        return tuple(values[ord(letter) - _FIRST_LETTER] for letter in self.letters)

    @property
    def total(self) -> int:
        """All figures together."""
        return sum(self.figures)


NO_FIGURES = PerLayer()


@dataclass(frozen=True, slots=True)
class WindowKeys:
    """What the file says of sliding windows; the architecture decides which of it counts."""

    n_swa: int | None = None
    """`attention.sliding_window`, tokens; None when the key is absent."""
    period: int | None = None
    """`attention.sliding_window_pattern` as one number."""
    pattern: PerLayer | None = None
    """The same key as one entry per layer: 1 for a windowed layer."""


@dataclass(frozen=True, slots=True)
class RecurrentKeys:
    """Sizes of the state that recurrent layers keep, 0 where the file names none."""

    conv_kernel: int = 0
    inner_size: int = 0
    state_size: int = 0
    group_count: int = 0
    wkv_head_size: int = 0
    token_shift_count: int = 2
    shortconv_l_cache: int = 0
    kda_head_dim: int = 0
    full_attention_interval: int | None = None
    recurrent_layers: PerLayer | None = None
    """`attention.recurrent_layers`: 1 for a recurrent layer."""


@dataclass(frozen=True, slots=True)
class ExpertKeys:
    """Sizes of a mixture of experts; all 0 for a dense model."""

    n_expert: int = 0
    n_used: int = 0
    n_ff: int = 0
    """`expert_feed_forward_length`, 0 when the file has only the common one."""
    n_ff_shared: int = 0
    """`expert_shared_feed_forward_length`, 0 when the file names none."""
    n_shared: int = 0
    n_dense_lead: int = 0
    """Layers at the start that are dense."""


@dataclass(frozen=True, slots=True)
class ModelShape:
    """Everything the memory forecast needs of the keys. Source: llama.cpp src/llama-model.cpp."""

    architecture: str
    n_layer_all: int
    """Layers as the engine counts them, those included that only predict further tokens."""
    n_nextn: int = 0
    """How many of them those are: `nextn_predict_layers`."""
    n_embd: int = 0
    n_vocab: int = 0
    n_ctx_train: int = 0
    n_head: PerLayer = NO_FIGURES
    n_head_kv: PerLayer = NO_FIGURES
    n_ff: PerLayer = NO_FIGURES
    key_length: int = 0
    value_length: int = 0
    key_length_swa: int = 0
    value_length_swa: int = 0
    is_mla: bool = False
    """Both `attention.key_length_mla` and `attention.value_length_mla` are set: compressed K, no V."""
    n_shared_kv: int = 0
    """`attention.shared_kv_layers`."""
    indexer_key_length: int = 0
    indexer_types: PerLayer | None = None
    compress_ratios: PerLayer | None = None
    """`attention.compress_ratios`: tokens that one compressed cell of a layer stands for; 0 for none."""
    is_causal: bool = True
    window: WindowKeys = field(default_factory=WindowKeys)
    recurrent: RecurrentKeys | None = None
    experts: ExpertKeys = field(default_factory=ExpertKeys)

    @property
    def n_layer(self) -> int:
        """Layers of the model proper."""
        return self.n_layer_all - self.n_nextn

    @property
    def n_head_first(self) -> int:
        """Heads of the first layer; 0 for a model without attention."""
        return next(iter(self.n_head.figures), 0)
