"""Pulls between processes: from a hub onto this disk, into a running catalog, and to an answer."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from ggtui.adapters.gguf.demo import write_demo_models
from tests.e2e.instance import GUARD_S, Instance, running
from tests.hub import FakeHub, serving_hub

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

MODEL = "maker/demo-GGUF:F32"
FILE = "demo-F32.gguf"
HALF = 300_000
"""Bytes; about a half of the file."""


@dataclass(frozen=True)
class Home:
    """A person's machine: a hub's cache, a data folder, and nothing else yet."""

    folder: Path
    environ: dict[str, str] = field(repr=False)

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    def command(self, *words: str) -> list[str]:
        own = ("--data-dir", str(self.data_dir), "--config", str(self.folder / "config.toml"))
        return [sys.executable, "-m", "ggtui", *words, *own]

    def ggtui(self, *words: str) -> subprocess.CompletedProcess[str]:
        """One command, to its end."""
        return subprocess.run(
            self.command(*words),
            capture_output=True,
            text=True,
            env=self.environ,
            timeout=GUARD_S,
            check=False,
        )

    def begun(self, *words: str) -> subprocess.Popen[str]:
        """One command that goes on."""
        pipe = subprocess.PIPE
        return subprocess.Popen(self.command(*words), stdout=pipe, stderr=pipe, text=True, env=self.environ)

    def serving(self) -> AbstractContextManager[Instance]:
        """A running ggtui of this data folder, which looks into the hub's cache."""
        models = self.folder / "models"
        models.mkdir(exist_ok=True)
        config = str(self.folder / "config.toml")
        return running(
            models, self.data_dir, "--llama-server", "embedded", "--config", config, stores="huggingface"
        )

    def wait_for_part(self) -> None:
        """Return when a beginning of a file is on disk."""
        blobs = self.folder / "cache"
        while not any(path.stat().st_size for path in blobs.glob("models--*/blobs/*.incomplete")):
            pass

    def found(self) -> list[Path]:
        """Models in the cache, as other programs see them."""
        return sorted((self.folder / "cache").glob("models--*/snapshots/*/*.gguf"))


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    first, *_ = write_demo_models(tmp_path_factory.mktemp("made"))
    return first.read_bytes()


@pytest.fixture
def hub(content: bytes) -> Iterator[FakeHub]:
    with serving_hub() as one:
        one.repository("maker/demo-GGUF", {FILE: content, "README.md": b"tiny"})
        yield one


