"""Which part of the machine each replica gets: devices of its own, or its share of the processor."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ggtui.core.engine_devices import engine_devices
from ggtui.core.errors.launch import NoGpuNodes, NotEnoughGpus
from ggtui.core.ports.gpu import Vendor

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ggtui.core.deployment.replicas import ReplicaPlan
    from ggtui.core.ports.gpu import GpuSample

_MAKERS: Final = {
    "CUDA": Vendor.NVIDIA,
    "ROCm": Vendor.AMD,
    "HIP": Vendor.AMD,
}
"""Backends whose devices are chosen by ids that the driver tells; those of others by the engine's numbers."""


@dataclass(frozen=True, slots=True)
class Device:
    """One device as a server is told to use it."""

    backend: str
    """As the engine's log writes it, without the number: `CUDA`, `ROCm`, `Vulkan`."""
    id: str
    """What the variable of that backend takes: a UUID where the driver tells one, else a number."""


@dataclass(frozen=True, slots=True)
class MachineShare:
    """What one server may use."""

    devices: tuple[Device, ...] | None = None
    """None for whatever is there; empty for the processor alone."""
    n_threads: int | None = None
    """Threads where nobody chose them; None leaves them to the engine."""


WHOLE: Final = MachineShare()


@dataclass(frozen=True, slots=True)
class Roster:
    """What can be shared out."""

    devices: tuple[Device, ...] = ()
    n_cores: int = 1


def roster_of(engine: Iterable[str], gpus: Sequence[GpuSample], n_cores: int) -> Roster:
    """The devices that this engine can use, in its own order, and the cores.

    engine: its list of devices, one line each. gpus: as the drivers tell of them.
    """
    there = [device for device in engine_devices(engine) if not device.is_remote]
    if not there:
        return Roster(n_cores=n_cores)
    backend = _backend(there[0].name)
    own = [gpu for gpu in gpus if gpu.vendor is _MAKERS.get(backend) and not (gpu.is_hidden or gpu.is_lost)]
    if own:
        return Roster(tuple(Device(backend, gpu.uuid or str(gpu.index)) for gpu in own), n_cores)
    numbers = (each.name.removeprefix(backend) for each in there if _backend(each.name) == backend)
    return Roster(tuple(Device(backend, number) for number in numbers), n_cores)


def _backend(name: str) -> str:
    found = re.match(r"[A-Za-z]+", name)
    return found[0] if found is not None else ""


def check_gpus(plan: ReplicaPlan, roster: Roster) -> None:
    """That each replica can have as many devices of its own as the deployment says.

    Raises: NoGpuNodes, NotEnoughGpus.
    """
    wanted = (plan.gpus or 0) * plan.n
    if wanted and not roster.devices:
        raise NoGpuNodes(wanted)
    if wanted > len(roster.devices):
        raise NotEnoughGpus(wanted, len(roster.devices), plan.n)


def share_of(
    plan: ReplicaPlan, roster: Roster, of_siblings: Iterable[Device] = (), of_others: Iterable[Device] = ()
) -> MachineShare:
    """What the next server of a model gets: devices that no sibling has, and few others, as far as there are.

    of_siblings, of_others: devices that replicas of the same model, and servers of others, have now.
    """
    if plan.gpus is None and plan.n == 1:
        return WHOLE
    if plan.gpus == 0 or not roster.devices:
        n_threads = max(1, roster.n_cores // plan.n) if plan.n > 1 else None
        return MachineShare(() if roster.devices else None, n_threads)
    n_each = plan.gpus or max(1, len(roster.devices) // plan.n)
    siblings, others = Counter(of_siblings), Counter(of_others)
    order = sorted(roster.devices, key=lambda device: (siblings[device], others[device]))
    chosen = set(order[:n_each])
    return MachineShare(tuple(device for device in roster.devices if device in chosen))
