"""The launch options one by one: how each is stepped through, typed and written out."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from ggtui.config import kinds
from ggtui.config.model_file import KEYS
from ggtui.core.errors import InvalidRequest
from ggtui.core.forecast import context_stops
from ggtui.core.keep_alive import parse_keep_alive
from ggtui.core.model_settings import AUTO, LABELS, OF_ADAPTERS
from ggtui.core.models import KvType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ggtui.core.model_settings import Value
    from ggtui.core.models import ModelSummary

OPTION_KEYS: Final = tuple(key for key in LABELS if key not in OF_ADAPTERS)
"""Keys of ModelSettings with one value that can be typed, in their order."""
SLOT_STOPS: Final = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
THREAD_STOPS: Final = (AUTO, 1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
KEEP_ALIVE_STOPS: Final = ("0s", "1m", "5m", "15m", "30m", "1h", "4h", "12h", -1)
WRITTEN: Final = frozenset({"template", "extra_args"})
"""Keys whose text is rather mended than typed anew."""
_IN_K: Final = re.compile(r"(\d+)\s*[kK]")


@dataclass(frozen=True, slots=True)
class Typed:
    """What became of a typed text."""

    value: Value | None = None
    """None takes the setting back to what counts for all models."""
    problem: str = ""
    """Why the text is no value of this setting; empty when it is."""


class Typing(StrEnum):
    """How a person gives a setting another value."""

    NEVER = "never"
    """It has few values: enter takes the next."""
    ANEW = "anew"
    """What is typed takes the place of what stood there."""
    ON = "on"
    """What is typed is added to what stands there."""


def typing_of(key: str) -> Typing:
    """How the value of this key is typed."""
    if key == "flash_attn" or KEYS[key] in (kinds.SWITCH, kinds.KV_TYPE):
        return Typing.NEVER
    return Typing.ON if key in WRITTEN else Typing.ANEW


def typed(key: str, text: str) -> Typed:
    """The value that a person typed, in the terms of models.toml; `32k` counts as 32768 tokens."""
    text = text.strip()
    if not text:
        return Typed()
    if key == "ctx" and (in_k := _IN_K.fullmatch(text)):
        text = str(int(in_k[1]) * 1024)
    kind = KEYS[key]
    try:
        value: Any = kind.read(text, is_text=True)
    except ValueError:
        return Typed(problem=f"must be {kind.expected}")
    return Typed(value)


def text_of(key: str, value: Value | None) -> str:
    """A value as a person would type it; what `typed` reads back."""
    if value is None:
        return "" if key == "template" else AUTO
    if isinstance(value, tuple):
        return shlex.join(value)
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


def stops_of(key: str, summary: ModelSummary) -> tuple[Value, ...]:
    """The values that the arrow keys lead through, in order; empty for what can only be typed."""
    match key:
        case "ctx":
            return context_stops(summary.n_ctx_train)
        case "slots":
            return SLOT_STOPS
        case "cache_type_k" | "cache_type_v":
            return tuple(KvType)
        case "flash_attn":
            return (False, AUTO, True)
        case "gpu_layers":
            n_places = summary.shape.n_layer_all + 1 if summary.shape is not None else 0
            return (*range(n_places + 1), AUTO) if n_places else (0, AUTO)
        case "threads":
            return THREAD_STOPS
        case "keep_alive":
            return KEEP_ALIVE_STOPS
        case _:
            return (False, True) if KEYS[key] is kinds.SWITCH else ()


def stepped(key: str, value: Value | None, direction: int, summary: ModelSummary) -> Value | None:
    """The stop above (1) or below (-1) a value; the value itself at the end, or where there are no stops."""
    stops = stops_of(key, summary)
    if not stops:
        return value
    # `auto` is None where nobody chose it.
    here = AUTO if value is None else value
    place, is_on_stop = _place(key, here, stops)
    step = int(is_on_stop) if direction > 0 else -1
    return stops[max(0, min(len(stops) - 1, place + step))]


def around(key: str, value: Value | None, summary: ModelSummary) -> Value | None:
    """The next of a few values, the first again after the last: what a click or enter does."""
    stops = stops_of(key, summary)
    here = AUTO if value is None else value
    place, _ = _place(key, here, stops)
    return stops[(place + 1) % len(stops)]


def _place(key: str, value: Value, stops: Sequence[Value]) -> tuple[int, bool]:
    """The first stop that is not below the value, and whether it is the value itself."""
    measures = [_measure(key, stop) for stop in stops]
    wanted = _measure(key, value)
    for place, (stop, measure) in enumerate(zip(stops, measures, strict=True)):
        if stop == value and type(stop) is type(value):
            return place, True
        if wanted is not None and measure is not None and measure >= wanted:
            return place, measure == wanted
    return len(stops), False


def _measure(key: str, value: Value) -> float | None:
    """What orders the values of a setting; None for a word such as `auto`, which has a place of its own."""
    if key == "keep_alive":
        try:
            seconds = parse_keep_alive(value)
        except InvalidRequest:
            return None
        return None if seconds is None else (float("inf") if seconds < 0 else seconds)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
