"""How many servers each model has, what each may use of the machine, and which of them rests."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from ggtui.core.deployment.replicas import ONE, Replica, ReplicaState
from ggtui.core.deployment.shares import Roster, check_gpus, share_of
from ggtui.core.restarts import ReplicaLimiter, RestartLimiter
from ggtui.core.siblings import as_replica

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from ggtui.core.decisions import Resident
    from ggtui.core.deployment.replicas import ReplicaPlan
    from ggtui.core.deployment.shares import Device, MachineShare
    from ggtui.core.models import ModelLaunchSpec
    from ggtui.services.launches import Launch


async def known_at_once() -> None:
    """What the machine has is known from the start."""


class Replicas:
    """What the scheduler asks (see ReplicaRules), and what a launch is told. Times are monotonic seconds.

    Lives on the engine's loop. A model that shall have one server is as if there were no replicas at all.
    """

    def __init__(
        self,
        plan_of: Callable[[str], ReplicaPlan] = lambda _public_id: ONE,
        roster: Callable[[], Roster] = Roster,
        known: Callable[[], Awaitable[None]] = known_at_once,
    ) -> None:
        """plan_of: what deployments say of a model, by public id. roster: what there is to share out now.

        known: awaited before a model is started whose servers share the machine: the roster is right then.
        """
        self._plan_of = plan_of
        self._known = known
        self._roster = roster
        self._plans: dict[int, ReplicaPlan] = {}
        """By model id, of those that were asked for."""
        self._single = RestartLimiter()
        self._of_replica: defaultdict[int, ReplicaLimiter] = defaultdict(ReplicaLimiter)
        """By number of the replica; each knows all models that have so many."""
        self.are_any = False

    def learn(self, spec: ModelLaunchSpec) -> None:
        """This model is asked for, or deployments may say something else of it."""
        plan = self._plan_of(spec.public_id)
        if self._plans.get(spec.model_id, ONE) != plan:
            self._plans[spec.model_id] = plan
            self.are_any = any(each.n > 1 for each in self._plans.values())

    async def prepare(self, model_id: int) -> None:
        """Return when all is known that a launch of this model needs to know."""
        plan = self._plans.get(model_id)
        if plan is not None and plan != ONE:
            await self._known()

    def plan(self, model_id: int) -> ReplicaPlan:
        """What counts for this model now."""
        return self._plans.get(model_id, ONE)

    def n_wanted(self, model_id: int) -> int:
        """See ReplicaRules."""
        return self.plan(model_id).n

    # What each gets

    def check(self, model_id: int) -> None:
        """That the machine has what each replica shall have for itself. Raises: NoGpuNodes, NotEnoughGpus."""
        plan = self.plan(model_id)
        if plan != ONE:
            check_gpus(plan, self._roster())

    def share(self, model_id: int, standing: Iterable[Launch]) -> MachineShare:
        """What the next server of this model may use. standing: all that have not ended."""
        of_siblings: list[Device] = []
        of_others: list[Device] = []
        for launch in standing:
            devices = of_siblings if launch.model_id == model_id else of_others
            devices.extend(launch.share.devices or ())
        return share_of(self.plan(model_id), self._roster(), of_siblings, of_others)

    # Which of them rests

    def failed(self, model_id: int, replica: int, now: float) -> None:
        """A start failed, or a server died unasked."""
        self._limiter(model_id, replica).failed(model_id, now)

    def forgive(self, model_id: int | None) -> None:
        """Give one model, or all, a fresh start."""
        self._single.forgive(model_id)
        for limiter in self._of_replica.values():
            limiter.forgive(model_id)

    def pause_s(self, model_id: int, now: float) -> float:
        """Seconds until the first server of this model may be started again; 0 when one may.

        Infinite when all of several stay down until somebody acts.
        """
        replicas = range(self.n_wanted(model_id))
        return min(self._limiter(model_id, replica).pause_s(model_id, now) for replica in replicas)

    def rests_until(self, model_id: int, replica: int) -> float:
        """See ReplicaRules."""
        return self._limiter(model_id, replica).retry_at(model_id)

    def states(self, model_id: int, siblings: Sequence[Resident], now: float) -> tuple[Replica, ...]:
        """All servers that this model shall have or has, in their order; empty for a model with just one."""
        n_wanted = self.n_wanted(model_id)
        if n_wanted < 2:
            return ()
        there = {each.replica: as_replica(each) for each in siblings}
        resting = {each for each in range(n_wanted) if self.rests_until(model_id, each) > now}
        return tuple(
            there.get(each) or Replica(each, ReplicaState.FAILED if each in resting else ReplicaState.PENDING)
            for each in sorted({*range(n_wanted), *there})
        )

    def _limiter(self, model_id: int, replica: int) -> RestartLimiter | ReplicaLimiter:
        return self._of_replica[replica] if self.n_wanted(model_id) > 1 else self._single
