"""What is shown of a download never goes back."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ggtui.core.downloads.jobs import FilePart, Job, JobKind
from ggtui.core.downloads.progress import PullProgress, with_parts

NEW = Job(1, JobKind.HUB, "o/r", "local")
PARTS = (FilePart("a", 100, "ab" * 32), FilePart("b", 50, "cd" * 32), FilePart("c", 10))


def at(*completed: int) -> tuple[FilePart, ...]:
    return tuple(replace(part, completed_bytes=n) for part, n in zip(PARTS, completed, strict=True))


def test_the_files_add_up_and_the_one_that_comes_is_named() -> None:
    job = with_parts(NEW, at(100, 20, 0), "fetching")

    assert (120, 160, "fetching", "sha256:" + "cd" * 32) == (
        job.completed_bytes,
        job.total_bytes,
        job.status,
        job.digest,
    )
    assert "" == with_parts(NEW, at(100, 50, 3), "").digest


@given(st.lists(st.tuples(st.integers(-5, 200), st.integers(-5, 200), st.integers(-5, 200))))
def test_whatever_is_told_it_goes_forward_and_not_beyond_the_end(told: list[tuple[int, int, int]]) -> None:
    job, before = NEW, 0
    for completed in told:
        job = with_parts(job, at(*completed), "")

        assert before <= job.completed_bytes <= job.total_bytes == 160
        assert job.completed_bytes == sum(part.completed_bytes for part in job.files)

        before = job.completed_bytes


def test_a_smaller_whole_is_not_exceeded() -> None:
    job = with_parts(NEW, at(100, 50, 10), "")

    assert 30 == with_parts(job, (FilePart("d", 30),), "").completed_bytes


@given(st.lists(st.tuples(st.sampled_from(["", "x", "y"]), st.integers(0, 99), st.integers(0, 99))))
def test_layers_add_up_and_go_forward(told: list[tuple[str, int, int]]) -> None:
    pull, job, counted = PullProgress(), NEW, 0
    for digest, total, completed in told:
        came = pull.note(digest, total, completed)
        before, job = job, pull.shown(job, "pulling", digest)
        counted += came

        assert came >= 0
        assert before.completed_bytes <= job.completed_bytes <= job.total_bytes
        assert before.total_bytes <= job.total_bytes
        assert pull.remaining_bytes >= 0

    assert counted <= sum(completed for _, _, completed in told)


def test_a_layer_that_was_there_is_not_counted_as_fetched() -> None:
    pull = PullProgress()

    assert [0, 25, 0] == [pull.note("x", 100, n) for n in (75, 100, 100)]
    assert 0 == pull.remaining_bytes
