"""How the command line talks: data on stdout, words on stderr, columns without drawing."""

from __future__ import annotations

import json
import os
import shutil
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from ggtui.core.errors import Failure
from ggtui.core.text import clipped, plain, width

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SCHEMA = 1
"""Of the documents that are made here; grows when a key changes its meaning or goes away."""

_LONGEST_SENTENCE = 2000
_CLEAR = "\x1b[K"
"""Clears the rest of the line."""
_ASCII = str.maketrans({"–": "-", "→": "->", "≈": "~", "…": "...", "×": "x"})


class OutputLost(Failure):
    """The reader has gone, or the disk is full; caused by the OSError."""

    title = "Output cannot be written"


@dataclass(frozen=True, slots=True)
class FailureWords:
    """A failure as it is printed."""

    title: str
    detail: str
    hint: str = ""
    is_retryable: bool = False

    @classmethod
    def of(cls, failure: Failure) -> FailureWords:
        """The words a failure carries; what both its title and its detail say is said once."""
        title = getattr(failure, "shown_title", failure.title)
        detail = failure.detail.removeprefix(f"{title}: ")
        return cls(title, detail, failure.hint, failure.is_retryable)


class Output:
    """Two streams and the person's choice between lines and JSON."""

    def __init__(
        self,
        *,
        is_json: bool = False,
        is_ascii: bool = False,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
    ) -> None:
        self.is_json = is_json
        self.is_ascii = is_ascii
        # Python has no stream at all where the shell closed it, as >&- does.
        self._stdout: TextIO | None = stdout or sys.stdout
        self._stderr: TextIO | None = stderr or sys.stderr
        self._has_status = False

    @property
    def shows_status(self) -> bool:
        """True when standard error is a terminal that can take words back."""
        stream = self._stderr
        return stream is not None and stream.isatty() and os.environ.get("TERM", "") != "dumb"

    def status(self, text: str) -> None:
        """Words that the next ones take the place of, cut to one line; only where `shows_status`."""
        stream = self._stderr
        assert stream is not None
        text = clipped(text, shutil.get_terminal_size().columns - 1)
        self._has_status = True
        self._deliver(stream, lambda: stream.write(f"\r{self._sendable(stream, text)}{_CLEAR}"))

    def line(self, text: str = "") -> None:
        """One line of data, on its way at once."""
        self._write(self._stdout, text)

    def path(self, path: str) -> None:
        """A path on a line of its own: byte for byte for a program, escaped for a terminal."""
        buffer = getattr(self._stdout, "buffer", None)
        if self._stdout is None or buffer is None or self._stdout.isatty():
            self._write(self._stdout, _escaped(path))
        else:
            self._deliver(self._stdout, lambda: buffer.write(os.fsencode(path) + b"\n"))

    def document(self, document: Mapping[str, object]) -> None:
        """One JSON document, on one line."""
        self._write(self._stdout, json.dumps(document, ensure_ascii=True))

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]], right: frozenset[int]) -> None:
        """Aligned columns; nothing at all without rows.

        right: the columns that end flush, by index.
        """
        if not rows:
            return
        lines = [list(head), *[list(row) for row in rows]]
        widths = [max(width(line[column]) for line in lines) for column in range(len(head))]
        for line in lines:
            gaps = [" " * (most - width(cell)) for cell, most in zip(line, widths, strict=True)]
            cells = [
                gap + cell if column in right else cell + gap
                for column, (cell, gap) in enumerate(zip(line, gaps, strict=True))
            ]
            self.line("  ".join(cells).rstrip())

    def say(self, text: str) -> None:
        """Words for a person; they never mix with the data, and nobody has to listen."""
        if self._stderr is not None:
            self._write(self._stderr, text)

    def failure(self, words: FailureWords) -> None:
        """One failure: a line and its hint, or the JSON document that takes the place of the data."""
        if self.is_json:
            self.document({"error": _error(words)})
            return
        detail = plain(words.detail, _LONGEST_SENTENCE)
        self.say(f"ggtui: {_sentence(words.title, detail)}")
        if words.hint:
            self.say(f"  {plain(words.hint, _LONGEST_SENTENCE)}")

    def _write(self, stream: TextIO | None, text: str) -> None:
        if stream is None:
            raise OutputLost("it was closed before ggtui began")
        self._end_status()
        self._deliver(stream, lambda: stream.write(self._sendable(stream, text) + "\n"))

    def _sendable(self, stream: TextIO, text: str) -> str:
        encoding = stream.encoding or "ascii"
        if self.is_ascii or not encoding.lower().startswith("utf"):
            text = text.translate(_ASCII)
        return text.encode(encoding, "replace").decode(encoding)

    def _end_status(self) -> None:
        """What comes next begins a line of its own."""
        stream, had_status, self._has_status = self._stderr, self._has_status, False
        if had_status and stream is not None:
            self._deliver(stream, lambda: stream.write("\n"))

    def _deliver(self, stream: TextIO, write: Callable[[], object]) -> None:
        try:
            write()
            stream.flush()
        except OSError as error:
            _forget(stream)
            raise OutputLost(error.strerror or type(error).__name__) from error


def _sentence(title: str, detail: str) -> str:
    """Title and detail; the title alone where there is no more, the detail alone where it says all of it."""
    if not detail:
        return title
    says_all = set(title.lower().split()) <= set(detail.lower().split())
    return detail if says_all else f"{title}: {detail}"


def _escaped(path: str) -> str:
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in path)


def _forget(stream: TextIO) -> None:
    """What is still buffered must not fail again when the process ends."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _error(words: FailureWords) -> dict[str, object]:
    return {
        "title": words.title,
        "detail": words.detail,
        "hint": words.hint,
        "retryable": words.is_retryable,
    }
