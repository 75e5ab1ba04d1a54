"""Which download is which, and which is next."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ggtui.core.downloads.jobs import FilePart, Job, JobKind, JobState
from ggtui.core.downloads.order import (
    anew,
    at_rest,
    due,
    forgettable,
    found,
    in_order,
    is_same_model,
    moved,
    wait_s,
)


def job(number: int, model: str = "o/r", backend: str = "local", **fields: object) -> Job:
    kind = JobKind.HUB if backend == "local" else JobKind.PULL
    return Job(number, kind, model, backend, **{"position": number, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("backend", "one", "other", "is_same"),
    [
        ("local", "Owner/Repo:Q4_K_M", "owner/repo:q4_k_m", True),
        ("local", "o/r:Q4_K_M", "o/r:Q8_0", False),
        ("local", "o/r", "o/r:Q8_0", False),
        ("local", "hf:o/r:Q8_0", "o/r:Q8_0", True),
        ("local", "O/r/Sub/M-Q8_0.gguf", "o/R/Sub/M-Q8_0.gguf", True),
        ("local", "o/r/M-Q8_0.gguf", "o/r/m-Q8_0.gguf", False),
        ("local", "o/r/M-Q8_0.gguf", "o/r", False),
        ("box", "llama3", "llama3:latest", True),
        ("box", "library/llama3", "llama3", True),
        ("box", "qwen:0.5b", "qwen:7b", False),
        ("box", "me/llama3", "llama3", False),
    ],
)
def test_names_of_one_model(backend: str, one: str, other: str, is_same: bool) -> None:
    assert is_same == is_same_model(job(1, one, backend), other)
    assert is_same == is_same_model(job(1, other, backend), one)


def test_the_same_model_elsewhere_is_another_job() -> None:
    jobs = [job(1, "a", "box"), job(2, "a", "pond")]

    assert jobs[1] == found(jobs, "pond", "a:latest")
    assert found(jobs, "lake", "a") is None


def test_what_may_begin_in_order() -> None:
    jobs = [
        job(1, position=3),
        job(2, position=1),
        job(3, position=2, state=JobState.PAUSED),
        job(4, position=1),
    ]

    assert [2, 4, 3, 1] == [each.number for each in in_order(jobs)]
    assert [2, 1] == [each.number for each in due(jobs, lambda each: each.number != 4)]


@given(st.lists(st.integers(-3, 9), min_size=1, max_size=8, unique=True), st.data())
def test_after_a_move_it_is_where_it_was_put_and_the_others_are_in_their_order(
    positions: list[int], data: st.DataObject
) -> None:
    jobs = in_order(job(number, position=each) for number, each in enumerate(positions))
    number = data.draw(st.sampled_from(jobs)).number
    to = data.draw(st.integers(-2, 10))
    changed = {each.number: each for each in moved(jobs, number, to)}
    after = in_order(changed.get(each.number, each) for each in jobs)

    assert min(max(0, to), len(jobs) - 1) == [each.number for each in after].index(number)
    assert [each.number for each in jobs if each.number != number] == [
        each.number for each in after if each.number != number
    ]
    assert len(jobs) == len({each.position for each in after})


def test_of_those_that_are_done_the_oldest_are_forgotten() -> None:
    done = [job(number, f"o/r{number}", state=JobState.DONE, ended_at=float(-number)) for number in range(5)]
    others = [job(9, "o/x", state=JobState.FAILED, ended_at=-99.0), job(8, "o/y")]

    assert [3, 4] == [each.number for each in forgettable([*done, *others], most=3)]
    assert () == forgettable(done)


def test_waits_grow_to_five_minutes() -> None:
    assert [5, 10, 20, 40, 80, 160, 300, 300] == [wait_s(n) for n in range(1, 9)]
    assert 300 == wait_s(10**6)


def test_at_rest_and_anew() -> None:
    ran = job(
        1,
        state=JobState.RUNNING,
        commit="c" * 40,
        files=(FilePart("a", 9, completed_bytes=5),),
        completed_bytes=5,
        total_bytes=9,
        rate=1.0,
        left_s=4.0,
        why="why",
        hint="hint",
        status="fetching",
        digest="sha256:aa",
        ended_at=3.0,
    )

    rested = replace(ran, state=JobState.PENDING, status="", digest="", rate=None, left_s=None)

    assert rested == at_rest(ran)
    assert rested == at_rest(rested)
    assert job(1, position=4) == anew(ran, 4)
