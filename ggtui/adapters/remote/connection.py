"""Connections that count what comes in and end in time, through a proxy where the environment names one."""

from __future__ import annotations

import base64
import io
import ssl
from functools import partial
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from ggtui.core.errors import RemoteRefused

if TYPE_CHECKING:
    import socket

    from ggtui.adapters.remote.address import Address
    from ggtui.adapters.remote.budget import Budget


def connected(address: Address, budget: Budget) -> HTTPConnection:
    """A connection for one question, not yet opened. Raises: RemoteRefused, RemoteUnreachable."""
    host, port = address.origin.host, address.origin.port
    timeout_s = budget.wait_s()
    connection: HTTPConnection
    if address.origin.scheme == "http":
        # Such an address is on this machine, or a person's own server: no proxy of the web is between.
        connection = HTTPConnection(host, port, timeout=timeout_s)
    else:
        context = ssl.create_default_context()
        proxy = None if address.is_loopback else _proxy_for(host)
        asked, door = (proxy.hostname, proxy.port) if proxy else (host, port)
        connection = HTTPSConnection(asked, door, timeout=timeout_s, context=context)
        if proxy:
            connection.set_tunnel(host, port, _credentials(proxy.username, proxy.password))
    connection.response_class = partial(_CountedResponse, budget=budget)  # type: ignore[assignment]
    return connection


def _proxy_for(host: str) -> Any:
    """The parts of the proxy's address, by the rules of urllib; None for a direct way."""
    text = getproxies().get("https") or getproxies().get("all", "")
    if not text or proxy_bypass(host):
        return None
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable:
        raise RemoteRefused("the proxy that the environment names is none of the kind http://HOST:PORT")
    return parts if parts.port else parts._replace(netloc=f"{parts.netloc}:80")


def _credentials(user: str | None, password: str | None) -> dict[str, str]:
    if user is None:
        return {}
    pair = f"{unquote(user)}:{unquote(password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {base64.b64encode(pair).decode('ascii')}"}


class _CountedResponse(HTTPResponse):
    """An answer whose every byte is in the budget, those of its head too."""

    def __init__(self, sock: socket.socket, *args: Any, budget: Budget, **options: Any) -> None:
        # First: whoever is refused here leaves nothing open.
        budget.meet(sock)
        super().__init__(sock, *args, **options)
        self.fp = io.BufferedReader(_Counted(self.fp.detach(), sock, budget))


class _Counted(io.RawIOBase):
    """A socket's stream. Each wait ends with the budget, so that a drip of bytes cannot last for ever."""

    def __init__(self, stream: io.RawIOBase, sock: socket.socket, budget: Budget) -> None:
        self._stream = stream
        self._sock = sock
        self._budget = budget

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._budget.wait_s())
        n_bytes = self._stream.readinto(buffer)
        self._budget.take(n_bytes or 0)
        return n_bytes

    def close(self) -> None:
        self._stream.close()
        super().close()
