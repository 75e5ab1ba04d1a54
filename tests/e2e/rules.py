"""What the tests of deployments share: how one is written in a configuration, and how it is asked."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from tests.e2e.instance import GUARD_S, Instance, running

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.e2e.provider import Provider

HELLO = [{"role": "user", "content": "hello"}]


def deployment(name: str, model: str, **fields: Any) -> str:
    """One `[[deployment]]`, as a person writes it."""
    return table("deployment", name=name, model=model, **fields)


def table(kind: str, **fields: Any) -> str:
    """One table of a list of them, such as `[[backend]]`, as a person writes it."""
    return "\n".join([f"[[{kind}]]", *(f"{key} = {_toml(value)}" for key, value in fields.items()), "", ""])


def remote(provider: Provider, name: str, *, key: dict[str, str] | None = None, **fields: Any) -> str:
    """One that the provider serves, where it is called `NAME-there`."""
    config: dict[str, Any] = {"runtime": "open_ai", "endpoint": provider.url}
    if key is not None:
        config["api_key"] = key
    return deployment(name, f"{name}-there", runtime_config=config, **fields)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    return json.dumps(value)


def serving(
    home: Path, config: str, *flags: str, engine: str = "embedded"
) -> AbstractContextManager[Instance]:
    """A ggtui with this configuration; its models lie in `models` of its home."""
    (home / "models").mkdir(exist_ok=True)
    (home / "config.toml").write_text(config)
    given = ("--llama-server", engine, "--config", str(home / "config.toml"))
    return running(home / "models", home / "data", *given, *flags)


def ask(one: Instance, name: str, *, headers: dict[str, str] | None = None, **fields: Any) -> httpx.Response:
    """One chat request."""
    body = {"model": name, "messages": HELLO, "max_tokens": 8, **fields}
    with httpx.Client(timeout=GUARD_S, trust_env=False) as client:
        return client.post(f"{one.url}/chat/completions", json=body, headers=headers)


async def post(one: Instance, body: dict[str, Any]) -> httpx.Response:
    """One chat request on a connection of its own; hundreds at once are no burden for this client."""
    host = one.root.removeprefix("http://")
    reader, writer = await asyncio.open_connection(*host.split(":"))
    data = json.dumps(body).encode()
    fields = f"Host: {host}\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n"
    writer.write(f"POST /v1/chat/completions HTTP/1.1\r\n{fields}Connection: close\r\n\r\n".encode() + data)
    try:
        head, _, content = (await asyncio.wait_for(reader.read(), GUARD_S)).partition(b"\r\n\r\n")
    finally:
        writer.close()
    line, *lines = head.decode().split("\r\n")
    headers = [(name, value.strip()) for name, _, value in (each.partition(":") for each in lines)]
    return httpx.Response(int(line.split()[1]), headers=headers, content=content)


def problem(answer: httpx.Response) -> tuple[int, str, str]:
    """Status, type and code of a refusal."""
    error = answer.json().get("error", {})
    return answer.status_code, error.get("type"), error.get("code")


def status(one: Instance, name: str) -> dict[str, Any]:
    """What ggtui tells of a deployment."""
    told: dict[str, Any] = next(
        each for each in one.get("/ggtui/deployments")["deployments"] if each["name"] == name
    )
    return told


def wait_until(one: Instance, name: str, **told: object) -> None:
    """Return when ggtui tells this of a deployment; `breaker` is its state."""
    while any(_plain(status(one, name)[key]) != value for key, value in told.items()):
        pass


def _plain(value: Any) -> Any:
    return value["state"] if isinstance(value, dict) else value


def order(one: Instance, name: str, action: str) -> None:
    """What a person may order a deployment to do."""
    answer = one.post("/ggtui/deployments", {"deployment": name, "action": action})
    assert 200 == answer.status_code, answer.text


@dataclass(frozen=True)
class Streamed:
    """What came of a stream."""

    text: str
    error: dict[str, Any] | None
    is_done: bool
    has_usage: bool


def stream(one: Instance, name: str, **fields: Any) -> Streamed:
    """One streamed chat request, read to its end; a fault in the middle leaves the last chunk out."""
    body = {"model": name, "messages": HELLO, "max_tokens": 8, "stream": True, **fields}
    lines: list[str] = []
    with (
        httpx.Client(timeout=GUARD_S, trust_env=False) as client,
        client.stream("POST", f"{one.url}/chat/completions", json=body) as answer,
        suppress(httpx.RemoteProtocolError),
    ):
        assert 200 == answer.status_code, answer.read()
        lines.extend(answer.iter_lines())
    data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    events = [json.loads(each) for each in data if each != "[DONE]"]
    deltas = [choice["delta"] for event in events for choice in event.get("choices", ())]
    return Streamed(
        "".join(delta.get("content") or "" for delta in deltas),
        next((event["error"] for event in events if "error" in event), None),
        bool(data) and data[-1] == "[DONE]",
        any(event.get("usage") for event in events),
    )


def words(n: int) -> str:
    """The first words that the provider answers."""
    return "".join(f"w{number} " for number in range(n))
