"""Who watches a client hears once that it leaves, however late the watch begins."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.flow_control import FlowControl

from ggtui.proxy.presence import Presence


class FakeTransport(asyncio.Transport):
    """Knows whether it is read."""

    is_read = True

    def pause_reading(self) -> None:
        self.is_read = False

    def resume_reading(self) -> None:
        self.is_read = True


def test_who_watches_hears_that_the_client_leaves() -> None:
    presence, heard = Presence(FlowControl(FakeTransport())), list[str]()
    presence.watch(lambda: heard.append("gone"))

    assert ([], False) == (heard, presence.is_gone)

    presence.leave()

    assert (["gone"], True) == (heard, presence.is_gone)


def test_who_watches_too_late_hears_it_at_once() -> None:
    presence, heard = Presence(FlowControl(FakeTransport())), list[str]()
    presence.leave()
    presence.watch(lambda: heard.append("gone"))

    assert ["gone"] == heard


def test_who_watches_no_more_hears_nothing() -> None:
    presence, heard = Presence(FlowControl(FakeTransport())), list[str]()
    presence.watch(lambda: heard.append("gone"))
    presence.unwatch()
    presence.leave()

    assert [] == heard


def test_watching_takes_the_rest_of_the_body_off_the_socket() -> None:
    transport = FakeTransport()
    flow = FlowControl(transport)
    flow.pause_reading()
    presence = Presence(flow)

    assert (False, False) == (transport.is_read, presence.is_watched)

    presence.watch(lambda: None)

    assert (True, True) == (transport.is_read, presence.is_watched)
