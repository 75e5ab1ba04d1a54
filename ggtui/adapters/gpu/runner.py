"""Runs one short program and gives what it prints."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LIMIT_S: Final = 10.0


class Runner(Protocol):
    """How a provider asks a program; tests answer in its place."""

    def __call__(self, command: Sequence[str], env: Mapping[str, str] | None = None) -> str | None:
        """What the program prints; None when it cannot be run, fails, or takes too long.

        env: its whole environment; None for our own. Blocks.
        """


def run_program(command: Sequence[str], env: Mapping[str, str] | None = None) -> str | None:
    """Run it, for at most LIMIT_S seconds. Implements Runner."""
    try:
        done = subprocess.run(
            list(command),
            env=None if env is None else dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=LIMIT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace")
