"""The state as Prometheus reads it: text of format 0.0.4, counters and gauges with their labels.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ggtui import __version__
from ggtui.core.deployment.breaker import BreakerState
from ggtui.core.deployment.pricing import usd
from ggtui.core.deployments_json import outcomes
from ggtui.core.snapshot import DeploymentState
from ggtui.core.state import TargetState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from enum import StrEnum

    from ggtui.core.snapshot import DeploymentStatus, EngineSnapshot, TargetStatus

MEDIA_TYPE = b"text/plain; version=0.0.4; charset=utf-8"


@dataclass(slots=True)
class Family:
    """All series of one name. Invariant: each combination of labels stands once."""

    name: str
    kind: str
    """`counter` or `gauge`."""
    words: str
    labels: tuple[str, ...] = ()
    samples: dict[tuple[str, ...], str] = field(default_factory=dict)
    """The number as it is written, by the values of the labels."""

    def add(self, value: str | float, *labels: str) -> None:
        """One number; the labels' values in their order."""
        self.samples[labels] = value if isinstance(value, str) else f"{value:.10g}"

    def add_whole(self, value: int, *labels: str) -> None:
        """One whole number, exactly."""
        self.add(str(value), *labels)

    def add_state(self, current: StrEnum, all_of_it: Iterable[StrEnum], *labels: str) -> None:
        """1 for the state it is in, 0 for each other."""
        for state in all_of_it:
            self.add_whole(int(state is current), *labels, str(state))

    def lines(self) -> list[str]:
        """The family as text; nothing without samples."""
        if not self.samples:
            return []
        head = [f"# HELP {self.name} {_help(self.words)}", f"# TYPE {self.name} {self.kind}"]
        return [*head, *(self._line(values, number) for values, number in self.samples.items())]

    def _line(self, values: tuple[str, ...], number: str) -> str:
        pairs = ",".join(
            f'{label}="{_value(value)}"' for label, value in zip(self.labels, values, strict=True)
        )
        return f"{self.name}{{{pairs}}} {number}" if pairs else f"{self.name} {number}"


def metrics_text(snapshot: EngineSnapshot, now: float, engines: Iterable[Family] = ()) -> str:
    """Everything of this state that is a number. now: Unix time. engines: what the servers tell."""
    families = [
        *_own(snapshot),
        *_requests(snapshot.deployments),
        *_rules(snapshot.deployments, now),
        *_money(snapshot.deployments),
        *_models(snapshot.targets, now),
        *engines,
    ]
    return "".join(f"{line}\n" for family in families for line in family.lines())


def _own(snapshot: EngineSnapshot) -> Sequence[Family]:
    info = Family("ggtui_info", "gauge", "The version of ggtui.", ("version",))
    info.add_whole(1, __version__)
    known = Family("ggtui_models", "gauge", "Models of the catalog.")
    known.add_whole(len(snapshot.models))
    waiting = Family("ggtui_requests_waiting", "gauge", "Requests that wait for their model.")
    waiting.add_whole(len(snapshot.queue))
    return info, known, waiting


def _requests(deployments: Iterable[DeploymentStatus]) -> Sequence[Family]:
    """What became of the requests, and what is going on."""
    of = ("deployment",)
    done = Family("inference_requests_total", "counter", "Requests by what became of them.", (*of, "outcome"))
    tokens_in = Family("inference_tokens_in_total", "counter", "Tokens of prompts, cached ones included.", of)
    tokens_out = Family("inference_tokens_out_total", "counter", "Tokens of answers.", of)
    cost = Family("inference_cost_usd_total", "counter", "What they cost by the configured prices, USD.", of)
    serving = Family("inference_requests_in_flight", "gauge", "Requests that are served now.", of)
    queued = Family("inference_requests_queued", "gauge", "Requests that wait for a slot.", of)
    slots = Family("inference_slots", "gauge", "Requests that may be served at once.", of)
    for each in deployments:
        for outcome, count in outcomes(each.counts).items():
            done.add_whole(count, each.name, outcome)
        tokens_in.add_whole(each.counts.input_tokens, each.name)
        tokens_out.add_whole(each.counts.output_tokens, each.name)
        cost.add(_usd(each.counts.cost_pusd), each.name)
        serving.add_whole(each.in_flight, each.name)
        queued.add_whole(each.queued, each.name)
        if each.slots is not None:
            slots.add_whole(each.slots, each.name)
    return done, tokens_in, tokens_out, cost, serving, queued, slots


