"""Talks to the running ggtui of a data folder: its own short-lived connections, no redirects, no proxies.

http.client rather than httpx, whose import takes longer than everything else that `ggtui ps` does.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ggtui.adapters.instance.record import find_instance
from ggtui.cli.exits import ExitCode
from ggtui.core.errors import ConfigInvalid, Failure, ModelNotFound, SpawnReason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from http.client import HTTPResponse

    from ggtui.adapters.instance.record import InstanceRecord
    from ggtui.config.schema import Config

ANSWER_S = 10.0
"""How long an answer that needs no model may take."""

LARGEST_ANSWER = 64 * 1024 * 1024
"""Bytes; the state of 10,000 models is far below."""


class NoInstance(Failure):
    """Nothing runs on this data folder."""

    title = "No running ggtui"
    exit_code = ExitCode.ENVIRONMENT


class InstanceSilent(Failure):
    """The process is there, its proxy does not answer."""

    title = "The running ggtui does not answer"
    retryable = True
    exit_code = ExitCode.ENVIRONMENT


class InstanceRefused(Failure):
    """The running ggtui answered with a failure of its own."""

    def __init__(self, error: Mapping[str, Any], status: int) -> None:
        code = str(error.get("code") or "")
        self.shown_title = _titles().get(code, "The running ggtui refused")
        detail = str(error.get("message") or f"status {status}")
        hint = "ggtui ls lists the models" if code == ModelNotFound.code else ""
        super().__init__(detail.removeprefix(f"{self.shown_title}: "), hint=str(error.get("hint") or hint))
        self.answer_status = status
        self.exit_code = _exit_code(code, error.get("reason"))

    @property
    def is_retryable(self) -> bool:
        """503 means: later."""
        return self.answer_status == 503


class InstanceClient:
    """One running ggtui, asked over its own URL."""

    def __init__(self, record: InstanceRecord) -> None:
        self._record = record
        address = urlsplit(record.url)
        self._host = address.hostname or "127.0.0.1"
        self._port = address.port or 80

    @property
    def pid(self) -> int:
        """Of the running ggtui."""
        return self._record.pid

    @property
    def url(self) -> str:
        """What clients use as base URL."""
        return self._record.url

    def state(self) -> dict[str, Any]:
        """The whole state, as `core/state_json.py` makes it."""
        return self.get("/ggtui/state")

    def get(self, path: str) -> dict[str, Any]:
        """One JSON document.

        Raises: InstanceSilent, InstanceRefused.
        """
        with self._answer("GET", path, None, ANSWER_S) as answer:
            return _document(answer)

    def post(self, path: str, body: Mapping[str, object], timeout_s: float) -> dict[str, Any]:
        """Ask for something and wait for its end, at most timeout_s seconds.

        Raises: InstanceSilent, InstanceRefused.
        """
        with self._answer("POST", path, body, timeout_s) as answer:
            return _document(answer)

    def lines(self, path: str) -> Iterator[str]:
        """The lines of an answer as they come; ends with the answer or with the running ggtui.

        Raises: InstanceSilent, InstanceRefused.
        """
        with self._answer("GET", path, None, ANSWER_S) as answer:
            if self._connection.sock is not None:
                self._connection.sock.settimeout(None)
            for line in answer:
                yield line.decode("utf-8", "replace").rstrip("\r\n")

    @contextmanager
    def _answer(
        self, method: str, path: str, body: Mapping[str, object] | None, timeout_s: float
    ) -> Iterator[HTTPResponse]:
        self._connection = HTTPConnection(self._host, self._port, timeout=timeout_s)
        try:
            data = None if body is None else json.dumps(body)
            self._connection.request(method, path, data, self._headers(body is not None))
            answer = self._connection.getresponse()
            if answer.status >= 300:
                raise _refusal(answer)
            yield answer
        except TimeoutError:
            raise InstanceSilent(f"pid {self.pid} gave no answer in {timeout_s:g} s") from None
        except (OSError, HTTPException) as error:
            raise InstanceSilent(f"pid {self.pid} at {self.url}: {_reason(error)}") from error
        finally:
            self._connection.close()

    def _headers(self, has_body: bool) -> dict[str, str]:
        headers = {"Content-Type": "application/json"} if has_body else {}
        if self._record.api_key:
            headers["Authorization"] = f"Bearer {self._record.api_key}"
        return headers


def connect(config: Config) -> InstanceClient:
    """The running ggtui. Raises: NoInstance."""
    record = find_instance(config.data_dir)
    if record is None:
        raise NoInstance(f"none owns {config.data_dir}", hint="start one: ggtui, or ggtui --proxy-only")
    return InstanceClient(record)


def running(config: Config) -> InstanceClient | None:
    """The running ggtui, or None."""
    record = find_instance(config.data_dir)
    return InstanceClient(record) if record is not None else None


def _document(answer: HTTPResponse) -> dict[str, Any]:
    try:
        document = json.loads(answer.read(LARGEST_ANSWER))
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise InstanceSilent("the answer is not a JSON document")
    return document


def _refusal(answer: HTTPResponse) -> InstanceRefused:
    try:
        error = json.loads(answer.read(LARGEST_ANSWER))["error"]
        return InstanceRefused(error, answer.status)
    except (ValueError, TypeError, KeyError, AttributeError):
        return InstanceRefused({}, answer.status)


def _exit_code(code: str, reason: object) -> ExitCode:
    """What the same failure ends with where no ggtui runs."""
    if reason == SpawnReason.BINARY_MISSING:
        return ExitCode.ENVIRONMENT
    return ExitCode.USAGE if code == ConfigInvalid.code else ExitCode.FAILED


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__


def _titles() -> dict[str, str]:
    """Title by code, over the whole tree; the broadest failure of a code names it."""
    titles: dict[str, str] = {}
    kinds: list[type[Failure]] = [Failure]
    while kinds:
        kind = kinds.pop(0)
        titles.setdefault(kind.code, kind.title)
        kinds += kind.__subclasses__()
    return titles
