"""What a person said about names: aliases, the default, and what is switched off."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from ggtui.core.errors import ConfigInvalid
from ggtui.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_NAME: Final = 512
"""Characters of what a client may name."""


def alias_problem(alias: str) -> str:
    """Why this text cannot be an alias: what follows it in a sentence. Empty when it can."""
    if not alias.strip():
        return "is empty"
    if len(alias) > LONGEST_NAME:
        return f"is longer than {LONGEST_NAME} characters"
    if not alias.isprintable():
        return "has control characters"
    if alias.isdigit():
        return "is all digits, which name a model by its number"
    return ""


def is_endpoint_name(text: object) -> bool:
    """True for a text that may be the id of an endpoint, whether there is one or not."""
    if not isinstance(text, str):
        return False
    return bool(text.strip()) and len(text) <= LONGEST_NAME and text.isprintable()


def check_alias(alias: str, target: str) -> None:
    """Raises: ConfigInvalid when one of both cannot be what it shall be."""
    problem = alias_problem(alias)
    if problem:
        raise ConfigInvalid(f"the alias {plain(alias, 60)!r} {problem}", param="alias")
    check_target(target)


def check_target(target: str) -> None:
    """Raises: ConfigInvalid for what cannot be the id of an endpoint."""
    if not is_endpoint_name(target):
        raise ConfigInvalid(f"{plain(target, 60)!r} cannot be the id of an endpoint", param="endpoint")


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
