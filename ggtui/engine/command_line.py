"""A command line in llama-server's language, with llama-server's own words for mistakes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ggtui.engine.flags import FLAGS, QUESTIONS, Flag

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

AUTOMATIC_SLOTS = 4
"""Slots of llama-server when `-np` is not given; they share one KV pool then."""


_BY_NAME: Final = {name: flag for flag in FLAGS for name in flag.names}


class BadArgument(Exception):
    """A flag that cannot be used; the text is what llama-server would print."""


@dataclass(slots=True)
class Request:
    """A parsed command line."""

    settings: list[tuple[str, Flag, str]] = field(default_factory=list)
    """(flag as written, what it is, value), in order."""
    question: str = ""
    """`--version`, `--list-devices`, `--help` or nothing."""


def parse(arguments: Sequence[str]) -> Request:
    """Split a command line without touching xllamacpp.

    Raises: BadArgument.
    """
    request = Request()
    rest = iter(arguments)
    for name in rest:
        if name in QUESTIONS:
            request.question = request.question or QUESTIONS[name]
            continue
        flag = _BY_NAME.get(name)
        if flag is None:
            raise BadArgument(f"error: invalid argument: {name}")
        request.settings.append((name, flag, _value(name, flag, rest)))
    return request


def _value(name: str, flag: Flag, rest: Iterator[str]) -> str:
    if not flag.takes_value:
        return ""
    for value in rest:
        return value
    raise BadArgument(f'error while handling argument "{name}": expected value for argument')


def apply(request: Request, xllamacpp: Any, params: Any) -> None:
    """Write the settings into params, llama-server's defaults first.

    Raises: BadArgument.
    """
    params.n_parallel, params.kv_unified = AUTOMATIC_SLOTS, True
    given = {flag.names[0] for _, flag, _ in request.settings}
    if "--parallel" in given:
        params.kv_unified = False
    for name, flag, value in request.settings:
        try:
            flag.apply(xllamacpp, params, value)
        except AttributeError as error:
            raise BadArgument(
                f'error while handling argument "{name}": this xllamacpp has no such setting'
            ) from error
        except (ValueError, OSError) as error:
            raise BadArgument(f'error while handling argument "{name}": {error}') from error
