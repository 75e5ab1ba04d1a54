"""Pulls from the command line: the verdict before a byte, then the job, here or by the running ggtui."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ggtui.cli import choices
from ggtui.cli.commands import pull
from ggtui.cli.download_progress import DownloadProgress
from ggtui.cli.exits import WrongUse
from ggtui.core.downloads.jobs import Job, JobKind, JobState
from ggtui.core.downloads_json import ordered_document, removed_document, status_document
from ggtui.core.forecast import Verdict
from tests.hub import FakeHub, serving_hub
from tests.models import tiny_model

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import CommandLine
    from tests.cli.stub_instance import StubInstance

MODEL = "o/r-GGUF:Q8_0"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeHub]:
    folder = tmp_path_factory.mktemp("served")
    small = tiny_model(folder / "small.gguf").read_bytes()
    large = tiny_model(folder / "large.gguf", name="large").read_bytes() + bytes(1 << 16)
    with serving_hub() as hub:
        hub.repository("o/r-GGUF", {"m-Q8_0.gguf": large, "m-Q4_0.gguf": small}, downloads=50)
        hub.repository("o/one", {"one-Q8_0.gguf": small}, revisions=["v2"])
        hub.repository("o/broken", {"broken-Q8_0.gguf": b"<html>sign in</html>"})
        hub.repository("o/empty", {"README.md": b"nothing"})
        hub.repository("o/gated", {"m-Q8_0.gguf": small}, is_gated=True)
        yield hub


@pytest.fixture
def hub(served: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeHub:
    for name, value in served.environ(tmp_path / "cache").items():
        monkeypatch.setenv(name, value)
    return served


def _found(cli: CommandLine) -> list[str]:
    """Model files of the hub's cache."""
    return sorted(path.name for path in (cli.folder / "cache").glob("models--*/snapshots/*/*"))


