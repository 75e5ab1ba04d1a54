"""The cycle: all are asked at once, what is missing is queued, and nothing is ever deleted."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ggtui.core.backends.backend import THIS_MACHINE, BackendType, Capability, Declared, DeclaredModel, Group
from ggtui.core.backends.rows import RowState
from ggtui.core.deployment.deployment import ChoicePolicy
from ggtui.core.deployment.secret import Secret, SecretRef, SecretSource
from ggtui.core.errors import (
    CapabilityMissing,
    EndpointNotReady,
    NoneMatched,
    StoreUnavailable,
    UpstreamServerError,
)
from ggtui.services.backends.look import LIMIT_S
from ggtui.services.backends.looks import KEPT_LIST_S
from tests.services.backends.rig import Rig, declared, ollama, openai, run, settled, vllm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ggtui.core.backends.backend import Backend

IN_SYNC, MISSING, EXTRA, ERROR = RowState.IN_SYNC, RowState.MISSING, RowState.EXTRA, RowState.ERROR


def test_declared_and_observed_models_are_compared_and_undeclared_ones_are_extra() -> None:
    async def scenario() -> None:
        rig = Rig(declared(vllm("box", "qwen", "gone")))
        rig.observer.has = {"box": ("qwen", "other")}

        assert {} == rig.rows()

        await rig.cycle()

        expected = {("box", "qwen"): IN_SYNC, ("box", "gone"): MISSING, ("box", "other"): EXTRA}
        assert expected == rig.rows()
        assert ("qwen", "gone") == rig.state("box").models
        assert "yet it's not declared" in rig.book.rows[-1].why
        assert ["box"] == [place.backend.name for place in rig.book.places("qwen")]
        with pytest.raises(NoneMatched, match="no model matched the requirements"):
            rig.book.places("other")

    run(scenario())


def test_a_backend_that_dies_is_an_error_with_the_text_and_gets_no_traffic() -> None:
    async def scenario() -> None:
        rig = Rig(declared(vllm("box", "qwen")))
        rig.observer.has = {"box": ("qwen",)}
        await rig.cycle()
        seen = rig.clock.unix()
        rig.clock.advance(10)
        rig.observer.errors = {"box": "HTTP request failed"}
        await rig.cycle()
        state = rig.state("box")

        assert {("box", ""): ERROR} == rig.rows()
        assert ("HTTP request failed", seen, seen + 10) == (state.error, state.last_seen, state.observed_at)
        assert ["qwen"] == [each.name for each in state.pulled_models]
        with pytest.raises(EndpointNotReady):
            rig.book.places("qwen")

        rig.observer.errors = {}
        await rig.cycle()

        assert {("box", "qwen"): IN_SYNC} == rig.rows()
        assert 1 == len(rig.book.places("qwen"))

    run(scenario())


def test_cycles_without_a_change_write_nothing_and_tell_nobody() -> None:
    async def scenario() -> None:
        rig = Rig(declared(vllm("box", "qwen"), ollama("pond", "llama3"), models=(_on_disk("here"),)))
        rig.observer.has = {"box": ("qwen",), "pond": ("llama3:latest",)}
        rig.on_disk = {"me/here"}
        await rig.cycle()
        rows, n_changes = rig.book.rows, rig.n_changes
        models = rig.state("box").pulled_models
        rig.clock.advance(10)
        await rig.cycle()
        await rig.cycle()

        assert n_changes == rig.n_changes
        assert [] == rig.downloads.added
        assert rows is rig.book.rows
        assert models is rig.state("box").pulled_models
        assert rig.clock.unix() == rig.state("box").last_seen

    run(scenario())


def test_three_cycles_delete_nothing() -> None:
    async def scenario() -> None:
        rig = Rig(declared(ollama("pond")))
        rig.observer.has = {"pond": ("llama3:latest", "qwen:0.5b")}
        for _ in range(3):
            await rig.cycle()

        assert {("pond", "llama3:latest"): EXTRA, ("pond", "qwen:0.5b"): EXTRA} == rig.rows()
        assert [] == rig.downloads.added

    run(scenario())


def test_a_backend_that_is_declared_no_more_has_gone_also_when_it_is_being_asked() -> None:
    async def scenario() -> None:
        rig = Rig(declared(vllm("box", "qwen"), vllm("slow", "qwen")))
        rig.observer.has = {"box": ("qwen",), "slow": ("qwen",)}
        await rig.cycle()
        rig.observer.silent = {"slow": asyncio.Event()}
        cycle = asyncio.ensure_future(rig.cycle())
        await settled()
        rig.book.take(declared(vllm("box", "qwen")))
        await cycle

        assert ["box"] == [each.name for each in rig.book.get()]
        assert {("box", "qwen"): IN_SYNC} == rig.rows()
        assert 0 == rig.observer.n_open

    run(scenario())


def test_a_backend_at_another_place_is_not_believed_before_it_was_asked() -> None:
    async def scenario() -> None:
        rig = Rig(declared(vllm("box", "qwen")))
        rig.observer.has = {"box": ("qwen",)}
        await rig.cycle()
        moved = declared(ollama("box", "qwen"))
        rig.book.take(moved)

        assert (None, ()) == (rig.state("box").observed_at, rig.state("box").pulled_models)
        with pytest.raises(EndpointNotReady):
            rig.book.places("qwen")

    run(scenario())


def test_another_model_counts_at_once_for_a_backend_that_was_seen() -> None:
    async def scenario() -> None:
        rig = Rig(declared(vllm("box", "qwen")))
        rig.observer.has = {"box": ("qwen", "other")}
        await rig.cycle()
        triggered: list[None] = []
        rig.book.triggered = lambda: triggered.append(None)
        n_changes = rig.n_changes
        rig.book.take(declared(vllm("box", "other")))

        assert {("box", "other"): IN_SYNC, ("box", "qwen"): EXTRA} == rig.rows()
        assert (1, n_changes + 1) == (len(triggered), rig.n_changes)

        rig.book.take(declared(vllm("box", "other")))

        assert (1, n_changes + 1) == (len(triggered), rig.n_changes)

    run(scenario())


def test_one_that_hangs_delays_no_other_and_is_given_up() -> None:
    async def scenario() -> None:
        rig = Rig(declared(vllm("slow", "qwen"), vllm("box", "qwen")))
        rig.observer.has = {"box": ("qwen",)}
        rig.observer.silent = {"slow": asyncio.Event()}
        cycle = asyncio.ensure_future(rig.cycle())
        await settled()

        assert {("box", "qwen"): IN_SYNC} == rig.rows()
        assert rig.book.is_reconciling

        rig.clock.advance(LIMIT_S - 1)
        await settled()

        assert not cycle.done()

        rig.clock.advance(1)
        await cycle

        assert "it did not answer within 15 s" == rig.state("slow").error
        assert 0 == rig.observer.n_open

    run(scenario())


def test_many_who_ask_for_a_look_share_one_that_begins_after_they_asked() -> None:
    async def scenario() -> None:
        rig = Rig(declared(vllm("box", "qwen")))
        rig.observer.silent = {"box": asyncio.Event()}
        first = asyncio.ensure_future(rig.book.look())
        await settled()
        many = [asyncio.ensure_future(rig.book.look()) for _ in range(20)]
        cycle = asyncio.ensure_future(rig.cycle())
        await settled()
        rig.observer.has = {"box": ("qwen",)}
        rig.observer.silent["box"].set()
        await asyncio.gather(first, *many, cycle)

        assert 3 == rig.observer.n_asked("box"), "the first, one for the many, and the cycle's own"

        await rig.book.look()

        assert 4 == rig.observer.n_asked("box")

    run(scenario())


def test_the_end_of_a_look_is_told_to_those_who_saw_that_it_runs() -> None:
    async def scenario() -> None:
        rig = Rig(declared(vllm("box")))
        await rig.cycle()
        rig.observer.silent = {"box": asyncio.Event()}
        cycle = asyncio.ensure_future(rig.cycle())
        await settled()
        n_changes = rig.n_changes

        assert rig.book.is_reconciling

        rig.observer.silent["box"].set()
        await cycle

        assert (False, n_changes + 1) == (rig.book.is_reconciling, rig.n_changes)

    run(scenario())


@pytest.mark.parametrize("n_steps", range(12))
def test_a_cycle_that_is_cancelled_leaves_nothing_behind(n_steps: int) -> None:
    async def scenario() -> None:
        rig = Rig(declared(vllm("slow", "qwen"), ollama("pond", "llama3"), models=(_on_disk("gone"),)))
        rig.observer.silent = {"slow": asyncio.Event()}
        cycle = asyncio.ensure_future(rig.cycle())
        for _ in range(n_steps):
            await asyncio.sleep(0)
        cycle.cancel()
        await asyncio.gather(cycle, return_exceptions=True)

        assert (0, False, 0) == (rig.observer.n_open, rig.book.is_reconciling, rig.clock.n_alarms)

        rig.observer.silent = {}
        await rig.cycle()

        assert {("pond", "llama3", False), (THIS_MACHINE, "me/gone", False)} == set(rig.downloads.added)

    run(scenario())


# Failures in traffic


def test_what_a_server_says_to_one_client_is_in_no_log_and_shown_to_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario() -> None:
        rig = Rig(declared(vllm("box", "qwen")))
        rig.observer.has = {"box": ("qwen",)}
        await rig.cycle()
        failure = UpstreamServerError("box answered 500", told="cannot parse: my secret question")
        rig.book.failed("box", failure)

        assert "box answered 500: cannot parse: my secret question" == failure.message
        assert "box answered 500" == rig.state("box").error
        assert "secret" not in f"{failure} {rig.book.rows} {caplog.text}"

    run(scenario())


def test_one_that_failed_in_traffic_gets_none_until_a_look_after_that_goes_well() -> None:
    async def scenario() -> None:
        rig = Rig(declared(vllm("box", "qwen"), vllm("other", "qwen")))
        rig.observer.has = {"box": ("qwen",), "other": ("qwen",)}
        await rig.cycle()
        triggered: list[None] = []
        rig.book.triggered = lambda: triggered.append(None)
        rig.observer.silent = {"box": asyncio.Event()}
        earlier = asyncio.ensure_future(rig.cycle())
        await settled()
        rig.book.failed("box", UpstreamServerError("it answered with 503"))
        rig.observer.silent["box"].set()
        await earlier

        assert 1 == len(triggered)
        assert "it answered with 503" == rig.state("box").error
        assert ["other"] == [each.backend.name for each in rig.book.places("qwen")]

        await rig.cycle()

        assert ["box", "other"] == [each.backend.name for each in rig.book.places("qwen")]

    run(scenario())


def test_a_failure_of_one_that_has_gone_is_no_news() -> None:
    async def scenario() -> None:
        rig = Rig(declared(vllm("box")))
        rig.book.failed("gone", UpstreamServerError())

        assert 0 == rig.n_changes
        with pytest.raises(EndpointNotReady):
            await rig.book.key("gone")

    run(scenario())


# Keys and the lists of remote providers


@pytest.mark.parametrize(
    "moved",
    [
        openai("cloud", "m", base_url="http://elsewhere/v1"),
        replace(openai("cloud", "m"), api_key=SecretRef(SecretSource.ENV, "ANOTHER")),
        vllm("cloud", "m"),
    ],
)
def test_a_key_does_not_follow_a_name_to_another_place(moved: Backend) -> None:
    async def scenario() -> None:
        chosen = openai("cloud", "m")
        rig = Rig(declared(chosen))

        assert Secret("first") == await rig.book.key("cloud", replace(chosen, groups=("other",)))

        rig.book.take(declared(moved))

        with pytest.raises(EndpointNotReady):
            await rig.book.key("cloud", chosen)

    run(scenario())


def test_a_remote_list_is_kept_for_an_hour() -> None:
    async def scenario() -> None:
        rig = Rig(declared(openai("cloud", "gpt-4o")))
        rig.observer.has = {"cloud": ("gpt-4o",)}
        await rig.cycle()
        rig.clock.advance(KEPT_LIST_S - 1)
        await rig.cycle()

        assert 1 == rig.observer.n_asked("cloud")

        rig.clock.advance(1)
        await rig.cycle()

        assert 2 == rig.observer.n_asked("cloud")

    run(scenario())


def test_a_rotated_key_another_model_a_failure_and_an_error_have_the_list_asked_for_at_once() -> None:
    async def scenario() -> None:
        rig = Rig(declared(openai("cloud", "gpt-4o")))
        rig.observer.has = {"cloud": ("gpt-4o", "o3-mini")}
        await rig.cycle()
        rig.secrets.texts["A_KEY"] = "second"
        await rig.cycle()

        assert [Secret("first"), Secret("second")] == [key for _, key in rig.observer.asked]
        assert Secret("second") == await rig.book.key("cloud")

        rig.book.take(declared(openai("cloud", "o3-mini")))
        await rig.cycle()

        assert 3 == rig.observer.n_asked("cloud")
        assert ("o3-mini",) == rig.observer.wanted["cloud"]

        rig.book.failed("cloud", UpstreamServerError())
        rig.observer.errors = {"cloud": "API returned 500: no"}
        await rig.cycle()
        await rig.cycle()

        assert 5 == rig.observer.n_asked("cloud")

    run(scenario())


def test_the_key_for_a_request_is_the_one_of_the_last_look_until_it_fails() -> None:
    async def scenario() -> None:
        rig = Rig(declared(vllm("box", "qwen", api_key=openai().api_key), vllm("open")))
        await rig.cycle()
        rig.secrets.texts["A_KEY"] = "second"

        assert Secret("first") == await rig.book.key("box")
        assert await rig.book.key("open") is None

        rig.book.failed("box", UpstreamServerError())

        assert Secret("second") == await rig.book.key("box")

        rig.secrets.texts.clear()
        rig.book.failed("box", UpstreamServerError())
        with pytest.raises(EndpointNotReady):
            await rig.book.key("box")

    run(scenario())


@pytest.mark.parametrize("backend", [openai("one", "a"), vllm("one", "a", api_key=openai().api_key)])
def test_a_key_that_cannot_be_read_is_an_error_of_the_backend_and_nobody_is_asked(backend: Backend) -> None:
    async def scenario() -> None:
        rig = Rig(declared(backend))
        rig.secrets.texts.clear()
        await rig.cycle()
        is_openai = backend.type is BackendType.OPENAI
        expected = "API key not configured" if is_openai else "there is no key in environment variable A_KEY"

        assert expected == rig.state("one").error
        assert [] == rig.observer.asked

        rig.secrets.texts["A_KEY"] = "found"
        rig.observer.has = {"one": ("a",)}
        await rig.cycle()

        assert "" == rig.state("one").error

    run(scenario())


def test_a_key_is_in_no_state_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        inline = SecretRef(SecretSource.INLINE, value=Secret("sk-inline-0123456789"))
        rig = Rig(declared(openai("cloud", "a"), vllm("box", "a", api_key=inline)))
        rig.secrets.texts["A_KEY"] = "sk-rotated-0123456789"
        rig.observer.errors = {"cloud": "API returned 401: no", "box": "HTTP request failed"}
        await rig.cycle()
        rig.observer.errors = {"box": ValueError("sk-inline-0123456789")}
        with pytest.raises(ValueError, match="sk-inline"):
            await rig.cycle()

        assert "0123456789" not in f"{rig.book.get()} {rig.book.rows} {rig.book.declared}"

    caplog.set_level(logging.DEBUG)
    run(scenario())

    assert "HTTP request failed" in caplog.text
    assert "0123456789" not in caplog.text


# Groups, policies, capabilities


def test_groups_decide_what_is_asked_wanted_and_reached() -> None:
    async def scenario() -> None:
        rig = Rig(
            Declared(
                (
                    vllm("chat-box", groups=("chat",)),
                    vllm("code-box", groups=("code",)),
                    vllm("nobody", "qwen"),
                ),
                models=(DeclaredModel("qwen", groups=("chat",)), DeclaredModel("lost")),
                groups=(Group("chat"), Group("code")),
            )
        )
        rig.observer.has = {"chat-box": ("qwen",), "code-box": ("qwen",)}
        await rig.cycle()

        assert {("chat-box", "qwen"): IN_SYNC, ("code-box", "qwen"): EXTRA} == rig.rows()
        assert 0 == rig.observer.n_asked("nobody")
        assert ["chat-box"] == [each.backend.name for each in rig.book.places("qwen")]
        with pytest.raises(NoneMatched) as refused:
            rig.book.places("qwen", groups=("code",))
        assert "chat-box" in refused.value.hint
        with pytest.raises(NoneMatched):
            rig.book.places("lost")

    run(scenario())


@pytest.mark.parametrize(
    ("policy", "drawn", "expected"),
    [
        (ChoicePolicy.PRIORITY, 0.0, ["small", "large"]),
        (ChoicePolicy.AUTO, 0.0, ["large", "small"]),
        (ChoicePolicy.RANDOM, 0.0, ["small", "large"]),
        (ChoicePolicy.RANDOM, 0.9, ["large", "small"]),
    ],
)
def test_the_policy_orders_the_places(policy: ChoicePolicy, drawn: float, expected: Sequence[str]) -> None:
    async def scenario() -> None:
        large = _with(vllm("large"), DeclaredModel("qwen", context_length=8192))
        rig = Rig(declared(vllm("small", "qwen"), large), drawn=drawn)
        rig.observer.has = {"small": ("qwen",), "large": ("qwen",)}
        await rig.cycle()

        assert expected == [each.backend.name for each in rig.book.places("qwen", policy=policy)]

    run(scenario())


def test_what_a_model_cannot_do_is_refused_by_its_name() -> None:
    async def scenario() -> None:
        chat_only = DeclaredModel("qwen", capabilities=frozenset({Capability.CHAT}))
        rig = Rig(declared(_with(vllm("box"), chat_only)))
        rig.observer.has = {"box": ("qwen",)}
        await rig.cycle()
        with pytest.raises(CapabilityMissing, match="qwen"):
            rig.book.places("qwen", capability=Capability.EMBED)

    run(scenario())


# What keeps a cycle from going well


def test_a_disk_that_cannot_be_looked_at_fails_the_cycle_and_the_backends_are_known_all_the_same() -> None:
    async def scenario() -> None:
        rig = Rig(declared(vllm("box", "qwen"), models=(_on_disk("gone"),)), disk_failure="the disk is ill")
        rig.observer.has = {"box": ("qwen",)}
        with pytest.raises(StoreUnavailable, match="the disk is ill"):
            await rig.cycle()

        assert {("box", "qwen"): IN_SYNC} == rig.rows()
        assert [] == rig.downloads.added

    run(scenario())


def test_an_observer_that_breaks_is_an_error_of_its_backend_and_of_the_cycle() -> None:
    async def scenario() -> None:
        rig = Rig(declared(vllm("box", "qwen"), vllm("other", "qwen")))
        rig.observer.has = {"other": ("qwen",)}
        rig.observer.errors = {"box": ValueError("a text that may hold anything")}
        with pytest.raises(ValueError, match="anything"):
            await rig.cycle()

        assert ("ValueError", "") == (rig.state("box").error, rig.state("other").error)

    run(scenario())


def test_what_is_known_anew_is_handed_on_before_it_is_told() -> None:
    async def scenario() -> None:
        rig = Rig(declared(vllm("box", "qwen")))
        order: list[str] = []
        rig.book.known_anew = lambda: order.append("known")
        rig.book.changed = lambda: order.append("told")
        await rig.cycle()

        assert ["known", "told"] == order[:2]

    run(scenario())


def test_the_book_closes_its_observer() -> None:
    async def scenario() -> None:
        rig = Rig()
        await rig.book.start()
        await rig.book.stop()

        assert rig.observer.is_closed

    run(scenario())


def _on_disk(name: str) -> DeclaredModel:
    return DeclaredModel(name, repository=f"me/{name}")


def _with(backend: Backend, *models: DeclaredModel) -> Backend:
    return replace(backend, models=models)


def test_a_request_waits_for_a_look_that_is_due_and_for_no_other() -> None:
    async def scenario() -> None:
        rig = Rig(declared(vllm("box", "qwen"), vllm("slow", "other")))
        rig.observer.has = {"box": ("qwen",), "slow": ("other",)}
        rig.observer.silent = {"slow": asyncio.Event()}
        waiting = asyncio.ensure_future(rig.book.look_ended("qwen"))
        cycle = asyncio.ensure_future(rig.cycle())

        assert await waiting
        assert ["box"] == [place.backend.name for place in rig.book.places("qwen")]
        assert not await rig.book.look_ended("qwen")

        rig.observer.silent["slow"].set()
        await cycle
        rig.book.failed("box", UpstreamServerError("it answered 500"))
        rig.observer.errors = {"box": "HTTP request failed"}
        waiting = asyncio.ensure_future(rig.book.look_ended("qwen"))
        await rig.cycle()

        assert await waiting
        assert not await rig.book.look_ended("qwen")
        with pytest.raises(EndpointNotReady):
            rig.book.places("qwen")

    run(scenario())
