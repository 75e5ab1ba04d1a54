"""Text from outside is hostile: it is made plain before anyone sees it."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_ESCAPE_SEQUENCE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)"  # OSC, DCS, SOS, PM, APC up to their end
    r"|\x1b.?",
    re.DOTALL,
)
_UNPRINTABLE = re.compile(
    r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff"
    r"\u061c\u180e\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def width(text: str) -> int:
    """Columns of a terminal that a plain text takes: two for wide signs, none for marks on another sign."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(sign) else 1 + (unicodedata.east_asian_width(sign) in "WF")
        for sign in text
    )


def clipped(text: str, columns: int) -> str:
    """The beginning of a plain text, as much as so many columns of a terminal hold."""
    taken = 0
    for index, sign in enumerate(text):
        taken += width(sign)
        if taken > columns:
            return text[:index]
    return text


def listed(names: Sequence[str], most: int) -> str:
    """The first of these names, and how many more there are: `a, b and 3 more`."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def plain(text: str, limit: int = 256) -> str:
    """One line without control, escape and direction-changing characters, at most `limit` characters."""
    text = _ESCAPE_SEQUENCE.sub("", text[: limit * 8].replace("\t", " "))
    text = _UNPRINTABLE.sub(" ", text).strip()
    return text if len(text) <= limit else text[: limit - 1] + "…"
