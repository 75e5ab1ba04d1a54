"""Downloads over HTTP: every call, and what it does not do."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from ggtui.core.client_keys import ClientKey
from ggtui.core.downloads.jobs import FilePart, Job, JobKind, JobState
from ggtui.core.downloads_json import job_document
from ggtui.core.errors import BackendNotFound, DownloadNotFound, ReadOnly
from ggtui.core.snapshot import EngineSnapshot
from ggtui.proxy.server import ProxySettings
from tests.proxy.rig import Answer, Client, FakeControl, door, run

if TYPE_CHECKING:
    from tests.proxy.rig import Door

HUB, BOX = "https://hub.test", "http://box.test:11434"
RUNNING = Job(
    1,
    JobKind.HUB,
    "o/r:Q4_K_M",
    "local",
    HUB,
    JobState.RUNNING,
    by_person=True,
    files=(FilePart("m.gguf", 100, "a" * 64, 40),),
    status="fetching",
    completed_bytes=40,
    total_bytes=100,
    rate=10.0,
    left_s=6.0,
)
PULL = Job(2, JobKind.PULL, "llama3", "box", BOX, JobState.PENDING, position=1)
PAUSED = Job(3, JobKind.PULL, "phi3", "box", BOX, JobState.PAUSED, position=2)
WAITING = replace(RUNNING, number=4, model="o/r/sub/m.gguf", state=JobState.PENDING, position=3)
JOBS = (RUNNING, PULL, PAUSED, WAITING)
STATE = EngineSnapshot(3, downloads=JOBS)


async def _ask(proxy: Door, method: str, path: str) -> Answer:
    return Answer.parse(await proxy.ask(proxy.head(f"{method} {path}", "Connection: close")))


async def _post(proxy: Door, path: str, document: object) -> Answer:
    return Answer.parse(await proxy.ask(proxy.post(json.dumps(document).encode(), path)))


async def _event(client: Client) -> dict[str, Any]:
    """The next event; its name is `status`."""
    raw = await client.reader.readuntil(b"}\n\n")
    head, _, data = raw.partition(b"data: ")
    assert head.endswith(b"event: status\n")
    loaded: dict[str, Any] = json.loads(data)
    return loaded


def test_all_downloads_are_told_in_order_and_in_the_state() -> None:
    async def check() -> None:
        async with door(control=FakeControl(STATE)) as proxy:
            told = (await _ask(proxy, "GET", "/ggtui/queue")).json
            state = (await _ask(proxy, "GET", "/ggtui/state")).json

            assert {"schema": 1, "downloads": [job_document(job) for job in JOBS], "problem": None} == told
            assert told["downloads"] == state["downloads"]

    run(check())


def test_events_tell_each_download_then_what_changes() -> None:
    async def check() -> None:
        async with door(control=FakeControl(EngineSnapshot(1, downloads=(RUNNING, PULL)))) as proxy:
            client = await proxy.connect()
            await client.send(proxy.head("GET /ggtui/queue/events"))
            head = await client.reader.readuntil(b"\r\n\r\n")
            first, second = await _event(client), await _event(client)
            farther = replace(RUNNING, completed_bytes=90)
            proxy.control.publish(EngineSnapshot(2, downloads=(farther, replace(PULL))))
            third = await _event(client)
            proxy.control.publish(EngineSnapshot(3, downloads=(farther,)))
            fourth = await _event(client)

            assert b"text/event-stream" in head
            assert {
                "status": "fetching",
                "digest": "",
                "total": 100,
                "completed": 40,
                "model": "o/r:Q4_K_M",
                "baseUrl": HUB,
                "number": 1,
                "state": "running",
                "rate": 10.0,
                "left_s": 6.0,
                "why": "",
                "hint": "",
            } == first
            assert [(2, "pending"), (1, 90), (2, "removed")] == [
                (second["number"], second["state"]),
                (third["number"], third["completed"]),
                (fourth["number"], fourth["state"]),
            ]
            client.close()
            await proxy.quiet()
            assert [] == proxy.control.hearers

    run(check())


def test_events_end_soundly_when_the_door_closes() -> None:
    async def check() -> None:
        async with door(control=FakeControl(STATE)) as proxy:
            client = await proxy.connect()
            await client.send(proxy.head("GET /ggtui/queue/events"))
            await _event(client)
            stopping = asyncio.create_task(proxy.server.stop())
            rest = await client.rest()
            await stopping

            assert rest.endswith(b"0\r\n\r\n")
            client.close()

    run(check())


@pytest.mark.parametrize(
    ("document", "asked"),
    [
        ({"model": "o/r:Q8_0"}, ("add", "o/r:Q8_0", "local", "main")),
        ({"model": "llama3", "backend": "box"}, ("add", "llama3", "box", "main")),
        ({"model": "o/r:Q8_0", "revision": "v2"}, ("add", "o/r:Q8_0", "local", "v2")),
        ({"model": "o/r:Q8_0", "backend": None, "revision": None}, ("add", "o/r:Q8_0", "local", "main")),
    ],
)
def test_a_wish_is_passed_on_and_answered_with_its_download(document: object, asked: tuple[str, ...]) -> None:
    async def check() -> None:
        control = FakeControl(STATE)
        async with door(control=control) as proxy:
            answer = await _post(proxy, "/ggtui/queue", document)

            assert (200, [asked]) == (answer.status, control.downloads.asked)
            assert (9, asked[1]) == tuple(answer.json["download"][name] for name in ("number", "model"))

    run(check())


@pytest.mark.parametrize(
    ("document", "asked"),
    [
        ({"number": 1, "action": "pause"}, ("pause", 1)),
        ({"number": 3, "action": "resume"}, ("resume", 3)),
        ({"number": 1, "action": "cancel"}, ("cancel", 1)),
        ({"number": 1, "action": "remove"}, ("remove", 1)),
        ({"number": 4, "action": "move", "to": 0}, ("move", 4, 0)),
    ],
)
def test_an_order_is_passed_on_and_answered_with_what_is_in_force(
    document: dict[str, object], asked: tuple[object, ...]
) -> None:
    async def check() -> None:
        control = FakeControl(STATE)
        async with door(control=control) as proxy:
            answer = await _post(proxy, "/ggtui/queue/order", document)

            assert (200, [asked]) == (answer.status, control.downloads.asked)
            assert document["number"] == answer.json["download"]["number"]

    run(check())


def test_a_download_that_an_order_has_taken_away_is_null() -> None:
    async def check() -> None:
        async with door(control=FakeControl(EngineSnapshot(1))) as proxy:
            answer = await _post(proxy, "/ggtui/queue/order", {"number": 1, "action": "remove"})

            assert {"schema": 1, "download": None} == answer.json

    run(check())


@pytest.mark.parametrize(
    ("path", "document", "param"),
    [
        ("/ggtui/queue", {}, "model"),
        ("/ggtui/queue", {"model": ""}, "model"),
        ("/ggtui/queue", {"model": 7}, "model"),
        ("/ggtui/queue", {"model": "o/r", "backend": 1}, "backend"),
        ("/ggtui/queue", {"model": "o/r", "revision": ["main"]}, "revision"),
        ("/ggtui/queue/order", {"number": 1}, "action"),
        ("/ggtui/queue/order", {"number": 1, "action": "explode"}, "action"),
        ("/ggtui/queue/order", {"number": 1, "action": ["pause"]}, "action"),
        ("/ggtui/queue/order", {"action": "pause"}, "number"),
        ("/ggtui/queue/order", {"number": "1", "action": "pause"}, "number"),
        ("/ggtui/queue/order", {"number": True, "action": "pause"}, "number"),
        ("/ggtui/queue/order", {"number": -1, "action": "pause"}, "number"),
        ("/ggtui/queue/order", {"number": 1, "action": "move"}, "to"),
        ("/ggtui/queue/order", {"number": 1, "action": "move", "to": 1.5}, "to"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(path: str, document: object, param: str) -> None:
    async def check() -> None:
        control = FakeControl(STATE)
        async with door(control=control) as proxy:
            answer = await _post(proxy, path, document)

            assert (400, param) == (answer.status, answer.json["error"]["param"])
            assert [] == control.downloads.asked

    run(check())


@pytest.mark.parametrize(
    ("query", "cancelled"),
    [
        (f"url={quote(BOX)}", [2]),
        (f"url={quote(BOX)}/", [2]),
        (f"url={quote(HUB)}", [1, 4]),
        ("model=o/r:Q4_K_M", [1]),
        ("model=llama3:latest", [2]),
        (f"url={quote(BOX)}&model=o/r:Q4_K_M", [1, 2]),
    ],
)
def test_what_runs_or_waits_is_cancelled_by_url_or_by_model(query: str, cancelled: list[int]) -> None:
    async def check() -> None:
        control = FakeControl(STATE)
        async with door(control=control) as proxy:
            answer = await _ask(proxy, "DELETE", f"/ggtui/queue/cancel?{query}")

            assert (200, [("cancel", number) for number in cancelled]) == (
                answer.status,
                control.downloads.asked,
            )
            assert cancelled == [each["number"] for each in answer.json["downloads"]]

    run(check())


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 400, "invalid_request"),
        ("?url=&model=", 400, "invalid_request"),
        ("?model=phi3", 404, "download_not_found"),
        ("?model=o/r", 404, "download_not_found"),
        ("?url=http://other.test", 404, "download_not_found"),
    ],
)
def test_nothing_is_cancelled_that_is_not_meant(query: str, status: int, code: str) -> None:
    async def check() -> None:
        control = FakeControl(STATE)
        async with door(control=control) as proxy:
            answer = await _ask(proxy, "DELETE", f"/ggtui/queue/cancel{query}")

            assert (status, code, []) == (answer.status, answer.code, control.downloads.asked)

    run(check())


@pytest.mark.parametrize(
    ("name", "removed"),
    [("llama3", 2), ("llama3:latest", 2), ("o/r/sub/m.gguf", 4), ("o%2Fr%2Fsub%2Fm.gguf", 4)],
)
def test_what_waits_is_taken_out_by_its_model(name: str, removed: int) -> None:
    async def check() -> None:
        control = FakeControl(STATE)
        async with door(control=control) as proxy:
            answer = await _ask(proxy, "DELETE", f"/ggtui/queue/{name}")

            assert (200, [("remove", removed)]) == (answer.status, control.downloads.asked)

    run(check())


@pytest.mark.parametrize("name", ["o/r:Q4_K_M", "phi3", "nobody"])
def test_what_runs_is_paused_or_unknown_is_not_taken_out(name: str) -> None:
    async def check() -> None:
        control = FakeControl(STATE)
        async with door(control=control) as proxy:
            answer = await _ask(proxy, "DELETE", f"/ggtui/queue/{name}")

            assert (404, "download_not_found", []) == (answer.status, answer.code, control.downloads.asked)

    run(check())


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/ggtui/queue", "GET, HEAD, POST"),
        ("DELETE", "/ggtui/queue/events", "GET"),
        ("DELETE", "/ggtui/queue/order", "POST"),
        ("DELETE", "/ggtui/state", "GET, HEAD"),
        ("GET", "/ggtui/queue/order", "POST"),
        ("GET", "/ggtui/queue/cancel", "DELETE"),
        ("GET", "/ggtui/queue/llama3", "DELETE"),
        ("POST", "/ggtui/queue/llama3", "DELETE"),
        ("HEAD", "/ggtui/queue/events", "GET"),
    ],
)
def test_fixed_paths_come_before_a_model_of_their_name(method: str, path: str, allow: str) -> None:
    async def check() -> None:
        names = tuple(replace(PULL, number=n, model=name) for n, name in enumerate(("events", "order"), 5))
        control = FakeControl(EngineSnapshot(1, downloads=names))
        async with door(control=control) as proxy:
            answer = await _ask(proxy, method, path)

            assert (405, [allow], []) == (answer.status, answer.values("allow"), control.downloads.asked)

    run(check())


def test_a_path_without_a_name_is_none() -> None:
    async def check() -> None:
        async with door(control=FakeControl(STATE)) as proxy:
            assert 404 == (await _ask(proxy, "DELETE", "/ggtui/queue/")).status

    run(check())


@pytest.mark.parametrize("failure", [DownloadNotFound("7"), BackendNotFound("box"), ReadOnly()])
def test_a_refusal_is_told(failure: DownloadNotFound | BackendNotFound | ReadOnly) -> None:
    async def check() -> None:
        control = FakeControl(STATE)
        control.downloads.failure = failure
        async with door(control=control) as proxy:
            answers = [
                await _post(proxy, "/ggtui/queue", {"model": "o/r"}),
                await _post(proxy, "/ggtui/queue/order", {"number": 7, "action": "pause"}),
                await _ask(proxy, "DELETE", "/ggtui/queue/cancel?model=llama3"),
                await _ask(proxy, "DELETE", "/ggtui/queue/llama3"),
            ]

            assert [(failure.status, failure.code)] * 4 == [(each.status, each.code) for each in answers]

    run(check())


def test_only_those_with_the_key_see_and_order() -> None:
    async def check() -> None:
        control = FakeControl(STATE)
        async with door(control=control, settings=ProxySettings(client_keys=(ClientKey("secret"),))) as proxy:
            answers = [
                await _ask(proxy, "GET", "/ggtui/queue"),
                await _ask(proxy, "GET", "/ggtui/queue/events"),
                await _post(proxy, "/ggtui/queue", {"model": "o/r"}),
                await _post(proxy, "/ggtui/queue/order", {"number": 1, "action": "pause"}),
                await _ask(proxy, "DELETE", "/ggtui/queue/cancel?model=llama3"),
                await _ask(proxy, "DELETE", "/ggtui/queue/llama3"),
            ]

            assert [401] * 6 == [each.status for each in answers]
            assert [] == control.downloads.asked

    run(check())
