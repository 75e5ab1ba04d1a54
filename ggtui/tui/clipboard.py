"""Copying, by three routes: a local tool, the terminal's OSC 52, and the text on the screen itself."""

from __future__ import annotations

import asyncio
import os
import shutil
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TOOL_TIMEOUT_S = 2.0

_TOOLS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("", ("pbcopy",)),
    ("WAYLAND_DISPLAY", ("wl-copy",)),
    ("DISPLAY", ("xclip", "-selection", "clipboard")),
)
"""The variable that must be set, and the command that reads the text from its input."""


class CopyRoute(StrEnum):
    """What happened to the text, in the words a person gets to read."""

    TOOL = "copied"
    TERMINAL = "sent to terminal clipboard"


def local_tool(environ: Mapping[str, str]) -> tuple[str, ...] | None:
    """The command that reaches this machine's clipboard; None over ssh, where it would be the wrong one."""
    if environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"):
        return None
    for variable, command in _TOOLS:
        program = shutil.which(command[0], path=environ.get("PATH"))
        if program is not None and (not variable or environ.get(variable)):
            return (program, *command[1:])
    return None


async def copy_text(
    text: str, to_terminal: Callable[[str], None], environ: Mapping[str, str] = os.environ
) -> CopyRoute:
    """Copy by the first route that works. OSC 52 gives no answer, so that one is only ever *sent*."""
    command = local_tool(environ)
    if command is not None and await _feed(command, text):
        return CopyRoute.TOOL
    to_terminal(text)
    return CopyRoute.TERMINAL


async def _feed(command: tuple[str, ...], text: str) -> bool:
    null = asyncio.subprocess.DEVNULL
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=null, stderr=null
        )
    except OSError:
        return False
    try:
        await asyncio.wait_for(process.communicate(text.encode()), TOOL_TIMEOUT_S)
    except TimeoutError:
        process.kill()
        await process.wait()
        return False
    return process.returncode == 0
