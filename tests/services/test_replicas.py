"""Several servers of one model, with what the runtime makes of them."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ggtui.core.deployment.replicas import ONE, ReplicaPlan, ReplicaState
from ggtui.core.deployment.shares import Device, MachineShare, Roster
from ggtui.core.errors import ModelNotReady, NotEnoughGpus
from ggtui.core.errors.runtime import NEVER_RETRY_AFTER_S
from ggtui.core.ports.launcher import ExitReport
from ggtui.core.restarts import FREE_FAILURES_OF_REPLICAS
from ggtui.core.state import TargetState
from ggtui.services.replicas import Replicas
from ggtui.services.runtime import RuntimeSettings
from tests.services.desk import ALPHA, desk

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ggtui.services.lease import Lease
    from tests.services.desk import Desk

CARDS = (Device("CUDA", "GPU-0"), Device("CUDA", "GPU-1"))
TWO = Roster(CARDS, 8)
CRASH = ExitReport(-9, was_asked=False, cause="ended by signal SIGKILL")


def _replicas(plan: ReplicaPlan, roster: Roster = TWO) -> Replicas:
    return Replicas(lambda public_id: plan if public_id == "alpha" else ONE, lambda: roster)


def _lease(one: Desk, name: str = "alpha") -> Lease:
    return one.runtime.acquire(name, None, 4096)


async def _up(one: Desk, n: int = 2) -> None:
    """Ask for alpha and wait until all its servers are ready."""
    async with _lease(one):
        pass
    await one.until(lambda: n == len(_ready(one)))


def _ready(one: Desk) -> list[int]:
    """Process ids of the servers that are ready."""
    return [each.pid or 0 for each in one.snapshot().targets if each.state is TargetState.READY]


async def _kill(one: Desk, pid: int) -> None:
    """End the server of this process, and return when that is known."""
    next(each for each in one.launcher.servers if each.target.pid == pid).end(CRASH)
    await one.until(lambda: pid not in [each.pid for each in one.snapshot().targets])


async def _crash_for_good(one: Desk) -> None:
    """Let the first of two servers die until it is left alone."""
    second = _ready(one)[1]
    for _ in range(FREE_FAILURES_OF_REPLICAS + 1):
        await one.until(lambda: 2 == len(_ready(one)))
        await _kill(one, next(pid for pid in _ready(one) if pid != second))


def test_each_replica_has_its_own_process_and_devices() -> None:
    async def scenario() -> None:
        async with desk(replicas=_replicas(ReplicaPlan(2, 1))) as one:
            await _up(one)

            assert 2 == len(set(_ready(one)))
            assert [MachineShare(CARDS[:1]), MachineShare(CARDS[1:])] == [
                plan.share for plan in one.launcher.plans
            ]
            assert ["alpha #1", "alpha #2"] == [each.title for each in one.snapshot().targets]
            assert ["alpha", "alpha.replica-2"] == [plan.log_name for plan in one.launcher.plans]

    asyncio.run(scenario())


def test_requests_at_once_reach_both_alike() -> None:
    async def scenario() -> None:
        async with desk(replicas=_replicas(ReplicaPlan(2))) as one:
            await _up(one)
            leases = [_lease(one) for _ in range(8)]
            ports = [(await lease.__aenter__()).port for lease in leases]

            assert [4, 4] == [ports.count(port) for port in sorted(set(ports))]
            for lease in leases:
                await lease.__aexit__(None, None, None)

    asyncio.run(scenario())


def test_one_that_dies_is_replaced_on_its_own_devices_while_the_other_serves() -> None:
    async def scenario() -> None:
        async with desk(replicas=_replicas(ReplicaPlan(2, 1))) as one:
            await _up(one)
            first, second = _ready(one)
            await _kill(one, first)
            async with _lease(one) as target:
                assert second == target.pid
            await one.until(lambda: 2 == len(_ready(one)))

            assert first not in _ready(one)
            assert MachineShare(CARDS[:1]) == one.launcher.plans[-1].share

    asyncio.run(scenario())


def test_the_fourth_crash_within_a_minute_leaves_it_alone() -> None:
    async def scenario() -> None:
        replicas = _replicas(ReplicaPlan(2, 1))
        async with desk(replicas=replicas) as one:
            await _up(one)
            second = _ready(one)[1]
            await _crash_for_good(one)
            n_before = len(one.launcher.plans)
            await asyncio.sleep(0)
            states = [each.state for each in one.runtime.replicas_of(ALPHA.id)]

            assert [ReplicaState.FAILED, ReplicaState.SERVING] == states
            assert n_before == len(one.launcher.plans)
            async with _lease(one) as target:
                assert second == target.pid

            assert one.runtime.scheduler.next_tick(0.0) is None  # no time brings it back
            assert math.inf == replicas.rests_until(ALPHA.id, 0)

    asyncio.run(scenario())


def test_what_stays_down_comes_back_when_a_person_acts() -> None:
    async def acts(act: Callable[[Desk], Awaitable[object]]) -> None:
        async with desk(replicas=_replicas(ReplicaPlan(2, 1))) as one:
            await _up(one)
            await _crash_for_good(one)
            await act(one)
            await one.until(lambda: 2 == len(_ready(one)))

    async def forgive(one: Desk) -> None:
        one.runtime.forgive(ALPHA.id)

    async def reload(one: Desk) -> None:
        one.runtime.reconfigure(RuntimeSettings())

    async def scenario() -> None:
        await acts(forgive)
        await acts(reload)
        await acts(lambda one: one.control.load("alpha"))
        await acts(lambda one: one.control.rescan())

    asyncio.run(scenario())


def test_when_all_rest_a_request_is_told() -> None:
    async def scenario() -> None:
        async with desk(replicas=_replicas(ReplicaPlan(2))) as one:
            await _up(one)
            for _ in range(2 * (FREE_FAILURES_OF_REPLICAS + 1)):
                await one.until(lambda: bool(_ready(one)))
                await _kill(one, _ready(one)[0])
                await one.until(lambda: not one.runtime.scheduler.residents or bool(_ready(one)))
                if not one.runtime.scheduler.residents:
                    break
            with pytest.raises(ModelNotReady) as refused:
                async with _lease(one):
                    pass

            assert (NEVER_RETRY_AFTER_S, True) == (
                refused.value.retry_after_s,
                "resume its deployment" in refused.value.hint,
            )

    asyncio.run(scenario())


def test_more_devices_than_there_are_start_nothing() -> None:
    async def scenario() -> None:
        async with desk(replicas=_replicas(ReplicaPlan(3, 1))) as one:
            with pytest.raises(NotEnoughGpus):
                async with _lease(one):
                    pass

            assert [] == one.launcher.plans

    asyncio.run(scenario())


def test_what_waits_for_a_slot_is_served_by_the_second_once_it_is_ready() -> None:
    async def scenario() -> None:
        async with desk(replicas=_replicas(ReplicaPlan(2))) as one:
            leases = [_lease(one) for _ in range(8)]
            targets = await asyncio.gather(*(lease.__aenter__() for lease in leases))

            assert 2 == len({target.pid for target in targets})
            for lease in leases:
                await lease.__aexit__(None, None, None)

    asyncio.run(scenario())


def test_a_plan_that_changes_ends_the_servers_that_were_made_by_another() -> None:
    async def scenario() -> None:
        plans = {"alpha": ReplicaPlan(2)}
        replicas = Replicas(lambda public_id: plans.get(public_id, ONE), lambda: Roster((), 8))
        async with desk(replicas=replicas) as one:
            await _up(one)
            plans["alpha"] = ReplicaPlan(3)
            await one.runtime.relaunch_changed()
            await one.until(lambda: not one.runtime.scheduler.residents)
            await _up(one, 3)

            assert [MachineShare(None, 2)] * 3 == [plan.share for plan in one.launcher.plans[-3:]]

    asyncio.run(scenario())


def test_a_model_without_a_deployment_is_as_ever() -> None:
    async def scenario() -> None:
        async with desk(replicas=_replicas(ReplicaPlan(2))) as one, _lease(one, "beta"):
            target = one.snapshot().targets[0]

            assert (None, "beta") == (target.replica, target.title)
            assert () == one.runtime.replicas_of(target.model_id)
            assert replace(one.launcher.plans[0], share=MachineShare()) == one.launcher.plans[0]

    asyncio.run(scenario())
