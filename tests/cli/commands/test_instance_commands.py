"""What is asked from the running ggtui."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from ggtui.core.ports.gpu import MemoryReading
from ggtui.core.snapshot import TargetStatus
from ggtui.core.state import TargetState
from ggtui.core.state_json import target_document
from ggtui.core.units import MIB

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine
    from tests.cli.stub_instance import StubInstance


def _target() -> dict[str, object]:
    now = time.time()
    status = TargetStatus(1, "alpha-f32", TargetState.READY, now - 252, n_ctx=32768, n_slots=4, in_flight=2)
    return target_document(status, now)


async def _tiny_memory(pids: frozenset[int]) -> MemoryReading:
    return MemoryReading(ram_total_bytes=MIB, ram_available_bytes=MIB)


@pytest.fixture
def scanned(cli: CommandLine) -> CommandLine:
    """A command line whose catalog has been looked at before."""
    cli("ls")
    cli.data_dir.rename(cli.folder / "kept")
    return cli


@pytest.fixture
def loadable(scanned: CommandLine, stub: StubInstance) -> CommandLine:
    """The same, beside a stand-in that knows its models."""
    (scanned.folder / "kept" / "catalog.sqlite3").rename(scanned.data_dir / "catalog.sqlite3")
    stub.answer("/ggtui/load", _target())
    return scanned


def test_ps_without_a_running_one_is_an_empty_list(cli: CommandLine) -> None:
    answer = cli("ps")
    document = cli("ps", "--json").document

    assert (0, "", "no ggtui is running\n") == (answer.code, answer.out, answer.err)
    assert ([], None) == (document["targets"], document["pid"])


def test_ps_prints_a_line_per_target(cli: CommandLine, stub: StubInstance) -> None:
    waiter = {"model": "beta-f32", "n_ctx": None, "waiting_s": 3.2}
    stub.show(targets=[_target()], queue=[waiter])

    answer = cli("ps")

    shown = ["alpha-f32", "ready", "32k", "4", "2", "–", "4m12s", "–", stub.url, "–"]
    assert shown == answer.out.splitlines()[1].split()
    assert "queued: beta-f32 for 3s\n" == answer.err


def test_ps_tells_the_adapters_of_a_server_and_where_the_last_long_request_went(
    cli: CommandLine, stub: StubInstance
) -> None:
    carried = [{"name": "code", "weight": 0.8}, {"name": "chat", "weight": 0}]
    route = {"endpoint": "beta-f32", "words": "12041 tokens; alpha-f32 holds 8192", "at": None}
    stub.show(targets=[{**_target(), "adapters": carried}], last_route=route)
    answer = cli("ps")

    assert answer.out.splitlines()[1].endswith(f"{stub.url}  code 0.8, chat 0")
    assert "a request without a model went to beta-f32: 12041 tokens; alpha-f32 holds 8192\n" == answer.err


def test_ps_says_so_when_nothing_is_loaded(cli: CommandLine, stub: StubInstance) -> None:
    answer = cli("ps")

    assert (0, "") == (answer.code, answer.out)
    assert f"no model is loaded; ggtui serves at {stub.url}\n" == answer.err


def test_ps_as_json_is_the_state_as_it_was_told(cli: CommandLine, stub: StubInstance) -> None:
    stub.show(targets=[_target()])

    assert json.loads(stub.answers["/ggtui/state"][1]) == cli("ps", "--json").document


def test_load_says_the_forecast_and_asks(loadable: CommandLine, stub: StubInstance) -> None:
    answer = loadable("load", "alpha-f32")

    assert ("POST", "/ggtui/load", {"model": "alpha-f32"}) == stub.asked[-1]
    assert answer.err.startswith("load alpha-f32  ctx ")
    assert (0, f"alpha-f32 answers at {stub.url}\n") == (answer.code, answer.out)


def test_load_by_a_name_that_the_running_ggtui_knows_loads_its_model(
    loadable: CommandLine, stub: StubInstance
) -> None:
    names: dict[str, object] = {
        "default": None,
        "unnamed": "default",
        "disabled": [],
        "aliases": {"gpt-4": "alpha-f32"},
    }
    stub.show(names=names)
    answer = loadable("load", "gpt-4")

    assert ("POST", "/ggtui/load", {"model": "alpha-f32"}) == stub.asked[-1]
    assert (0, f"alpha-f32 answers at {stub.url}\n") == (answer.code, answer.out)
    assert 1 == loadable("load", "gpt-5").code


def test_load_waits_with_and_without_being_told(loadable: CommandLine, stub: StubInstance) -> None:
    answer = loadable("load", "alpha-f32", "--wait", "--timeout", "9")

    assert ("POST", "/ggtui/load", {"model": "alpha-f32"}) == stub.asked[-1]
    assert 0 == answer.code


def test_load_with_a_context_asks_for_exactly_that(loadable: CommandLine, stub: StubInstance) -> None:
    answer = loadable("load", "alpha-f32", "--ctx", "512", "--json")

    assert {"model": "alpha-f32", "num_ctx": 512} == stub.asked[-1][2]
    assert "ready" == answer.document["state"]


def test_load_of_what_does_not_fit_wants_a_yes(
    loadable: CommandLine, stub: StubInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ggtui.cli.surroundings.read_memory", _tiny_memory)

    refused = loadable("load", "alpha-f32")
    asked_before = [method for method, *_ in stub.asked]
    done = loadable("load", "alpha-f32", "--yes")

    assert (4, "") == (refused.code, refused.out)
    assert "ggtui: Does not fit: alpha-f32 at " in refused.err
    assert "POST" not in asked_before
    assert (0, "POST") == (done.code, stub.asked[-1][0])


def test_a_failed_load_ends_with_one_and_the_cause(loadable: CommandLine, stub: StubInstance) -> None:
    error = {"message": "Failed to start model: out of memory", "code": "model_start_failed", "hint": "less"}
    stub.answer("/ggtui/load", {"error": error}, 500)

    answer = loadable("load", "alpha-f32")

    assert 1 == answer.code
    assert ["ggtui: Failed to start model: out of memory", "  less"] == answer.err.splitlines()[1:]


@pytest.mark.parametrize("command", [["load", "m"], ["stop"], ["logs"], ["logs", "m", "-f"]])
def test_without_a_running_one_asking_ends_with_three(cli: CommandLine, command: list[str]) -> None:
    answer = cli(*command)

    assert (3, "") == (answer.code, answer.out)
    assert answer.err.startswith("ggtui: No running ggtui: ")


@pytest.mark.parametrize(
    ("command", "wish", "words"),
    [(["stop"], {}, "nothing runs now"), (["stop", "m"], {"model": "m"}, "m is stopped")],
)
def test_stop_asks_and_says_so(
    cli: CommandLine, stub: StubInstance, command: list[str], wish: dict[str, str], words: str
) -> None:
    stub.answer("/ggtui/stop", {"ok": True})

    answer = cli(*command)

    assert ("POST", "/ggtui/stop", wish) == stub.asked[-1]
    assert (0, "", f"{words}\n") == (answer.code, answer.out, answer.err)


def test_logs_prints_plain_lines(cli: CommandLine, stub: StubInstance) -> None:
    lines = [{"model": "m", "line": "one"}, {"model": "m", "line": "two \x1b[31mred"}]
    stub.answers["/ggtui/logs"] = (200, b"".join(json.dumps(line).encode() + b"\n" for line in lines))

    answer = cli("logs", "m", "-n", "2")

    assert "/ggtui/logs?n=2&model=m&verbose=0" == stub.asked[-1][1]
    assert (0, "one\ntwo red\n") == (answer.code, answer.out)
    cli("logs", "m", "--verbose")

    assert "/ggtui/logs?n=100&model=m&verbose=1" == stub.asked[-1][1]
    assert {"schema": 1, "lines": ["one", "two \x1b[31mred"]} == cli("logs", "m", "--json").document


def test_logs_that_follow_are_one_object_per_line(cli: CommandLine, stub: StubInstance) -> None:
    events = b'data: {"model": "m", "line": "one"}\n\n: ping\n\ndata: {"model": "m", "line": "two"}\n\n'
    stub.answers["/ggtui/logs"] = (200, events)

    assert "one\ntwo\n" == cli("logs", "-f").out
    assert [{"line": "one"}, {"line": "two"}] == [
        json.loads(line) for line in cli("logs", "-f", "--json").out.splitlines()
    ]


def test_logs_of_an_earlier_run_come_from_the_disk(cli: CommandLine) -> None:
    (cli.data_dir / "logs").mkdir(parents=True)
    (cli.data_dir / "logs" / "alpha-f32.log").write_text("one\ntwo\nthree\n")

    assert "two\nthree\n" == cli("logs", "alpha-f32", "-n", "2").out


def test_logs_of_a_model_that_never_ran_say_so(cli: CommandLine) -> None:
    cli("ls")
    answer = cli("logs", "alpha-f32")

    assert (0, "", "no lines: the model was not started yet\n") == (answer.code, answer.out, answer.err)
    assert "" == cli("logs", "alpha-f32", "-n", "0").err


@pytest.mark.parametrize("name", ["../../etc/passwd", "alpha"])
def test_logs_of_a_model_that_is_not_there_are_a_failure(cli: CommandLine, name: str) -> None:
    cli("ls")
    answer = cli("logs", name)

    assert (1, "") == (answer.code, answer.out)
    assert answer.err.startswith(f"ggtui: Model not found: {name}\n  ")
