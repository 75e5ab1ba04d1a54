"""Which llama.cpp will be launched: the one that was named, the one on the PATH, or the embedded wheel."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ggtui.adapters.llama_server import failures
from ggtui.adapters.llama_server.environment import child_environment
from ggtui.adapters.llama_server.process import Child, uninterrupted
from ggtui.core.models import EngineInfo
from ggtui.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVER_VARIABLE: Final = "GGTUI_LLAMA_SERVER"
EMBEDDED: Final = "embedded"
ANSWER_LIMIT_S: Final = 10.0
"""A first start on a cold disk, with a device driver to wake, takes seconds."""

ANSWER_LINES: Final = 1000
"""What is kept of an answer; a program that is no llama-server may print without end."""

INSTALL_HINT: Final = (
    "put llama-server on the PATH, name it in the configuration, or pip install 'ggtui[engine]'"
)


@dataclass(frozen=True, slots=True)
class LocatedEngine:
    """A program that may be started, or the reason why there is none. No process has been run for it."""

    kind: str
    """`llama-server`, `embedded` or `missing`."""
    command: tuple[str, ...] = ()
    path: str = ""
    problem: str | None = None


def locate(choice: str | None, environ: Mapping[str, str]) -> LocatedEngine:
    """The engine in order: the choice, the variable, the PATH, the wheel.

    choice: a path, a program's name, `embedded`, or None.
    """
    for source, wanted in (("the configuration", choice), (SERVER_VARIABLE, environ.get(SERVER_VARIABLE))):
        if wanted:
            return _named(wanted, source, environ)
    found = shutil.which("llama-server", path=environ.get("PATH", os.defpath))
    if found is not None:
        return LocatedEngine("llama-server", (found,), found)
    if _has_wheel():
        return _embedded()
    return LocatedEngine(
        "missing",
        problem=f"no llama-server on the PATH, {SERVER_VARIABLE} is not set, and the embedded engine is not "
        f"installed: {INSTALL_HINT}",
    )


def question(choice: str | None, environ: Mapping[str, str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """(command, environment) with which this engine may be asked something; no command when there is none.

    choice: as for `locate`.
    """
    located = locate(choice, environ)
    return located.command, child_environment(environ, "", is_embedded=located.kind == EMBEDDED)


async def describe(located: LocatedEngine, env: Mapping[str, str]) -> EngineInfo:
    """Version and devices as the program itself tells them; a program that cannot tell is a problem.

    env: the environment a server would get.
    """
    if located.problem is not None:
        return EngineInfo(located.kind, located.path, problem=located.problem)
    answers = await asyncio.gather(_ask(located, "--version", env), _ask(located, "--list-devices", env))
    (version, problem), (devices, _) = answers
    if problem is not None:
        return EngineInfo(located.kind, located.path, problem=problem)
    return EngineInfo(located.kind, located.path, _version(version), _devices(devices))


def _named(wanted: str, source: str, environ: Mapping[str, str]) -> LocatedEngine:
    """A named engine is used or refused, never passed over."""
    if wanted == EMBEDDED:
        if _has_wheel():
            return _embedded()
        return LocatedEngine(
            "missing",
            problem=f"the embedded engine, named by {source}, is not installed: pip install 'ggtui[engine]'",
        )
    path = Path(wanted).expanduser()
    if path.name == wanted and not path.exists():
        path = Path(shutil.which(wanted, path=environ.get("PATH", os.defpath)) or wanted)
    complaint = _complaint(path)
    if complaint:
        return LocatedEngine("missing", path=str(path), problem=f"{path}, named by {source}, {complaint}")
    absolute = str(path.absolute())
    return LocatedEngine("llama-server", (absolute,), absolute)


def _complaint(path: Path) -> str:
    try:
        if path.is_dir():
            return "is a directory"
        if not path.exists():
            return "does not exist"
    except OSError as error:
        return f"cannot be looked at: {error.strerror}"
    return "" if os.access(path, os.X_OK) else "is not executable"


def _has_wheel() -> bool:
    return importlib.util.find_spec("xllamacpp") is not None


def _embedded() -> LocatedEngine:
    return LocatedEngine("embedded", (sys.executable, "-P", "-m", "ggtui.engine"), sys.executable)


class _Answer:
    """What a program prints, the lines of each stream in order."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def push_line(self, line: bytes) -> None:
        """One line of stdout."""
        self.log_lines([line])

    def log_lines(self, lines: list[bytes]) -> None:
        """Lines of stderr."""
        room = ANSWER_LINES - len(self.lines)
        self.lines += [line.decode("utf-8", "replace") for line in lines[:room]]


async def _ask(located: LocatedEngine, flag: str, env: Mapping[str, str]) -> tuple[str, str | None]:
    """(what the program printed, why it gave no answer or None). Nothing of it runs on, however this ends."""
    answer = _Answer()
    try:
        child = Child.spawn([*located.command, flag], env, answer)
    except OSError as error:
        return "", failures.unexecutable(error, located.path).cause
    try:
        async with asyncio.timeout(ANSWER_LIMIT_S):
            code = await child.wait()
    except TimeoutError:
        return "", f"{located.path} gave no answer to {flag} in {ANSWER_LIMIT_S:.0f} s"
    finally:
        if not child.has_ended:
            await uninterrupted(child.kill())
    text = "\n".join(answer.lines)
    if code == 0:
        return text, None
    lines = [plain(line) for line in answer.lines]
    return text, f"{located.path} does not work: {failures.start_failure(code, lines, lines).cause}"


def _version(text: str) -> str:
    found = re.search(r"^version: (.+)$", text, re.MULTILINE)
    return plain(found.group(1)) if found else ""


def _devices(text: str) -> tuple[str, ...]:
    _, _, listed = text.partition("Available devices:")
    lines = (plain(line) for line in listed.splitlines() if line.startswith("  "))
    return tuple(line for line in lines if ":" in line)
