"""Which backends a request may go to, and in which order."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ggtui.core.backends.backend import Backend, BackendType, Capability, Declared, DeclaredModel, Group
from ggtui.core.backends.choice import BackendPlace, places
from ggtui.core.backends.observed import BackendState, PulledModel
from ggtui.core.deployment.deployment import ChoicePolicy
from ggtui.core.errors import CapabilityMissing, EndpointNotReady, NoneMatched

QWEN = DeclaredModel("qwen3")


def _backend(name: str, *groups: str, type: BackendType = BackendType.VLLM) -> Backend:
    return Backend(name, type, f"http://{name}", groups=groups, models=(QWEN,))


def _seen(
    backend: Backend, *, context: int = 0, latency: float | None = None, error: str = ""
) -> BackendState:
    pulled = (PulledModel("qwen3", context_length=context),)
    state = BackendState(backend.name, backend.name, backend, ("qwen3",), pulled, error, 1.0, 1.0)
    return replace(state, latency_s=latency)


ONE, TWO, THREE = (_backend(name) for name in ("one", "two", "three"))
ALL = Declared((ONE, TWO, THREE))
STATES = (
    _seen(ONE, context=4096, latency=0.1),
    _seen(TWO, context=8192, latency=0.3),
    _seen(THREE, context=8192, latency=0.2),
)


def _order(policy: ChoicePolicy | None = None, declared: Declared = ALL) -> list[str]:
    return [each.backend.name for each in places(declared, STATES, "qwen3", policy=policy)]


def _why(error: type[Exception], declared: Declared, states: tuple[BackendState, ...], **need: object) -> str:
    with pytest.raises(error) as caught:
        places(declared, states, "qwen3", **need)  # type: ignore[arg-type]  # each test names its own
    return str(getattr(caught.value, "hint", ""))


# Order


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (ChoicePolicy.AUTO, ["two", "three", "one"]),
        (ChoicePolicy.HIGHEST_CONTEXT, ["two", "three", "one"]),
        (ChoicePolicy.LOW_LATENCY, ["three", "two", "one"]),
        (ChoicePolicy.PRIORITY, ["one", "two", "three"]),
    ],
)
def test_the_policy_orders_them(policy: ChoicePolicy, expected: list[str]) -> None:
    assert expected == _order(policy)


def test_unknown_contexts_come_last_and_keep_their_order() -> None:
    states = (_seen(ONE), _seen(TWO), _seen(THREE, context=512))

    assert ["three", "one", "two"] == [each.backend.name for each in places(ALL, states, "qwen3")]


def test_the_policy_of_the_group_goes_before_the_common_one_and_that_of_the_caller_before_both() -> None:
    backends = tuple(replace(each, groups=("a",)) for each in ALL.backends)
    grouped = Declared(backends, (), (Group("b"), Group("a", ChoicePolicy.PRIORITY)), ChoicePolicy.AUTO)

    assert ["one", "two", "three"] == _order(declared=grouped)
    assert ["two", "three", "one"] == _order(ChoicePolicy.AUTO, grouped)
    assert ["two", "three", "one"] == _order(declared=replace(grouped, groups=(Group("a"),)))
    assert ["one", "two", "three"] == _order(declared=replace(ALL, policy=ChoicePolicy.PRIORITY))


def test_of_several_groups_only_those_that_are_asked_for_have_a_say() -> None:
    backends = tuple(replace(each, groups=("a", "b")) for each in ALL.backends)
    groups = (Group("a", ChoicePolicy.LOW_LATENCY), Group("b", ChoicePolicy.PRIORITY))
    declared = Declared(backends, (), groups)

    assert "three" == places(declared, STATES, "qwen3")[0].backend.name
    assert "one" == places(declared, STATES, "qwen3", groups=("b",))[0].backend.name


def test_random_uses_all_of_them_and_is_the_same_for_the_same_seed() -> None:
    def drawn() -> list[str]:
        r = Random(7).random
        first = (places(ALL, STATES, "qwen3", policy=ChoicePolicy.RANDOM, r=r)[0] for _ in range(60))
        return [each.backend.name for each in first]

    assert drawn() == drawn()
    assert {"one", "two", "three"} == set(drawn())


@given(st.sampled_from(ChoicePolicy), st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_every_order_has_each_place_once(policy: ChoicePolicy, drawn: list[float]) -> None:
    numbers = iter(drawn)
    found = places(ALL, STATES, "qwen3", policy=policy, r=lambda: next(numbers))

    assert ["one", "three", "two"] == sorted(each.backend.name for each in found)


# What is sent where


def test_the_name_that_is_sent_is_the_one_that_the_backend_has() -> None:
    ollama = replace(_backend("box", type=BackendType.OLLAMA), models=(DeclaredModel("llama3"),))
    pulled = PulledModel("llama3:latest", "registry/llama3:latest", context_length=2048)
    state = replace(_seen(ollama), pulled_models=(pulled,), latency_s=0.5)
    expected = (BackendPlace(ollama, "registry/llama3:latest", 2048, 0.5),)

    for name in ("llama3", "llama3:latest"):
        assert expected == places(Declared((ollama,)), [state], name)
    bare = replace(state, pulled_models=(PulledModel("llama3:latest"),))
    assert "llama3:latest" == places(Declared((ollama,)), [bare], "llama3")[0].model


def test_a_tag_that_differs_is_no_match() -> None:
    ollama = replace(_backend("box", type=BackendType.OLLAMA), models=(DeclaredModel("qwen:7b"),))
    state = replace(_seen(ollama), pulled_models=(PulledModel("qwen:7b"), PulledModel("qwen:0.5b")))

    with pytest.raises(NoneMatched) as caught:
        places(Declared((ollama,)), [state], "qwen:0.5b")
    assert "box: has it, and it is not declared there" == caught.value.hint


# Who gets nothing


def test_a_backend_in_error_gets_nothing_while_another_serves() -> None:
    states = (STATES[0], _seen(TWO, context=99_999, error="HTTP request failed"), STATES[2])

    assert ["three", "one"] == [each.backend.name for each in places(ALL, states, "qwen3")]


def test_when_all_are_in_error_it_is_not_ready_and_each_is_named() -> None:
    states = (_seen(ONE, error="HTTP request failed"), _seen(TWO, error="API returned 500: oh"))
    declared = Declared((ONE, TWO))

    assert "one: HTTP request failed; two: API returned 500: oh" == _why(EndpointNotReady, declared, states)


def test_before_the_first_look_it_is_loading() -> None:
    unseen = replace(_seen(ONE), observed_at=None, pulled_models=())

    for states in ((), (unseen,)):
        with pytest.raises(EndpointNotReady, match="status: loading") as caught:
            places(Declared((ONE,)), states, "qwen3")
        assert "one: not asked yet" == caught.value.hint
    with pytest.raises(EndpointNotReady, match="status: error"):
        places(Declared((ONE,)), [_seen(ONE, error="x")], "qwen3")


def test_a_model_that_was_not_seen_there_is_not_asked_for_there() -> None:
    missing = replace(STATES[0], pulled_models=())
    states = (missing, STATES[1])

    assert ["two"] == [each.backend.name for each in places(Declared((ONE, TWO)), states, "qwen3")]
    assert "one: does not have it" == _why(NoneMatched, Declared((ONE,)), (missing,))


def test_a_model_that_nobody_declared_is_not_routed_to() -> None:
    empty = replace(ONE, models=())

    assert "one: has it, and it is not declared there" == _why(NoneMatched, Declared((empty,)), (STATES[0],))


# Groups


def test_a_model_goes_only_to_backends_that_share_a_group_with_it() -> None:
    a, b, c = (replace(_backend(name), models=(), groups=groups) for name, groups in _GROUPED)
    model = DeclaredModel("qwen3", groups=("a",))
    declared = Declared((a, b, c), (model,), (Group("a"), Group("b")))
    states = tuple(_seen(each) for each in (a, b, c))

    assert ["in-a"] == [each.backend.name for each in places(declared, states, "qwen3")]
    only_b = replace(declared, backends=(b, c))
    assert "in-b: has it, and it is not declared there; in-none: is in no group" == _why(
        NoneMatched, only_b, states
    )
    bare = tuple(replace(each, pulled_models=()) for each in states)
    assert "in-b: shares no group with it; in-none: is in no group" == _why(NoneMatched, only_b, bare)


_GROUPED = (("in-a", ("a",)), ("in-b", ("b",)), ("in-none", ()))


def test_a_deployment_may_name_its_groups() -> None:
    a, b = _backend("in-a", "a"), _backend("in-b", "b")
    declared = Declared((a, b), (), (Group("a"), Group("b")))
    states = (_seen(a), _seen(b))

    assert ["in-b"] == [each.backend.name for each in places(declared, states, "qwen3", groups=("b",))]
    assert ["in-a", "in-b"] == [each.backend.name for each in places(declared, states, "qwen3")]
    assert "in-a: is in none of the groups b" == _why(
        NoneMatched, replace(declared, backends=(a,)), states, groups=("b",)
    )


# Needs


def test_a_capability_that_is_lacking_everywhere_is_named() -> None:
    chatty = replace(STATES[0], pulled_models=(PulledModel("qwen3", can_chat=True),))

    with pytest.raises(CapabilityMissing, match="model 'qwen3' cannot embed") as caught:
        places(Declared((ONE,)), [chatty], "qwen3", capability=Capability.EMBED)
    assert "it is served by one" == caught.value.hint
    assert 1 == len(places(Declared((ONE,)), [chatty], "qwen3", capability=Capability.CHAT))


def test_a_capability_that_nobody_knows_is_not_refused() -> None:
    assert 3 == len(places(ALL, STATES, "qwen3", capability=Capability.EMBED))


def test_what_is_declared_of_a_model_counts_though_its_backend_is_in_error() -> None:
    embedder = replace(ONE, models=(replace(QWEN, capabilities=frozenset({Capability.EMBED})),))
    state = replace(_seen(embedder), error="HTTP request failed")
    need = {"capability": Capability.CHAT}

    assert "it is served by one" == _why(CapabilityMissing, Declared((embedder,)), (state,), **need)
    two = Declared((embedder, TWO))
    states = (state, _seen(TWO, error="gone"))
    assert "one: its model cannot chat; two: gone" == _why(EndpointNotReady, two, states, **need)


def test_a_context_that_is_too_small_is_left_out_and_an_unknown_one_is_not() -> None:
    states = (STATES[0], _seen(TWO), STATES[2])

    found = places(ALL, states, "qwen3", n_ctx=8000)
    assert ["three", "two"] == [each.backend.name for each in found]
    assert "one: has 4096 tokens of context, and 8000 are needed" == _why(
        NoneMatched, Declared((ONE,)), states, n_ctx=8000
    )


def test_a_declared_context_goes_before_the_one_that_is_told() -> None:
    short = replace(TWO, models=(replace(QWEN, context_length=1024),))

    (found,) = places(Declared((short,)), STATES, "qwen3")
    assert 1024 == found.context_length
