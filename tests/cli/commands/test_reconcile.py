"""Reconciliation from the command line: looked at, closed, watched; by the running ggtui or by itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from ggtui.core.backends.backend import Backend, BackendType
from ggtui.core.backends.observed import BackendState
from ggtui.core.backends.rows import Row, RowState
from ggtui.core.backends_json import backends_document, reconciled_document
from ggtui.core.errors import ReadOnly, StoreUnavailable
from ggtui.proxy.answers import failure_document
from tests.backends import Shape, started
from tests.e2e.rules import table
from tests.hub import serving_hub
from tests.models import tiny_model

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import CommandLine
    from tests.cli.stub_instance import StubInstance

PATH = "/ggtui/reconcile"
FETCHED = Row("box", "llama3", RowState.DOWNLOADING, job=3, completed_bytes=5, total_bytes=20)
PRESENT = Row("box", "llama3", RowState.IN_SYNC)
SLOWLY = {"piece_s": 0.3}
"""A pull that is seen to run, however busy the machine is."""
EXTRA = Row("box", "phi3", RowState.EXTRA, "backend has model phi3")


def _columns(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def _rows(text: str) -> list[list[str]]:
    """Backend, model and state of each row of the table."""
    return [_columns(line)[:3] for line in text.splitlines()[1:]]


def _declare(cli: CommandLine, *tables: str) -> None:
    (cli.folder / "config.toml").write_text("[backends]\ninterval_s = 1\n" + "".join(tables))


@pytest.fixture
def box() -> Iterator[Shape]:
    """An Ollama that can fetch what it has not, and has something that nobody declares."""
    with started("ollama", ["phi3:latest"]) as shape:
        yield shape


@pytest.fixture
def declared(cli: CommandLine, box: Shape) -> CommandLine:
    """A command line whose configuration wants a model there."""
    _declare(cli, table("backend", name="box", type="ollama", base_url=box.url, models=["llama3"]))
    return cli


# By itself


def test_a_dry_run_tells_what_would_be_done_and_does_nothing(declared: CommandLine, box: Shape) -> None:
    answer = declared("reconcile", "--once", "--dry-run")

    assert 1 == answer.code
    assert [["box", "llama3", "missing"], ["box", "phi3:latest", "extra"]] == _rows(answer.out)
    assert ["have the backend fetch it", "left alone"] == [
        _columns(line)[3] for line in answer.out.splitlines()[1:]
    ]
    assert ([], ["phi3:latest"]) == (box.seen_at("pull"), box.models)
    assert not declared.data_dir.exists()


def test_one_cycle_closes_one_difference_and_deletes_nothing(declared: CommandLine, box: Shape) -> None:
    answer = declared("reconcile", "--once")

    assert (0, "in sync") == (answer.code, answer.err.splitlines()[-1])
    assert [["box", "llama3", "in_sync"], ["box", "phi3:latest", "extra"]] == _rows(answer.out)
    assert ["llama3:latest", "phi3:latest"] == sorted(box.models)
    assert [] == box.seen_at("delete")


def test_in_sync_it_ends_with_nothing_and_asks_for_nothing(declared: CommandLine, box: Shape) -> None:
    box.have("llama3:latest")

    told = declared("reconcile", "--once", "--json")

    assert (0, True, False) == (told.code, told.document["in_sync"], told.document["is_dry_run"])
    assert [] == box.seen_at("pull")


def test_a_backend_that_is_down_is_drift(declared: CommandLine, box: Shape) -> None:
    box.down()

    answer = declared("reconcile", "--once")

    assert (1, "one is not in sync") == (answer.code, answer.err.splitlines()[-1])
    assert [["box", "–", "error"]] == _rows(answer.out)


def test_several_missing_models_arrive_over_cycles(cli: CommandLine, box: Shape) -> None:
    names = ["llama3", "qwen3:4b"]
    _declare(cli, table("backend", name="box", type="ollama", base_url=box.url, models=names))

    codes = [cli("reconcile", "--once").code for _ in range(2)]

    assert [1, 0] == codes
    assert ["llama3:latest", "phi3:latest", "qwen3:4b"] == sorted(box.models)


def test_it_watches_until_all_is_in_sync_and_tells_each_change(declared: CommandLine, box: Shape) -> None:
    box.script("pull", SLOWLY)
    answer = declared("reconcile")

    assert (0, "in sync") == (answer.code, answer.err.splitlines()[-1])
    assert "box llama3  downloading → in_sync" in answer.out.splitlines()
    assert ["llama3:latest", "phi3:latest"] == sorted(box.models)


def test_watched_as_json_each_line_is_a_document(declared: CommandLine, box: Shape) -> None:
    box.script("pull", SLOWLY)
    documents = [json.loads(line) for line in declared("reconcile", "--json").out.splitlines()]

    assert [False, True] == [documents[0]["in_sync"], documents[-1]["in_sync"]]
    assert "downloading" in [row["state"] for each in documents for row in each["rows"]]


def test_a_declared_model_of_the_hub_comes_onto_this_disk(
    cli: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving_hub() as hub:
        hub.repository("o/r", {"m-Q8_0.gguf": tiny_model(tmp_path / "m.gguf")})
        for name, value in hub.environ(tmp_path / "cache").items():
            monkeypatch.setenv(name, value)
        _declare(cli, table("model", name="tiny", repository="o/r:Q8_0"))
        dry = cli("reconcile", "--once", "--dry-run")
        n_asked = len(hub.requests())
        done = cli("reconcile", "--once")

    assert (1, [["here", "tiny", "missing"]], 0) == (dry.code, _rows(dry.out), n_asked)
    assert "fetch it from the hub" in dry.out
    assert (0, [["here", "tiny", "in_sync"]]) == (done.code, _rows(done.out))
    assert 1 == len(list((tmp_path / "cache").glob("models--o--r/snapshots/*/m-Q8_0.gguf")))


def test_only_what_is_missing_is_fetched(cli: CommandLine) -> None:
    cli("pull", "somebody/wants:Q8_0", "--backend", "local", "--detach")

    answer = cli("reconcile", "--once")

    assert (0, "") == (answer.code, answer.out)
    assert "pending" == cli("downloads", "--json").document["downloads"][0]["state"]


def test_where_nothing_is_declared_all_is_in_sync(cli: CommandLine) -> None:
    answer = cli("reconcile", "--once")

    assert (0, "") == (answer.code, answer.out)
    assert "[[backend]] and [[model]]" in answer.err


def test_read_only_it_only_looks(declared: CommandLine, box: Shape) -> None:
    assert 2 == declared("--read-only", "reconcile", "--once").code
    assert 1 == declared("--read-only", "reconcile", "--dry-run").code
    assert [] == box.seen_at("pull")


def test_a_queue_that_cannot_be_kept_is_no_drift(declared: CommandLine) -> None:
    declared.data_dir.write_text("a file where the folder would be")

    assert 3 == declared("reconcile", "--once").code


# By the running ggtui


@pytest.mark.parametrize(("rows", "code"), [((PRESENT, EXTRA), 0), ((FETCHED,), 1)])
def test_the_running_one_runs_the_cycle(
    cli: CommandLine, stub: StubInstance, rows: tuple[Row, ...], code: int
) -> None:
    stub.answer(PATH, reconciled_document(rows, is_dry_run=False))

    answer = cli("reconcile", "--once")

    assert code == answer.code
    assert ("POST", PATH, {"dry_run": False}) == stub.asked[-1]


def test_how_far_a_download_is_stands_in_its_row(cli: CommandLine, stub: StubInstance) -> None:
    stub.answer(PATH, reconciled_document((FETCHED,), is_dry_run=True))

    answer = cli("reconcile", "--dry-run")

    assert [["box", "llama3", "downloading 25%"]] == _rows(answer.out)
    assert ("POST", PATH, {"dry_run": True}) == stub.asked[-1]


@pytest.mark.parametrize("failure", [ReadOnly(), StoreUnavailable("the disk is full")])
def test_a_refusal_is_no_drift(
    cli: CommandLine, stub: StubInstance, failure: ReadOnly | StoreUnavailable
) -> None:
    stub.answer(PATH, failure_document(failure), failure.status)

    assert 3 == cli("reconcile", "--once").code


def _states(*rows: tuple[Row, ...]) -> tuple[int, bytes]:
    documents = [reconciled_document(each, is_dry_run=False) for each in rows]
    return 200, b"".join(b"event: state\ndata: %s\n\n" % json.dumps(each).encode() for each in documents)


def test_the_running_one_is_watched(cli: CommandLine, stub: StubInstance) -> None:
    stub.answer(PATH, reconciled_document((FETCHED, EXTRA), is_dry_run=False))
    stub.answers["/ggtui/events"] = _states((FETCHED, EXTRA), (FETCHED,), (PRESENT,))

    answer = cli("reconcile")

    assert (0, "in sync") == (answer.code, answer.err.splitlines()[-1])
    assert ["box phi3  extra → gone", "box llama3  downloading → in_sync"] == answer.out.splitlines()[-2:]


def test_a_running_one_in_sync_is_not_watched(cli: CommandLine, stub: StubInstance) -> None:
    stub.answer(PATH, reconciled_document((PRESENT,), is_dry_run=False))

    assert 0 == cli("reconcile").code
    assert [PATH] == [path for _, path, _ in stub.asked]


def test_a_running_one_that_ends_meanwhile_is_told(cli: CommandLine, stub: StubInstance) -> None:
    stub.answer(PATH, reconciled_document((FETCHED,), is_dry_run=False))
    stub.answers["/ggtui/events"] = _states((FETCHED,))

    assert 3 == cli("reconcile").code


# The backends themselves


def _told() -> dict[str, Any]:
    box = Backend("box", BackendType.OLLAMA, "http://box.test")
    states = (
        BackendState("box", "box", box, ("llama3",), last_seen=1.5, observed_at=1.5, latency_s=0.012),
        BackendState("gpu", "gpu", Backend("gpu", BackendType.VLLM), error="no answer", observed_at=1.5),
        BackendState("new", "new", Backend("new", BackendType.GEMINI)),
    )
    return backends_document(states, (FETCHED, Row("gpu", "", RowState.ERROR, "no answer")))


def test_backends_are_listed_with_their_models(cli: CommandLine, stub: StubInstance) -> None:
    stub.answer("/ggtui/backends", _told())

    answer = cli("backends")
    backends, rows = answer.out.split("\n\n")

    assert [["box", "ollama", "ready"], ["gpu", "vllm", "error"], ["new", "gemini", "not asked yet"]] == (
        _rows(backends)
    )
    assert "12ms" in backends
    assert [["box", "llama3", "downloading 25%"], ["gpu", "–", "error"]] == _rows(rows)


def test_backends_as_json_are_what_was_told(cli: CommandLine, stub: StubInstance) -> None:
    stub.answer("/ggtui/backends", _told())

    assert _told() == cli("backends", "--json").document


def test_without_a_running_one_backends_are_looked_at(declared: CommandLine, box: Shape) -> None:
    told = declared("backends", "--json").document

    assert ["phi3:latest"] == [each["name"] for each in told["backends"][0]["pulledModels"]]
    assert (["missing", "extra"], []) == ([each["state"] for each in told["rows"]], box.seen_at("pull"))
