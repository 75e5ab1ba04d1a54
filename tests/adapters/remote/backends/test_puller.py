"""Pulls that go well, fail, stall, lie or are called back."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from ggtui.adapters.remote.backends import pulling
from ggtui.adapters.remote.backends.puller import OllamaPuller
from ggtui.core.deployment.secret import Secret
from ggtui.core.errors import BackendError
from tests.adapters.remote.backends.looking import KEY, declared_at
from tests.backends import GUARD_S, started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.backends import Shape

Told = list[tuple[str, str, int, int]]
DIGEST = "sha256:" + "a" * 64


@pytest.fixture(scope="module")
def box() -> Iterator[Shape]:
    with started("ollama") as shape:
        yield shape


@pytest.fixture
def ollama(box: Shape) -> Shape:
    box.have()
    box.ask_key(None)
    for place in ("pull", "delete"):
        box.script(place)
    return box


async def _pull(shape: Shape, model: str, told: Told, key: str | None, limit_s: float) -> None:
    puller = OllamaPuller(limit_s)
    secret = Secret(key) if key is not None else None
    pull = puller.pull(declared_at(shape), secret, model, lambda *each: told.append(each))
    await asyncio.wait_for(pull, GUARD_S)
    await puller.close()


def pull(shape: Shape, model: str = "qwen3", key: str | None = None, limit_s: float = 10.0) -> Told:
    """Pull it; what was told."""
    told: Told = []
    asyncio.run(_pull(shape, model, told, key, limit_s))
    return told


def failure(shape: Shape, key: str | None = None, limit_s: float = 10.0) -> BackendError:
    with pytest.raises(BackendError) as caught:
        pull(shape, key=key, limit_s=limit_s)
    return caught.value


def lines(*told: object) -> dict[str, Any]:
    return {"text": "".join(json.dumps(each) + "\n" for each in told)}


def test_a_pull_tells_each_step_and_asks_for_the_name_as_it_is(ollama: Shape) -> None:
    told = pull(ollama, "hf.co/org/Qwen3-GGUF:Q4_K_M")

    layers = [(total, completed) for _, digest, total, completed in told if digest]

    assert "pulling manifest" == told[0][0]
    assert [(1_000_000, 250_000 * n) for n in range(5)] == layers
    assert ["verifying sha256 digest", "writing manifest", "success"] == [each[0] for each in told[-3:]]
    assert ["hf.co/org/Qwen3-GGUF:Q4_K_M"] == ollama.models
    asked = {"model": "hf.co/org/Qwen3-GGUF:Q4_K_M", "stream": True}
    assert asked == ollama.seen_at("pull")[-1]["body"]


def test_a_model_that_is_there_already_needs_no_layer(ollama: Shape) -> None:
    ollama.script("pull", lines({"status": "pulling manifest"}, {"status": "success"}))

    assert [("pulling manifest", "", 0, 0), ("success", "", 0, 0)] == pull(ollama)


def test_the_key_is_sent(ollama: Shape) -> None:
    ollama.ask_key(KEY)

    assert "success" == pull(ollama, key=KEY)[-1][0]
    assert failure(ollama).message.startswith("401 Unauthorized")


@pytest.mark.parametrize(
    ("answer", "text", "is_retryable"),
    [
        (
            {"error": "pull model manifest: file does not exist"},
            "pull model manifest: file does not exist",
            False,
        ),
        ({"error": "invalid model name"}, "invalid model name", False),
        (
            {"error": "pull model manifest: 412: this model requires a newer version of Ollama"},
            "pull mod",
            False,
        ),
        ({"error": "max retries exceeded: EOF", "error_after": 2}, "max retries exceeded: EOF", True),
        ({"error": ""}, "the pull failed", True),
        ({"status": 400, "json": {"error": "missing model"}}, "400 Bad Request: missing model", False),
        ({"status": 307, "headers": {"Location": "http://127.0.0.1:1/"}}, "307 Temporary Redirect", False),
        ({"status": 429}, "429 Too Many Requests", True),
        ({"status": 503}, "503 Service Unavailable", True),
        ({"cut_after": 2}, "127.0.0.1 gives an answer that is not sound HTTP", True),
        ({"drop": True}, "127.0.0.1: remote end closed connection without response", True),
        (lines({"status": "pulling manifest"}), "the pull ended before the model was whole", True),
        ({"text": ""}, "the pull ended before the model was whole", True),
        ({"text": "<html>\n"}, "its answer cannot be read: it is no JSON", True),
        ({"text": '{"status": NaN}\n'}, "its answer cannot be read: it is no JSON", True),
        ({"text": "[" * 60_000 + "\n"}, "its answer cannot be read: it is nested too deep", True),
        ({"text": "x" * 200_000}, "its answer cannot be read: it sends a line without an end", True),
    ],
)
def test_a_pull_that_fails(ollama: Shape, answer: dict[str, Any], text: str, is_retryable: bool) -> None:
    ollama.script("pull", answer)
    error = failure(ollama)

    assert error.message.startswith(text)
    assert is_retryable == error.is_retryable
    assert [] == ollama.models


def test_nonsense_between_the_lines_is_no_progress(ollama: Shape) -> None:
    layer = {"status": "pulling\x1b[31m aaa", "digest": DIGEST, "total": 10, "completed": 99}
    odd = {"status": 7, "digest": "../x", "total": -1, "completed": "all"}
    ollama.script("pull", lines(None, [], 1, "a", odd, layer, {"status": "success"}))

    expected = [("", "", 0, 0), ("pulling aaa", DIGEST, 10, 10), ("success", "", 0, 0)]
    assert expected == pull(ollama)


def test_more_layers_than_a_model_has(ollama: Shape, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulling, "PAUSE_S", 0.0)
    rows = ({"status": "p", "digest": f"{n:064x}", "total": 2, "completed": 1} for n in range(600))
    ollama.script("pull", lines(*rows, {"status": "success"}))

    assert "it tells of more than 512 layers" == failure(ollama).message


@pytest.mark.parametrize("answer", [{"hang": True}, {"hang_after": 2}, {"text": "x" * 99, "drip_s": 0.02}])
def test_a_pull_that_stalls_is_left(
    ollama: Shape, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]
) -> None:
    monkeypatch.setattr(pulling, "SILENCE_S", 0.2)
    monkeypatch.setattr(pulling, "SILENCE_AT_WORK_S", 0.2)
    ollama.script("pull", answer)
    error = failure(ollama, limit_s=0.2)

    assert error.message.endswith(("does not answer in time", "no whole answer within 0.2 s"))
    assert error.is_retryable


def test_a_pull_that_is_called_back_ends_at_the_backend_too(ollama: Shape) -> None:
    ollama.script("pull", {"hang_after": 1})
    n_left = ollama.n_left
    n_asked = len(ollama.seen_at("pull"))

    async def scenario() -> None:
        told: Told = []
        work = asyncio.ensure_future(_pull(ollama, "qwen3", told, None, GUARD_S))
        await asyncio.to_thread(ollama.wait, "pull", requests=n_asked + 1)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        await asyncio.to_thread(ollama.wait, left=n_left + 1)
        n_told = len(told)
        await asyncio.sleep(0)

        assert n_told == len(told)

    asyncio.run(asyncio.wait_for(scenario(), GUARD_S))


def test_the_end_of_the_puller_is_the_end_of_its_pulls(ollama: Shape) -> None:
    ollama.script("pull", {"hang_after": 1})
    n_asked = len(ollama.seen_at("pull"))

    async def scenario() -> None:
        puller = OllamaPuller()
        work = asyncio.ensure_future(puller.pull(declared_at(ollama), None, "qwen3", lambda *_: None))
        await asyncio.to_thread(ollama.wait, "pull", requests=n_asked + 1)
        await puller.close()
        with pytest.raises(BackendError):
            await work

    asyncio.run(asyncio.wait_for(scenario(), GUARD_S))


def test_no_key_is_in_the_text_of_a_failure(ollama: Shape) -> None:
    escaped = "".join(f"\\u{ord(sign):04x}" for sign in KEY)
    for answer in (
        {"status": 500, "text": f"no {KEY}"},
        {"text": f'{{"error": "{escaped}"}}\n'},
        {"error": f"no {KEY} for you"},
    ):
        ollama.script("pull", answer)

        assert KEY not in failure(ollama, KEY).message


def test_a_deletion_names_the_model_and_nothing_else(ollama: Shape) -> None:
    ollama.have("keep:latest", "drop:1b")

    asyncio.run(OllamaPuller().delete(declared_at(ollama), None, "drop:1b"))

    assert ["keep:latest"] == ollama.models
    assert {"model": "drop:1b"} == ollama.seen_at("delete")[-1]["body"]
