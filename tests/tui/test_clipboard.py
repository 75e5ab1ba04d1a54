"""The routes of a copy, and the words for each."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ggtui.tui.clipboard import CopyRoute, copy_text

if TYPE_CHECKING:
    from pathlib import Path


def tool(folder: Path, script: str) -> dict[str, str]:
    """An environment whose only program is a `wl-copy` of our own."""
    program = folder / "wl-copy"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin", "WAYLAND_DISPLAY": "wayland-9"}


def test_a_local_tool_gets_the_text(tmp_path: Path) -> None:
    sent: list[str] = []
    environ = tool(tmp_path, f"cat > {tmp_path}/clipboard")

    assert CopyRoute.TOOL == asyncio.run(copy_text("http://x", sent.append, environ))
    assert "http://x" == (tmp_path / "clipboard").read_text()
    assert [] == sent


def test_a_tool_that_fails_leaves_it_to_the_terminal(tmp_path: Path) -> None:
    sent: list[str] = []

    assert CopyRoute.TERMINAL == asyncio.run(copy_text("text", sent.append, tool(tmp_path, "exit 1")))
    assert ["text"] == sent


def test_over_ssh_the_terminal_is_asked(tmp_path: Path) -> None:
    sent: list[str] = []
    environ = {**tool(tmp_path, "cat > /dev/null"), "SSH_CONNECTION": "1 2 3 4"}

    assert CopyRoute.TERMINAL == asyncio.run(copy_text("text", sent.append, environ))
    assert ["text"] == sent
