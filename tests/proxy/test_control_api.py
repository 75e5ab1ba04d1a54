"""What scripts and the command line ask."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import replace

import pytest

from ggtui.core.labels import LabelChange
from ggtui.core.models import EngineInfo
from ggtui.core.snapshot import (
    EngineSnapshot,
    FailureNote,
    LogBatch,
    ModelStatus,
    QueueEntry,
    TargetStatus,
)
from ggtui.core.state import TargetState
from tests.proxy.rig import JSON, Answer, Client, Door, FakeControl, door, run, summary

TARGET = TargetStatus(1, "tiny", TargetState.READY, 0.0, pid=7, port=9, n_ctx=4096, argv=("llama-server",))
STATE = EngineSnapshot(
    3,
    url="http://127.0.0.1:1/v1",
    models=(
        ModelStatus(summary(1, "tiny"), TargetState.READY, 4096, FailureNote("t", "d", log_tail=("x",))),
    ),
    targets=(TARGET,),
    queue=(QueueEntry("other", None, 1.23),),
    engine=EngineInfo("embedded"),
)


SETTINGS = "/ggtui/settings"
PATHS = ("/etc/passwd", "a.GGUF ", "~", "b/../../x", "..")


def _attaching(path: str) -> dict[str, object]:
    return {"adapters": [{"name": "a", "path": path}]}


def post(proxy: Door, path: str, document: object) -> bytes:
    return proxy.post(json.dumps(document).encode(), path)


def test_the_state_is_one_document() -> None:
    async def check() -> None:
        async with door(control=FakeControl(STATE)) as proxy:
            document = Answer.parse(await proxy.ask(proxy.get("/ggtui/state"))).json

            assert (1, os.getpid()) == (document["schema"], document["pid"])
            assert "tiny" == document["models"][0]["public_id"]
            assert "1970-01-01T00:00:00.000Z" == document["target"]["since"]
            assert ("ready", 7) == (document["target"]["state"], document["target"]["pid"])
            assert ["other"] == [each["model"] for each in document["queue"]]

    run(check())


@pytest.mark.parametrize(
    ("path", "document", "asked"),
    [
        ("/ggtui/load", {"model": "tiny", "num_ctx": 2048}, ("load", "tiny", 2048)),
        ("/ggtui/load", {"model": 1}, ("load", "1", None)),
        ("/ggtui/stop", {}, ("stop", None, False)),
        ("/ggtui/stop", {"model": "tiny", "force": True}, ("stop", "tiny", True)),
        ("/ggtui/rescan", {}, ("rescan",)),
        ("/ggtui/context", {"model": "tiny", "num_ctx": 512}, ("set_context", "tiny", 512)),
        ("/ggtui/context", {"model": "tiny", "num_ctx": None}, ("set_context", "tiny", None)),
        ("/ggtui/pin", {"model": "tiny"}, ("pin", "tiny", True)),
        ("/ggtui/label", {"model": "tiny", "name": ""}, ("label", "tiny", LabelChange(name=""))),
        (
            "/ggtui/label",
            {"model": "tiny", "tags": ["A"], "add_tags": ["b"], "remove_tags": ["#c"], "favourite": False},
            ("label", "tiny", LabelChange(None, ("a",), ("b",), ("c",), is_favourite=False)),
        ),
        ("/ggtui/pin", {"model": "tiny", "pinned": False}, ("pin", "tiny", False)),
        (
            "/ggtui/settings",
            {"model": "tiny", "settings": {"slots": 3, "ctx": None}},
            ("change_settings", "tiny", {"slots": 3, "ctx": None}),
        ),
        (
            "/ggtui/settings",
            {"model": "tiny", "settings": {"adapters": [{"name": "a", "path": "Code LoRA"}, {"name": "b"}]}},
            ("change_settings", "tiny", {"adapters": [{"name": "a", "path": "Code LoRA"}, {"name": "b"}]}),
        ),
        ("/ggtui/reload", {}, ("reload",)),
    ],
)
def test_orders_reach_the_control(path: str, document: object, asked: tuple[object, ...]) -> None:
    async def check() -> None:
        async with door() as proxy:
            answer = Answer.parse(await proxy.ask(post(proxy, path, document)))

            assert 200 == answer.status
            assert [asked] == proxy.control.asked

    run(check())


def test_a_load_answers_the_target() -> None:
    async def check() -> None:
        async with door() as proxy:
            answer = Answer.parse(await proxy.ask(post(proxy, "/ggtui/load", {"model": "tiny"})))

            assert ("tiny", "ready", 5500) == tuple(answer.json[name] for name in ("model", "state", "port"))

    run(check())


@pytest.mark.parametrize(
    ("path", "document", "param"),
    [
        ("/ggtui/load", {}, "model"),
        ("/ggtui/load", {"model": True}, "model"),
        ("/ggtui/load", {"model": "a" * 600}, "model"),
        ("/ggtui/stop", {"model": 10**600}, "model"),
        ("/ggtui/load", {"model": "tiny", "num_ctx": "big"}, "num_ctx"),
        ("/ggtui/stop", {"force": 1}, "force"),
        ("/ggtui/context", {"model": "tiny"}, "num_ctx"),
        ("/ggtui/pin", {"model": "tiny", "pinned": "yes"}, "pinned"),
        ("/ggtui/label", {"model": "tiny", "name": 5}, "name"),
        ("/ggtui/label", {"model": "tiny", "name": "x" * 81}, "name"),
        ("/ggtui/label", {"model": "tiny", "tags": "one"}, "tags"),
        ("/ggtui/label", {"model": "tiny", "add_tags": [1]}, "add_tags"),
        ("/ggtui/label", {"model": "tiny", "tags": ["two words"]}, "tags"),
        ("/ggtui/label", {"model": "tiny", "favourite": 1}, "favourite"),
        ("/ggtui/label", {"name": "x"}, "model"),
        ("/ggtui/settings", {"model": "tiny"}, "settings"),
        ("/ggtui/settings", {"settings": {}}, "model"),
        # llama-server would read and write the files that these name.
        (
            "/ggtui/settings",
            {"model": "tiny", "settings": {"extra_args": ["--log-file", "/x"]}},
            "extra_args",
        ),
        ("/ggtui/settings", {"model": "tiny", "settings": {"template": "/etc/passwd"}}, "template"),
        ("/ggtui/settings", {"model": "tiny", "settings": {"template": "key.jinja"}}, "template"),
        *((SETTINGS, {"model": "tiny", "settings": _attaching(path)}, "adapters") for path in PATHS),
    ],
)
def test_a_wrong_order_is_named(path: str, document: object, param: str) -> None:
    async def check() -> None:
        async with door() as proxy:
            answer = Answer.parse(await proxy.ask(post(proxy, path, document)))

            assert (400, param) == (answer.status, answer.json["error"]["param"])
            assert [] == proxy.control.asked

    run(check())


@pytest.mark.parametrize("action", ["load", "stop", "rescan", "context", "pin", "label", "reload"])
def test_nothing_changes_by_get(action: str) -> None:
    path = f"/ggtui/{action}"

    async def check() -> None:
        async with door() as proxy:
            answer = Answer.parse(await proxy.ask(proxy.get(path)))

            assert (405, ["POST"]) == (answer.status, answer.values("allow"))

    run(check())


def test_settings_are_answered_with_what_is_in_force() -> None:
    async def check() -> None:
        async with door() as proxy:
            asked = Answer.parse(await proxy.ask(proxy.get("/ggtui/settings?model=tiny"))).json
            order = {"model": "tiny", "settings": {"cache_type_k": "q8_0", "extra_args": None}}
            changed = Answer.parse(await proxy.ask(post(proxy, "/ggtui/settings", order))).json

            assert ("tiny", {"slots": 2}) == (asked["model"], asked["settings"])
            assert {"key": "slots", "label": "slots", "value": 2, "source": "models.toml"} in asked[
                "in_force"
            ]
            assert {"cache_type_k": "q8_0"} == changed["settings"]

    run(check())


def test_a_setting_that_cannot_be_is_a_wrong_request() -> None:
    async def check() -> None:
        async with door() as proxy:
            order = {"model": "tiny", "settings": {"slots": "many"}}
            answer = Answer.parse(await proxy.ask(post(proxy, "/ggtui/settings", order)))

            assert (400, "slots") == (answer.status, answer.json["error"]["param"])

    run(check())


def test_a_client_that_leaves_takes_its_load_back() -> None:
    async def check() -> None:
        control = FakeControl(gate=asyncio.Event())
        async with door(control=control) as proxy:
            client = await proxy.connect()
            await client.send(proxy.head("POST /ggtui/load", JSON, body=b'{"model": "tiny"}'))
            await control.waiting.wait()
            client.close()
            await proxy.quiet()

            assert 1 == control.n_given_up

    run(check())


async def next_event(client: Client) -> dict[str, object]:
    raw = await client.reader.readuntil(b"\n\n\r\n")
    loaded: dict[str, object] = json.loads(raw.partition(b"data: ")[2])
    return loaded


def test_events_begin_with_the_state_and_follow_it() -> None:
    async def check() -> None:
        async with door(control=FakeControl(STATE)) as proxy:
            client = await proxy.connect()
            await client.send(proxy.head("GET /ggtui/events"))
            head = await client.reader.readuntil(b"\r\n\r\n")
            first = await next_event(client)
            proxy.control.publish(replace(STATE, version=4))
            second = await next_event(client)

            assert b"text/event-stream" in head
            assert [3, 4] == [first["state_version"], second["state_version"]]
            client.close()
            await proxy.quiet()
            assert [] == proxy.control.hearers

    run(check())


def test_events_end_soundly_when_the_door_closes() -> None:
    async def check() -> None:
        async with door(control=FakeControl(STATE)) as proxy:
            client = await proxy.connect()
            await client.send(proxy.head("GET /ggtui/events"))
            await next_event(client)
            stopping = asyncio.create_task(proxy.server.stop())
            rest = await client.rest()
            await stopping

            assert rest.endswith(b"0\r\n\r\n")
            client.close()

    run(check())


def test_logs_are_lines_then_go_on() -> None:
    async def check() -> None:
        async with door(control=FakeControl(STATE, tail=("a", "b"))) as proxy:
            tail = Answer.parse(await proxy.ask(proxy.get("/ggtui/logs?n=2")))
            client = await proxy.connect()
            await client.send(proxy.head("GET /ggtui/logs?model=tiny&follow=1"))
            first = await client.reader.readuntil(b"}\n\ndata: ")
            for hear in proxy.control.log_hearers:
                hear(LogBatch("other", ("no",)))
                hear(LogBatch("tiny", ("c",)))
            second = await client.reader.readuntil(b'"c"}\n\n')

            assert [{"model": "tiny", "line": "a"}, {"model": "tiny", "line": "b"}] == [
                json.loads(line) for line in tail.body.splitlines()
            ]
            assert ("log_tail", "tiny", 2) == proxy.control.asked[0]
            assert b'data: {"model":"tiny","line":"a"}' in first
            assert b'data: {"model":"tiny","line":"c"}' in second
            assert b"no" not in second
            client.close()

    run(check())


def test_the_log_of_a_model_is_found_by_any_of_its_names() -> None:
    async def check() -> None:
        async with door(control=FakeControl(STATE, tail=("a",))) as proxy:
            for name in ("tiny%3Acode", "alias", "unknown"):
                await proxy.ask(proxy.get(f"/ggtui/logs?model={name}"))

            assert ["tiny", "tiny", "unknown"] == [asked[1] for asked in proxy.control.asked]

    run(check())
