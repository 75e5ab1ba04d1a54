"""Web addresses: which ones are asked at all, and where one may lead to another."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote, unquote, urljoin, urlsplit

from ggtui.core.errors import RemoteRefused
from ggtui.core.text import plain

LONGEST_ADDRESS = 8192
_PORTS = {"https": 443, "http": 80}
_ALLOWED = "/%:@!$&'()*+,;=-._~"
"""What stays as it is in a path; the rest is quoted."""
_NO_HOST = re.compile(r"[^a-z0-9.:_-]")


class Origin(NamedTuple):
    """Who is asked: credentials for one are none of another's business."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Address:
    """A web address that may be asked. Holds no credentials.

    It is https, or http on this machine; http on another one only where whoever parsed it allowed that.
    """

    origin: Origin
    path: str
    query: str = ""

    @classmethod
    def parse(cls, text: str, *, may_be_plain: bool = False) -> Address:
        """The address of this text.

        may_be_plain: http also to another machine, which is then a server of a person's own.
        Raises: RemoteRefused, which repeats no part that could be a secret.
        """
        try:
            parts = urlsplit(text)
            host, port = (parts.hostname or "").lower(), parts.port
        except ValueError:
            raise RemoteRefused("this is no web address") from None
        if len(text) > LONGEST_ADDRESS or parts.scheme not in _PORTS or not host:
            kind = "http://HOST:PORT" if may_be_plain else "https://HOST/FILE.gguf"
            raise RemoteRefused(f"this is no web address of the kind {kind}")
        if "@" in parts.netloc:
            raise RemoteRefused("a web address with a name or a password in it is not taken")
        host = _plain_host(host)
        if parts.scheme == "http" and not (may_be_plain or _is_loopback(host)):
            raise RemoteRefused(f"{host} is asked over https only")
        origin = Origin(parts.scheme, host, port or _PORTS[parts.scheme])
        path, query = (quote(part, _ALLOWED + "?", errors="replace") for part in (parts.path, parts.query))
        return cls(origin, path or "/", query)

    @property
    def target(self) -> str:
        """What the server is asked for."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def is_loopback(self) -> bool:
        """True for this machine."""
        return _is_loopback(self.origin.host)

    @property
    def url(self) -> str:
        """The whole of it; the query may be a signature, so this is for no eyes and no log."""
        host = f"[{self.origin.host}]" if ":" in self.origin.host else self.origin.host
        return f"{self.origin.scheme}://{host}:{self.origin.port}{self.target}"

    @property
    def file_name(self) -> str:
        """The last part of the path, as its author wrote it."""
        return unquote(self.path).rpartition("/")[2]

    @property
    def shown(self) -> str:
        """Host and file, for a person."""
        return plain(f"{self.file_name or 'the answer'} at {self.origin.host}")

    def named(self, file_name: str) -> Address:
        """The file of this name beside it."""
        folder = self.path.rpartition("/")[0]
        return Address(self.origin, f"{folder}/{quote(file_name, safe='')}", self.query)

    def leading_to(self, location: str) -> Address:
        """Where this one sends the reader.

        Raises: RemoteRefused for a way that leaves https, or leads from outside to this machine.
        """
        try:
            onward = Address.parse(urljoin(self.url, location))
        except ValueError:
            raise RemoteRefused(f"{self.origin.host} sends on to no web address") from None
        if self.origin.scheme == "https" and onward.origin.scheme != "https":
            raise RemoteRefused(f"{self.origin.host} sends on to an address without https")
        if onward.is_loopback and not self.is_loopback:
            raise RemoteRefused(f"{self.origin.host} sends on to this machine")
        return onward


def _plain_host(host: str) -> str:
    """The host as it is looked up."""
    try:
        host = host.encode("idna").decode("ascii") if not host.isascii() else host
    except UnicodeError:
        raise RemoteRefused("this is no web address: its host is no name") from None
    if _NO_HOST.search(host) or len(host) > 253:
        raise RemoteRefused("this is no web address: its host is no name")
    return host


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