@pytest.fixture
def home(tmp_path: Path, hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> Home:
    (tmp_path / "config.toml").write_text("")
    for name, value in hub.environ(tmp_path / "cache").items():
        monkeypatch.setenv(name, value)
    return Home(tmp_path, dict(os.environ))


def _is_whole(home: Home, content: bytes) -> bool:
    (file,) = home.found()
    return hashlib.sha256(content).hexdigest() == hashlib.sha256(file.read_bytes()).hexdigest()


def _ids(one: Instance) -> list[str]:
    return [each["id"] for each in one.get("/v1/models")["data"]]


def _state(one: Instance) -> str:
    (job,) = one.get("/ggtui/queue")["downloads"]
    return str(job["state"])


def test_what_is_pulled_is_in_the_catalog_and_answers(home: Home, hub: FakeHub, content: bytes) -> None:
    with home.serving() as one:
        before = _ids(one)
        done = home.ggtui("pull", MODEL)
        while not (ids := _ids(one)):
            pass
        answer = one.chat(ids[0])

    assert ([], 0, f"{MODEL} is here\n") == (before, done.returncode, done.stdout)
    assert _is_whole(home, content)
    assert 200 == answer.status_code
    assert answer.json()["choices"][0]["message"]["content"]


def test_without_a_running_ggtui_it_is_done_all_the_same(home: Home, content: bytes) -> None:
    done = home.ggtui("pull", MODEL, "--json")
    with home.serving() as one:
        ids = _ids(one)

    assert (0, "done") == (done.returncode, json.loads(done.stdout)["download"]["state"])
    assert _is_whole(home, content)
    assert 1 == len(ids)


def test_ctrl_c_pauses_and_the_same_command_goes_on(home: Home, hub: FakeHub, content: bytes) -> None:
    hub.script("content", FILE, {}, {"hold_after": HALF})
    pull = home.begun("pull", MODEL)
    hub.wait(held=1)
    home.wait_for_part()
    pull.send_signal(signal.SIGINT)
    _, words = pull.communicate(timeout=GUARD_S)
    hub.release()
    kept = json.loads(home.ggtui("downloads", "--json").stdout)["downloads"]
    sent = hub.n_sent(FILE)
    again = home.ggtui("pull", MODEL)

    assert (130, [(MODEL, "paused")]) == (pull.returncode, [(each["model"], each["state"]) for each in kept])
    assert words.splitlines()[-1].endswith(f"to go on: ggtui pull {MODEL}")
    assert (0, True) == (again.returncode, _is_whole(home, content))
    assert hub.n_sent(FILE) - sent < 2 * len(content)
    assert "range" in hub.requests("content", FILE)[-1]["headers"]


def test_a_kill_loses_no_more_than_what_is_not_on_disk(home: Home, hub: FakeHub, content: bytes) -> None:
    hub.script("content", FILE, {}, {"hold_after": HALF})
    pull = home.begun("pull", MODEL)
    hub.wait(held=1)
    home.wait_for_part()
    pull.kill()
    pull.communicate(timeout=GUARD_S)
    hub.release()
    again = home.ggtui("pull", MODEL)

    assert (0, True) == (again.returncode, _is_whole(home, content))
    assert "range" in hub.requests("content", FILE)[-1]["headers"]


def test_a_killed_ggtui_goes_on_when_it_starts_again(home: Home, hub: FakeHub, content: bytes) -> None:
    hub.script("content", FILE, {"hold_after": HALF})
    with home.serving() as one:
        one.post("/ggtui/queue", {"model": MODEL})
        hub.wait(held=1)
        home.wait_for_part()
        one.process.kill()
        one.process.wait(GUARD_S)
    hub.release()
    with home.serving() as one:
        while "done" != _state(one):
            pass

    assert _is_whole(home, content)


def test_two_at_once_fetch_it_once(home: Home, hub: FakeHub, content: bytes) -> None:
    hub.script("content", FILE, {}, {"hold_after": HALF})
    first = home.begun("pull", MODEL)
    hub.wait(held=1)
    second = home.begun("pull", MODEL)
    hub.wait("api", "maker/demo-GGUF", requests=4)
    hub.release()
    for each in (first, second):
        each.communicate(timeout=GUARD_S)

    assert [0, 0] == [first.returncode, second.returncode]
    assert _is_whole(home, content)


def _events(one: Instance) -> Iterator[dict[str, Any]]:
    import httpx

    with (
        httpx.Client(timeout=GUARD_S, trust_env=False) as client,
        client.stream("GET", f"{one.root}/ggtui/queue/events") as answer,
    ):
        for line in answer.iter_lines():
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))


def test_a_cancelled_download_stays_paused_until_a_person_resumes_it(
    home: Home, hub: FakeHub, content: bytes
) -> None:
    (home.folder / "config.toml").write_text(
        f'[backends]\ninterval_s = 1\n[[model]]\nname = "demo"\nrepository = "{MODEL}"\n'
    )
    hub.script("content", FILE, {"hold_after": HALF})
    with home.serving() as one:
        hub.wait(held=1)
        cancelled = home.ggtui("downloads", "cancel", "1")
        hub.release()
        cycles = [one.post("/ggtui/reconcile", {}).json() for _ in range(3)]
        asked = len(hub.requests("content", FILE))
        events = _events(one)
        first = next(events)
        home.ggtui("downloads", "resume", "1")
        last = next(each for each in events if each["state"] == "done")

    assert 0 == cancelled.returncode
    assert [["paused"]] * 3 == [[row["state"] for row in each["rows"]] for each in cycles]
    assert (1, "paused", "done") == (asked, first["state"], last["state"])
    assert (MODEL, len(content)) == (last["model"], last["completed"])
    assert _is_whole(home, content)
