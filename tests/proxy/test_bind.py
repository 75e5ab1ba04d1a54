"""Taking the port, and saying clearly why not."""

from __future__ import annotations

import os
import socket

import pytest

from ggtui.core.errors import BindRefused, PortInUse
from ggtui.proxy.bind import bind


def test_port_zero_takes_a_free_one() -> None:
    with bind("127.0.0.1", 0) as sock:
        assert sock.getsockname()[1] > 0
        assert not sock.get_inheritable()
        assert not sock.getblocking()


def test_a_taken_port_names_its_holder_and_a_cure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(PortInUse) as caught:
            bind("127.0.0.1", port)

        assert f"port {port} is in use by" in caught.value.detail
        assert f"(pid {os.getpid()})" in caught.value.detail
        assert f"Try --port {port + 1}" == caught.value.hint


def test_two_doors_do_not_share_a_port() -> None:
    with bind("127.0.0.1", 0) as first, pytest.raises(PortInUse):
        bind("127.0.0.1", first.getsockname()[1])


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "[::]"])
def test_an_address_others_can_reach_needs_a_key(host: str) -> None:
    with pytest.raises(BindRefused):
        bind(host, 0)


def test_with_a_key_it_may_be_reached() -> None:
    with bind("0.0.0.0", 0, has_api_key=True) as sock:
        assert "0.0.0.0" == sock.getsockname()[0]


@pytest.mark.parametrize("host", ["203.0.113.7", "no.such.host.invalid"])
def test_an_address_of_another_machine_is_refused(host: str) -> None:
    with pytest.raises(BindRefused):
        bind(host, 0, has_api_key=True)
