"""What was served, from the command line: beside a running ggtui, and without one."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.history.store import SqliteHistory
from ggtui.core.history import Generation
from ggtui.core.routing.adapters import AdapterRef
from ggtui.core.state_json import history_document

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import CommandLine
    from tests.cli.stub_instance import StubInstance

ENDED = Generation(
    7,
    "alpha",
    "/models/alpha.gguf",
    4096,
    1000.0,
    "loaded by a person",
    (AdapterRef("code", 0.8), AdapterRef("chat", 0.0)),
    1072.5,
    "made room for beta",
    3,
)
SERVING = Generation(8, "beta", "/models/beta.gguf", 8192, 1072.5, "asked for by a request")


def keep(file: Path, *generations: Generation) -> None:
    async def scenario() -> None:
        history = SqliteHistory(file)
        await history.open()
        await history.keep(generations)
        await history.close()

    asyncio.run(scenario())


@pytest.fixture
def local_time() -> Iterator[None]:
    """Two hours before UTC."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC-02:00")
        time.tzset()
        yield
    time.tzset()


def columns(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


@pytest.mark.usefixtures("local_time")
def test_without_a_running_ggtui_the_file_is_read_and_what_it_left_open_has_ended(cli: CommandLine) -> None:
    keep(cli.data_dir / "history.sqlite3", ENDED, SERVING)
    before = (cli.data_dir / "history.sqlite3").read_bytes()
    answer = cli("history")
    head, newest, oldest = [columns(line) for line in answer.out.splitlines()]

    assert ["#", "BEGAN", "LASTED", "MODEL", "CTX", "ADAPTERS", "WHY", "ENDED"] == head
    assert [
        "8", "1970-01-01 02:17:52", "–", "beta", "8k", "–", "asked for by a request", "ended with ggtui",
    ] == newest  # fmt: skip
    assert [
        "7", "1970-01-01 02:16:40", "1m12s", "alpha", "4k", "code 0.8, chat 0", "loaded by a person",
        "made room for beta",
    ] == oldest  # fmt: skip
    assert (0, "") == (answer.code, answer.err)
    assert before == (cli.data_dir / "history.sqlite3").read_bytes()


def test_a_running_ggtui_is_asked(cli: CommandLine, stub: StubInstance) -> None:
    serving = replace(SERVING, began=time.time() - 3600)
    stub.answer("/ggtui/history", history_document([serving, ENDED]))
    answer = cli("history", "-n", "2")
    newest = answer.out.splitlines()[1]

    assert ("GET", "/ggtui/history?n=2", None) == stub.asked[-1]
    assert newest.endswith("still serves")
    assert "1h00m" in newest
    assert history_document([serving, ENDED]) == cli("history", "--json").document


def test_nothing_yet_is_one_clear_line(cli: CommandLine) -> None:
    answer = cli("history")

    assert (0, "", "nothing was served yet\n") == (answer.code, answer.out, answer.err)
    assert {"schema": 1, "generations": []} == cli("history", "--json").document


def test_fewer_can_be_asked_for(cli: CommandLine) -> None:
    keep(cli.data_dir / "history.sqlite3", ENDED, SERVING)

    assert [8] == [each["generation"] for each in cli("history", "-n", "1", "--json").document["generations"]]


@pytest.mark.parametrize("n", ["0", "33", "all"])
def test_another_number_is_a_mistake(cli: CommandLine, n: str) -> None:
    with pytest.raises(SystemExit) as left:
        cli("history", "-n", n)

    assert 2 == left.value.code


def test_a_file_that_cannot_be_read_is_told(cli: CommandLine) -> None:
    cli.data_dir.mkdir(exist_ok=True)
    (cli.data_dir / "history.sqlite3").write_text("this is a text file, long enough to be looked at\n" * 50)
    answer = cli("history")

    assert (3, "") == (answer.code, answer.out)
    assert "History is not available" in answer.err
