"""What Prometheus reads: format, names, labels, and the numbers of a state."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ggtui import __version__
from ggtui.core.deployment.breaker import BreakerState
from ggtui.core.deployment.limits import Limit
from ggtui.core.deployment.policies import Budget
from ggtui.core.deployment.pricing import PUSD_PER_USD
from ggtui.core.deployment.runtimes import RuntimeKind
from ggtui.core.metrics_text import Family, metrics_text
from ggtui.core.snapshot import (
    DeploymentCounts,
    DeploymentState,
    DeploymentStatus,
    EngineSnapshot,
    LimitUse,
    QueueEntry,
    TargetStatus,
)
from ggtui.core.state import TargetState
from tests.prometheus import read

NOW = 1_700_000_000.0
CLOUD = DeploymentStatus(
    "cloud",
    RuntimeKind.OPEN_AI,
    "it is set as runtime",
    "gpt-4o-mini",
    DeploymentState.SERVING,
    in_flight=3,
    queued=2,
    slots=32,
    limits=(LimitUse(Limit.REQUESTS, 12, 60), LimitUse(Limit.TOKENS, 4000, 100_000)),
    breaker=BreakerState.OPEN,
    retry_at=NOW + 12.5,
    spent_hour_pusd=PUSD_PER_USD // 4,
    spent_day_pusd=PUSD_PER_USD * 3,
    budget=Budget(max_spend_per_hour_pusd=PUSD_PER_USD),
    counts=DeploymentCounts(41, 2, 3, 4, 5, 6, 7, 1_000_000, 2_000_000, 12_500_000_000_001),
)
LOCAL = DeploymentStatus("local", RuntimeKind.LLAMA_SERVER, "the model is on this machine", "tiny")
SERVER = TargetStatus(
    1,
    "tiny",
    TargetState.READY,
    NOW - 60,
    n_ctx=4096,
    n_slots=4,
    in_flight=1,
    memory_bytes=5 * 1024**3,
    prompt_per_second=812.25,
)
STATE = EngineSnapshot(
    3, deployments=(CLOUD, LOCAL), targets=(SERVER,), queue=(QueueEntry("tiny", None, 1.0),)
)


def test_every_outcome_of_every_deployment_is_counted() -> None:
    done = read(metrics_text(STATE, NOW))["inference_requests_total"]

    counted = {
        outcome: done.value(deployment="cloud", outcome=outcome)
        for outcome in (
            *("succeeded", "failed", "rate_limited", "circuit_open", "timed_out"),
            *("content_filtered", "refused"),
        )
    }
    assert [41, 2, 3, 4, 5, 6, 7] == list(counted.values())
    assert 0 == done.value(deployment="local", outcome="failed")
    assert (14, "counter") == (len(done.samples), done.kind)


def test_tokens_and_costs_are_counted_exactly() -> None:
    text = metrics_text(STATE, NOW)
    told = read(text)

    assert (1e6, 2e6) == tuple(
        told[f"inference_tokens_{way}_total"].value(deployment="cloud") for way in ("in", "out")
    )
    assert 'inference_cost_usd_total{deployment="cloud"} 12.500000000001\n' in text
    assert 'inference_cost_usd_total{deployment="local"} 0\n' in text


def test_a_price_of_nothing_much_is_not_written_with_an_exponent_that_loses_it() -> None:
    little = replace(CLOUD, counts=DeploymentCounts(cost_pusd=1))

    text = metrics_text(EngineSnapshot(1, deployments=(little,)), NOW)

    assert 'inference_cost_usd_total{deployment="cloud"} 0.000000000001\n' in text
    assert 1e-12 == read(text)["inference_cost_usd_total"].value(deployment="cloud")


def test_a_round_amount_is_written_in_full() -> None:
    round_one = replace(CLOUD, counts=DeploymentCounts(cost_pusd=500 * PUSD_PER_USD))

    text = metrics_text(EngineSnapshot(1, deployments=(round_one,)), NOW)

    assert 'inference_cost_usd_total{deployment="cloud"} 500\n' in text


def test_what_goes_on_and_what_the_rules_allow_is_told() -> None:
    told = read(metrics_text(STATE, NOW))

    assert (3, 2, 32) == tuple(
        told[f"inference_{name}"].value(deployment="cloud")
        for name in ("requests_in_flight", "requests_queued", "slots")
    )
    assert (12, 60) == tuple(
        told[f"inference_limit_{name}"].value(deployment="cloud", limit="requests_per_minute")
        for name in ("used", "allowed")
    )
    assert (0.25, 3, 1) == (
        told["inference_spent_usd"].value(deployment="cloud", period="hour"),
        told["inference_spent_usd"].value(deployment="cloud", period="day"),
        told["inference_budget_usd"].value(deployment="cloud", period="hour"),
    )
    assert [("deployment", "cloud")] == [labels[0] for labels in told["inference_slots"].samples]
    assert 1 == len(told["inference_budget_usd"].samples)


def test_the_breaker_is_in_one_state_and_counts_down() -> None:
    told = read(metrics_text(STATE, NOW))

    def states(name: str) -> dict[str, float]:
        breaker = told["inference_breaker_state"]
        return {str(each): breaker.value(deployment=name, state=str(each)) for each in BreakerState}

    assert {"closed": 0, "open": 1, "half_open": 0} == states("cloud")
    assert {"closed": 1, "open": 0, "half_open": 0} == states("local")
    assert {(("deployment", "cloud"),): 12.5} == told["inference_breaker_retry_seconds"].samples
    later = read(metrics_text(STATE, NOW + 100))
    assert 0 == later["inference_breaker_retry_seconds"].value(deployment="cloud")


def test_each_deployment_is_in_one_state() -> None:
    drained = replace(LOCAL, state=DeploymentState.DISABLED)

    states = read(metrics_text(EngineSnapshot(1, deployments=(drained,)), NOW))["inference_deployment_state"]

    assert ["disabled"] == [dict(labels)["state"] for labels, value in states.samples.items() if value == 1]
    assert len(DeploymentState) == len(states.samples)


def test_servers_are_told_of_with_what_is_known() -> None:
    told = read(metrics_text(STATE, NOW))

    assert (1, 4, 4096, 5 * 1024**3, 60, 812.25) == tuple(
        told[f"ggtui_model_{name}"].value(model="tiny")
        for name in (
            *("requests_in_flight", "slots", "context_tokens", "memory_bytes"),
            *("state_seconds", "prompt_tokens_per_second"),
        )
    )
    assert 1 == told["ggtui_model_state"].value(model="tiny", state="ready")
    assert "ggtui_model_predicted_tokens_per_second" not in told
    assert 1 == told["ggtui_requests_waiting"].value()


def test_servers_of_one_model_are_told_apart() -> None:
    servers = tuple(replace(SERVER, replica=number, in_flight=number + 5) for number in range(2))
    told = read(metrics_text(EngineSnapshot(1, targets=servers), NOW))["ggtui_model_requests_in_flight"]

    assert (5, 6) == (told.value(model="tiny", replica="1"), told.value(model="tiny", replica="2"))


def test_without_deployments_and_servers_only_ggtui_itself_is_there() -> None:
    told = read(metrics_text(EngineSnapshot(1), NOW))

    assert {"ggtui_info", "ggtui_models", "ggtui_requests_waiting"} == set(told)
    assert 1 == told["ggtui_info"].value(version=__version__)


@pytest.mark.parametrize(
    "name", ['a"b', "a\\b", "a\nb", "\\", '\\"', "\\n", "a}b{c,d=", "ä 漢 🦙", " ", "a\tb"]
)
def test_any_name_comes_back_as_it_was(name: str) -> None:
    hostile = replace(LOCAL, name=name)

    told = read(metrics_text(EngineSnapshot(1, deployments=(hostile,)), NOW))

    assert 0 == told["inference_requests_in_flight"].value(deployment=name)


def test_words_of_help_are_escaped_where_the_format_asks_for_it() -> None:
    family = Family("a", "gauge", 'a "word" \\ and\nanother')
    family.add_whole(1)

    assert 'a "word" \\ and\nanother' == read("\n".join(family.lines()) + "\n")["a"].words


@pytest.mark.parametrize(
    "wrong",
    [
        "a 1\n",
        "# TYPE a gauge\na 1\n",
        "# HELP a b\na 1\n",
        "# HELP a b\n# TYPE a gauge\na 1",
        "# HELP a b\n# TYPE a gauge\na one\n",
        "# HELP a b\n# TYPE a gauge\nb 1\n",
        "# HELP a b\n# TYPE a gauge\na 1\na 2\n",
        '# HELP a b\n# TYPE a gauge\na{b="c"d} 1\n',
        '# HELP a b\n# TYPE a gauge\na{b="\\x"} 1\n',
        '# HELP a b\n# TYPE a gauge\na{b="c",b="d"} 1\n',
        '# HELP a b\n# TYPE a gauge\na{b="c} 1\n',
        "# HELP a b\n# TYPE a speed\na 1\n",
        "# HELP a b\n# TYPE a counter\na -1\n",
        "# HELP a b\n# TYPE a gauge\na 1\n# HELP a b\n# TYPE a gauge\na 1\n",
        "# HELP a b\n# TYPE a gauge\n",
    ],
)
def test_the_reader_of_these_tests_takes_nothing_that_is_wrong(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"format|end"):
        read(wrong)
