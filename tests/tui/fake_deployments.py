"""Deployments of the fake engine, in every state; orders show in its next state."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from ggtui.core.deployment.breaker import BreakerState
from ggtui.core.deployment.limits import Limit
from ggtui.core.deployment.orders import DeploymentOrder
from ggtui.core.deployment.policies import Budget, BudgetAction
from ggtui.core.deployment.pricing import PUSD_PER_USD
from ggtui.core.deployment.runtimes import RuntimeKind
from ggtui.core.snapshot import DeploymentCounts, DeploymentState, DeploymentStatus, LimitUse

if TYPE_CHECKING:
    from ggtui.core.snapshot import EngineSnapshot

CENT = PUSD_PER_USD // 100


class Talks(Protocol):
    """What these need of the fake control."""

    def record(self, *call: object) -> None: ...

    def snapshot(self) -> EngineSnapshot: ...

    async def publish(self, snapshot: EngineSnapshot) -> None: ...


def deployments(now: float) -> tuple[DeploymentStatus, ...]:
    """One for each state of a deployment and of a breaker. now: Unix time."""
    local = "the model is on this machine"
    like = "the name of the model is like those of {}"
    return (
        DeploymentStatus(
            "qwen",
            RuntimeKind.LLAMA_SERVER,
            local,
            "qwen3-coder-30b-a3b",
            in_flight=4,
            queued=3,
            slots=4,
            limits=(LimitUse(Limit.REQUESTS, 12, 60), LimitUse(Limit.TOKENS, 96_500, 100_000)),
            counts=DeploymentCounts(
                succeeded=1204, failed=2, refused=7, input_tokens=4_600_000, output_tokens=812_345
            ),
        ),
        DeploymentStatus(
            "gpt-4o-mini",
            RuntimeKind.OPEN_AI,
            like.format("open_ai"),
            "gpt-4o-mini",
            slots=32,
            breaker=BreakerState.OPEN,
            retry_at=now + 21.5,
            spent_hour_pusd=93 * CENT,
            spent_day_pusd=412 * CENT,
            budget=Budget(PUSD_PER_USD, 10 * PUSD_PER_USD, BudgetAction.REJECT),
            counts=DeploymentCounts(311, 10, 3, 4, 5, 6, 7, 900_000, 120_000, 2500 * CENT),
        ),
        DeploymentStatus(
            "claude",
            RuntimeKind.ANTHROPIC,
            like.format("anthropic"),
            "claude-sonnet-4",
            in_flight=1,
            slots=32,
            breaker=BreakerState.HALF_OPEN,
            spent_day_pusd=37 * CENT // 100,
        ),
        DeploymentStatus(
            "box",
            RuntimeKind.VLLM,
            "it is set as runtime",
            "llama-70b",
            DeploymentState.DRAINING,
            "a person has drained it",
            in_flight=2,
            slots=8,
        ),
        DeploymentStatus(
            "old-box",
            RuntimeKind.CUSTOM,
            "its runtime_config is for this",
            "m",
            DeploymentState.DISABLED,
            "a person has drained it",
            slots=8,
            breaker=BreakerState.CLOSED,
            is_breaker_forced=True,
        ),
        DeploymentStatus(
            "broken-with-a-long-name-of-its-own",
            RuntimeKind.LLAMA_SERVER,
            local,
            "broken-7b",
            DeploymentState.FAILED,
            "llama-server ended at once: shard 2 of 3 is missing",
            breaker=BreakerState.OPEN,
            is_breaker_forced=True,
        ),
    )


class FakeDeployments:
    """Takes orders."""

    def __init__(self, control: Talks) -> None:
        self._control = control

    async def order(self, name: str, order: DeploymentOrder) -> None:
        self._control.record("order", name, str(order))
        state = self._control.snapshot()
        changed = tuple(_after(each, order) if each.name == name else each for each in state.deployments)
        await self._control.publish(replace(state, deployments=changed))


def _after(status: DeploymentStatus, order: DeploymentOrder) -> DeploymentStatus:
    match order:
        case DeploymentOrder.OPEN:
            return replace(status, breaker=BreakerState.OPEN, is_breaker_forced=True, retry_at=None)
        case DeploymentOrder.CLOSE:
            return replace(status, breaker=BreakerState.CLOSED, is_breaker_forced=True, retry_at=None)
        case DeploymentOrder.RESET:
            return replace(status, breaker=BreakerState.CLOSED, is_breaker_forced=False, retry_at=None)
        case DeploymentOrder.DRAIN:
            state = DeploymentState.DRAINING if status.in_flight else DeploymentState.DISABLED
            return replace(status, state=state, why="a person has drained it", queued=0)
        case DeploymentOrder.RESUME:
            return replace(status, state=DeploymentState.SERVING, why="")
