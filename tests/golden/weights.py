"""Tensors of real models: names, shapes and types, for files that hold no data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor of a file."""

    name: str
    dims: tuple[int, ...]
    type_id: int
    n_bytes: int
