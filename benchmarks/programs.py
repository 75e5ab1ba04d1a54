"""Small programs written for a run: ggtui starts them where it would start llama-server."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from benchmarks.processes import ROOT
from benchmarks.upstream.server import ROOM_FOR_ALL

if TYPE_CHECKING:
    from pathlib import Path

EMBEDDED_COMMAND = (sys.executable, "-P", "-m", "ggtui.engine")


def write_fast_server(folder: Path, n_slots: int = ROOM_FOR_ALL) -> Path:
    """The fast model server as one executable file.

    n_slots: how many requests at once it claims to take.
    """
    text = f"""\
import sys
sys.path.insert(0, {str(ROOT)!r})
from benchmarks.upstream.server import main
main([*sys.argv[1:], "--fast-slots", "{n_slots}"])
"""
    return _write(folder / f"fast-server-{n_slots}", "-I", text)


def write_noting_server(folder: Path, command: tuple[str, ...], notes: Path) -> Path:
    """A server that is another one, and notes when that one has ended: nanoseconds of the monotonic clock.

    It is gone itself about a millisecond later, so what is measured from its note is not flattered.
    """
    text = f"""\
import os, sys, time
os.environ["PYTHONPATH"] = {str(ROOT)!r}
argv = [*{list(command)!r}, *sys.argv[1:]]
_, status = os.waitpid(os.posix_spawn(argv[0], argv, os.environ), 0)
if "--version" not in argv and "--list-devices" not in argv:
    with open({str(notes)!r}, "a") as file:
        file.write(f"{{time.monotonic_ns()}}\\n")
code = os.waitstatus_to_exitcode(status)
os._exit(code if code >= 0 else 128 - code)
"""
    return _write(folder / "noting-server", "-IS", text)


def read_notes(notes: Path) -> list[int]:
    """When the servers ended, oldest first."""
    return [int(line) for line in notes.read_text().split()] if notes.exists() else []


def engine_command(engine: str) -> tuple[str, ...]:
    """What starts this engine: a path, or `embedded`."""
    return EMBEDDED_COMMAND if engine == "embedded" else (engine,)


def write_strange_model(sound: Path, path: Path) -> None:
    """The same model under an architecture nobody knows: sound to a reader, refused by every engine.

    The other name has as many letters, so that nothing moves in the file.
    """
    data = sound.read_bytes().replace(b"llama.", b"llxma.")
    named = b"\x05\0\0\0\0\0\0\0"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.replace(named + b"llama", named + b"llxma", 1))


def _write(path: Path, flags: str, text: str) -> Path:
    path.write_text(f"#!{sys.executable} {flags}\n{text}")
    path.chmod(0o755)
    return path
