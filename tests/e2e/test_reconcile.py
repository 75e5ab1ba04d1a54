"""Reconciliation between processes: a ggtui, its backends, and the command line that watches both."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.backends import Shape, started
from tests.e2e.instance import GUARD_S, Instance
from tests.e2e.rules import serving, table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OFTEN = "[backends]\ninterval_s = 1\n"


@pytest.fixture
def box() -> Iterator[Shape]:
    with started("ollama", ["phi3:latest"]) as shape:
        yield shape


def _wants(box: Shape, *models: str) -> str:
    return OFTEN + table("backend", name="box", type="ollama", base_url=box.url, models=list(models))


def _begun(home: Path, *words: str) -> subprocess.Popen[str]:
    own = ("--data-dir", str(home / "data"), "--config", str(home / "config.toml"))
    command = [sys.executable, "-m", "ggtui", *words, *own]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=dict(os.environ))


def _ggtui(home: Path, *words: str) -> tuple[int, str]:
    """Exit code and standard output of one command."""
    with _begun(home, *words) as process:
        out, _ = process.communicate(timeout=GUARD_S)
    return process.returncode, out


def _once(home: Path, *words: str) -> tuple[int, dict[str, str]]:
    """Exit code of a cycle, and the state of each model then; of a whole backend under its own name."""
    code, out = _ggtui(home, "reconcile", "--once", "--json", *words)
    return code, {row["model"] or row["backend"]: row["state"] for row in json.loads(out)["rows"]}


def _rows(one: Instance) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = one.get("/ggtui/state")["rows"]
    return rows


def test_missing_models_arrive_over_cycles_and_nothing_is_deleted(tmp_path: Path, box: Shape) -> None:
    box.script("pull", {"hold": True})
    with serving(tmp_path, _wants(box, "llama3", "qwen3:4b")) as one:
        box.wait("pull", requests=1)
        dry = _once(tmp_path, "--dry-run")
        first = _once(tmp_path)
        waiting = [job["model"] for job in one.get("/ggtui/queue")["downloads"]]
        box.script("pull")
        box.release()
        watched, _ = _ggtui(tmp_path, "reconcile")
        last = [_once(tmp_path) for _ in range(3)]

    missing = {"llama3": "downloading", "qwen3:4b": "missing", "phi3:latest": "extra"}
    assert [(1, missing)] * 2 == [dry, first]
    assert ["llama3"] == waiting
    in_sync = {"llama3": "in_sync", "qwen3:4b": "in_sync", "phi3:latest": "extra"}
    assert (0, [(0, in_sync)] * 3) == (watched, last)
    assert (2, []) == (len(box.seen_at("pull")), box.seen_at("delete"))
    assert ["llama3:latest", "phi3:latest", "qwen3:4b"] == sorted(box.models)


def test_a_backend_that_dies_is_an_error_until_it_is_seen_well(tmp_path: Path, box: Shape) -> None:
    box.have("llama3:latest")
    with serving(tmp_path, _wants(box, "llama3")) as one:
        before = _once(tmp_path)
        box.down()
        while "error" != _rows(one)[0]["state"]:
            pass
        dead = _once(tmp_path)
        (backend,) = one.get("/ggtui/state")["backends"]
        box.up()
        watched, _ = _ggtui(tmp_path, "reconcile")

    assert ((0, {"llama3": "in_sync"}), (1, {"box": "error"}), 0) == (before, dead, watched)
    assert "connection refused" in backend["error"].lower()
    assert ["llama3:latest"] == [each["name"] for each in backend["pulledModels"]]


def test_a_backend_that_is_declared_no_more_is_gone_after_a_reload(tmp_path: Path, box: Shape) -> None:
    with serving(tmp_path, _wants(box, "phi3")) as one:
        before = _once(tmp_path)
        (tmp_path / "config.toml").write_text(OFTEN)
        one.post("/ggtui/reload", {})
        after = _once(tmp_path)
        told = one.get("/ggtui/backends")

    assert ((0, {"phi3": "in_sync"}), (0, {})) == (before, after)
    assert ([], []) == (told["backends"], told["rows"])


def test_whoever_interrupts_the_watch_ends_it(tmp_path: Path, box: Shape) -> None:
    box.script("pull", {"hold": True})
    with serving(tmp_path, _wants(box, "llama3")) as one:
        watch = _begun(tmp_path, "reconcile")
        assert watch.stdout is not None
        assert "BACKEND" in watch.stdout.readline()
        watch.send_signal(signal.SIGINT)
        watch.communicate(timeout=GUARD_S)
        state = one.get("/ggtui/queue")["downloads"][0]["state"]

    assert (130, "running") == (watch.returncode, state)


def test_without_a_running_ggtui_whoever_interrupts_it_loses_nothing(tmp_path: Path, box: Shape) -> None:
    (tmp_path / "config.toml").write_text(_wants(box, "llama3"))
    box.script("pull", {"hold": True})
    watch = _begun(tmp_path, "reconcile")
    box.wait("pull", requests=1)
    watch.send_signal(signal.SIGINT)
    watch.communicate(timeout=GUARD_S)
    box.script("pull")
    again = _once(tmp_path)

    assert (130, (0, {"llama3": "in_sync", "phi3:latest": "extra"})) == (watch.returncode, again)


def test_a_ggtui_that_ends_while_it_is_watched_is_no_drift(tmp_path: Path, box: Shape) -> None:
    box.script("pull", {"hold": True})
    with serving(tmp_path, _wants(box, "llama3")) as one:
        watch = _begun(tmp_path, "reconcile")
        assert watch.stdout is not None
        assert "BACKEND" in watch.stdout.readline()
        one.process.terminate()
        _, words = watch.communicate(timeout=GUARD_S)

    assert 3 == watch.returncode
    assert "does not answer" in words


def test_a_person_who_cancels_a_pull_is_not_overruled(tmp_path: Path, box: Shape) -> None:
    box.script("pull", {"hold": True})
    with serving(tmp_path, _wants(box, "llama3")) as one:
        box.wait("pull", requests=1)
        _delete(one, "/ggtui/queue/cancel?model=llama3:latest")
        cycles = [_once(tmp_path) for _ in range(3)]
        box.script("pull")
        box.release()
        resumed, _ = _ggtui(tmp_path, "downloads", "resume", "1")
        watched, _ = _ggtui(tmp_path, "reconcile")

    assert [(1, {"llama3": "paused", "phi3:latest": "extra"})] * 3 == cycles
    assert (0, 0) == (resumed, watched)
    assert 2 == len(box.seen_at("pull"))


def test_a_read_only_ggtui_refuses_a_cycle_and_not_a_look(tmp_path: Path, box: Shape) -> None:
    box.have("llama3:latest")
    with serving(tmp_path, _wants(box, "llama3"), "--read-only"):
        refused, _ = _ggtui(tmp_path, "reconcile", "--once")
        looked = _once(tmp_path, "--dry-run")

    assert (3, (0, {"llama3": "in_sync"})) == (refused, looked)


def _delete(one: Instance, path: str) -> None:
    with httpx.Client(timeout=GUARD_S, trust_env=False) as client:
        client.delete(one.root + path).raise_for_status()
