"""Where a request went, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ggtui.core.routing.endpoints import ModelEndpoint


class RouteRule(StrEnum):
    """What decided."""

    NAMED = "named"
    """The request names the id or the number."""
    ALIAS = "alias"
    """The request names an alias."""
    DEFAULT = "default"
    """It names nothing."""
    RUNNING = "running"
    """It names nothing, and there is no default."""
    CONTEXT = "context"
    """It names nothing, and what would serve it holds too few tokens."""


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint that is ready, and the rule that led to it."""

    endpoint: ModelEndpoint
    rule: RouteRule
    detail: str = ""
    """Particulars in a few words, such as the alias; may be empty."""

    @property
    def words(self) -> str:
        """The rule with its particulars: `alias gpt-4`."""
        return f"{self.rule} {self.detail}".strip()
