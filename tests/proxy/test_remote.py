"""Where other servers are asked, and what they are told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ggtui.core.backends.backend import Backend, BackendType
from ggtui.core.deployment.deployment import ApiKind, Deployment, RuntimeConfig
from ggtui.core.deployment.runtimes import RuntimeKind
from ggtui.core.errors import EndpointNotReady, UpstreamUnauthorized
from ggtui.core.hops import ME
from ggtui.proxy.remote import Place, place_of, place_of_backend, remote_head

CHAT = b"/v1/chat/completions"


def at(endpoint: str, kind: RuntimeKind = RuntimeKind.VLLM) -> Place:
    return place_of(Deployment("far", "m", runtime_config=RuntimeConfig(endpoint=endpoint)), kind)


@pytest.mark.parametrize(
    ("endpoint", "target", "expected"),
    [
        ("http://127.0.0.1:8000", CHAT, "http://127.0.0.1:8000/v1/chat/completions"),
        ("http://127.0.0.1:8000/", b"/chat/completions", "http://127.0.0.1:8000/v1/chat/completions"),
        ("http://127.0.0.1:8000/v1", CHAT, "http://127.0.0.1:8000/v1/chat/completions"),
        ("http://127.0.0.1:8000/v1/", b"/v1/embeddings?a=1", "http://127.0.0.1:8000/v1/embeddings?a=1"),
        ("http://127.0.0.1:8000/v1", b"/tokenize", "http://127.0.0.1:8000/tokenize"),
        ("https://box.example/llm", CHAT, "https://box.example:443/llm/v1/chat/completions"),
        ("https://box.example/api/paas/v4", CHAT, "https://box.example:443/api/paas/v4/chat/completions"),
        ("http://[::1]:8000/v1", CHAT, "http://[::1]:8000/v1/chat/completions"),
        ("http://name:word@box/v1?x=1", CHAT, "http://box:80/v1/chat/completions?x=1"),
    ],
)
def test_a_path_is_put_behind_what_the_configuration_says(
    endpoint: str, target: bytes, expected: str
) -> None:
    place = at(endpoint)

    assert expected == place.target.base_url + place.path(target).decode()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (RuntimeKind.OPEN_AI, "https://api.openai.com:443/v1/chat/completions"),
        (RuntimeKind.ANTHROPIC, "https://api.anthropic.com:443/v1/chat/completions"),
        (
            RuntimeKind.GEMINI,
            "https://generativelanguage.googleapis.com:443/v1beta/openai/chat/completions",
        ),
        (RuntimeKind.LITE_LLM, "http://127.0.0.1:4000/v1/chat/completions"),
    ],
)
def test_providers_have_a_home_of_their_own(kind: RuntimeKind, expected: str) -> None:
    place = at("", kind)

    assert expected == place.target.base_url + place.path(CHAT).decode()


def test_a_kind_without_a_home_needs_a_url() -> None:
    with pytest.raises(EndpointNotReady):
        at("", RuntimeKind.VLLM)


@pytest.mark.parametrize(
    "endpoint", ["", "https://mine.openai.azure.com", "https://mine.openai.azure.com/openai/"]
)
def test_azure_is_addressed_by_its_fields(endpoint: str) -> None:
    config = RuntimeConfig(
        kind=ApiKind.AZURE, endpoint=endpoint, resource="mine", deployment="gpt 4", api_version="2024-10-21"
    )
    place = place_of(Deployment("far", "gpt-4o", runtime_config=config), RuntimeKind.OPEN_AI)
    head = remote_head(place, "POST", CHAT, [], "the-key", 2)

    assert b"POST /openai/deployments/gpt%204/chat/completions?api-version=2024-10-21 HTTP/1.1" in head
    assert b"\r\nhost: mine.openai.azure.com\r\n" in head
    assert b"\r\napi-key: the-key\r\n" in head
    assert b"authorization" not in head


FIELDS = [
    (b"content-type", b"application/json"),
    (b"authorization", b"Bearer client"),
    (b"user-agent", b"theirs"),
    (b"cookie", b"a=b"),
    (b"anthropic-beta", b"x"),
    (b"openai-project", b"p"),
]


def test_only_what_says_what_the_body_is_goes_up() -> None:
    head = remote_head(at("http://box:81/v1"), "POST", CHAT, FIELDS, "key", 7).decode()
    lines = head.split("\r\n")

    assert ["POST /v1/chat/completions HTTP/1.1", "host: box:81"] == lines[:2]
    assert lines[2].startswith("user-agent: ggtui/")
    assert f"via: 1.1 {ME}" == lines[3]
    assert [
        "content-type: application/json",
        "content-length: 7",
        "authorization: Bearer key",
        "",
        "",
    ] == lines[4:]


def test_who_is_asked_learns_of_every_ggtui_on_the_way_and_of_no_other() -> None:
    came = [*FIELDS, (b"via", b"1.1 proxy.example, 1.1 ggtui-0123456789abcdef")]
    head = remote_head(at("http://box:81/v1"), "POST", CHAT, came, "key", 7)

    assert f"\r\nvia: 1.1 ggtui-0123456789abcdef, 1.1 {ME}\r\n".encode() in head
    assert b"proxy.example" not in head


def test_anthropics_own_form_has_its_own_fields() -> None:
    head = remote_head(at("", RuntimeKind.ANTHROPIC), "POST", b"/v1/messages", FIELDS, "key", 7)

    assert b"\r\nx-api-key: key\r\n" in head
    assert b"\r\nanthropic-version: 2023-06-01\r\n" in head
    assert b"\r\nanthropic-beta: x\r\n" in head
    assert b"Bearer" not in head


@pytest.mark.parametrize("key", ["a\r\nhost: elsewhere", "é", "a\x00"])
def test_a_key_that_no_field_can_hold_is_not_sent(key: str) -> None:
    with pytest.raises(UpstreamUnauthorized) as caught:
        remote_head(at("http://box/v1"), "POST", CHAT, [], key, 0)

    assert key not in caught.value.message


def test_connections_are_kept_by_scheme_host_and_port() -> None:
    one, other = at("https://box.example/v1"), at("https://box.example:443/elsewhere")

    assert one.target.base_url == other.target.base_url
    assert b"box.example" == replace(one).host


@pytest.mark.parametrize(
    ("kind", "url", "expected"),
    [
        (BackendType.OPENAI, "", "https://api.openai.com:443/v1/chat/completions"),
        (BackendType.OPENAI, "http://box/v1", "http://box:80/v1/chat/completions"),
        (BackendType.OPENAI, "http://box/llm", "http://box:80/llm/chat/completions"),
        (
            BackendType.GEMINI,
            "",
            "https://generativelanguage.googleapis.com:443/v1beta/openai/chat/completions",
        ),
        (BackendType.GEMINI, "http://box:1", "http://box:1/v1beta/openai/chat/completions"),
        (BackendType.GEMINI, "http://box:1/v1/openai", "http://box:1/v1/openai/chat/completions"),
        (BackendType.OLLAMA, "http://box:11434", "http://box:11434/v1/chat/completions"),
        (BackendType.OLLAMA, "http://box:11434/api", "http://box:11434/v1/chat/completions"),
        (BackendType.VLLM, "http://[::1]:8000/v1", "http://[::1]:8000/v1/chat/completions"),
        (BackendType.LLAMA_SERVER, "http://box:8080/llama", "http://box:8080/llama/v1/chat/completions"),
        (BackendType.LLAMA_ROUTER, "http://box:8080", "http://box:8080/v1/chat/completions"),
        (BackendType.GGTUI, "http://box:8080/v1", "http://box:8080/v1/chat/completions"),
    ],
)
def test_backends_take_requests_beside_the_list_of_their_models(
    kind: BackendType, url: str, expected: str
) -> None:
    place = place_of_backend(Backend("box", kind, url))

    assert expected == place.target.base_url + place.path(CHAT).decode()


def test_every_type_of_backend_has_its_place() -> None:
    places = {kind: place_of_backend(Backend("box", kind, "http://box:1")) for kind in BackendType}

    assert {"http://box:1"} == {each.target.base_url for each in places.values()}
    assert b"/tokenize" == places[BackendType.LLAMA_SERVER].path(b"/tokenize")
