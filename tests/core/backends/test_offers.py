"""What backends offer together under one name."""

from __future__ import annotations

from dataclasses import replace

from ggtui.core.backends.backend import Backend, BackendType, Capability, Declared, DeclaredModel, Group
from ggtui.core.backends.observed import BackendState, PulledModel
from ggtui.core.backends.offers import BackendOffer, offer
from ggtui.core.routing.endpoints import EndpointStatus

CHAT, EMBED = Capability.CHAT, Capability.EMBED
BIG = PulledModel("qwen", context_length=32_768, can_chat=True)
SMALL = PulledModel("qwen", context_length=4096, can_embed=True)


def backend(name: str, *models: DeclaredModel, groups: tuple[str, ...] = ()) -> Backend:
    return Backend(name, BackendType.VLLM, f"http://{name}", groups=groups, models=models)


def seen(backend: Backend, *pulled: PulledModel, error: str = "") -> BackendState:
    return BackendState(backend.name, backend.name, backend, (), pulled, error=error, observed_at=1.0)


ONE, TWO = backend("one", DeclaredModel("qwen")), backend("two", DeclaredModel("qwen"))
BOTH = Declared((ONE, TWO))


def test_the_most_of_all_that_serve_it() -> None:
    found = offer(BOTH, [seen(ONE, SMALL), seen(TWO, BIG)], "qwen")

    assert BackendOffer(("one", "two"), 32_768, frozenset({CHAT, EMBED})) == found


def test_one_that_tells_nothing_may_be_able_to_everything() -> None:
    found = offer(BOTH, [seen(ONE, PulledModel("qwen")), seen(TWO, BIG)], "qwen")

    assert (("one", "two"), None) == (found.backends, found.capabilities)


def test_what_a_person_declares_counts_before_what_is_told() -> None:
    model = DeclaredModel("qwen", capabilities=frozenset({EMBED}), context_length=512)
    only = backend("one", model)

    found = offer(Declared((only,)), [seen(only, BIG)], "qwen")

    assert (512, frozenset({EMBED})) == (found.context_length, found.capabilities)


def test_one_in_error_offers_nothing() -> None:
    found = offer(BOTH, [seen(ONE, SMALL), seen(TWO, BIG, error="HTTP request failed")], "qwen")

    assert (("one",), 4096) == (found.backends, found.context_length)


def test_why_nobody_offers_it() -> None:
    error = [seen(ONE, error="HTTP request failed"), seen(TWO)]
    before = [replace(each, observed_at=None, error="") for each in error]
    apart = Declared(
        (backend("one", DeclaredModel("qwen"), groups=("a",)), backend("lone", DeclaredModel("alone"))),
        groups=(Group("a"),),
    )

    assert [
        (EndpointStatus.ERROR, "one: HTTP request failed; two: does not have it"),
        (EndpointStatus.LOADING, "one: not asked yet; two: not asked yet"),
        (EndpointStatus.ERROR, "one: it is not declared there; lone: is in no group"),
    ] == [
        (each.status, each.why)
        for each in (offer(BOTH, error, "qwen"), offer(BOTH, before, "qwen"), offer(apart, [], "alone"))
    ]
