"""What a person said about names: aliases, the default, and what is switched off."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Unnamed(StrEnum):
    """What serves a request that names no model."""

    DEFAULT = "default"
    """The default; without one it is refused."""
    RUNNING = "running"
    """The default; without one the model that became ready last."""


@dataclass(frozen=True, slots=True)
class NameSettings:
    """The tables `[names]` and `[aliases]` of config.toml."""

    default: str = ""
    """Id of the endpoint that serves requests without a model; empty for none."""
    unnamed: Unnamed = Unnamed.DEFAULT
    disabled: frozenset[str] = frozenset()
    """Ids of endpoints that are switched off; they need not exist."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Alias -> id, which need not exist. No alias is all digits."""
