"""Who may enter: the Host a client calls us by, the page it comes from, the key it holds."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from typing import TYPE_CHECKING, Final

from ggtui.core.errors import HostNotAllowed, InvalidApiKey, OriginNotAllowed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ggtui.core.client_keys import ClientKey

CLIENT: Final = "ggtui.client"
"""The scope's extension with the name of who holds the key of a request, where keys have names."""


class Access:
    """The three checks. Invariant: no key is kept, only its hash."""

    def __init__(
        self, bound_host: str, port: int, *, keys: Iterable[ClientKey] = (), hosts: Iterable[str] = ()
    ) -> None:
        """bound_host: the address that is listened on. hosts: further names, without port."""
        bound = bound_host.strip("[]").lower()
        self._port = port
        self._is_open_to_all = ipaddress.ip_address(bound).is_unspecified
        names = {"127.0.0.1", "localhost", "::1", *(host.strip("[]").lower() for host in hosts)}
        if not self._is_open_to_all:
            names.add(bound)
        self._hosts = frozenset(form for name in names for form in _host_forms(name, port))
        self._origins = frozenset(b"http://" + host for host in self._hosts)
        self._clients = [(_hash(each.key.encode()), each.name) for each in keys]

    def check_host(self, fields: Mapping[bytes, bytes], local_address: str | None) -> None:
        """Refuse a name that is not ours: a page may have pointed its own name at this machine.

        local_address: where the connection arrived; counts as a name when we listen on every address.
        Raises: HostNotAllowed.
        """
        host = fields.get(b"host", b"").lower()
        if host in self._hosts:
            return
        # A socket that listens on `::` names a client's IPv4 address in its IPv6 form.
        called = (local_address or "").removeprefix("::ffff:")
        if self._is_open_to_all and called and host in _host_forms(called, self._port):
            return
        raise HostNotAllowed("this name is not allowed", hint="call by 127.0.0.1 or localhost, with the port")

    def check_origin(self, fields: Mapping[bytes, bytes]) -> None:
        """Refuse what a web page of another origin sends.

        Raises: OriginNotAllowed.
        """
        origin = fields.get(b"origin")
        if origin is not None and origin.lower() not in self._origins:
            raise OriginNotAllowed("web pages of other origins are not served")
        if fields.get(b"sec-fetch-site", b"").lower() == b"cross-site":
            raise OriginNotAllowed("web pages of other origins are not served")

    def check_key(self, fields: Mapping[bytes, bytes]) -> str:
        """Ask for a key when there are any; the name of who holds it, empty where keys have none.

        Raises: InvalidApiKey.
        """
        if not self._clients:
            return ""
        offered = _credentials(fields)
        if len(offered) == 1:
            given = _hash(offered.pop())
            right = [name for known, name in self._clients if hmac.compare_digest(given, known)]
            if right:
                return right[0]
        raise InvalidApiKey("the API key is missing or wrong")


def _credentials(fields: Mapping[bytes, bytes]) -> set[bytes]:
    """All keys the client sent; more than one is a confusion that is not resolved here."""
    found = set()
    if b"authorization" in fields:
        scheme, _, key = fields[b"authorization"].partition(b" ")
        found.add(key if scheme.lower() == b"bearer" else b"")
    if b"x-api-key" in fields:
        found.add(fields[b"x-api-key"])
    return found


def _host_forms(name: str, port: int) -> tuple[bytes, ...]:
    shown = (f"[{name}]" if ":" in name else name).encode()
    with_port = shown + b":" + str(port).encode()
    return (with_port, shown) if port == 80 else (with_port,)


def _hash(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()
