"""The well-known places where other programs keep models, as words and values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class StoreKind(StrEnum):
    """How a place is laid out, by the program that fills it."""

    FOLDER = "folder"
    """A plain folder that a person named."""
    HUGGING_FACE = "huggingface"
    LLAMA_CPP = "llama.cpp"
    LM_STUDIO = "lmstudio"
    OLLAMA = "ollama"


STORES = (StoreKind.HUGGING_FACE, StoreKind.LLAMA_CPP, StoreKind.LM_STUDIO, StoreKind.OLLAMA)
"""What `stores` in the configuration may name, in the order in which they are looked at."""


@dataclass(frozen=True, slots=True)
class StoreRoot:
    """One place to look at. It need not exist."""

    store: StoreKind
    path: Path
