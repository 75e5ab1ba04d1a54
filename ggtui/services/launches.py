"""What is known of each launch: process, progress, times, and why the last one of a model failed."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ggtui.core.causes import End, PastServer, Wish, how_ended, why_begun
from ggtui.core.deployment.replicas import ONE, ReplicaPlan
from ggtui.core.deployment.shares import WHOLE, MachineShare
from ggtui.core.engine_log import timing_of
from ggtui.core.memory.log_lines import LoadLog
from ggtui.core.models import LaunchOptions
from ggtui.core.snapshot import FailureNote

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ggtui.core.errors import Failure
    from ggtui.core.load_history import LoadRecord
    from ggtui.core.memory.parts import DeviceShare
    from ggtui.core.models import ModelLaunchSpec
    from ggtui.core.ports.launcher import ExitReport, ServerProcess
    from ggtui.services.logs import LogBook

_LOG = logging.getLogger(__name__)
_PROGRESS_STEP = 0.01


@dataclass(slots=True)
class Launch:
    """One launch as it goes on; hears of it as a LaunchListener."""

    launch_id: int
    model_id: int
    public_id: str
    n_ctx: int
    ledger: LaunchLedger
    on_progress: Callable[[], None]
    options: LaunchOptions = field(default_factory=LaunchOptions)
    """How it was launched."""
    replica: int = 0
    """Its number among the servers of its model, from 0."""
    plan: ReplicaPlan = ONE
    """What deployments said of them."""
    share: MachineShare = WHOLE
    """What of the machine it may use."""
    since: float = field(default_factory=time.time)
    """Unix time of the last change of state."""
    begun: float = field(default_factory=time.monotonic)
    spawned_at: float | None = None
    """Monotonic seconds."""
    pid: int | None = None
    port: int | None = None
    argv: tuple[str, ...] = ()
    share_done: float | None = None
    process: ServerProcess | None = None
    prompt_per_second: float | None = None
    predicted_per_second: float | None = None
    """Speeds of the last answer in tokens per second, read from the log."""
    n_lines: int = 0
    """Log lines so far."""
    load_log: LoadLog = field(default_factory=LoadLog)
    """What the engine has told of its buffers."""
    predicted: tuple[DeviceShare, ...] = ()
    """What was forecast for each device before the load; empty without a forecast."""
    record: LoadRecord | None = None
    """Both together; None until it is known."""
    is_verbose: bool = True
    """False when the same load has told before what it allocates."""
    is_stuck: bool = False
    """True when it is ended because it had requests and did nothing."""
    path: Path | None = None
    """The model file, its first shard."""
    why: str = ""
    """Why it was begun, in words."""
    end: End | None = None
    """Why it ended or is about to; None while nothing ends it."""
    end_words: str = ""
    """The same in words."""

    @property
    def number(self) -> int | None:
        """That of the replica; None where the model has only one server."""
        return self.replica if self.plan.n > 1 else None

    def spawned(self, pid: int, port: int, argv: tuple[str, ...]) -> None:
        """See LaunchListener."""
        self.pid, self.port, self.argv = pid, port, argv
        self.spawned_at = time.monotonic()
        self.ledger.changed()

    def progress(self, value: float) -> None:
        """See LaunchListener."""
        self.on_progress()
        if self.share_done is None or value - self.share_done >= _PROGRESS_STEP or value >= 1:
            self.share_done = value
            self.ledger.changed()

    def log_line(self, line: str) -> None:
        """See LaunchListener."""
        self.on_progress()
        self.n_lines += 1
        self.ledger.logs.add(self.public_id, self._marked(line))
        timing = timing_of(line)
        if timing is None:
            return
        if timing.is_prompt:
            self.prompt_per_second = timing.tokens_per_second
        else:
            self.predicted_per_second = timing.tokens_per_second
            self.ledger.changed()

    def verbose_line(self, line: str) -> None:
        """See LaunchListener."""
        self.on_progress()
        self.n_lines += 1
        self.ledger.logs.add_verbose(self.public_id, self._marked(line))
        self.load_log.hear(line)

    def _marked(self, line: str) -> str:
        """The log of a model holds the lines of all its replicas."""
        return line if self.number is None else f"#{self.number + 1} {line}"


class LaunchLedger:
    """Keeps the running launches, each model's last failure and how long its last load took."""

    def __init__(self, logs: LogBook) -> None:
        self.logs = logs
        self.changed: Callable[[], None] = lambda: None
        """Called on the engine's loop after every change; set by whoever publishes."""
        self.when_begun: list[Callable[[Launch], None]] = []
        """Called when a launch begins."""
        self.when_up: list[Callable[[Launch], None]] = []
        """Called when its server answers."""
        self.when_ended: list[Callable[[Launch], None]] = []
        """Called when its server is dead, or its load was cancelled; a load that failed is not told."""
        self._launches: dict[int, Launch] = {}
        self._failures: dict[int, FailureNote] = {}
        self._load_seconds: dict[int, float] = {}
        self._past: dict[tuple[int, int], PastServer] = {}
        """By model id and number of the replica."""

    def begin(
        self,
        launch_id: int,
        spec: ModelLaunchSpec,
        n_ctx: int,
        on_progress: Callable[[], None],
        wish: Wish = Wish.REQUEST,
        replica: int = 0,
    ) -> Launch:
        """A launch starts; what failed before is forgotten."""
        self._failures.pop(spec.model_id, None)
        launch = Launch(
            launch_id, spec.model_id, spec.public_id, n_ctx, self, on_progress, spec.options, replica
        )
        past = self._past.get((spec.model_id, replica))
        launch.path, launch.why = spec.path, why_begun(wish, n_ctx, past)
        self._launches[launch_id] = launch
        _tell(self.when_begun, launch)
        return launch

    def ready(self, launch: Launch, process: ServerProcess) -> None:
        """The server answers."""
        launch.process = process
        launch.since = time.time()
        self._load_seconds[launch.model_id] = time.monotonic() - launch.begun
        _tell(self.when_up, launch)
        self.changed()

    def failed(self, launch: Launch, error: Failure) -> None:
        """The server did not come up."""
        self._launches.pop(launch.launch_id, None)
        self._failures[launch.model_id] = FailureNote.of(error, time.time())
        self.changed()

    def refused(self, spec: ModelLaunchSpec, error: Failure) -> None:
        """The launch was refused before it began."""
        self._failures[spec.model_id] = FailureNote.of(error, time.time())
        self.changed()

    def ending(self, launch_id: int, end: End, words: str) -> None:
        """A server is about to be stopped, or its load cancelled."""
        launch = self._launches.get(launch_id)
        if launch is not None:
            launch.end, launch.end_words = end, words
            _LOG.info("stopping %s: %s", launch.public_id, words)

    def ended(self, launch: Launch, report: ExitReport | None) -> None:
        """The server is dead; an end that nobody asked for is kept as a failure."""
        self._launches.pop(launch.launch_id, None)
        _settle_end(launch, report)
        if launch.process is not None:
            self._past[launch.model_id, launch.replica] = PastServer(launch.n_ctx, launch.end or End.FAULT)
        if launch.is_stuck:
            self._failures[launch.model_id] = FailureNote(
                title="Server hung",
                detail="it had requests, and did nothing for too long",
                hint="the next request starts it again",
                code="upstream_timeout",
                log_tail=self.logs.tail(launch.public_id, 20),
                at=time.time(),
            )
        elif report is not None and not report.was_asked:
            self._failures[launch.model_id] = FailureNote(
                title="Server crashed",
                detail=_cause(report),
                hint="the next request starts it again",
                code="upstream_crashed",
                log_tail=self.logs.tail(launch.public_id, 20),
                at=time.time(),
            )
        _tell(self.when_ended, launch)
        self.changed()

    def launch(self, launch_id: int) -> Launch | None:
        """One launch that has not ended."""
        return self._launches.get(launch_id)

    def failure_of(self, model_id: int) -> FailureNote | None:
        """Why this model's last launch failed or died; None when it did not."""
        return self._failures.get(model_id)

    def load_seconds_of(self, model_id: int) -> float | None:
        """How long the last load of this model took in this run."""
        return self._load_seconds.get(model_id)

    @property
    def standing(self) -> tuple[Launch, ...]:
        """All launches that have not ended."""
        return tuple(self._launches.values())

    @property
    def servers(self) -> dict[int, int]:
        """The processes of all launches, with the bytes on devices that their logs tell; 0 for unknown."""
        launches = (launch for launch in self._launches.values() if launch.pid is not None)
        return {launch.pid or 0: launch.record.device_bytes if launch.record else 0 for launch in launches}

    @property
    def pids(self) -> frozenset[int]:
        """The processes of all launches."""
        return frozenset(launch.pid for launch in self._launches.values() if launch.pid is not None)


def _settle_end(launch: Launch, report: ExitReport | None) -> None:
    """Say how it ended where nobody decided so before."""
    if launch.is_stuck:
        launch.end, launch.end_words = End.HANG, how_ended(End.HANG)
    elif report is not None and not report.was_asked:
        launch.end, launch.end_words = End.CRASH, how_ended(End.CRASH, cause=_cause(report))
    elif launch.end is None:
        launch.end, launch.end_words = End.FAULT, how_ended(End.FAULT)


def _cause(report: ExitReport) -> str:
    return report.cause or f"exit code {report.code}"


def _tell(hearers: list[Callable[[Launch], None]], launch: Launch) -> None:
    """A fault of whoever learns from launches costs what it would have learned, never the launch."""
    for hear in hearers:
        try:
            hear(launch)
        except Exception:
            _LOG.exception("nothing is learned from the launch of %s", launch.public_id)
