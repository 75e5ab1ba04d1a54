"""A backend that leads back to the ggtui that asks it: nothing goes round, and the other places serve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.llama_server.launcher import free_port
from tests.backends import Shape, started
from tests.e2e.rules import ask, problem, serving, table, words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FIRST = '[backends]\npolicy = "priority"\n'
"""The backend that is listed first is asked first."""


def far(name: str, type: str, url: str) -> str:
    """One `[[backend]]` that declares `m`."""
    return table("backend", name=name, type=type, base_url=url, models=["m"])


@pytest.fixture
def box() -> Iterator[Shape]:
    """The one place that truly has `m`."""
    with started("vllm", ["m"]) as shape:
        yield shape


@pytest.mark.parametrize("type", ["ggtui", "vllm", "llama_server"])
def test_a_backend_that_is_this_very_ggtui_is_in_error_and_gets_nothing(
    tmp_path: Path, box: Shape, type: str
) -> None:
    port = free_port()
    config = FIRST + far("me", type, f"http://127.0.0.1:{port}") + far("box", "vllm", box.url)
    with serving(tmp_path, config, "--port", str(port)) as one:
        rows = [one.post("/ggtui/reconcile", {}).json()["rows"] for _ in range(2)][-1]
        answer = ask(one, "m")

    assert (200, "box") == (answer.status_code, answer.headers["x-ggtui-backend"])
    assert words(8) == answer.json()["choices"][0]["message"]["content"]
    told = [(row["backend"], row["state"]) for row in rows]
    assert [("me", "error"), ("box", "in_sync")] == told
    assert rows[0]["why"].endswith("its URL leads back to this ggtui")
    assert 1 == len(box.seen_at("chat"))


def test_two_that_have_each_other_as_backend_ask_the_place_that_has_the_model_once(
    tmp_path: Path, box: Shape
) -> None:
    ports = free_port(), free_port()
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    homes = [tmp_path / "one", tmp_path / "other"]
    for home in homes:
        home.mkdir()
    with (
        serving(homes[0], FIRST + far("other", "ggtui", urls[1]), "--port", str(ports[0])) as one,
        serving(
            homes[1],
            FIRST + far("one", "ggtui", urls[0]) + far("box", "vllm", box.url),
            "--port",
            str(ports[1]),
        ) as other,
    ):
        for each in (other, one, other):
            each.post("/ggtui/reconcile", {})
        listed = [row["state"] for row in other.post("/ggtui/reconcile", {}).json()["rows"]]
        answers = [ask(one, "m"), ask(other, "m")]
        n_asked = len(box.seen_at("chat"))
        box.down()
        other.post("/ggtui/reconcile", {})
        lost = ask(one, "m")

    assert ["in_sync", "in_sync"] == listed, "each lists what the other has"
    assert [200, 200] == [each.status_code for each in answers]
    assert 2 == n_asked
    assert (508, "server_error", "request_loop") == problem(lost)
