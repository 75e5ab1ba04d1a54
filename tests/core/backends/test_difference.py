"""How declared and observed differ."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ggtui.core.backends.backend import (
    THIS_MACHINE,
    Backend,
    BackendType,
    Capability,
    Declared,
    DeclaredModel,
    Group,
)
from ggtui.core.backends.difference import difference
from ggtui.core.backends.names import canonical
from ggtui.core.backends.observed import BackendState, PulledModel
from ggtui.core.backends.rows import Row, RowState
from ggtui.core.backends.wanted import asked, wanted
from ggtui.core.downloads.jobs import Job, JobKind, JobState

LLAMA = DeclaredModel("llama3")
BOX = Backend("box", BackendType.OLLAMA, "http://box", models=(LLAMA,))
DECLARED = Declared((BOX,))
ON_DISK = DeclaredModel("mine", "org/repo:Q4_K_M")
DISK = Declared(models=(ON_DISK,))


def _state(*pulled: PulledModel, error: str = "", backend: Backend = BOX) -> BackendState:
    return BackendState(
        backend.name, backend.name, backend, pulled_models=pulled, error=error, observed_at=1.0
    )


def _job(state: JobState, model: str = "llama3", backend: str = "box", number: int = 7) -> Job:
    return Job(number, JobKind.PULL, model, backend, state=state, completed_bytes=3, total_bytes=9, why="why")


def _rows(*pulled: PulledModel, jobs: tuple[Job, ...] = (), declared: Declared = DECLARED) -> tuple[Row, ...]:
    return difference(declared, [_state(*pulled, backend=declared.backends[0])], jobs, lambda _: False)


def test_what_is_there_is_in_sync_with_or_without_its_tag() -> None:
    assert (Row("box", "llama3", RowState.IN_SYNC),) == _rows(PulledModel("llama3:latest"))
    assert (Row("box", "llama3", RowState.IN_SYNC),) == _rows(PulledModel("llama3"))


def test_another_tag_is_another_model() -> None:
    states = [(each.model, each.state) for each in _rows(PulledModel("llama3:8b"))]

    assert [("llama3", RowState.MISSING), ("llama3:8b", RowState.EXTRA)] == states


def test_what_nobody_declared_is_extra_and_no_drift() -> None:
    declared = Declared((replace(BOX, type=BackendType.VLLM),))
    row = _rows(PulledModel("llama3"), PulledModel("other"), declared=declared)[1]

    assert Row("box", "other", RowState.EXTRA, row.why) == row
    assert "backend has model other, yet it's not declared in the configuration" == row.why
    assert not row.state.is_drift


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (JobState.PENDING, RowState.DOWNLOADING),
        (JobState.RUNNING, RowState.DOWNLOADING),
        (JobState.PAUSED, RowState.PAUSED),
        (JobState.FAILED, RowState.ERROR),
    ],
)
def test_a_missing_model_stands_as_its_download(state: JobState, expected: RowState) -> None:
    assert (Row("box", "llama3", expected, "why", 7, 3, 9),) == _rows(jobs=(_job(state, "llama3:latest"),))
    assert expected.is_drift


def test_a_download_of_something_else_or_that_is_done_does_not_count() -> None:
    others = (
        _job(JobState.DONE),
        _job(JobState.RUNNING, "llama3:8b"),
        _job(JobState.RUNNING, backend="other"),
        _job(JobState.RUNNING, backend=THIS_MACHINE),
    )

    assert (Row("box", "llama3", RowState.MISSING),) == _rows(jobs=others)


def test_a_download_that_ended_after_the_look_goes_on_until_the_next_one() -> None:
    done = replace(_job(JobState.DONE), ended_at=0.95)
    state = replace(_state(), latency_s=0.1)  # it took from 0.9 to 1.0

    def rows(state: BackendState) -> tuple[Row, ...]:
        return difference(DECLARED, [state], [done], lambda _: False)

    assert (Row("box", "llama3", RowState.DOWNLOADING, "why", 7, 3, 9),) == rows(state)
    assert (Row("box", "llama3", RowState.MISSING),) == rows(replace(state, latency_s=0.01))


def test_the_same_goes_for_this_disk() -> None:
    done = replace(_job(JobState.DONE, ON_DISK.repository, THIS_MACHINE), ended_at=5.0)

    states = [
        difference(DISK, [], [done], lambda _: False, disk_looked_at=at)[0].state for at in (4.9, 5.0, 5.1)
    ]

    assert [RowState.DOWNLOADING, RowState.DOWNLOADING, RowState.MISSING] == states


def test_of_several_downloads_the_open_one_counts_else_the_youngest() -> None:
    failed, running, paused = (
        _job(state, number=number)
        for number, state in enumerate((JobState.FAILED, JobState.RUNNING, JobState.PAUSED))
    )

    assert 1 == _rows(jobs=(paused, running, failed))[0].job
    assert 2 == _rows(jobs=(paused, failed))[0].job


def test_what_is_there_is_in_sync_whatever_a_download_does() -> None:
    assert RowState.IN_SYNC is _rows(PulledModel("llama3"), jobs=(_job(JobState.RUNNING),))[0].state


@pytest.mark.parametrize(
    ("model", "pulled", "why"),
    [
        (
            DeclaredModel("llama3", context_length=8192),
            PulledModel("llama3", context_length=4096),
            "its context is 4096 tokens, and 8192 are declared",
        ),
        (
            DeclaredModel("llama3", capabilities=frozenset({Capability.EMBED, Capability.CHAT})),
            PulledModel("llama3", can_chat=True),
            "it is declared for embed, which it cannot do",
        ),
    ],
)
def test_what_is_less_than_declared_has_drifted(model: DeclaredModel, pulled: PulledModel, why: str) -> None:
    declared = Declared((replace(BOX, models=(model,)),))

    assert (Row("box", "llama3", RowState.DRIFTED, why),) == _rows(pulled, declared=declared)
    assert RowState.DRIFTED.is_drift


@pytest.mark.parametrize(
    "pulled",
    [
        PulledModel("llama3", context_length=131_072, can_chat=True, can_embed=True),
        PulledModel("llama3", context_length=8192, can_chat=True),
        PulledModel("llama3"),
    ],
)
def test_what_is_more_or_not_told_is_in_sync(pulled: PulledModel) -> None:
    model = DeclaredModel("llama3", capabilities=frozenset({Capability.CHAT}), context_length=8192)

    assert RowState.IN_SYNC is _rows(pulled, declared=Declared((replace(BOX, models=(model,)),)))[0].state


def test_a_backend_that_fails_is_one_row_and_what_it_had_is_not_judged() -> None:
    state = _state(PulledModel("old"), error="Unexpected status: 500 oh")
    rows = difference(DECLARED, [state], [_job(JobState.RUNNING)], lambda _: False)

    assert (Row("box", "", RowState.ERROR, "Unexpected status: 500 oh"),) == rows


def test_a_backend_that_was_not_asked_yet_or_is_not_asked_has_no_rows() -> None:
    state = replace(_state(PulledModel("x")), observed_at=None)
    outside = replace(DECLARED, groups=(Group("a"),))

    assert () == difference(DECLARED, [state], [], lambda _: False)
    assert () == difference(DECLARED, [], [], lambda _: False)
    assert () == difference(outside, [_state(PulledModel("x"))], [], lambda _: False)
    assert () == difference(Declared(), [_state(PulledModel("x"))], [], lambda _: False)


def test_this_disk_comes_first() -> None:
    declared = replace(DISK, backends=(BOX,))
    rows = difference(declared, [_state(PulledModel("llama3"))], [], lambda model: model == ON_DISK)

    assert (Row(THIS_MACHINE, "mine", RowState.IN_SYNC), Row("box", "llama3", RowState.IN_SYNC)) == rows


def test_what_should_lie_on_this_disk_stands_as_its_download() -> None:
    job = _job(JobState.PAUSED, "ORG/repo:q4_k_m", THIS_MACHINE)
    other = _job(JobState.RUNNING, "org/repo:Q8_0", THIS_MACHINE, number=9)

    source = ON_DISK.repository

    assert (Row(THIS_MACHINE, "mine", RowState.MISSING, repository=source),) == difference(
        DISK, [], [other], lambda _: False
    )
    assert (Row(THIS_MACHINE, "mine", RowState.PAUSED, "why", 7, 3, 9, source),) == difference(
        DISK, [], [job, other], lambda _: False
    )


# Whatever is declared and seen

_NAMES = st.sampled_from(["llama3", "llama3:latest", "library/llama3", "llama3:8b", "qwen:0.5b", "qwen:7b"])
_GROUPS = st.lists(st.sampled_from(["a", "b"]), unique=True, max_size=2).map(tuple)
_MODELS = st.lists(
    st.builds(DeclaredModel, _NAMES, st.just(""), _GROUPS), max_size=4, unique_by=lambda each: each.name
).map(tuple)
_BACKENDS = st.lists(
    st.builds(
        Backend,
        st.sampled_from(["one", "two"]),
        st.sampled_from(BackendType),
        st.just("http://x"),
        st.none(),
        _GROUPS,
        _MODELS,
    ),
    max_size=2,
    unique_by=lambda each: each.name,
).map(tuple)
_DECLARED = st.builds(
    Declared, _BACKENDS, _MODELS, st.sampled_from([(), (Group("a"),), (Group("a"), Group("b"))])
)
_PULLED = st.lists(
    st.builds(PulledModel, _NAMES),
    max_size=5,
    unique_by=lambda each: canonical(BackendType.OLLAMA, each.name),
).map(tuple)
_JOBS = st.lists(
    st.builds(
        lambda number, state, model, backend: _job(state, model, backend, number),
        st.integers(1, 99),
        st.sampled_from(JobState),
        _NAMES,
        st.sampled_from(["one", "two", THIS_MACHINE]),
    ),
    max_size=4,
)


def _seen(data: st.DataObject, declared: Declared) -> list[BackendState]:
    return [_state(*data.draw(_PULLED), backend=each) for each in declared.backends]


@given(_DECLARED, _JOBS, st.data())
def test_every_wanted_model_has_one_row_and_every_other_that_is_there_is_extra(
    declared: Declared, jobs: list[Job], data: st.DataObject
) -> None:
    states = _seen(data, declared)
    rows = difference(declared, states, jobs, lambda _: False)
    for state in states:
        own = [row for row in rows if row.backend == state.name]
        if state.backend not in asked(declared):
            assert [] == own
            continue
        n_wanted = len(wanted(declared, state.backend))
        extra = [row.model for row in own[n_wanted:]]

        assert [each.name for each in wanted(declared, state.backend)] == [
            row.model for row in own[:n_wanted]
        ]
        assert {RowState.EXTRA} >= {row.state for row in own[n_wanted:]}
        assert RowState.EXTRA not in {row.state for row in own[:n_wanted]}
        assert set(extra) <= {each.name for each in state.pulled_models}


@given(_DECLARED, st.data())
def test_fetching_what_is_missing_ends_and_takes_nothing_away(
    declared: Declared, data: st.DataObject
) -> None:
    """However a backend spells what it was asked to fetch, a second look finds nothing to do."""
    states = _seen(data, declared)
    before = {each.name: set(each.pulled_models) for each in states}
    for _ in range(2):
        rows = difference(declared, states, [], lambda _: False)
        missing = [row for row in rows if row.state is RowState.MISSING]
        states = [
            _fetched(state, [row.model for row in missing if row.backend == state.name]) for state in states
        ]

    assert [] == missing
    assert all(before[each.name] <= set(each.pulled_models) for each in states)


def _fetched(state: BackendState, names: list[str]) -> BackendState:
    new = tuple(PulledModel(canonical(state.backend.type, name)) for name in names)
    return replace(state, pulled_models=(*state.pulled_models, *new))
