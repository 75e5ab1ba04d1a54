"""What was served is told as it was: over swaps, a crash, a killed ggtui and a quiet end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx

from ggtui.adapters.history.store import read_history
from tests.e2e.instance import GUARD_S, running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.instance import Instance

HELLO = [{"role": "user", "content": "hello"}]


def told(instance: Instance) -> list[tuple[int, str, int, str, str | None]]:
    """Number, model, context, why and end of each generation, newest first."""
    return _rows(instance.get("/ggtui/history"))


def _rows(document: dict[str, Any]) -> list[tuple[int, str, int, str, str | None]]:
    keys = ("generation", "model", "n_ctx", "why", "how_ended")
    return [tuple(each[key] for key in keys) for each in document["generations"]]


def on_disk(data_dir: Path) -> dict[str, Any]:
    """What `ggtui history --json` prints where no ggtui runs."""
    command = [sys.executable, "-m", "ggtui", "history", "--json", "--data-dir", str(data_dir)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=GUARD_S)
    document = json.loads(done.stdout)
    assert isinstance(document, dict)
    return document


def _stream_over_a_swap(instance: Instance, model: str, other: str) -> str:
    """The last line of a stream that was begun before another model was asked for."""
    body = {"model": model, "messages": HELLO, "max_tokens": 200, "stream": True, "ignore_eos": True}
    with (
        ThreadPoolExecutor(1) as pool,
        httpx.Client(timeout=GUARD_S, trust_env=False) as http,
        http.stream("POST", instance.url + "/chat/completions", json=body) as stream,
    ):
        lines = stream.iter_lines()
        next(lines)
        swap = pool.submit(instance.chat, other)
        last = [line for line in lines if line][-1]

        assert 200 == swap.result(GUARD_S).status_code
    return last


def test_what_was_served_is_told_as_it_was(engine_flag: str, demo_models: Path, tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    flags = ("--llama-server", engine_flag)
    with running(demo_models, data_dir, *flags) as first:
        listed = first.get("/v1/models")["data"]
        alpha, beta = [entry["id"] for entry in listed if "broken" not in entry["id"]]

        assert 200 == first.post("/ggtui/load", {"model": alpha, "num_ctx": 1024}).status_code
        assert "data: [DONE]" == _stream_over_a_swap(first, alpha, beta)
        assert 200 == first.chat(beta, num_ctx=1024).status_code

        n_ctx = first.target()["n_ctx"]
        os.kill(first.target()["pid"], signal.SIGKILL)

        assert 200 == first.chat(beta).status_code

        rows = told(first)
        crashed = rows[1][4] or ""

        assert crashed.startswith("crashed: ")
        assert [
            (3, beta, n_ctx, "restarted after a crash", None),
            (2, beta, n_ctx, "asked for by a request", crashed),
            (1, alpha, 1024, "loaded by a person", f"made room for {beta}"),
        ] == rows

        swapped = first.get("/ggtui/history")["generations"][-1]

        assert 1 == swapped["n_requests"]
        assert swapped["path"] in map(str, demo_models.iterdir())

        while [3] != [each.number for each in read_history(data_dir / "history.sqlite3", 1)]:
            first.get("/health")
        servers = first.family()
        first.process.kill()
        first.process.wait(GUARD_S)
        for server in servers:
            server.wait(GUARD_S)

    left = (3, beta, n_ctx, "restarted after a crash", "ended with ggtui")

    assert [left, *rows[1:]] == _rows(on_disk(data_dir))

    with running(demo_models, data_dir, *flags, "--ctx", "512") as second:
        while not (earlier := told(second)):  # it is read while ggtui starts
            second.get("/health")

        assert left == earlier[0]
        assert 200 == second.chat(alpha).status_code
        assert 200 == second.chat(alpha, num_ctx=2048).status_code
        assert 200 == second.post("/ggtui/stop", {}).status_code
        assert 200 == second.chat(alpha).status_code

    kept = on_disk(data_dir)["generations"]

    assert [6, 5, 4, 3, 2, 1] == [each["generation"] for each in kept]
    assert [
        ("asked for by a request", "ggtui ended"),
        ("restarted with a larger context for a request", "stopped by a person"),
        ("asked for by a request", "larger context"),
        ("restarted after a crash", "ended with ggtui"),
    ] == [(each["why"], each["how_ended"]) for each in kept[:4]]
    assert kept[3]["ended_at"] is None
    assert all(each["ended_at"] is not None for each in kept[:3])
