"""Who listens on a port of this machine, asked of the kernel directly.

Reading /proc/net/tcp, which psutil does, walks every hash bucket: 5 ms and more of a stopped event loop.
"""

from __future__ import annotations

import os
import socket
import struct
from typing import Final

import psutil

_SOCK_DIAG: Final = 4
_BY_FAMILY: Final = 20
_REQUEST_DUMP: Final = 0x301
_DONE: Final = 3
_ERROR: Final = 2
_LISTEN_ONLY: Final = 1 << 10
_HEADER: Final = struct.Struct("=IHHII")
"""Length, type, flags, sequence, port id. Source: linux/netlink.h."""
_REQUEST: Final = struct.Struct("=BBBBI48s")
"""Family, protocol, extensions, padding, states, socket id. Source: linux/inet_diag.h."""
_PORT_OFFSET: Final = 4
_INODE_OFFSET: Final = 68


def listens(process: psutil.Process, port: int) -> bool:
    """True when this process holds a TCP listener on an IPv4 port.

    Raises: psutil.Error.
    """
    inodes = _listening_inodes(port)
    if inodes is None:
        return any(
            connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
            for connection in process.net_connections(kind="tcp4")
        )
    return bool(inodes) and _holds_any(process.pid, inodes)


def _listening_inodes(port: int) -> set[int] | None:
    """Inodes of the listeners on a port; None where the kernel cannot be asked."""
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as kernel:
            kernel.settimeout(1.0)
            request = _REQUEST.pack(socket.AF_INET, socket.IPPROTO_TCP, 0, 0, _LISTEN_ONLY, bytes(48))
            header = _HEADER.pack(_HEADER.size + len(request), _BY_FAMILY, _REQUEST_DUMP, 1, 0)
            kernel.send(header + request)
            return _read_dump(kernel, port)
    except (AttributeError, OSError):
        return None


def _read_dump(kernel: socket.socket, port: int) -> set[int]:
    """Raises: OSError when the kernel refuses."""
    inodes: set[int] = set()
    while True:
        answer = memoryview(kernel.recv(256 * 1024))
        while len(answer) >= _HEADER.size:
            length, kind, *_ = _HEADER.unpack_from(answer)
            if kind == _DONE:
                return inodes
            if kind == _ERROR or length < _HEADER.size:
                raise OSError("the kernel does not tell")
            entry = answer[_HEADER.size : length]
            if port == struct.unpack_from(">H", entry, _PORT_OFFSET)[0]:
                inodes.add(struct.unpack_from("=I", entry, _INODE_OFFSET)[0])
            answer = answer[(length + 3) & ~3 :]


def _holds_any(pid: int, inodes: set[int]) -> bool:
    wanted = {f"socket:[{inode}]" for inode in inodes}
    folder = f"/proc/{pid}/fd"
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        raise psutil.NoSuchProcess(pid) from None
    except OSError:
        raise psutil.AccessDenied(pid) from None
    return any(_link(f"{folder}/{name}") in wanted for name in names)


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""
