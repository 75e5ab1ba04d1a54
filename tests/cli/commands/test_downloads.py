"""Downloads from the command line: listed and ordered, with a running ggtui and without one."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.downloads.queue import SqliteDownloads
from ggtui.core.downloads.jobs import FilePart, Job, JobKind, JobState
from ggtui.core.downloads_json import ordered_document, queue_document
from ggtui.core.units import GIB

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine
    from tests.cli.stub_instance import StubInstance

PATH = "/ggtui/queue"
FETCHED = Job(
    1,
    JobKind.HUB,
    "o/r:Q4_K_M",
    "local",
    state=JobState.RUNNING,
    files=(FilePart("m.gguf", 4 * GIB, "a" * 64),),
    completed_bytes=GIB,
    total_bytes=4 * GIB,
    rate=12_000_000.0,
    left_s=312.0,
)
PULL = Job(2, JobKind.PULL, "llama3", "box", state=JobState.PENDING, why="no answer", hint="is it on?")


def _columns(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def _keep(cli: CommandLine, *jobs: Job) -> None:
    async def keep() -> None:
        queue = SqliteDownloads(cli.data_dir / "downloads.sqlite3")
        for job in jobs:
            await queue.add(job)
        await queue.close()

    cli.data_dir.mkdir()
    asyncio.run(keep())


def test_each_has_a_line_and_says_why_it_waits(cli: CommandLine, stub: StubInstance) -> None:
    stub.answer(PATH, queue_document((FETCHED, PULL)))

    answer = cli("downloads")

    assert [
        ["1", "o/r:Q4_K_M", "here", "running", "25%", "4.0G", "12 MB/s", "5m12s"],
        ["2", "llama3", "box", "pending", "–", "–", "–", "–"],
    ] == [_columns(line) for line in answer.out.splitlines()[1:]]
    assert (0, "2: no answer; is it on?\n") == (answer.code, answer.err)


def test_as_json_it_is_what_was_told(cli: CommandLine, stub: StubInstance) -> None:
    told = queue_document((FETCHED, PULL))
    stub.answer(PATH, told)

    assert told == cli("downloads", "--json").document


def test_none_is_an_empty_list_with_a_way_to_begin(cli: CommandLine) -> None:
    answer = cli("downloads")

    assert (0, "", "no downloads; ggtui pull OWNER/REPO begins one\n") == (
        answer.code,
        answer.out,
        answer.err,
    )
    assert {"schema": 1, "downloads": [], "problem": None} == cli("downloads", "--json").document
    assert not cli.data_dir.exists()


@pytest.mark.parametrize(
    ("words", "order", "said"),
    [
        (("pause", "1"), {"number": 1, "action": "pause"}, "o/r:Q4_K_M is paused"),
        (("resume", "1"), {"number": 1, "action": "resume"}, "o/r:Q4_K_M goes on"),
        (
            ("cancel", "1"),
            {"number": 1, "action": "cancel"},
            "o/r:Q4_K_M is cancelled: it stays paused, with what is on disk",
        ),
        (("move", "1", "3"), {"number": 1, "action": "move", "to": 2}, "o/r:Q4_K_M has its place"),
        (("rm", "7"), {"number": 7, "action": "remove"}, "7 is taken out of the queue"),
    ],
)
def test_an_order_is_passed_on(
    cli: CommandLine, stub: StubInstance, words: tuple[str, ...], order: object, said: str
) -> None:
    stub.answer(f"{PATH}/order", ordered_document((FETCHED,), int(words[1])))

    answer = cli("downloads", *words)

    assert (0, f"{said}\n") == (answer.code, answer.out)
    assert ("POST", f"{PATH}/order", order) == stub.asked[-1]


@pytest.mark.parametrize(
    ("action", "state", "said"),
    [
        ("pause", JobState.DONE, "o/r:Q4_K_M is done already"),
        ("cancel", JobState.DONE, "o/r:Q4_K_M is done already"),
        ("resume", JobState.DONE, "o/r:Q4_K_M is done already"),
        ("pause", JobState.FAILED, "o/r:Q4_K_M has failed: there is nothing to pause"),
        (
            "rm",
            JobState.PAUSED,
            "o/r:Q4_K_M is declared in the configuration: it stays in the queue, paused",
        ),
    ],
)
def test_an_order_that_changes_less_than_it_asks_for_says_so(
    cli: CommandLine, stub: StubInstance, action: str, state: JobState, said: str
) -> None:
    stub.answer(f"{PATH}/order", ordered_document((replace(FETCHED, state=state),), 1))

    answer = cli("downloads", action, "1")

    assert (0, f"{said}\n") == (answer.code, answer.out)


@pytest.mark.parametrize(
    "words",
    [
        ("pause",),
        ("pause", "one"),
        ("pause", "1", "2"),
        ("move", "1"),
        ("explode", "1"),
        ("remove", "1"),
        ("1",),
    ],
)
def test_an_order_that_makes_no_sense_is_a_mistake(cli: CommandLine, words: tuple[str, ...]) -> None:
    answer = cli("downloads", *words)

    assert 2 == answer.code
    assert "ggtui downloads move N PLACE" in answer.err


def test_read_only_changes_nothing(cli: CommandLine) -> None:
    _keep(cli, FETCHED)

    assert 2 == cli("--read-only", "downloads", "pause", "1").code
    assert "pending" == cli("downloads", "--json").document["downloads"][0]["state"]


def test_without_a_running_one_the_queue_on_disk_is_meant(cli: CommandLine) -> None:
    _keep(cli, replace(FETCHED, state=JobState.PENDING), PULL)

    paused = cli("downloads", "pause", "1")
    moved = cli("downloads", "move", "2", "1", "--json")
    listed = cli("downloads")

    assert (0, "o/r:Q4_K_M is paused\n") == (paused.code, paused.out)
    assert "llama3" == moved.document["download"]["model"]
    assert [["2", "pending"], ["1", "paused"]] == [
        [_columns(line)[0], _columns(line)[3]] for line in listed.out.splitlines()[1:]
    ]
    assert "no ggtui is running: the next one fetches what is pending" in listed.err


def test_a_resumed_one_waits_for_the_next_ggtui(cli: CommandLine) -> None:
    _keep(cli, replace(FETCHED, state=JobState.PAUSED))

    answer = cli("downloads", "resume", "1")

    assert (0, "o/r:Q4_K_M goes on\n", "no ggtui is running: the next one fetches it\n") == (
        answer.code,
        answer.out,
        answer.err,
    )


def test_what_is_taken_out_is_gone(cli: CommandLine) -> None:
    _keep(cli, FETCHED)

    answer = cli("downloads", "rm", "1")

    assert (0, "1 is taken out of the queue\n") == (answer.code, answer.out)
    assert [] == cli("downloads", "--json").document["downloads"]


def test_a_number_that_is_not_there_is_told(cli: CommandLine) -> None:
    _keep(cli, FETCHED)

    answer = cli("downloads", "pause", "9")

    assert (1, "ggtui: Download not found: there is no download 9") == (
        answer.code,
        answer.err.splitlines()[0],
    )
