"""One question to a backend, with its key, and every way to fail in the words of its type."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin

from ggtui.adapters.remote.address import Address
from ggtui.adapters.remote.backends.place import place_of
from ggtui.adapters.remote.backends.reading import failure, parsed
from ggtui.adapters.remote.backends.words import LARGEST_TOLD, NO_KEY, told_in, without, words_of
from ggtui.adapters.remote.exchange import Answer, once
from ggtui.core.backends.backend import BackendType
from ggtui.core.errors import BackendError, RemoteFailure, RemoteRefused, RequestLoop
from ggtui.core.hops import onward
from ggtui.core.units import MIB

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ggtui.adapters.remote.backends.limit import Limit
    from ggtui.core.backends.backend import Backend
    from ggtui.core.deployment.secret import Secret

LARGEST_BODY: Final = 8 * MIB
MOST_REDIRECTS: Final = 3
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class Refusal(BackendError):
    """The backend answered with a status that is none of success."""

    def __init__(self, detail: str, status: int) -> None:
        super().__init__(detail)
        self.http_status = status


class Questions:
    """For one backend, within one limit. Its key goes to the origin of its URL and nowhere else."""

    def __init__(self, backend: Backend, key: Secret | None, limit: Limit) -> None:
        """Raises: BackendError for a URL that cannot be asked, and a key that is not there or is none."""
        self.backend = backend
        self.limit = limit
        self._key = key
        self._words = words_of(backend.type)
        try:
            self.place = place_of(backend)
        except RemoteFailure as error:
            raise failure(self._words.bad_address.format(error.detail)) from None
        self._headers = self._shared_headers()

    def get(self, address: Address) -> object:
        """The document there. Raises: BackendError, and Refusal for the status of an error."""
        return self.document("GET", address)

    def document(self, method: str, address: Address, body: object = None) -> object:
        """The document that answers. Raises: BackendError, and Refusal for the status of an error."""
        with self.translating():
            answer = self._asked(method, address, body)
            try:
                self.check(answer)
                data = answer.whole(LARGEST_BODY)
            finally:
                answer.close()
        return self.parsed(data)

    def order(self, method: str, address: Address, body: object) -> None:
        """Have something done; what is said of its success is not read. Raises: BackendError, Refusal."""
        with self.translating():
            self.opened(method, address, body).close()

    def opened(self, method: str, address: Address, body: object) -> Answer:
        """The answer, to be read and closed by the caller.

        Raises: BackendError, Refusal, and from the network RemoteFailure: see `translating`.
        """
        answer = self._asked(method, address, body)
        try:
            self.check(answer)
        except BaseException:
            answer.close()
            raise
        return answer

    def check(self, answer: Answer) -> None:
        """Raises: Refusal when it has the status of an error."""
        if 200 <= answer.status < 300:
            return
        beginning = _beginning(answer)
        if answer.status == RequestLoop.status and RequestLoop.code.encode() in beginning:
            raise Refusal(self._words.no_answer.format("its URL leads back to this ggtui"), answer.status)
        told = told_in(beginning, self._key)
        raise Refusal(self._words.refused(answer.status, told), answer.status)

    def parsed(self, data: bytes) -> object:
        """The document in these bytes. Raises: BackendError."""
        try:
            return parsed(data)
        except ValueError as error:
            raise self.garbage(str(error)) from None

    def garbage(self, reason: str) -> BackendError:
        """The failure for an answer that is not what it should be."""
        return failure(self._words.garbage.format(reason))

    def told(self, text: str) -> str:
        """A text of the backend as a person may read it."""
        return told_in(json.dumps({"error": text}).encode(), self._key)

    @contextmanager
    def translating(self) -> Iterator[None]:
        """Failures of the network as the failure of this backend."""
        try:
            yield
        except RemoteFailure as error:
            raise failure(self._words.no_answer.format(without(error.detail, self._key))) from None

    def _asked(self, method: str, address: Address, body: object) -> Answer:
        """Raises: RemoteFailure."""
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._once(method, address, body)
            location = answer.header("Location")
            if method != "GET" or answer.status not in _REDIRECTS or not location:
                return answer
            answer.close()
            address = _onward(address, location)
        raise RemoteRefused(f"{address.origin.host} sends on more than {MOST_REDIRECTS} times")

    def _once(self, method: str, address: Address, body: object) -> Answer:
        data = None if body is None else json.dumps(body).encode()
        headers = self._headers | ({"Content-Type": "application/json"} if data is not None else {})
        return once(address, headers, self.limit, method, data)

    def _shared_headers(self) -> dict[str, str]:
        headers = {
            "Accept": "application/json",
            "Via": onward(),
        }
        key = self._key.reveal() if self._key is not None else ""
        if not key and self.backend.type.is_remote_list:
            raise failure(NO_KEY)
        if not (key.isascii() and key.isprintable()):
            raise failure(self._words.bad_address.format("the key holds what cannot be sent"))
        if not key:
            return headers
        if self.backend.type is BackendType.GEMINI:
            return headers | {"X-Goog-Api-Key": key}
        return headers | {"Authorization": f"Bearer {key}"}


def _onward(address: Address, location: str) -> Address:
    """Where a redirect within the same origin leads. Raises: RemoteRefused for any other."""
    try:
        onward = Address.parse(urljoin(address.url, location), may_be_plain=True)
    except ValueError:
        raise RemoteRefused(f"{address.origin.host} sends on to no web address") from None
    if onward.origin != address.origin:
        scheme, host, port = onward.origin
        raise RemoteRefused(f"{address.origin.host} sends on to {scheme}://{host}:{port}, which is not asked")
    return onward


def _beginning(answer: Answer) -> bytes:
    """What is read of the body of an error; the rest is nobody's loss."""
    data = b""
    try:
        while len(data) < LARGEST_TOLD and (piece := answer.some(LARGEST_TOLD - len(data))):
            data += piece
    except RemoteFailure:
        pass
    return data
