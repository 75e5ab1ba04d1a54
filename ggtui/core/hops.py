"""Which ggtui a request came through, told from one to the next: none serves what it asked for itself.

Source: RFC 9110 §7.6.3, the field Via, which is there to find such loops.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Final

from ggtui.core.errors import RequestLoop

if TYPE_CHECKING:
    from collections.abc import Iterable

ME: Final = f"ggtui-{secrets.token_hex(8)}"
"""This process. A name made up at its start tells nobody anything else."""
MOST: Final = 8
"""A request that came through more of them goes round in some way."""
_HOP: Final = re.compile(rb"1\.1 (ggtui-[0-9a-f]{16})(?=[ ,]|$)")


def come_through(fields: Iterable[tuple[bytes, bytes]]) -> tuple[str, ...]:
    """The ggtui that these header fields name, the first that was asked first; nobody else counts.

    fields: names in lower case.
    """
    vias = (value for name, value in fields if name == b"via")
    return tuple(hop.decode() for value in vias for hop in _HOP.findall(value))


def check_no_loop(fields: Iterable[tuple[bytes, bytes]]) -> None:
    """Raises: RequestLoop for a request that this ggtui has sent, or that is passed on without end."""
    hops = come_through(fields)
    if ME in hops:
        raise RequestLoop(
            "this ggtui has sent the request itself",
            hint="a backend or a deployment has the URL of a ggtui that asks this one, or of this one",
        )
    if len(hops) > MOST:
        raise RequestLoop(f"the request came through more than {MOST} others")


def onward(fields: Iterable[tuple[bytes, bytes]] = ()) -> str:
    """The value of the field for who is asked next. fields: of the request that is passed on."""
    return ", ".join(f"1.1 {hop}" for hop in (*come_through(fields), ME))
