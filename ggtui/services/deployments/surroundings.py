"""What all deployments share: the time, chance, and who keeps what outlives them."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ggtui.services.deployments.clock import SystemClock
from ggtui.services.deployments.writes import Writes

if TYPE_CHECKING:
    from collections.abc import Callable

    from ggtui.core.deployment.replicas import Replica
    from ggtui.core.ports.deployments import CountersPort, SecretsPort, SpendPort
    from ggtui.services.deployments.clock import Clock


@dataclass(slots=True)
class Surroundings:
    """Handed to each deployment."""

    spend: SpendPort
    counters: CountersPort
    secrets: SecretsPort
    clock: Clock = field(default_factory=SystemClock)
    random: Callable[[], float] = random.random
    """From 0 to below 1."""
    is_local: Callable[[str], bool] = lambda _model: False
    """Whether a model is in the catalog, or its name is an existing path."""
    server_slots: Callable[[str], int | None] = lambda _model: None
    """Slots of the server that runs a local model; None when none runs."""
    replicas: Callable[[str], tuple[Replica, ...]] = lambda _model: ()
    """The servers of a local model that shall have several, in their order; empty for any other."""
    revive: Callable[[str], None] = lambda _model: None
    """Gives the servers of a local model a fresh start after failures."""
    backend_names: frozenset[str] = frozenset()
    """Names that lead to declared backends."""
    changed: Callable[[], None] = lambda: None
    writes: Writes = field(default_factory=Writes)
