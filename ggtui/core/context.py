"""Which context size a request gets: one rule, decided once per request."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ggtui.core.errors import InvalidRequest


class ContextRule(StrEnum):
    """What decided a context size."""

    REQUEST = "request"
    RUNNING = "running"
    MODEL = "model"
    GLOBAL = "global"


@dataclass(frozen=True, slots=True)
class ContextChoice:
    """A context size in tokens and the rule that chose it."""

    n_ctx: int
    rule: ContextRule


def parse_num_ctx(value: object) -> int | None:
    """The `num_ctx` of a request body, None when absent or null.

    Raises: InvalidRequest for zero, a negative number, a float, text or a boolean.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidRequest("num_ctx must be a whole number of tokens", param="num_ctx")
    if value < 1:
        raise InvalidRequest(f"num_ctx must be at least 1, got {value}", param="num_ctx")
    return value


def choose_context(
    requested: int | None, chosen: int | None, default: int, n_ctx_train: int | None
) -> ContextChoice:
    """The context for a cold start: request, else the model's saved choice, else the default, clamped."""
    if requested is not None:
        return ContextChoice(clamp_context(requested, n_ctx_train), ContextRule.REQUEST)
    if chosen is not None:
        return ContextChoice(clamp_context(chosen, n_ctx_train), ContextRule.MODEL)
    return ContextChoice(clamp_context(default, n_ctx_train), ContextRule.GLOBAL)


def clamp_context(n_ctx: int, n_ctx_train: int | None) -> int:
    """At most what the model was trained for; an unknown limit does not clamp."""
    return min(n_ctx, n_ctx_train) if n_ctx_train else n_ctx
