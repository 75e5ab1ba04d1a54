"""What can be known without a running ggtui: the memory, the engine that would start, what loads lead to."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from ggtui.core.context import AUTO_CTX, choose_context
from ggtui.core.deployment.replicas import ONE
from ggtui.core.engine_devices import has_accelerator
from ggtui.core.forecast_servers import advised_ctx_of_servers
from ggtui.core.look_ahead import Standing, look_ahead
from ggtui.core.memory.pool import pool_of
from ggtui.core.model_settings import NOTHING_SET, launch_options
from ggtui.core.state import TargetState

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from ggtui.config.schema import Config
    from ggtui.core.deployment.replicas import ReplicaPlan
    from ggtui.core.forecast import Forecast
    from ggtui.core.memory.pool import MemoryPool
    from ggtui.core.models import AdapterFile, EngineInfo, LaunchOptions, ModelSummary
    from ggtui.core.ports.gpu import MemoryReading

T = TypeVar("T")
ONE_LOOK_S = 10.0
"""A driver that wakes its devices for one look takes seconds; there is no second look to wait for."""


@dataclass(frozen=True, slots=True)
class Room:
    """The memory that a load would find."""

    reading: MemoryReading
    pool: MemoryPool
    standing: tuple[Standing, ...] = ()
    """What the running ggtui has loaded."""
    strategy: str = ""
    budget_bytes: int = 0
    adapters: Mapping[str, tuple[AdapterFile, ...]] = field(default_factory=dict)
    """LoRA files that come with a model, by public id: they take their part."""
    plans: Mapping[str, ReplicaPlan] = field(default_factory=dict)
    """Of the models that have several servers, or devices of their own, by public id."""

    def plan_of(self, model: ModelSummary) -> ReplicaPlan:
        """How many servers a model shall have, and what each of them gets."""
        return self.plans.get(model.public_id, ONE)


def look(work: Coroutine[Any, Any, T]) -> T:
    """Run one look to its end."""
    return asyncio.run(work)


async def read_room(config: Config, state: dict[str, Any] | None) -> Room:
    """The memory now, less what the running targets would give back."""
    targets = state["targets"] if state else []
    pids = frozenset(target["pid"] for target in targets if target["pid"])
    reading = await read_memory(pids)
    has_gpu = bool(reading.gpus) and await _engine_has_gpu(config, state)
    servers = {target["pid"]: _logged_bytes(target) for target in targets if target["pid"]}
    pool = pool_of(reading, servers, engine_has_gpu=has_gpu)
    if state is None:
        return Room(reading, pool)
    pinned = {row["public_id"] for row in state["models"] if row.get("is_pinned")}
    standing = tuple(_stands(target, pinned) for target in targets)
    return Room(reading, pool, standing, state.get("strategy", ""), state.get("memory_budget_bytes", 0))


def _logged_bytes(target: dict[str, Any]) -> int:
    """What a running target holds on devices, by its own log; 0 for unknown."""
    devices = (target.get("load") or {}).get("devices", [])
    return sum(each["total_bytes"] for each in devices if not each["is_host"])


def _stands(target: dict[str, Any], pinned: set[str]) -> Standing:
    last_used = target.get("last_used_at")
    idle = datetime.now(UTC) - datetime.fromisoformat(last_used) if last_used else timedelta()
    return Standing(
        target["id"],
        target["model"],
        target["n_ctx"],
        target["predicted_bytes"] or target["memory_bytes"] or 0,
        is_pinned=target["model"] in pinned,
        is_busy=bool(target["in_flight"]),
        is_ending=target["state"] == TargetState.STOPPING,
        idle_s=max(0.0, idle.total_seconds()),
        load_s=target["expected_load_s"] or 0.0,
    )


async def read_memory(
    pids: frozenset[int] = frozenset(), config: Config | None = None, *, with_shares: bool = False
) -> MemoryReading:
    """One reading of devices and main memory.

    config: names the engine that is asked for devices no driver tells of; None asks none.
    with_shares: also how processes share pages.
    """
    from ggtui.adapters.gpu.engine_list import EngineCommand
    from ggtui.adapters.gpu.probe import SystemProbe
    from ggtui.adapters.llama_server.discovery import question

    engine = None if config is None else EngineCommand(*question(config.llama_server, os.environ))
    probe = SystemProbe(ONE_LOOK_S, engine=engine, with_shares=with_shares)
    try:
        return await probe.sample(pids)
    finally:
        await probe.close()


async def find_engine(config: Config) -> EngineInfo:
    """What would be launched, as it tells itself; takes a fraction of a second."""
    from ggtui.adapters.llama_server.launcher import LlamaServerLauncher

    launcher = LlamaServerLauncher(config.llama_server, os.environ, config.runtime_dir, config.log_dir)
    try:
        return await launcher.engine()
    finally:
        await launcher.close()


async def _engine_has_gpu(config: Config, state: dict[str, Any] | None) -> bool:
    if state is not None and state["engine"] is not None:
        return has_accelerator(state["engine"]["devices"])
    return (await find_engine(config)).has_accelerator


def beside(config: Config, state: dict[str, Any] | None) -> Config:
    """The settings as the running ggtui uses them, as far as it tells."""
    return config if state is None else replace(config, n_ctx=state["default_n_ctx"])


def context_of(model: ModelSummary, config: Config, room: Room, asked: int | None = None) -> int:
    """The context a load would get, in tokens: the asked one, the model's own choice, the default."""
    advised = None
    if asked is None and model.n_ctx_chosen is None and config.n_ctx == AUTO_CTX:
        options = options_of(model, config, room)
        advised = advised_ctx_of_servers(model, options, room.pool, room.plan_of(model))
    return choose_context(asked, model.n_ctx_chosen, config.n_ctx, model.n_ctx_train, advised).n_ctx


def options_of(model: ModelSummary, config: Config, room: Room) -> LaunchOptions:
    """How this model would be launched, as it is configured."""
    options = launch_options(config.options, config.model_settings.get(model.public_id, NOTHING_SET))
    return replace(options, adapters=room.adapters.get(model.public_id, ()))


def outlook(
    model: ModelSummary,
    config: Config,
    room: Room,
    asked: int | None = None,
    options: LaunchOptions | None = None,
) -> Forecast | None:
    """What loading this model leads to; None when it cannot be loaded.

    options: how it would be launched; None for as it is configured.
    """
    return look_ahead(
        model,
        context_of(model, config, room, asked),
        options or options_of(model, config, room),
        room.pool,
        room.standing,
        strategy=room.strategy,
        budget_bytes=room.budget_bytes,
        plan=room.plan_of(model),
    )


def instance_state(config: Config) -> dict[str, Any] | None:
    """The state of the running ggtui, None when none runs or it does not answer."""
    from ggtui.cli.client import InstanceRefused, InstanceSilent, running

    instance = running(config)
    if instance is None:
        return None
    try:
        return instance.state()
    except (InstanceSilent, InstanceRefused):
        return None
