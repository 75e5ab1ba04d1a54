"""Deployments, and what they need to know of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.adapters.spending.counters import SqliteCounters
from ggtui.adapters.spending.shared_place import shared_file
from ggtui.adapters.spending.spend import SqliteSpend
from ggtui.core.decisions import Phase
from ggtui.services.deployments.book import Deployments

if TYPE_CHECKING:
    from ggtui.bootstrap.machine import Machine
    from ggtui.config.schema import Config
    from ggtui.core.deployment.replicas import Replica
    from ggtui.core.ports.deployments import SecretsPort
    from ggtui.services.endpoints import Endpoints


def deployments_of(
    config: Config, machine: Machine, endpoints: Endpoints, secrets: SecretsPort
) -> Deployments:
    """The book of deployments, not started."""
    models, runtime = machine.models, machine.runtime

    def server_slots(model: str) -> int | None:
        known = models.by_name(models.deployed(model) or "")
        found = runtime.scheduler.servers_of(known.id) if known else []
        return sum(each.n_slots for each in found if each.phase is Phase.READY) or None

    def replicas(model: str) -> tuple[Replica, ...]:
        known = models.by_name(models.deployed(model) or "")
        return runtime.replicas_of(known.id) if known else ()

    def revive(model: str) -> None:
        known = models.by_name(models.deployed(model) or "")
        if known is not None:
            runtime.forgive(known.id)

    return Deployments(
        config.deployments,
        spend=SqliteSpend(config.data_dir / "spending.sqlite3"),
        counters=SqliteCounters(shared_file()),
        secrets=secrets,
        is_local=endpoints.is_local,
        server_slots=server_slots,
        replicas=replicas,
        revive=revive,
    )
