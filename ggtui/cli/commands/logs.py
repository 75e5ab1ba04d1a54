"""`ggtui logs`: a model's server log, from the running ggtui, else from the file that an earlier one left."""

from __future__ import annotations

import json
from collections import deque
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from ggtui.cli.client import NoInstance, connect, running
from ggtui.cli.exits import ExitCode
from ggtui.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ggtui.cli.call import Call
    from ggtui.cli.client import InstanceClient
    from ggtui.cli.output import Output

LONGEST_LINE = 2000
"""Characters; llama.cpp prints whole chat templates."""


def run(call: Call) -> ExitCode:
    """Print the lines."""
    arguments = call.arguments
    if arguments.follow:
        _print(call.out, _followed(connect(call.config), arguments.model, arguments.lines), is_stream=True)
        return ExitCode.DONE
    instance = running(call.config)
    path = _path(arguments.model, arguments.lines, verbose="1" if arguments.verbose else "0")
    lines = _asked(instance, path) if instance is not None else []
    if not lines and arguments.model:
        lines = _kept(call, arguments.model, arguments.lines)
        lines = lines or _kept(call, _public_id(call, arguments.model), arguments.lines)
    elif instance is None:
        raise NoInstance(f"none owns {call.config.data_dir}", hint="name a model to read its last log")
    _print(call.out, lines, is_stream=False)
    if not lines and arguments.lines:
        call.out.say("no lines: the model was not started yet")
    return ExitCode.DONE


def _public_id(call: Call, name: str) -> str:
    """The model that this name leads to. Raises: ModelNotFound, rather than to show its empty log."""
    from ggtui.cli.shelf import not_found, seen_router
    from ggtui.cli.surroundings import look

    router = look(seen_router(call.config))
    endpoint = router.find(name)
    if endpoint is None:
        raise not_found(name, [each.base_model for each in router.registry.all_endpoints])
    return endpoint.base_model


def _asked(instance: InstanceClient, path: str) -> list[str]:
    return [_line(text) for text in instance.lines(path) if text]


def _followed(instance: InstanceClient, model: str | None, n_lines: int) -> Iterator[str]:
    for text in instance.lines(_path(model, n_lines, follow="1")):
        if text.startswith("data: "):
            yield _line(text.removeprefix("data: "))


def _path(model: str | None, n_lines: int, **wishes: str) -> str:
    return f"/ggtui/logs?{urlencode({'n': str(n_lines), 'model': model or '', **wishes})}"


def _line(text: str) -> str:
    try:
        return str(json.loads(text)["line"])
    except (ValueError, TypeError, KeyError):
        return text


def _kept(call: Call, model: str, n_lines: int) -> list[str]:
    """The end of the file on disk; empty without one."""
    from ggtui.adapters.llama_server.logs import log_path

    try:
        with log_path(call.config.log_dir, model).open(encoding="utf-8", errors="replace") as stream:
            return [line.rstrip("\n") for line in deque(stream, maxlen=n_lines)]
    except OSError:
        return []


def _print(out: Output, lines: Iterable[str], *, is_stream: bool) -> None:
    """Lines as they are, or as JSON: one document, and one object per line of a stream."""
    if out.is_json and not is_stream:
        out.document({"schema": 1, "lines": list(lines)})
        return
    for line in lines:
        if out.is_json:
            out.document({"line": line})
        else:
            out.line(plain(line, LONGEST_LINE))
