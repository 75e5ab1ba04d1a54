"""A pull on Ollama, followed line by line to its end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from ggtui.adapters.remote.backends import reading
from ggtui.adapters.remote.backends.question import Refusal
from ggtui.core.errors import BackendError
from ggtui.core.units import KIB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ggtui.adapters.remote.backends.question import Questions
    from ggtui.adapters.remote.downloads.stopping import Stop
    from ggtui.adapters.remote.exchange import Answer

LONGEST_LINE: Final = 64 * KIB
MOST_LAYERS: Final = 512
SILENCE_S: Final = 120.0
"""How long a line may be waited for while a layer comes."""
SILENCE_AT_WORK_S: Final = 1800.0
"""The same while it checks or writes what has come: of a large model that takes long, without a word."""
PAUSE_S: Final = 0.01
"""From one thing that is told to the next: Ollama itself tells some sixteen in a second."""
_FOR_GOOD: Final = ("file does not exist", "invalid model name", "requires a newer version", "not found")
"""In what Ollama says when the same pull would fail again."""


class PullRefused(BackendError):
    """The backend will not fetch it, now or later."""

    retryable = False


def follow(
    questions: Questions, stop: Stop, model: str, progress: Callable[[str, str, int, int], None]
) -> None:
    """Return when the backend has the model. Raises: BackendError, Stopped."""
    tell = _Teller(progress, stop)
    body = {"model": model, "stream": True}
    with questions.translating():
        try:
            answer = questions.opened("POST", questions.place.below_root("/api/pull"), body)
        except Refusal as error:
            raise _refused(error) from None
        try:
            for line in _lines(questions, answer):
                if _is_end(questions, line, tell):
                    return
        finally:
            answer.close()
    raise reading.failure("the pull ended before the model was whole")


def _is_end(questions: Questions, line: dict[str, Any], tell: _Teller) -> bool:
    """Whether the model is there now; tells what the line says. Raises: BackendError."""
    error = line.get("error")
    if isinstance(error, str):
        told = questions.told(error)
        raise PullRefused(told) if _is_for_good(told) else reading.failure(told or "the pull failed")
    status = reading.word(line, "status")
    total, completed = reading.natural(line, "total"), reading.natural(line, "completed")
    is_coming = 0 < total and completed < total
    questions.limit.renew(SILENCE_S if is_coming else SILENCE_AT_WORK_S)
    tell(status, reading.digest(line), total, min(completed, total) if total else completed)
    return status == "success"


def _lines(questions: Questions, answer: Answer) -> Iterator[dict[str, Any]]:
    """Each line of the answer that is an object. Raises: BackendError, RemoteFailure."""
    left = b""
    while piece := answer.some(LONGEST_LINE):
        *whole, left = (left + piece).split(b"\n")
        for line in whole:
            yield from _object(questions, line)
        if len(left) > LONGEST_LINE:
            raise questions.garbage("it sends a line without an end")
    yield from _object(questions, left)


def _object(questions: Questions, line: bytes) -> Iterator[dict[str, Any]]:
    if line.strip():
        document = questions.parsed(line)
        if isinstance(document, dict):
            yield document


def _is_for_good(told: str) -> bool:
    return any(each in told for each in _FOR_GOOD)


def _refused(error: Refusal) -> BackendError:
    may_pass = error.http_status in (408, 409, 429) or error.http_status >= 500
    return error if may_pass else PullRefused(error.detail)


class _Teller:
    """Tells what the backend says, one thing after the other, however fast it says it."""

    def __init__(self, progress: Callable[[str, str, int, int], None], stop: Stop) -> None:
        self._progress = progress
        self._stop = stop
        self._layers: set[str] = set()
        self._told_at = -PAUSE_S

    def __call__(self, status: str, digest: str, total: int, completed: int) -> None:
        """Raises: BackendError for more layers than any model has; Stopped."""
        if digest:
            self._layers.add(digest)
        if len(self._layers) > MOST_LAYERS:
            raise reading.failure(f"it tells of more than {MOST_LAYERS} layers")
        self._stop.wait(self._told_at + PAUSE_S - time.monotonic())
        self._told_at = time.monotonic()
        self._progress(status, digest, total, completed)
