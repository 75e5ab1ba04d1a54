"""Talking to the running ggtui."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.instance.record import own_record
from ggtui.cli import client
from ggtui.cli.client import InstanceClient, InstanceRefused, InstanceSilent
from ggtui.cli.exits import exit_code

if TYPE_CHECKING:
    from tests.cli.stub_instance import StubInstance


def _client(url: str) -> InstanceClient:
    return InstanceClient(own_record(url, "s3cret"))


def test_the_key_goes_with_every_request(stub: StubInstance) -> None:
    _client(stub.url).state()

    assert "Bearer s3cret" == stub.headers[0]["authorization"]


def test_a_refusal_keeps_the_words_of_the_running_one(stub: StubInstance) -> None:
    error = {"message": "Failed to start model: bad magic", "code": "model_start_failed", "hint": "look"}
    stub.answer("/ggtui/load", {"error": error}, 500)

    with pytest.raises(InstanceRefused) as caught:
        _client(stub.url).post("/ggtui/load", {"model": "m"}, 5)

    refused = caught.value
    assert ("Failed to start model", "bad magic", "look") == (
        refused.shown_title,
        refused.detail,
        refused.hint,
    )
    assert (1, False) == (exit_code(refused), refused.is_retryable)


def test_a_missing_binary_is_the_environments_fault(stub: StubInstance) -> None:
    error = {"message": "none", "code": "model_start_failed", "reason": "binary_missing"}
    stub.answer("/ggtui/load", {"error": error}, 503)

    with pytest.raises(InstanceRefused) as caught:
        _client(stub.url).post("/ggtui/load", {}, 5)

    assert (3, True) == (exit_code(caught.value), caught.value.is_retryable)


def test_a_redirect_is_not_followed(stub: StubInstance) -> None:
    stub.answers["/ggtui/state"] = (302, stub.url.encode())

    with pytest.raises(InstanceRefused):
        _client(stub.url).state()

    assert 1 == len(stub.asked)


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b"{"])
def test_an_answer_that_is_no_document_is_a_failure(stub: StubInstance, body: bytes) -> None:
    stub.answers["/ggtui/state"] = (200, body)

    with pytest.raises(InstanceSilent, match="not a JSON document"):
        _client(stub.url).state()


def test_lines_come_one_by_one(stub: StubInstance) -> None:
    stub.answers["/ggtui/logs"] = (200, b"one\r\ntwo\n\nfo\xffur")

    assert ["one", "two", "", "fo\ufffdur"] == list(_client(stub.url).lines("/ggtui/logs"))


def test_nobody_at_the_port_is_said_with_the_pid() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/v1"

        with pytest.raises(InstanceSilent, match=r"pid \d+ at .*: Connection refused"):
            _client(url).state()


def test_silence_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "ANSWER_S", 0.05)
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(InstanceSilent, match=r"no answer in 0\.05 s"),
    ):
        _client(f"http://127.0.0.1:{silent.getsockname()[1]}/v1").state()


def test_an_ipv6_url_is_understood() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        one = _client(f"http://[::1]:{server.getsockname()[1]}/v1")

        assert ("::1", server.getsockname()[1]) == (one._host, one._port)
