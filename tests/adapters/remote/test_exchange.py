"""One question: where it goes, what goes with it, and how it fails."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.remote.access import Access
from ggtui.adapters.remote.address import Address
from ggtui.adapters.remote.budget import Budget
from ggtui.adapters.remote.exchange import MOST_REDIRECTS, ask
from ggtui.core.errors import Failure, RemoteRefused, RemoteUnreachable
from ggtui.core.units import MIB
from tests.adapters.remote.conftest import secure, without_proxies
from tests.adapters.remote.tunnel import Tunnel
from tests.web import Asked, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.adapters.remote.conftest import Look

    Start = Callable[[Callable[[Asked], Reply]], Look]

NO_HUB = Access(Address.parse("https://hub.invalid"))
SECRET = "hf_secret"


def tell(look: Look, path: str = "/m.gguf") -> bytes:
    answer = ask(look.at(path), {}, look.access, look.budget)
    try:
        return answer.whole(MIB)
    finally:
        answer.close()


def failure_of(address: Address, access: Access = NO_HUB, time_s: float = 30.0) -> Failure:
    with pytest.raises(Failure) as caught:
        ask(address, {}, access, Budget(time_s, MIB))
    return caught.value


def to(location: str, status: int = 302) -> Reply:
    return Reply(status, {"Location": location})


def tokens_seen(look: Look) -> list[str | None]:
    return [asked.headers.get("authorization") for asked in look.web.asked]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(look: Start, status: int) -> None:
    one = look(lambda asked: to("/b", status) if asked.path == "/m.gguf" else Reply(body=b"here"))

    assert b"here" == tell(one)
    assert ["/m.gguf", "/b"] == [asked.path for asked in one.web.asked]


def test_redirects_come_to_an_end(look: Start) -> None:
    one = look(lambda asked: to(f"/{len(one.web.asked)}"))

    assert "sends on more than 5 times" in failure_of(one.at()).message
    assert MOST_REDIRECTS + 1 == len(one.web.asked)


def test_a_redirect_to_nowhere_is_an_answer_of_its_own(look: Start) -> None:
    one = look(lambda _: Reply(302))

    answer = ask(one.at(), {}, one.access, one.budget)

    assert 302 == answer.status
    answer.close()


@pytest.mark.parametrize(
    "location", ["http://example.com/x", "ftp://127.0.0.1/x", "//", "http://[", "\x00://"]
)
def test_a_redirect_out_of_bounds_is_refused(look: Start, location: str) -> None:
    one = look(lambda _: to(location))

    assert isinstance(failure_of(one.at()), RemoteRefused)


def test_the_token_goes_to_the_hub(look: Start) -> None:
    one = look(lambda asked: to("/b") if asked.path == "/m.gguf" else Reply())
    one.with_token(SECRET)

    tell(one)

    assert [f"Bearer {SECRET}"] * 2 == tokens_seen(one)


def test_the_token_does_not_go_on_to_another_port(look: Start) -> None:
    other = look(lambda _: Reply(body=b"there"))
    hub = look(lambda _: to(f"{other.web.url}/file"))
    hub.with_token(SECRET)

    assert b"there" == tell(hub)
    assert [f"Bearer {SECRET}"] == tokens_seen(hub)
    assert [None] == tokens_seen(other)
    assert {"host", "accept-encoding", "user-agent", "connection"} == set(other.web.asked[0].headers)


def test_the_token_does_not_come_back_after_a_way_through_another_server(look: Start) -> None:
    hub = look(lambda asked: to(f"{other.web.url}/x") if asked.path == "/m.gguf" else Reply())
    other = look(lambda _: to(f"{hub.web.url}/back"))
    hub.with_token(SECRET)

    tell(hub)

    assert ["/m.gguf", "/back"] == [asked.path for asked in hub.web.asked]
    assert [f"Bearer {SECRET}", None] == tokens_seen(hub)


def test_the_token_is_not_for_an_address_beside_the_hub(look: Start) -> None:
    one, hub = look(lambda _: Reply()), look(lambda _: Reply())
    hub.with_token(SECRET)
    one.access = hub.access

    tell(one)

    assert [None] == tokens_seen(one)


def test_another_server_does_not_lead_to_a_hub_that_is_to_be_left_alone(look: Start) -> None:
    hub = look(lambda _: Reply())
    other = look(lambda _: to(f"{hub.web.url}/x"))
    access = Access(Address.parse(hub.web.url), is_offline=True)

    assert "HF_HUB_OFFLINE" in failure_of(other.at(), access).message
    assert [] == hub.web.asked


def test_a_packed_answer_is_refused(look: Start) -> None:
    one = look(lambda _: Reply(headers={"Content-Encoding": "gzip"}, body=b"\x1f\x8b"))

    assert "packs its answer" in failure_of(one.at()).message


def test_an_answer_that_is_too_long_is_refused(look: Start) -> None:
    one = look(lambda _: Reply(body=bytes(2 * MIB)))

    with pytest.raises(RemoteRefused, match="answers with too much"):
        tell(one)


def test_an_answer_that_breaks_off_is_told(look: Start) -> None:
    one = look(lambda _: Reply(body=b"[", length=100))

    with pytest.raises(RemoteUnreachable, match="broke off"):
        tell(one)


@contextmanager
def talker(talk: Callable[[socket.socket], None]) -> Iterator[Address]:
    """A server that is no web server: it takes one connection and says what it likes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            talk(connection)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    with listener:
        yield Address.parse(f"http://127.0.0.1:{listener.getsockname()[1]}/m.gguf")
        thread.join(30)


