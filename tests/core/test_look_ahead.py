"""Who goes for a load, who stays, and what the memory holds then."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ggtui.core.decisions import Phase, Resident
from ggtui.core.deployment.replicas import ReplicaPlan
from ggtui.core.forecast import Forecast, Verdict, needed_bytes
from ggtui.core.forecast_servers import needs
from ggtui.core.look_ahead import MEMORY, Standing, look_ahead
from ggtui.core.memory.pool import MemoryPool, PoolKind
from ggtui.core.models import LaunchOptions, ModelSummary
from ggtui.core.residency import MemoryRoom, victims_for
from ggtui.core.units import GIB
from tests.shapes import dense_shape

OPTIONS = LaunchOptions()
MODEL = ModelSummary(1, "new", "new", "llama", 5 * GIB, n_ctx_train=131_072, shape=dense_shape())
POOL = MemoryPool(PoolKind.GPU, 24 * GIB, 2 * GIB, GIB, overflow_bytes=60 * GIB, n_devices=1)
IDLE = Standing(2, "idle", 4096, 6 * GIB, idle_s=100, load_s=1)
RECENT = Standing(3, "recent", 4096, 6 * GIB, idle_s=1, load_s=1)
BUSY = Standing(4, "busy", 4096, 6 * GIB, is_busy=True, idle_s=500, load_s=1)


def ahead(*standing: Standing, strategy: str = MEMORY, budget_bytes: int = 0) -> Forecast:
    """The forecast at 8192 tokens."""
    found = look_ahead(MODEL, 8192, OPTIONS, POOL, standing, strategy=strategy, budget_bytes=budget_bytes)
    assert found is not None
    return found


def test_one_at_a_time_all_others_go() -> None:
    look = ahead(IDLE, BUSY, strategy="single")

    assert ("idle", "busy") == look.frees
    assert 2 * GIB + look.model_bytes == look.after_bytes


def test_as_many_as_the_memory_holds_none_goes_while_there_is_room() -> None:
    look = ahead(IDLE, RECENT)

    assert () == look.frees
    assert 14 * GIB + look.model_bytes == look.after_bytes
    assert Verdict.FITS is look.verdict


def test_the_longest_idle_goes_first_and_the_busy_last() -> None:
    assert ("idle",) == ahead(RECENT, IDLE, BUSY).frees
    assert ("idle", "recent") == ahead(RECENT, IDLE, BUSY, budget_bytes=14 * GIB).frees


def test_what_is_pinned_stays_and_can_leave_too_little_room() -> None:
    pinned = replace(IDLE, is_pinned=True)

    assert ("recent",) == ahead(pinned, RECENT, BUSY).frees
    alone = ahead(pinned, strategy="single")
    assert (Verdict.NO, (), "idle is pinned and stays") == (alone.verdict, alone.frees, alone.refusal)


def test_the_models_own_server_and_one_that_ends_make_way_by_themselves() -> None:
    own, ending = replace(IDLE, model_id=1), replace(RECENT, is_ending=True)

    look = ahead(own, ending, strategy="single")

    assert () == look.frees
    assert 2 * GIB + look.model_bytes == look.after_bytes


@pytest.mark.parametrize("budget_gib", [0, 10, 14, 18])
def test_those_who_go_are_the_victims_of_the_scheduler(budget_gib: int) -> None:
    standing = (RECENT, BUSY, IDLE)
    sizes = {each.model_id: each.n_bytes for each in standing}
    sizes[1] = needed_bytes(MODEL, 8192, OPTIONS, POOL)
    budget = min(POOL.room_bytes, budget_gib * GIB) if budget_gib else POOL.room_bytes
    residents = [
        Resident(
            each.model_id, each.model_id, each.n_ctx, phase=Phase.READY,
            last_used=1000 - each.idle_s, load_s=each.load_s, leases={1} if each.is_busy else set(),
        )
        for each in standing
    ]  # fmt: skip
    room = MemoryRoom(lambda model_id, _: sizes[model_id], lambda: budget)

    victims = victims_for(room, residents, residents, 1, 8192, 1000.0)

    assert victims is not None
    names = {each.model_id: each.public_id for each in standing}
    assert (
        tuple(names[each.model_id] for each in victims)
        == ahead(*standing, budget_bytes=budget_gib * GIB).frees
    )


def test_of_several_servers_as_many_count_as_will_be_started() -> None:
    need, more = needs(MODEL, 8192, OPTIONS, POOL, ReplicaPlan(3))

    def n_servers(strategy: str, budget_bytes: int) -> tuple[int, int, tuple[str, ...]]:
        found = look_ahead(
            MODEL,
            8192,
            OPTIONS,
            POOL,
            (IDLE,),
            strategy=strategy,
            budget_bytes=budget_bytes,
            plan=ReplicaPlan(3),
        )
        assert found is not None
        return found.n_servers, found.n_wanted, found.frees

    assert (3, 3, ("idle",)) == n_servers("single", 0)
    assert (1, 3, ()) == n_servers(MEMORY, IDLE.n_bytes + need)
    assert (2, 3, ()) == n_servers(MEMORY, IDLE.n_bytes + need + more)
    assert (1, 3, ("idle",)) == n_servers(MEMORY, need)


def test_a_broken_model_leads_to_nothing() -> None:
    assert look_ahead(replace(MODEL, problem="cut off"), 8192, OPTIONS, POOL, (IDLE,)) is None