def _does_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every forecast say no."""
    monkeypatch.setattr(choices, "needs_consent", lambda _ahead: True)


def test_a_model_is_fetched_after_its_verdict(cli: CommandLine, hub: FakeHub) -> None:
    answer = cli("pull", "o/one")

    assert (0, "o/one:Q8_0 is here\n") == (answer.code, answer.out)
    first, second, *progress = answer.err.splitlines()
    assert first.startswith("load o/one:Q8_0  ctx ")
    assert second.startswith("fetch o/one:Q8_0  ")
    assert "100%" in progress[-1]
    assert ["one-Q8_0.gguf"] == _found(cli)


def test_what_is_here_is_not_fetched_again(cli: CommandLine, hub: FakeHub) -> None:
    cli("pull", MODEL)
    sent = hub.n_sent("m-Q8_0.gguf")

    again, told = cli("pull", MODEL), cli("pull", MODEL, "--json").document

    assert (0, f"{MODEL} is here already\n") == (again.code, again.out)
    assert (True, None) == (told["offer"]["is_here"], told["download"])
    assert sent == hub.n_sent("m-Q8_0.gguf")


def test_as_json_it_is_the_offer_and_the_download(cli: CommandLine, hub: FakeHub) -> None:
    told = cli("pull", "hf:o/r-GGUF:q4_0", "--json").document

    assert ("o/r-GGUF:Q4_0", "done") == (told["offer"]["model"], told["download"]["state"])
    assert told["download"]["total"] == told["offer"]["size_bytes"] == told["download"]["completed"]
    assert Verdict.FITS == told["offer"]["estimate"]["verdict"]


def test_several_are_listed_with_their_verdicts(cli: CommandLine, hub: FakeHub) -> None:
    answer = cli("pull", "o/r-GGUF")

    rows = [line.split() for line in answer.out.splitlines()[1:]]
    assert (2, ["o/r-GGUF:Q4_0", MODEL]) == (answer.code, [row[0] for row in rows])
    assert ["fits", "fits"] == [row[-2] for row in rows]
    assert f"ggtui pull {MODEL}" in answer.err
    assert [] == _found(cli)


def test_several_are_listed_as_json(cli: CommandLine, hub: FakeHub) -> None:
    answer = cli("pull", "o/r-GGUF", "--json")

    assert 2 == answer.code
    assert ["o/r-GGUF:Q4_0", MODEL] == [each["model"] for each in answer.document["offers"]]


def test_a_revision_is_named_behind_the_name_or_by_its_flag(cli: CommandLine, hub: FakeHub) -> None:
    answers = [cli("pull", "o/one@v2"), cli("pull", "o/one", "--revision", "v3")]

    assert [0, 1] == [each.code for each in answers]
    assert "v3" in answers[1].err or "revision" in answers[1].err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("nonsense",), 2),
        (("../etc:Q8_0",), 2),
        (("o/one@v2", "--revision", "main"), 2),
        (("o/none",), 1),
        (("o/empty",), 1),
        (("o/r-GGUF:Q2_K",), 1),
    ],
)
def test_what_is_not_there_is_told(cli: CommandLine, hub: FakeHub, words: tuple[str, ...], code: int) -> None:
    answer = cli("pull", *words)

    assert (code, "") == (answer.code, answer.out)
    assert answer.err.startswith("ggtui: ")
    assert [] == _found(cli)


def test_the_name_of_a_missing_quantisation_leads_to_those_there_are(cli: CommandLine, hub: FakeHub) -> None:
    assert "Q4_0" in cli("pull", "o/r-GGUF:Q2_K").err


def test_without_a_terminal_what_does_not_fit_is_not_fetched(
    cli: CommandLine, hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    _does_not_fit(monkeypatch)

    refused, told = cli("pull", MODEL), cli("pull", MODEL, "--json")

    assert (4, "") == (refused.code, refused.out)
    assert refused.err.endswith("--yes fetches it all the same\n")
    assert (4, "Does not fit") == (told.code, told.document["error"]["title"])
    assert [] == _found(cli)


def test_yes_fetches_what_does_not_fit(
    cli: CommandLine, hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    _does_not_fit(monkeypatch)

    assert 0 == cli("pull", MODEL, "--yes").code
    assert ["m-Q8_0.gguf"] == _found(cli)


@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("YES\n", 0), ("n\n", 4), ("\n", 4), ("", 4)])
def test_a_person_is_asked(
    cli: CommandLine, hub: FakeHub, monkeypatch: pytest.MonkeyPatch, typed: str, code: int
) -> None:
    _does_not_fit(monkeypatch)
    keys = io.StringIO(typed)
    keys.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stdin", keys)

    answer = cli("pull", MODEL)

    assert code == answer.code
    assert "fetch it all the same? [y/N]" in answer.err


def test_what_no_engine_can_load_is_not_fetched_unasked(cli: CommandLine, hub: FakeHub) -> None:
    answer = cli("pull", "o/broken")

    assert 4 == answer.code
    assert [] == _found(cli)


def test_read_only_fetches_nothing(cli: CommandLine, hub: FakeHub) -> None:
    assert 2 == cli("--read-only", "pull", "o/one").code
    assert [] == _found(cli)


def test_wrong_bytes_are_a_failure_with_its_reason(cli: CommandLine, hub: FakeHub) -> None:
    hub.script("content", "m-Q8_0.gguf", {}, {"wrong_from": 0}, repeat=True)

    answer = cli("pull", MODEL, "--yes")
    hub.script("content", "m-Q8_0.gguf")

    assert 1 == answer.code
    assert "Not downloaded" in answer.err
    assert [] == _found(cli)


def test_detached_it_waits_for_the_next_ggtui(cli: CommandLine, hub: FakeHub) -> None:
    answer = cli("pull", MODEL, "--detach")

    assert (0, f"1: {MODEL} is queued\n") == (answer.code, answer.out)
    assert "no ggtui is running: the next one fetches it" in answer.err
    assert [(MODEL, "pending")] == [
        (each["model"], each["state"]) for each in cli("downloads", "--json").document["downloads"]
    ]


def test_a_backend_that_is_not_declared_fetches_nothing(cli: CommandLine) -> None:
    answer = cli("pull", "llama3", "--backend", "box")

    assert 1 == answer.code
    assert "Backend not found" in answer.err


def test_offline_nobody_is_asked(cli: CommandLine, hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    n_asked = len(hub.requests())
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    answer = cli("pull", "o/one")

    assert 1 == answer.code
    assert "HF_HUB_OFFLINE" in answer.err
    assert n_asked == len(hub.requests())


@pytest.mark.parametrize("model", ["o/one", "o/one:Q8_0", "hf:o/one/one-Q8_0.gguf"])
@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "HF_ENDPOINT"])
def test_what_is_here_is_here_though_the_hub_cannot_be_asked(
    cli: CommandLine, hub: FakeHub, monkeypatch: pytest.MonkeyPatch, model: str, variable: str
) -> None:
    cli("pull", "o/one")
    monkeypatch.setenv(variable, "1" if variable == "HF_HUB_OFFLINE" else "http://127.0.0.1:9")

    answer, other = cli("pull", model), cli("pull", "o/one:Q4_0")

    assert (0, f"{model} is here already\n") == (answer.code, answer.out)
    assert "127.0.0.1" in answer.err
    assert 1 == other.code


def test_a_search_lists_the_most_downloaded_first(cli: CommandLine, hub: FakeHub) -> None:
    answer, told = cli("search", "o/"), cli("search", "r-", "gguf", "--json").document

    rows = [line.split() for line in answer.out.splitlines()[1:]]
    assert (0, ["o/r-GGUF", "50"]) == (answer.code, rows[0][:2])
    assert {("o/gated", "gated"), ("o/one", "open")} <= {(row[0], row[-1]) for row in rows}
    assert ("r- gguf", []) == (told["search"], told["repositories"])


# Through a running ggtui

JOB = Job(4, JobKind.HUB, MODEL, "local", state=JobState.RUNNING, completed_bytes=5, total_bytes=10)


def _stream(*told: dict[str, Any]) -> tuple[int, bytes]:
    return 200, b"".join(b"event: status\ndata: %s\n\n" % json.dumps(each).encode() for each in told)


def _ended(state: JobState, why: str = "", hint: str = "") -> dict[str, Any]:
    return status_document(replace(JOB, state=state, why=why, hint=hint))


@pytest.fixture
def queued(stub: StubInstance) -> StubInstance:
    """A running ggtui that has taken the wish."""
    stub.answer("/ggtui/queue", ordered_document((JOB,), 4))
    return stub


def test_the_running_one_fetches_it(cli: CommandLine, hub: FakeHub, queued: StubInstance) -> None:
    other = {**status_document(JOB), "number": 3, "state": "done"}
    queued.answers["/ggtui/queue/events"] = _stream(other, status_document(JOB), _ended(JobState.DONE))

    answer = cli("pull", MODEL)

    assert (0, f"{MODEL} is here\n") == (answer.code, answer.out)
    wish = {"model": MODEL, "backend": "local", "revision": "main"}
    assert ("POST", "/ggtui/queue", wish) in queued.asked
    assert [] == _found(cli)


@pytest.mark.parametrize(
    ("last", "words"),
    [
        (_ended(JobState.FAILED, "the disk is full", "free some"), ("the disk is full", "free some")),
        (_ended(JobState.PAUSED), ("was paused", "ggtui downloads resume 4")),
        (removed_document(JOB), ("was taken out of the queue",)),
    ],
)
def test_what_ended_it_is_told(
    cli: CommandLine, hub: FakeHub, queued: StubInstance, last: dict[str, Any], words: tuple[str, ...]
) -> None:
    queued.answers["/ggtui/queue/events"] = _stream(status_document(JOB), last)

    answer = cli("pull", MODEL)

    assert (1, "") == (answer.code, answer.out)
    assert all(each in answer.err for each in words)


def test_a_ggtui_that_ends_meanwhile_is_told(cli: CommandLine, hub: FakeHub, queued: StubInstance) -> None:
    queued.answers["/ggtui/queue/events"] = _stream(status_document(JOB))

    answer = cli("pull", MODEL)

    assert 3 == answer.code
    assert "the same command goes on with it" in answer.err


def test_detached_the_running_one_goes_on_alone(cli: CommandLine, hub: FakeHub, queued: StubInstance) -> None:
    answer = cli("pull", MODEL, "--detach")

    assert (0, f"4: {MODEL} is queued\n") == (answer.code, answer.out)
    assert "ggtui downloads shows how it goes" in answer.err


def test_a_backend_pulls_by_its_own_names(cli: CommandLine, queued: StubInstance) -> None:
    queued.answers["/ggtui/queue/events"] = _stream(_ended(JobState.DONE))

    answer = cli("pull", "llama3:8b", "--backend", "box")

    assert (0, "llama3:8b is on box\n") == (answer.code, answer.out)
    assert (
        "POST",
        "/ggtui/queue",
        {"model": "llama3:8b", "backend": "box", "revision": "main"},
    ) in queued.asked


def test_whoever_interrupts_it_pauses_it(
    cli: CommandLine, hub: FakeHub, queued: StubInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued.answers["/ggtui/queue/events"] = _stream(status_document(JOB))
    queued.answer("/ggtui/queue/order", ordered_document((JOB,), 4))

    def interrupt(_self: object, told: dict[str, Any]) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(DownloadProgress, "show", interrupt)
    answer = cli("pull", MODEL)

    assert (130, f"paused; to go on: ggtui pull {MODEL}") == (answer.code, answer.err.splitlines()[-1])
    assert ("POST", "/ggtui/queue/order", {"number": 4, "action": "pause"}) == queued.asked[-1]


@pytest.mark.parametrize(
    ("text", "revision", "expected"),
    [
        ("o/r", None, ("o/r", "", "", "main")),
        ("hf:o/r:Q4_K_M", None, ("o/r", "Q4_K_M", "", "main")),
        ("o/r/sub/m.gguf@v1", None, ("o/r", "", "sub/m.gguf", "v1")),
        ("o/r", "v2", ("o/r", "", "", "v2")),
        ("o/r@v2", "v2", ("o/r", "", "", "v2")),
    ],
)
def test_names_are_read(text: str, revision: str | None, expected: tuple[str, ...]) -> None:
    wanted, found = pull.read_name(text, revision)

    assert expected == (wanted.repository, wanted.quant, wanted.path, found)


def test_two_revisions_are_a_mistake() -> None:
    with pytest.raises(WrongUse, match="two revisions"):
        pull.read_name("o/r@a", "b")
