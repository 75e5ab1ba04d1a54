"""Backends over HTTP: what is told of them, who has them looked at, and what a cycle answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ggtui.core.backends.backend import Backend, BackendType, DeclaredModel
from ggtui.core.backends.observed import BackendState, PulledModel
from ggtui.core.backends.rows import Row, RowState
from ggtui.core.backends_json import row_document
from ggtui.core.client_keys import ClientKey
from ggtui.core.errors import ReadOnly, StoreUnavailable
from ggtui.core.snapshot import EngineSnapshot
from ggtui.proxy.server import ProxySettings
from tests.proxy.rig import Answer, FakeBackends, FakeControl, door, run

if TYPE_CHECKING:
    from tests.proxy.rig import Door

BOX = BackendState(
    "box",
    "box",
    Backend("box", BackendType.OLLAMA, "http://box.test:11434", models=(DeclaredModel("llama3"),)),
    ("llama3",),
    (PulledModel("phi3:latest", size_bytes=7, digest="abc", context_length=4096, can_chat=True),),
    last_seen=1.5,
    observed_at=1.5,
)
DEAD = BackendState(
    "gpu", "gpu", Backend("gpu", BackendType.VLLM, "http://gpu.test"), error="HTTP request failed"
)
ROWS = (
    Row("box", "llama3", RowState.DOWNLOADING, job=3, completed_bytes=5, total_bytes=20),
    Row("box", "phi3:latest", RowState.EXTRA, "backend has model phi3:latest"),
    Row("gpu", "", RowState.ERROR, "HTTP request failed"),
)


def _control() -> FakeControl:
    state = EngineSnapshot(3, backends=(BOX, DEAD), rows=ROWS, is_reconciling=True)
    return FakeControl(state, backends=FakeBackends((BOX, DEAD), ROWS))


async def _get(proxy: Door, path: str) -> Answer:
    return Answer.parse(await proxy.ask(proxy.get(path)))


async def _reconcile(proxy: Door, document: object) -> Answer:
    return Answer.parse(await proxy.ask(proxy.post(json.dumps(document).encode(), "/ggtui/reconcile")))


def test_backends_and_the_difference_are_told_and_are_in_the_state() -> None:
    async def check() -> None:
        async with door(control=_control()) as proxy:
            told = (await _get(proxy, "/ggtui/backends")).json
            state = (await _get(proxy, "/ggtui/state")).json

            assert ["box", "gpu"] == [each["name"] for each in told["backends"]]
            assert [row_document(row) for row in ROWS] == told["rows"]
            assert (False, True) == (told["in_sync"], told["is_reconciling"])
            assert told == {"schema": 1} | {name: state[name] for name in told if name != "schema"}

    run(check())


def test_a_backend_has_the_fields_that_others_know() -> None:
    async def check() -> None:
        async with door(control=_control()) as proxy:
            box, dead = (await _get(proxy, "/ggtui/state")).json["backends"]

            assert {"id", "name", "models", "pulledModels", "backend"} <= set(box)
            assert "error" not in box
            assert "HTTP request failed" == dead["error"]
            assert {
                *("name", "model", "modifiedAt", "size", "digest", "details", "contextLength"),
                *("canChat", "canEmbed", "canPrompt", "canStream"),
            } <= set(box["pulledModels"][0])

    run(check())


@pytest.mark.parametrize("path", ["/ggtui/backends", "/ggtui/state"])
def test_whoever_reads_has_what_is_old_looked_at_again(path: str) -> None:
    async def check() -> None:
        control = _control()
        async with door(control=control) as proxy:
            await _get(proxy, path)

            assert 1 == control.backends.n_reads

    run(check())


@pytest.mark.parametrize(
    ("document", "is_dry_run"), [({}, False), ({"dry_run": False}, False), ({"dry_run": True}, True)]
)
def test_a_cycle_answers_the_difference(document: object, is_dry_run: bool) -> None:
    async def check() -> None:
        control = _control()
        async with door(control=control) as proxy:
            answer = await _reconcile(proxy, document)

            assert (200, [is_dry_run]) == (answer.status, control.backends.asked)
            assert {
                "schema": 1,
                "is_dry_run": is_dry_run,
                "in_sync": False,
                "rows": [row_document(row) for row in ROWS],
            } == answer.json

    run(check())


def test_a_wish_that_makes_no_sense_is_refused() -> None:
    async def check() -> None:
        control = _control()
        async with door(control=control) as proxy:
            answer = await _reconcile(proxy, {"dry_run": "yes"})

            assert (400, "dry_run", []) == (
                answer.status,
                answer.json["error"]["param"],
                control.backends.asked,
            )

    run(check())


@pytest.mark.parametrize("failure", [ReadOnly(), StoreUnavailable("the queue cannot be read")])
def test_a_refusal_is_told(failure: ReadOnly | StoreUnavailable) -> None:
    async def check() -> None:
        control = _control()
        control.backends.failure = failure
        async with door(control=control) as proxy:
            answer = await _reconcile(proxy, {})

            assert (failure.status, failure.code) == (answer.status, answer.code)

    run(check())


def test_only_those_with_the_key_see_and_order() -> None:
    async def check() -> None:
        control = _control()
        async with door(control=control, settings=ProxySettings(client_keys=(ClientKey("secret"),))) as proxy:
            told, ordered = await _get(proxy, "/ggtui/backends"), await _reconcile(proxy, {})

            assert [401, 401] == [told.status, ordered.status]
            assert ([], 0) == (control.backends.asked, control.backends.n_reads)

    run(check())
