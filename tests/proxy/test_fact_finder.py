"""What the rules are told of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ggtui.adapters.memory.deployments import MemoryCounters, MemorySecrets, MemorySpend
from ggtui.core.deployment.policies import Priority, RateLimits
from ggtui.core.errors import InvalidRequest
from ggtui.core.routing.endpoints import ModelEndpoint, ModelId
from ggtui.core.routing.token_estimate import MEDIA_TOKENS
from ggtui.proxy.body import RequestBody, judge
from ggtui.proxy.fact_finder import FactFinder
from ggtui.proxy.settings import ProxySettings
from ggtui.services.deployments.book import Deployments
from tests.proxy.deployed import A_DOLLAR, far

if TYPE_CHECKING:
    from ggtui.proxy.forward_request import Ruled

CHAT = b"/v1/chat/completions"
FAR = ModelEndpoint(ModelId("far"), "", deployment="far")


def facts(
    body: RequestBody, path: bytes = CHAT, fields: Any = None, endpoint: ModelEndpoint = FAR, **rules: Any
) -> Ruled | None:
    rules = rules or {"pricing": A_DOLLAR}
    book = Deployments(
        [far(1, **rules)], spend=MemorySpend(), counters=MemoryCounters(), secrets=MemorySecrets()
    )
    return FactFinder(book, ProxySettings()).of(path, fields or {}, endpoint, body, "ann")


def body_of(text: bytes) -> RequestBody:
    return judge(bytearray(text))


def test_the_input_is_what_the_model_reads_and_the_answer_what_the_client_allows() -> None:
    unread = b'"n": 2, "max_tokens": 10, "stop": ["%b"]' % (b"stop " * 100)
    body = body_of(b'{"model": "far", "messages": [{"content": "hello"}], %b}' % unread)
    other = body_of(b'{"model": "far", "prompt": "%b"}' % (b"word " * 100))
    known, unsaid = facts(body), facts(other)

    assert known is not None
    assert unsaid is not None
    assert (20, Priority.NORMAL, "ann") == (known.max_tokens, known.priority, known.client)
    assert 5 <= known.input_tokens <= 12
    assert unsaid.max_tokens is None
    assert 90 <= unsaid.input_tokens <= 120


def test_a_short_body_counts_by_its_length() -> None:
    known = facts(body_of(b'{"model": "far", "messages": [{"content": "%b"}]}' % ("好".encode() * 50)))

    assert known is not None
    assert 50 <= known.input_tokens <= 75


@pytest.mark.parametrize(
    ("rules", "is_counted"),
    [
        ({"idempotent": True}, False),
        ({"rate_limits": RateLimits(requests_per_minute=5)}, False),
        ({"rate_limits": RateLimits(tokens_per_minute=5)}, True),
    ],
)
def test_the_input_is_estimated_only_where_something_is_counted_by_tokens(
    rules: dict[str, Any], is_counted: bool
) -> None:
    known = facts(body_of(b'{"messages": "hello there, all of you"}'), **rules)

    assert known is not None
    assert is_counted == bool(known.input_tokens)


@pytest.mark.parametrize(
    ("path", "expected"), [(b"/v1/embeddings", 0), (b"/rerank", 0), (b"/tokenize", 0), (CHAT, None)]
)
def test_what_writes_nothing_reserves_nothing_for_it(path: bytes, expected: int | None) -> None:
    known = facts(body_of(b'{"input": "hello"}'), path)

    assert known is not None
    assert expected == known.max_tokens


def test_a_form_counts_as_the_sound_it_holds() -> None:
    known = facts(RequestBody(bytearray(b"--XX\r\n")), b"/v1/audio/transcriptions")

    assert known is not None
    assert MEDIA_TOKENS == known.input_tokens


def test_rules_count_for_deployments_only_and_not_for_what_a_server_here_answers_beside_its_slots() -> None:
    body = body_of(b"{}")
    here = ModelEndpoint(ModelId("far"), "tiny", deployment="far")

    assert facts(body, endpoint=ModelEndpoint(ModelId("gone"), "tiny", deployment="gone")) is None
    assert facts(body, b"/tokenize", endpoint=here) is None
    assert facts(body, b"/tokenize") is not None


def test_the_rank_is_a_word_of_the_client() -> None:
    known = facts(body_of(b"{}"), fields={b"x-ggtui-priority": b" HIGH "})

    assert known is not None
    assert Priority.HIGH == known.priority
    with pytest.raises(InvalidRequest, match="background, normal, high, critical"):
        facts(body_of(b"{}"), fields={b"x-ggtui-priority": b"\xffurgent"})
