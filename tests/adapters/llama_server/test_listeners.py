"""Who listens on a port."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import psutil
import pytest

from ggtui.adapters.llama_server import identity, listeners

OURS = psutil.Process()


@pytest.fixture(params=["kernel", "psutil"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "psutil":
        monkeypatch.setattr(listeners, "_listening_inodes", lambda port: None)


@pytest.mark.usefixtures("way")
def test_only_a_listener_on_that_port_counts() -> None:
    with socket.socket() as listener, socket.socket() as bound:
        for each in (listener, bound):
            each.bind(("127.0.0.1", 0))
        listener.listen()
        port, silent_port = listener.getsockname()[1], bound.getsockname()[1]

        assert listeners.listens(OURS, port)
        assert not listeners.listens(OURS, silent_port)
        assert identity.listens(os.getpid(), port)
    assert not listeners.listens(OURS, port)


@pytest.mark.usefixtures("way")
def test_another_process_is_not_ours() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
            assert not identity.listens(stranger.pid, port)
            stranger.kill()
        assert not identity.listens(stranger.pid, port)
