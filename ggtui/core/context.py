"""Which context size a request gets: one rule, decided once per request."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from ggtui.core.errors import InvalidRequest
from ggtui.core.models import DEFAULT_N_CTX

if TYPE_CHECKING:
    from collections.abc import Callable

AUTO_CTX: Final = 0
"""As the default: what fits, model by model."""

ROUND_SIZES: Final = (32_768, 16_384, 8_192, 4_096)
"""Tokens. More than the first is a person's choice: it costs memory that other models could have."""


MOST_CTX: Final = (1 << 31) - 1
"""Tokens. llama-server reads the number into 32 bits, and ends at once when it is larger."""


class ContextRule(StrEnum):
    """What decided a context size."""

    REQUEST = "request"
    RUNNING = "running"
    MODEL = "model"
    GLOBAL = "global"
    FITS = "fits"


@dataclass(frozen=True, slots=True)
class ContextChoice:
    """A context size in tokens and the rule that chose it."""

    n_ctx: int
    rule: ContextRule


def parse_num_ctx(value: object) -> int | None:
    """The `num_ctx` of a request body, None when absent or null.

    Raises: InvalidRequest for zero, a negative or an immense number, a float, text or a boolean.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidRequest("num_ctx must be a whole number of tokens", param="num_ctx")
    if value < 1:
        raise InvalidRequest(f"num_ctx must be at least 1, got {value}", param="num_ctx")
    if value > MOST_CTX:
        raise InvalidRequest(f"num_ctx must be at most {MOST_CTX}", param="num_ctx")
    return value


def choose_context(
    requested: int | None,
    chosen: int | None,
    default: int,
    n_ctx_train: int | None,
    advised: int | None = None,
) -> ContextChoice:
    """The context for a cold start: request, else the model's saved choice, else the default, clamped.

    default: AUTO_CTX takes the advised one, which this machine holds; DEFAULT_N_CTX while none is known.
    """
    if requested is not None:
        return ContextChoice(clamp_context(requested, n_ctx_train), ContextRule.REQUEST)
    if chosen is not None:
        return ContextChoice(clamp_context(chosen, n_ctx_train), ContextRule.MODEL)
    if default == AUTO_CTX:
        return ContextChoice(clamp_context(advised or DEFAULT_N_CTX, n_ctx_train), ContextRule.FITS)
    return ContextChoice(clamp_context(default, n_ctx_train), ContextRule.GLOBAL)


def advised_context(n_ctx_train: int | None, fits: Callable[[int], bool]) -> int:
    """The largest of a few round sizes that fits, at most what the model was trained for.

    Where not even the smallest fits it is advised all the same: the forecast says what becomes of it.
    """
    for n_ctx in ROUND_SIZES[:-1]:
        size = clamp_context(n_ctx, n_ctx_train)
        if fits(size):
            return size
    return clamp_context(ROUND_SIZES[-1], n_ctx_train)


def clamp_context(n_ctx: int, n_ctx_train: int | None) -> int:
    """At most what the model was trained for; an unknown limit does not clamp."""
    return min(n_ctx, n_ctx_train) if n_ctx_train else n_ctx
