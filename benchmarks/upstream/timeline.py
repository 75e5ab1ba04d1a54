"""When things happened in the fast model server, kept beside its model for whoever measures a swap."""

from __future__ import annotations

import json
import time
from pathlib import Path

SUFFIX = ".timeline"


class Timeline:
    """Moments on the monotonic clock, in nanoseconds, written as one JSON line when the server ends."""

    def __init__(self, model: str) -> None:
        """model: path of the model; empty writes nothing."""
        self._path = Path(model + SUFFIX) if model else None
        self._moments: dict[str, int] = {}

    def note_once(self, name: str) -> None:
        """Keep this moment unless one of this name is known."""
        if name not in self._moments:
            self._moments[name] = time.monotonic_ns()

    def write(self) -> None:
        """Append what is known."""
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(self._moments) + "\n")


def read_timelines(model: Path) -> list[dict[str, int]]:
    """All lives of the server of this model, oldest first; none when it never ran."""
    path = Path(f"{model}{SUFFIX}")
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
