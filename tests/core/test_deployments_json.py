"""Deployments as JSON: what scripts and the command line rely on."""

from __future__ import annotations

import json

from ggtui.core.deployment.breaker import BreakerState
from ggtui.core.deployment.limits import Limit
from ggtui.core.deployment.policies import Budget, BudgetAction
from ggtui.core.deployment.pricing import PUSD_PER_USD
from ggtui.core.deployment.replicas import Replica, ReplicaState
from ggtui.core.deployment.runtimes import RuntimeKind
from ggtui.core.deployments_json import declared_document, deployments_document, ordered_document
from ggtui.core.snapshot import (
    DeploymentCounts,
    DeploymentState,
    DeploymentStatus,
    EngineSnapshot,
    LimitUse,
)
from ggtui.core.state_json import state_document

NOW = 1_700_000_000.0
CLOUD = DeploymentStatus(
    "cloud",
    RuntimeKind.OPEN_AI,
    "it is set as runtime",
    "gpt-4o-mini",
    DeploymentState.DRAINING,
    "it was drained",
    in_flight=3,
    queued=2,
    slots=32,
    limits=(LimitUse(Limit.REQUESTS, 12, 60),),
    breaker=BreakerState.OPEN,
    retry_at=NOW + 12.34,
    spent_hour_pusd=PUSD_PER_USD // 4,
    spent_day_pusd=PUSD_PER_USD * 3,
    replicas=(Replica(0, ReplicaState.SERVING, 3), Replica(1, ReplicaState.FAILED)),
    budget=Budget(max_spend_per_hour_pusd=PUSD_PER_USD, on_exceeded=BudgetAction.THROTTLE),
    counts=DeploymentCounts(41, 2, 3, 4, 5, 6, 7, 10, 20, PUSD_PER_USD // 2),
)
LOCAL = DeploymentStatus("local", RuntimeKind.LLAMA_SERVER, "the model is on this machine", "tiny")


def test_everything_is_told_with_its_unit() -> None:
    told = deployments_document((CLOUD,), NOW)

    assert {
        "schema": 1,
        "deployments": [
            {
                "name": "cloud",
                "runtime": "open_ai",
                "why_runtime": "it is set as runtime",
                "model": "gpt-4o-mini",
                "state": "draining",
                "why": "it was drained",
                "in_flight": 3,
                "queued": 2,
                "slots": 32,
                "replicas": [
                    {"number": 1, "state": "serving", "in_flight": 3},
                    {"number": 2, "state": "failed", "in_flight": 0},
                ],
                "limits": {"requests_per_minute": {"used": 12, "allowed": 60}},
                "breaker": {"state": "open", "is_forced": False, "retry_after_s": 12.3},
                "requests": {
                    "succeeded": 41,
                    "failed": 2,
                    "rate_limited": 3,
                    "circuit_open": 4,
                    "timed_out": 5,
                    "content_filtered": 6,
                    "refused": 7,
                },
                "tokens_in": 10,
                "tokens_out": 20,
                "cost_usd": 0.5,
                "spent_hour_usd": 0.25,
                "spent_day_usd": 3.0,
                "budget": {
                    "max_spend_per_hour_usd": 1.0,
                    "max_spend_per_day_usd": None,
                    "on_exceeded": "throttle",
                },
            }
        ],
    } == json.loads(json.dumps(told))


def test_what_is_not_set_is_null_or_empty() -> None:
    told = deployments_document((LOCAL,), NOW)["deployments"]

    assert isinstance(told, list)
    assert (None, {}, None) == tuple(told[0][key] for key in ("slots", "limits", "budget"))
    assert {"state": "closed", "is_forced": False, "retry_after_s": None} == told[0]["breaker"]


def test_the_time_to_a_probe_does_not_fall_below_zero() -> None:
    told = ordered_document((CLOUD,), "cloud", NOW + 100)["deployment"]

    assert isinstance(told, dict)
    assert 0 == told["breaker"]["retry_after_s"]


def test_an_order_answers_the_one_that_was_meant() -> None:
    names = [ordered_document((CLOUD, LOCAL), name, NOW)["deployment"] for name in ("local", "gone")]

    assert isinstance(names[0], dict)
    assert ("local", None) == (names[0]["name"], names[1])


def test_the_state_holds_them_in_their_order() -> None:
    told = state_document(EngineSnapshot(1, deployments=(CLOUD, LOCAL)), NOW)["deployments"]

    assert told == deployments_document((CLOUD, LOCAL), NOW)["deployments"]


def test_what_only_a_running_ggtui_knows_is_null_for_what_is_declared() -> None:
    told = json.loads(json.dumps(declared_document((CLOUD,))))["deployments"][0]
    running = json.loads(json.dumps(deployments_document((CLOUD,), NOW)))["deployments"][0]

    assert running.keys() == told.keys()
    assert {"requests_per_minute": {"used": None, "allowed": 60}} == told["limits"]
    assert {"state": None, "is_forced": None, "retry_after_s": None} == told["breaker"]
    same = {"name", "runtime", "why_runtime", "model", "why", "slots", "replicas", "budget"}
    assert same == {key for key in running if running[key] == told[key]}
    assert [None] == list({told[key] for key in running.keys() - same - {"limits", "breaker"}})
