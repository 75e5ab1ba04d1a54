"""Which addresses are asked, and where one may lead."""

from __future__ import annotations

import pytest

from ggtui.adapters.remote.address import Address, Origin
from ggtui.core.errors import RemoteRefused


def test_an_address_has_an_origin_and_a_target() -> None:
    address = Address.parse("https://Example.COM/a/b c.gguf?x=1#end")

    assert Origin("https", "example.com", 443) == address.origin
    assert "/a/b%20c.gguf?x=1" == address.target
    assert "b c.gguf" == address.file_name
    assert "https://example.com:443/a/d%2Fe.gguf?x=1" == address.named("d/e.gguf").url


@pytest.mark.parametrize("host", ["127.0.0.1:80", "localhost:80", "[::1]:80"])
def test_http_is_for_this_machine(host: str) -> None:
    address = Address.parse(f"http://{host}/m.gguf")

    assert address.is_loopback
    assert f"http://{host}/m.gguf" == address.url


@pytest.mark.parametrize(
    "text",
    [
        "", "m.gguf", "ftp://a/m.gguf", "file:///m.gguf", "https://", "https:///m.gguf", "https://a:x/m.gguf",
        "https://a:99999/m.gguf", "http://example.com/m.gguf", "http://127.0.0.1.example.com/m.gguf",
        "http://[::1/m.gguf", "https://a b/m.gguf", "https://a\\b/m.gguf",
        "https://" + "\u00fc" * 70 + "/m.gguf", "https://a/" + "m" * 10_000, "https://\udcff/m.gguf",
    ],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(RemoteRefused):
        Address.parse(text)


def test_a_password_is_neither_taken_nor_repeated() -> None:
    with pytest.raises(RemoteRefused) as caught:
        Address.parse("https://me:secret@example.com/m.gguf")

    assert "secret" not in caught.value.detail


def test_hostile_characters_of_a_path_are_quoted() -> None:
    address = Address.parse('https://a/\u202e"<\x1b[31m>\udcff.gguf')

    assert address.target.isascii()
    assert address.target.isprintable()
    assert '"' not in address.target
    assert "\x1b" not in address.shown


@pytest.mark.parametrize(
    ("start", "location", "end"),
    [
        ("https://a/x/y", "/z", "https://a:443/z"),
        ("https://a/x/y", "z?q=1", "https://a:443/x/z?q=1"),
        ("https://a/x/y", "https://b/z", "https://b:443/z"),
        ("https://a/x/y", "//b:444/z", "https://b:444/z"),
        ("http://127.0.0.1:1/x", "http://127.0.0.1:2/z", "http://127.0.0.1:2/z"),
        ("http://127.0.0.1:1/x", "https://b/z", "https://b:443/z"),
    ],
)
def test_an_address_leads_on(start: str, location: str, end: str) -> None:
    assert end == Address.parse(start).leading_to(location).url


@pytest.mark.parametrize(
    ("start", "location"),
    [
        ("https://a/x", "http://a/x"),
        ("https://a/x", "http://127.0.0.1/x"),
        ("https://a/x", "https://127.0.0.1/x"),
        ("https://a/x", "https://localhost/x"),
        ("https://a/x", "file:///etc/passwd"),
        ("http://localhost/x", "http://b/x"),
    ],
)
def test_no_address_leads_out_of_https_or_to_this_machine(start: str, location: str) -> None:
    with pytest.raises(RemoteRefused):
        Address.parse(start).leading_to(location)
