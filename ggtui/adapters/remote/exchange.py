"""One question to a web server: redirects, credentials, proxies, and every way to fail as one sentence.

http.client rather than httpx, which is no dependency of the program.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import contextmanager
from http.client import HTTPException
from typing import TYPE_CHECKING

from ggtui import __version__
from ggtui.adapters.remote.connection import connected
from ggtui.core.errors import RemoteRefused, RemoteUnreachable
from ggtui.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from http.client import HTTPConnection, HTTPResponse

    from ggtui.adapters.remote.access import Access
    from ggtui.adapters.remote.address import Address
    from ggtui.adapters.remote.budget import Budget

MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Answer:
    """The head of an answer, and its body as far as it is read."""

    def __init__(self, address: Address, connection: HTTPConnection, response: HTTPResponse) -> None:
        self.address = address
        """Who answered, after all redirects."""
        self.status = response.status
        self._connection = connection
        self._response = response

    def header(self, name: str) -> str:
        """A field of the head; empty when there is none."""
        return (self._response.getheader(name) or "").strip()

    def some(self, most: int) -> bytes:
        """The next bytes of the body, at most so many; none at its end.

        Raises: RemoteUnreachable, RemoteRefused.
        """
        with translating(self.address):
            return self._response.read1(most)

    def whole(self, most: int) -> bytes:
        """The body to its end. Raises: RemoteRefused when it is longer; RemoteUnreachable."""
        pieces, left = [], most
        while piece := self.some(min(left + 1, 1 << 16)):
            pieces.append(piece)
            left -= len(piece)
            if left < 0:
                raise RemoteRefused(f"{self.address.origin.host} answers with too much")
        if self._response.length:
            raise RemoteUnreachable(f"{self.address.origin.host} broke off in the middle of its answer")
        return b"".join(pieces)

    def close(self) -> None:
        """Let go of it, read or not."""
        self._response.close()
        self._connection.close()


def ask(
    address: Address,
    headers: Mapping[str, str],
    access: Access,
    budget: Budget,
    met: Callable[[Answer], None] | None = None,
) -> Answer:
    """The answer to a GET, whatever its status, after its redirects.

    met: is shown the head of each answer on the way, the last one too.
    The token goes to the hub's own origin only, and to none any more once the way has led elsewhere.
    Raises: RemoteUnreachable, RemoteRefused.
    """
    is_at_home = True
    for _ in range(MOST_REDIRECTS + 1):
        access.check_may_ask(address)
        is_at_home = is_at_home and address.origin == access.endpoint.origin
        own = access.headers_for(address) if is_at_home else {}
        answer = once(address, {**headers, **own}, budget)
        if met is not None:
            met(answer)
        location = answer.header("Location")
        if answer.status not in _REDIRECTS or not location:
            return answer
        answer.close()
        address = address.leading_to(location)
    raise RemoteRefused(f"{address.origin.host} sends on more than {MOST_REDIRECTS} times")


def once(
    address: Address,
    headers: Mapping[str, str],
    budget: Budget,
    method: str = "GET",
    body: bytes | None = None,
) -> Answer:
    """The answer to one question, whatever its status; redirects are answers too.

    Raises: RemoteUnreachable, RemoteRefused.
    """
    shared = {"Accept-Encoding": "identity", "User-Agent": f"ggtui/{__version__}", "Connection": "close"}
    with translating(address):
        connection = connected(address, budget)
        try:
            connection.request(method, address.target, body, {**shared, **headers})
            answer = Answer(address, connection, connection.getresponse())
        except BaseException:
            connection.close()
            raise
    if answer.header("Content-Encoding").lower() not in ("", "identity"):
        answer.close()
        raise RemoteRefused(f"{address.origin.host} packs its answer, although that was declined")
    return answer


@contextmanager
def translating(address: Address) -> Iterator[None]:
    """Failures of the network in the words of this program; no header and no query is in them."""
    host = address.origin.host
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise RemoteRefused(
            f"{host} shows a certificate that is not trusted: {plain(error.verify_message)}"
        ) from error
    except socket.gaierror as error:
        hint = "check the address, and that this machine is online"
        raise RemoteUnreachable(f"{host} is not known", hint=hint) from error
    except TimeoutError as error:
        raise RemoteUnreachable(f"{host} does not answer in time", hint="try again later") from error
    except OSError as error:
        raise RemoteUnreachable(f"{host}: {_reason(error)}") from error
    except (HTTPException, ValueError) as error:
        # Their text may hold what was sent.
        raise RemoteUnreachable(
            f"{host} gives an answer that is not sound HTTP: {type(error).__name__}"
        ) from None


def _reason(error: OSError) -> str:
    """`connection refused`, or what a proxy said; the longer text of TLS is for experts."""
    if isinstance(error, ssl.SSLError):
        return f"no sound TLS: {plain(error.reason or type(error).__name__, 80)}".lower()
    text = plain(error.strerror or str(error) or type(error).__name__, 160)
    return text[:1].lower() + text[1:]
