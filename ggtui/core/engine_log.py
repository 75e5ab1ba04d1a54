"""Figures that llama.cpp writes into its log. The texts are no interface: no match means unknown."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TIMING = re.compile(
    r"(?P<what>prompt eval|(?<!prompt )eval) time = "
    r".*?/ +(?P<n>\d+) tokens .* (?P<rate>\d+(?:\.\d+)?) tokens per second"
)


@dataclass(frozen=True, slots=True)
class Timing:
    """How fast one request went through one phase."""

    is_prompt: bool
    """True for reading the prompt, False for generating."""
    n_tokens: int
    tokens_per_second: float


def timing_of(line: str) -> Timing | None:
    """The timing in a log line, if it holds one.

    Source: `print_timings` of llama.cpp tools/server/server-context.cpp.
    """
    found = _TIMING.search(line) if "tokens per second" in line else None
    if found is None:
        return None
    return Timing(found["what"] == "prompt eval", int(found["n"]), float(found["rate"]))
