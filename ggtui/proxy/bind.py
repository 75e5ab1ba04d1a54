"""Takes the proxy's port before anything else starts, so that a taken one is a clear line."""

from __future__ import annotations

import errno
import ipaddress
import socket

import psutil

from ggtui.core.errors import BindRefused, PortInUse

BACKLOG = 2048


def bind(host: str, port: int, *, has_api_key: bool = False) -> socket.socket:
    """A bound TCP socket that does not listen yet; port 0 takes any free one.

    Raises: PortInUse, naming the holder where it can be known; BindRefused for an address of another
    machine, a name that does not resolve, or one that others can reach while there is no API key.
    """
    family, address = _resolve(host, port)
    if not has_api_key and not ipaddress.ip_address(address).is_loopback:
        raise BindRefused(
            f"{host} can be reached from other machines and no API key is set",
            hint="set an API key, or use --host 127.0.0.1",
        )
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.set_inheritable(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        # Two sockets with SO_REUSEADDR may bind one port; only the listen call shows who has it.
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        raise _refusal(error, host, port) from error
    return sock


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, str]:
    bare = host.strip("[]")
    try:
        found = socket.getaddrinfo(bare, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise BindRefused(f"{host} is not an address of this machine") from error
    family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    return family, str(address[0])


def _refusal(error: OSError, host: str, port: int) -> PortInUse | BindRefused:
    if error.errno == errno.EADDRINUSE:
        return PortInUse(f"port {port} is in use{_holder(port)}", hint=f"Try --port {_other(port)}")
    if error.errno == errno.EACCES:
        return BindRefused(f"port {port} needs more rights than this user has", hint="Try --port 8080")
    return BindRefused(f"{host}:{port} cannot be bound: {error.strerror or error}")


def _other(port: int) -> int:
    return port + 1 if port < 65535 else 8080


def _holder(port: int) -> str:
    """` by NAME (pid N)`, or nothing when this user may not know."""
    try:
        for connection in psutil.net_connections(kind="tcp"):
            is_it = connection.status == psutil.CONN_LISTEN and tuple(connection.laddr)[1:] == (port,)
            if is_it and connection.pid is not None:
                return f" by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except (psutil.Error, OSError):
        return ""
    return ""
