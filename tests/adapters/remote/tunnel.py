"""A proxy that leads every name to one port of this machine, and remembers what it was asked."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class Tunnel:
    """For any number of connections, one after the other or at once."""

    def __init__(self, port: int) -> None:
        """port: where every name leads."""
        self.heads: list[str] = []
        """What each connection began with."""
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self.url = f"127.0.0.1:{self._listener.getsockname()[1]}"

    def start(self) -> None:
        """Serve from now on."""
        self._begin(self._accept)

    def stop(self) -> None:
        """Take no more connections, and wait for the end of those there are."""
        _shut(self._listener)
        self._listener.close()
        for thread in self._threads:
            thread.join(30)

    def _begin(self, work: object, *values: object) -> threading.Thread:
        thread = threading.Thread(target=work, args=values, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()
        return thread

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                self._begin(self._lead, self._listener.accept()[0])

    def _lead(self, connection: socket.socket) -> None:
        self.heads.append(connection.recv(65536).decode())
        connection.sendall(b"HTTP/1.0 200 Connection established\r\n\r\n")
        onward = socket.create_connection(("127.0.0.1", self._port))
        back = self._begin(self._pass, onward, connection)
        self._pass(connection, onward)
        back.join(30)
        for each in (connection, onward):
            each.close()

    @staticmethod
    def _pass(source: socket.socket, goal: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                goal.sendall(piece)
        _shut(source)
        _shut(goal)


def _shut(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