@pytest.mark.parametrize(
    "talk",
    [
        b"", b"\r\n\r\n", b"SSH-2.0-OpenSSH_9.9\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n", b"HTTP/1.1 302 F\r\nLocation: http://\xff\r\n\r\n",
    ],
)  # fmt: skip
def test_what_is_no_web_server_is_told(talk: bytes) -> None:
    with talker(lambda connection: connection.sendall(talk)) as address:
        failure = failure_of(address)

    assert isinstance(failure, (RemoteUnreachable, RemoteRefused))
    assert failure.message.isprintable()


def test_a_head_that_drips_ends_with_the_budget() -> None:
    has_failed = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while not has_failed.wait(0.01):
            connection.sendall(b"x")

    with talker(drip) as address:
        failure = failure_of(address, time_s=0.3)
        has_failed.set()

    assert isinstance(failure, RemoteUnreachable)


def test_no_server_at_all_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    failure = failure_of(Address.parse(f"http://127.0.0.1:{port}/m.gguf"))

    assert "127.0.0.1: connection refused" == failure.message
    assert failure.is_retryable


def test_a_name_that_is_not_known_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    without_proxies(monkeypatch)

    failure = failure_of(Address.parse("https://model.invalid/m.gguf"))

    assert "model.invalid is not known" == failure.message


def test_a_certificate_is_verified(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_proxies(monkeypatch)
    with secure(certificate, lambda _: Reply(body=b"safe")) as web:
        address = Address.parse(f"https://localhost:{web.port}/m.gguf")
        failure = failure_of(address)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        answer = ask(address, {}, NO_HUB, Budget(30, MIB))
        content = answer.whole(100)
        answer.close()
        by_number = failure_of(Address.parse(f"https://127.0.0.1:{web.port}/m.gguf"))

    assert isinstance(failure, RemoteRefused)
    assert "localhost shows a certificate that is not trusted" in failure.message
    assert b"safe" == content
    assert "certificate that is not trusted" in by_number.message


def test_a_server_without_tls_is_told(look: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    without_proxies(monkeypatch)
    one = look(lambda _: Reply())

    failure = failure_of(Address.parse(f"https://127.0.0.1:{one.web.port}/m.gguf"))

    assert "no sound tls" in failure.message


def test_a_proxy_is_asked_for_a_tunnel_and_learns_no_token(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_proxies(monkeypatch)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with secure(certificate, lambda _: Reply(body=b"through")) as web:
        tunnel = Tunnel(web.port)
        tunnel.start()
        monkeypatch.setenv("https_proxy", f"http://me:pass%20word@{tunnel.url}")
        address = Address.parse("https://models.example/m.gguf")
        answer = ask(address, {}, Access(address, SECRET), Budget(30, MIB))
        content = answer.whole(100)
        answer.close()
        tunnel.stop()

    (head,) = tunnel.heads
    assert b"through" == content
    assert "CONNECT models.example:443 HTTP/1.0" == head.splitlines()[0]
    assert "Proxy-Authorization: Basic bWU6cGFzcyB3b3Jk" in head
    assert SECRET not in head
    assert [f"Bearer {SECRET}"] == [asked.headers.get("authorization") for asked in web.asked]


def test_a_proxy_that_refuses_is_told(look: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    without_proxies(monkeypatch)
    proxy = look(lambda _: Reply(407))
    monkeypatch.setenv("https_proxy", proxy.web.url)

    failure = failure_of(Address.parse("https://models.example/m.gguf"))

    assert failure.message.startswith("models.example: tunnel connection failed: 407")


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1080", "http://", "http://h:port", "http://["])
def test_a_proxy_of_another_kind_is_refused(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    without_proxies(monkeypatch)
    monkeypatch.setenv("https_proxy", proxy)

    assert "none of the kind http://HOST:PORT" in failure_of(Address.parse("https://a.example/m")).message


def test_this_machine_and_what_no_proxy_names_are_asked_directly(
    look: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_proxies(monkeypatch)
    one = look(lambda _: Reply(body=b"direct"))
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    assert b"direct" == tell(one)
    failure = failure_of(Address.parse(f"https://127.0.0.1:{one.web.port}/m.gguf"))
    assert "no sound tls" in failure.message
