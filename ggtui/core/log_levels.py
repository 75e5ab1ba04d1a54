"""Which lines of a llama.cpp log people see: those of its normal level, out of one written at level 4.

At level 4 the engine tells what it allocates, and much else. The level is not written into the line, so the
lines that only level 4 has are known by their shape. A line of unknown shape is shown.
Source: LOG_TRC, SRV_TRC and SLT_TRC in llama.cpp common/ and tools/server/.
"""

from __future__ import annotations

import re

_PREFIX = re.compile(r"\d+\.\d\d\.\d{3}\.\d{3} (?P<letter>[A-Z]) (?P<rest>.*)")
_COMPONENT = re.compile(r"(?:srv|slot|que|cmn|res|cli) +[^:]*: *(?P<text>.*)")
"""Lines of the server; what the library writes begins with the name of a function instead."""

_PHRASES = (
    *(
        r"- ",
        "sampler ",
        "updating prompt cache",
        "prompt cache ",
        "init sampler",
        "new prompt,",
        "new slot,",
    ),
    *(
        r"cached n_tokens",
        "saving idle slot",
        "clearing prompt",
        "clearing cache for lora",
        "keeping cache for",
    ),
    *(
        r"reusing chunk",
        "restored context",
        "forcing full prompt",
        "erased ",
        "erasing ",
        "checking checkpoint",
    ),
    *(r"created context checkpoint", "encoding mtmd", "all slots are idle", "done request:", "chat format:"),
    *(r"conv_id=", "set lora adapter", "launching slots for", r"\w+: chat template,", "idle slots will"),
    *(
        r"context checkpoints",
        "n_parallel is set",
        r"using \d+ threads for HTTP",
        r"running with(?:out)? SSL",
    ),
    *(r"binding port", "setting address family", "local path", r"for more info see https?://\S+/pull"),
    *(r"use `--cache-ram", "speculative decoding", r"\[mtmd\] estimated", "api_keys:", "device_info:"),
    *(
        r"common_params_print_info: build",
        "system_info:",
        "fitting params to",
        r"\(for bugs during this step",
    ),
    *(r"added \S* ?logit bias", "warming up the model"),
)
_TRACED = re.compile(rf"(?:id +\d+ \| task +-?\d+ \| +)?(?:{'|'.join(_PHRASES)})")
_SECRET = re.compile(r"api_keys:")
_OPENS_TEXT = re.compile(r"example_format: '[^']*$")


class LogLevels:
    """Judges the lines of one server in order: a line without a prefix belongs to the one before."""

    def __init__(self) -> None:
        self._is_hidden = False
        self._is_in_text = False

    def is_shown(self, line: str) -> bool:
        """True for a line that the engine writes at its normal level, a warning, or a crash's last words."""
        found = _PREFIX.match(line)
        if found is None:
            return not self._continues(line)
        self._is_hidden = found["letter"] in "ID" and _is_traced(found["rest"])
        self._is_in_text = self._is_hidden and _OPENS_TEXT.search(line) is not None
        return not self._is_hidden

    def _continues(self, line: str) -> bool:
        """True for a further line of a hidden one: of the template's example, or indented."""
        if self._is_in_text:
            self._is_in_text = not line.endswith("'")
            return True
        return self._is_hidden and line.startswith(("\t", "  "))


def is_secret(line: str) -> bool:
    """True for a line that holds part of a key, which nobody may see or keep."""
    return _SECRET.search(line) is not None


def _is_traced(rest: str) -> bool:
    component = _COMPONENT.match(rest)
    return component is None or _TRACED.match(component["text"].lstrip()) is not None
