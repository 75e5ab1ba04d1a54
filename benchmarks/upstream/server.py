"""The fast model server as a process: llama-server's flags, readiness and end."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from benchmarks.upstream import answers
from benchmarks.upstream.conversation import Conversation, Manners
from benchmarks.upstream.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Sequence

PUSH_VARIABLE = "LLAMA_SERVER_ROUTER_PORT"
_EXIT_LINE = b"cmd_router_to_child:exit"
ROOM_FOR_ALL = 4096
"""Slots it claims to have unless `--fast-slots` says otherwise: nobody waits for one."""
_SWITCHES = frozenset(("-kvu", "-no-kvu", "--no-ui", "--offline", "--metrics", "--embedding", "--rerank"))


def main(arguments: Sequence[str]) -> None:
    """Serve until told to end. Without `--port` a free one is taken and printed."""
    if "--version" in arguments:
        sys.stderr.write("version: fast (build 1)\n")
    elif "--list-devices" in arguments:
        sys.stdout.write("Available devices:\n")
    else:
        uvloop.run(_serve(read_flags(arguments)))


def read_flags(arguments: Sequence[str]) -> dict[str, str]:
    """Flags by name; a switch has an empty value. Nothing is refused."""
    rest = iter(arguments)
    return {name: "" if name in _SWITCHES else next(rest, "") for name in rest}


async def _serve(flags: dict[str, str]) -> None:
    timeline = Timeline(flags.get("-m", ""))
    timeline.note_once("started")
    loop = asyncio.get_running_loop()
    manners = _manners(flags, timeline)
    listener = socket.create_server(
        (flags.get("--host", "127.0.0.1"), int(flags.get("--port", 0))), backlog=2048
    )
    await loop.create_server(lambda: Conversation(loop, manners), sock=listener)
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    is_pushing = PUSH_VARIABLE in os.environ
    if is_pushing:
        loop.add_reader(0, _hear, told)
    timeline.note_once("ready")
    _say_ready(listener.getsockname()[1], is_pushing)
    await told.wait()
    timeline.note_once("told_to_end")
    timeline.write()
    os._exit(0)


def _manners(flags: dict[str, str], timeline: Timeline) -> Manners:
    n_ctx, n_slots = int(flags.get("-c", 4096)), int(flags.get("--fast-slots", ROOM_FOR_ALL))
    props = {"default_generation_settings": {"n_ctx": n_ctx}, "total_slots": n_slots}
    models = {"object": "list", "data": [{"id": flags.get("--alias", "fast"), "object": "model"}]}
    credential = None
    if "--api-key-file" in flags:
        key = Path(flags["--api-key-file"]).read_text(encoding="utf-8").strip().encode()
        credential = re.compile(rb"\r\nauthorization: Bearer " + re.escape(key), re.IGNORECASE)
    return Manners(answers.whole("200 OK", props), answers.whole("200 OK", models), timeline, credential)


def _say_ready(port: int, is_pushing: bool) -> None:
    if is_pushing:
        state = json.dumps({"state": "ready", "payload": {}})
        os.write(1, f"cmd_child_to_router:state:{state}\n".encode())
    else:
        os.write(1, f"{port}\n".encode())
    os.write(2, f"0.00.009.000 I srv  llama_server: listening on http://127.0.0.1:{port}\n".encode())


def _hear(told: asyncio.Event) -> None:
    data = os.read(0, 4096)
    if not data or _EXIT_LINE in data:
        told.set()
