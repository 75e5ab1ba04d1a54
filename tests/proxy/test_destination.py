"""What a name leads to is looked up once, and anew after every change."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from ggtui.core.errors import EndpointNotFound, EndpointNotReady
from ggtui.core.routing.name_settings import NameSettings
from ggtui.proxy.destination import Destination, Destinations
from ggtui.services.endpoints import Endpoints
from tests.proxy.rig import run, with_adapters

if TYPE_CHECKING:
    from ggtui.services.catalog import CatalogService


def _endpoints() -> Endpoints:
    return Endpoints(cast("CatalogService", with_adapters()), NameSettings(aliases={"gpt-4": "tiny:code"}))


def test_a_name_is_looked_up_once() -> None:
    async def check() -> tuple[Destination, Destination]:
        destinations = Destinations(_endpoints())
        return await destinations.named("gpt-4"), await destinations.named("gpt-4")

    first, again = run(check())

    assert first is again
    assert [(b"x-ggtui-endpoint", b"tiny:code"), (b"x-ggtui-route", b"alias gpt-4")] == first.fields


def test_a_change_of_names_or_weights_counts_at_once() -> None:
    async def check() -> None:
        endpoints = _endpoints()
        destinations = Destinations(endpoints)
        await destinations.named("gpt-4")

        endpoints.set_weight("tiny", "code", 0.25)
        weighed = await destinations.named("gpt-4")
        endpoints.take(NameSettings(aliases={"gpt-4": "tiny"}))
        renamed = await destinations.named("gpt-4")
        endpoints.take(NameSettings(aliases={"gpt-4": "tiny"}, disabled=frozenset({"tiny"})))
        with pytest.raises(EndpointNotReady):
            await destinations.named("gpt-4")
        endpoints.take(NameSettings())
        with pytest.raises(EndpointNotFound):
            await destinations.named("gpt-4")

        assert [0.25] == [each.weight for each in weighed.wish.stack.adapters]
        assert "tiny" == renamed.route.endpoint.id

    run(check())


def test_what_leads_nowhere_is_not_kept() -> None:
    async def check() -> None:
        endpoints = _endpoints()
        destinations = Destinations(endpoints)
        with pytest.raises(EndpointNotFound):
            await destinations.named("later")
        endpoints.take(NameSettings(aliases={"later": "tiny"}))

        assert "tiny" == (await destinations.named("later")).route.endpoint.id

    run(check())


def test_a_name_cannot_break_a_header() -> None:
    async def check() -> None:
        alias = "a\r\nX-Evil: 1\u4e2d"
        endpoints = _endpoints()
        endpoints.take(NameSettings(aliases={alias: "tiny"}))
        destination = await Destinations(endpoints).named(alias)

        assert b"alias a%0D%0AX-Evil: 1%E4%B8%AD" == dict(destination.fields)[b"x-ggtui-route"]

    run(check())
