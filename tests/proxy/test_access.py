"""Who may enter."""

from __future__ import annotations

import pytest

from ggtui.core.client_keys import ClientKey
from ggtui.core.errors import HostNotAllowed, InvalidApiKey, OriginNotAllowed
from ggtui.proxy.access import Access
from ggtui.proxy.settings import ProxySettings
from tests.proxy.rig import Answer, door, run

ALLOWED_HOSTS = ["127.0.0.1:8080", "localhost:8080", "LOCALHOST:8080", "[::1]:8080", "box.lan:8080"]
FOREIGN_HOSTS = [
    "",
    "127.0.0.1",
    "127.0.0.1:80",
    "127.0.0.1:80800",
    "localhost",
    "evil.com",
    "evil.com:8080",
    "127.0.0.1.nip.io:8080",
    "localhost.evil.com:8080",
    "printer.local:8080",
    "192.168.1.5:8080",
    "10.0.0.1:8080",
    "0.0.0.0:8080",
    "127.0.0.2:8080",
    "127.1:8080",
    "2130706433:8080",
    "[::]:8080",
    "[::ffff:127.0.0.1]:8080",
    "::1:8080",
    "box.lan",
]


@pytest.mark.parametrize("host", ALLOWED_HOSTS)
def test_our_own_names_enter(host: str) -> None:
    access = Access("127.0.0.1", 8080, hosts=["box.lan"])

    access.check_host({b"host": host.encode()}, "127.0.0.1")


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_other_names_do_not(host: str) -> None:
    access = Access("127.0.0.1", 8080, hosts=["box.lan"])

    with pytest.raises(HostNotAllowed):
        access.check_host({b"host": host.encode()}, "127.0.0.1")


def test_an_open_door_also_goes_by_the_address_that_was_called() -> None:
    access = Access("0.0.0.0", 8080, keys=[ClientKey("k")])

    access.check_host({b"host": b"192.168.1.5:8080"}, "192.168.1.5")
    with pytest.raises(HostNotAllowed):
        access.check_host({b"host": b"192.168.1.6:8080"}, "192.168.1.5")


@pytest.mark.parametrize(
    "fields",
    [
        {b"origin": b"null"},
        {b"origin": b"http://evil.com"},
        {b"origin": b"http://127.0.0.1:3000"},
        {b"origin": b"https://127.0.0.1:8080"},
        {b"origin": b"chrome-extension://abc"},
        {b"sec-fetch-site": b"cross-site"},
    ],
)
def test_pages_of_other_origins_do_not_enter(fields: dict[bytes, bytes]) -> None:
    with pytest.raises(OriginNotAllowed):
        Access("127.0.0.1", 8080).check_origin(fields)


def test_our_own_pages_and_programs_enter() -> None:
    access = Access("127.0.0.1", 8080)

    access.check_origin({})
    access.check_origin({b"origin": b"http://localhost:8080", b"sec-fetch-site": b"same-origin"})


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {b"authorization": b""},
        {b"authorization": b"Bearer"},
        {b"authorization": b"Bearer "},
        {b"authorization": b"Bearer wrong"},
        {b"authorization": b"Bearer SECRET"},
        {b"authorization": b"Bearer  secret"},
        {b"authorization": b"Basic secret"},
        {b"authorization": b"secret"},
        {b"x-api-key": b"wrong"},
        {b"authorization": b"Bearer secret", b"x-api-key": b"other"},
        {b"authorization": b"Bearer other", b"x-api-key": b"secret"},
        {b"api-key": b"secret"},
    ],
)
def test_a_wrong_key_does_not_enter(fields: dict[bytes, bytes]) -> None:
    with pytest.raises(InvalidApiKey):
        Access("127.0.0.1", 8080, keys=[ClientKey("secret")]).check_key(fields)


@pytest.mark.parametrize(
    "fields",
    [
        {b"authorization": b"Bearer secret"},
        {b"authorization": b"bearer secret"},
        {b"x-api-key": b"secret"},
        {b"authorization": b"Bearer secret", b"x-api-key": b"secret"},
    ],
)
def test_the_right_key_enters(fields: dict[bytes, bytes]) -> None:
    Access("127.0.0.1", 8080, keys=[ClientKey("secret")]).check_key(fields)


def test_a_key_tells_who_holds_it() -> None:
    access = Access("127.0.0.1", 8080, keys=[ClientKey("k1", "ann"), ClientKey("k2", "bob")])

    assert ["bob", "ann"] == [access.check_key({b"x-api-key": key}) for key in (b"k2", b"k1")]
    assert "" == Access("127.0.0.1", 8080).check_key({b"x-api-key": b"k1"})
    with pytest.raises(InvalidApiKey):
        access.check_key({b"x-api-key": b"ann k1"})


def test_the_key_is_not_kept() -> None:
    access = Access("127.0.0.1", 8080, keys=[ClientKey("secret")])

    assert "secret" not in repr(vars(access))
    assert "secret" not in repr(ProxySettings(client_keys=(ClientKey("secret"),)))


PATHS = ["/health", "/v1/models", "/nowhere", "/ggtui/state"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("fields", "code"),
    [
        (["Host: evil.com"], "host_not_allowed"),
        (["Origin: http://evil.com"], "origin_not_allowed"),
        (["Sec-Fetch-Site: cross-site"], "origin_not_allowed"),
    ],
)
def test_every_path_is_guarded(path: str, fields: list[str], code: str) -> None:
    async def check() -> None:
        async with door() as proxy:
            raw = proxy.get(path, *fields)
            if fields[0].startswith("Host"):
                raw = raw.replace(f"Host: 127.0.0.1:{proxy.port}\r\n".encode(), b"")
            answer = Answer.parse(await proxy.ask(raw))

            assert (403, code) == (answer.status, answer.code)
            assert [] == [name for name, _ in answer.fields if name.startswith("access-control")]

    run(check())


@pytest.mark.parametrize("path", PATHS)
def test_everything_but_health_needs_the_key(path: str) -> None:
    async def check() -> None:
        async with door(settings=ProxySettings(client_keys=(ClientKey("secret"),))) as proxy:
            without = Answer.parse(await proxy.ask(proxy.get(path)))
            within = Answer.parse(await proxy.ask(proxy.get(path, "Authorization: Bearer secret")))

            assert (200 if path == "/health" else 401) == without.status
            assert (404 if path == "/nowhere" else 200) == within.status
            assert ([] if path == "/health" else ["Bearer"]) == without.values("www-authenticate")

    run(check())


def test_a_body_without_key_is_not_read() -> None:
    async def check() -> None:
        async with door(settings=ProxySettings(client_keys=(ClientKey("secret"),))) as proxy:
            raw = proxy.head("POST /v1/completions", "Content-Length: 10", "Expect: 100-continue")
            answer = await proxy.ask(raw)

            assert answer.startswith(b"HTTP/1.1 401")
            assert b"100 Continue" not in answer

    run(check())