def _rules(deployments: Iterable[DeploymentStatus], now: float) -> Sequence[Family]:
    """Whether it serves, its breaker, and its limits."""
    state = Family(
        "inference_deployment_state", "gauge", "1 for the state it is in.", ("deployment", "state")
    )
    breaker = Family(
        "inference_breaker_state", "gauge", "1 for the state of the circuit breaker.", ("deployment", "state")
    )
    retry = Family(
        "inference_breaker_retry_seconds",
        "gauge",
        "Seconds until an open circuit breaker lets a request pass.",
        ("deployment",),
    )
    used = Family("inference_limit_used", "gauge", "What of a rate limit is used.", ("deployment", "limit"))
    allowed = Family("inference_limit_allowed", "gauge", "The rate limit.", ("deployment", "limit"))
    for each in deployments:
        state.add_state(each.state, DeploymentState, each.name)
        breaker.add_state(each.breaker, BreakerState, each.name)
        if each.retry_at is not None:
            retry.add(round(max(0.0, each.retry_at - now), 3), each.name)
        for limit in each.limits:
            used.add_whole(limit.used, each.name, str(limit.limit))
            allowed.add_whole(limit.allowed, each.name, str(limit.limit))
    return state, breaker, retry, used, allowed


def _money(deployments: Iterable[DeploymentStatus]) -> Sequence[Family]:
    spent = Family(
        "inference_spent_usd", "gauge", "What was spent within the last period.", ("deployment", "period")
    )
    budget = Family(
        "inference_budget_usd", "gauge", "What may be spent within any period.", ("deployment", "period")
    )
    for each in deployments:
        spent.add(_usd(each.spent_hour_pusd), each.name, "hour")
        spent.add(_usd(each.spent_day_pusd), each.name, "day")
        if each.budget is None:
            continue
        for period, most in (
            ("hour", each.budget.max_spend_per_hour_pusd),
            ("day", each.budget.max_spend_per_day_pusd),
        ):
            if most is not None:
                budget.add(_usd(most), each.name, period)
    return spent, budget


def _models(targets: Iterable[TargetStatus], now: float) -> Sequence[Family]:
    """The servers that load, run or end."""
    targets = tuple(targets)
    has_several = any(each.replica is not None for each in targets)
    of = ("model", "replica") if has_several else ("model",)
    state = Family("ggtui_model_state", "gauge", "1 for the state of the server.", (*of, "state"))
    since = Family("ggtui_model_state_seconds", "gauge", "Seconds since its state changed.", of)
    serving = Family("ggtui_model_requests_in_flight", "gauge", "Requests that its server has.", of)
    slots = Family("ggtui_model_slots", "gauge", "Requests that its server answers at once.", of)
    context = Family("ggtui_model_context_tokens", "gauge", "Tokens that one request may use.", of)
    memory = Family("ggtui_model_memory_bytes", "gauge", "Memory that its server holds.", of)
    reading = Family(
        "ggtui_model_prompt_tokens_per_second", "gauge", "Speed of reading, at the last answer.", of
    )
    writing = Family(
        "ggtui_model_predicted_tokens_per_second", "gauge", "Speed of writing, at the last answer.", of
    )
    for each in targets:
        number = "" if each.replica is None else str(each.replica + 1)
        labels = (each.public_id, number) if has_several else (each.public_id,)
        state.add_state(each.state, TargetState, *labels)
        since.add(round(max(0.0, now - each.since), 3), *labels)
        for family, whole in (
            (serving, each.in_flight),
            (slots, each.n_slots),
            (context, each.n_ctx),
            (memory, each.memory_bytes),
        ):
            if whole is not None:
                family.add_whole(whole, *labels)
        for family, speed in ((reading, each.prompt_per_second), (writing, each.predicted_per_second)):
            if speed is not None:
                family.add(speed, *labels)
    return state, since, serving, slots, context, memory, reading, writing


def _usd(pusd: int) -> str:
    return f"{usd(pusd):f}"


def _value(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _help(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")
