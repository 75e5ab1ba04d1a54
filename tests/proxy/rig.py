"""A real proxy over fakes: a runtime that leases one given server, and raw sockets towards it."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ggtui.adapters.memory.deployments import MemoryCounters, MemorySecrets, MemorySpend
from ggtui.config.model_file import checked
from ggtui.core.backends.backend import THIS_MACHINE
from ggtui.core.backends.serving import declared_names
from ggtui.core.downloads.jobs import Job, JobKind
from ggtui.core.errors import ModelNotFound
from ggtui.core.labels import UNLABELLED
from ggtui.core.model_settings import CommonSettings, ModelSettings, settings_view
from ggtui.core.models import AdapterFile, ModelSummary, RunningTarget
from ggtui.core.ports.catalog import CatalogReport
from ggtui.core.reload import ReloadReport
from ggtui.core.routing.adapters import AdapterRef, AdapterStack, AttachedAdapter, NamedStack
from ggtui.core.routing.name_settings import NameSettings
from ggtui.core.snapshot import EngineSnapshot, LogBatch
from ggtui.proxy.bind import bind
from ggtui.proxy.server import ProxyServer, ProxySettings
from ggtui.proxy.upstream import UpstreamLimits, UpstreamPool
from ggtui.services.adapters import ModelAdapter
from ggtui.services.deployments.book import Deployments
from ggtui.services.endpoints import Endpoints
from ggtui.services.model_settings import SettingsBook

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence

    from ggtui.core.admission import Admission
    from ggtui.core.backends.observed import BackendState
    from ggtui.core.backends.rows import Row
    from ggtui.core.deployment.deployment import Deployment
    from ggtui.core.deployment.orders import DeploymentOrder
    from ggtui.core.labels import LabelChange
    from ggtui.core.model_settings import SettingsView
    from ggtui.services.catalog import CatalogService
    from ggtui.services.deployments.live import LiveDeployment
    from tests.proxy.backed import StandingBackends

T = TypeVar("T")
HANG_S = 20.0
"""A test that waits longer than this is stuck."""


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a test's coroutine on the loop the engine uses, with a guard against hanging."""

    async def guarded() -> T:
        async with asyncio.timeout(HANG_S):
            return await work

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(guarded())


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


@dataclass
class FakeRuntime:
    """Leases its target. `gate`: entering waits for it. `targets`: what later leases get, in order."""

    target: RunningTarget | None = None
    targets: list[RunningTarget] = field(default_factory=list)
    others: list[RunningTarget] = field(default_factory=list)
    failure: Exception | None = None
    failure_after_wait: Exception | None = None
    gate: asyncio.Event | None = None
    wanted: list[tuple[str, int | None]] = field(default_factory=list)
    admissions: list[Admission | None] = field(default_factory=list)
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    n_leases: int = 0
    n_given_up: int = 0

    async def ensure_model_running(
        self, model_name: str, num_ctx: int | None, default_ctx: int
    ) -> RunningTarget:
        async with self.acquire(model_name, num_ctx, default_ctx) as target:
            return target

    @asynccontextmanager
    async def acquire(
        self, model_name: str, num_ctx: int | None, default_ctx: int, admission: Admission | None = None
    ) -> AsyncIterator[RunningTarget]:
        self.wanted.append((model_name, num_ctx))
        self.admissions.append(admission)
        if self.failure is not None:
            raise self.failure
        if self.gate is not None:
            self.waiting.set()
            try:
                await self.gate.wait()
            except asyncio.CancelledError:
                self.n_given_up += 1
                raise
        if self.failure_after_wait is not None:
            raise self.failure_after_wait
        if self.targets:
            self.target = self.targets.pop(0)
        if self.target is None:
            raise ModelNotFound(model_name)
        self.n_leases += 1
        try:
            yield self.target
        finally:
            self.n_leases -= 1

    async def current_model(self) -> RunningTarget | None:
        return self.target

    async def list_running(self) -> list[RunningTarget]:
        return [self.target, *self.others] if self.target is not None else []

    async def stop_current(self) -> None:
        self.target = None


@dataclass
class FakeCatalog:
    """Knows the given models, their adapters and stacks; what else endpoints are made of as well."""

    models: list[ModelSummary] = field(default_factory=lambda: [summary(1, "tiny")])
    own: dict[str, ModelSettings] = field(default_factory=dict)
    """Settings by public id."""
    broken: dict[str, str] = field(default_factory=dict)
    """Adapters that cannot be used, by name, and why."""
    deployments: tuple[Deployment, ...] = ()

    @property
    def settings(self) -> SettingsBook:
        return SettingsBook(self.own)

    def adapters_of(self, public_id: str) -> tuple[ModelAdapter, ...]:
        attached = self.settings.of(public_id).adapters or ()
        return tuple(
            ModelAdapter(each, AdapterFile(each.name, Path(each.path)), self.broken.get(each.name, ""))
            for each in attached
        )

    def is_resident(self, model_id: int) -> bool:
        return False

    def by_name(self, name: str) -> ModelSummary | None:
        return next((each for each in self.models if name in (each.public_id, str(each.id))), None)

    def deployed(self, model: str) -> str | None:
        known = self.by_name(model)
        return known.public_id if known is not None else None

    def why_refused(self, deployment: str, adapter: str) -> str:
        return ""

    async def scan_ended(self) -> bool:
        return False

    async def list_models(self) -> list[ModelSummary]:
        return self.models

    async def resolve_model(self, name: str) -> ModelSummary | None:
        return self.by_name(name)

    async def resolve_for_launch(self, name: str) -> None:
        return None

    async def note_loaded(self, model_id: int) -> None:
        return None

    async def refresh(self) -> CatalogReport:
        return CatalogReport()

    def report(self) -> CatalogReport:
        return CatalogReport()

    async def close(self) -> None:
        return None


@dataclass
class FakeNames:
    """Notes what it is asked; knows that `alias` leads to the model `tiny`."""

    asked: list[tuple[Any, ...]] = field(default_factory=list)
    failure: Exception | None = None

    def base_of(self, name: str) -> str | None:
        return {"alias": "tiny", "1": "tiny", "tiny:code": "tiny"}.get(name)

    async def model(self, name: str) -> str:
        return self.base_of(name) or name

    async def set_alias(self, alias: str, target: str | None) -> None:
        self._note("set_alias", alias, target)

    async def set_default(self, target: str | None) -> None:
        self._note("set_default", target)

    async def set_enabled(self, target: str, is_enabled: bool) -> str:
        self._note("set_enabled", target, is_enabled)
        return self.base_of(target) or target

    async def set_weight(self, model: str, adapter: str, weight: object) -> float:
        self._note("set_weight", model, adapter, weight)
        return 0.5

    async def attach(self, model: str, lora: str, name: str | None = None, weight: object = 1.0) -> str:
        self._note("attach", model, lora, name, weight)
        return name or lora

    async def detach(self, model: str, name: str) -> None:
        self._note("detach", model, name)

    def _note(self, *asked: Any) -> None:
        if self.failure is not None:
            raise self.failure
        self.asked.append(asked)


@dataclass
class FakeDeployments:
    """Notes what is ordered of deployments."""

    asked: list[tuple[str, str]] = field(default_factory=list)
    failure: Exception | None = None

    async def order(self, name: str, order: DeploymentOrder) -> None:
        if self.failure is not None:
            raise self.failure
        self.asked.append((name, str(order)))


@dataclass
class FakeBackends:
    """Tells what the test gives it, and notes how often somebody looks."""

    known: tuple[BackendState, ...] = ()
    rows: tuple[Row, ...] = ()
    asked: list[bool] = field(default_factory=list)
    """Of each cycle, whether it was a dry run."""
    n_reads: int = 0
    failure: Exception | None = None

    @property
    def states(self) -> tuple[BackendState, ...]:
        self.n_reads += 1
        return self.known

    async def reconcile(self, *, is_dry_run: bool = False) -> tuple[Row, ...]:
        if self.failure is not None:
            raise self.failure
        self.asked.append(is_dry_run)
        return self.rows


@dataclass
class FakeDownloads:
    """Notes what is ordered of downloads; an order changes nothing by itself."""

    asked: list[tuple[Any, ...]] = field(default_factory=list)
    failure: Exception | None = None
    problem: str = ""

    async def add(self, model: str, *, backend: str = THIS_MACHINE, revision: str = "main") -> Job:
        self._note("add", model, backend, revision)
        return Job(9, JobKind.HUB, model, backend, revision=revision, by_person=True)

    async def pause(self, number: int) -> None:
        self._note("pause", number)

    async def cancel(self, number: int) -> None:
        self._note("cancel", number)

    async def resume(self, number: int) -> None:
        self._note("resume", number)

    async def remove(self, number: int) -> None:
        self._note("remove", number)

    async def move(self, number: int, to: int) -> None:
        self._note("move", number, to)

    def _note(self, *asked: Any) -> None:
        if self.failure is not None:
            raise self.failure
        self.asked.append(asked)


@dataclass
class FakeControl:
    """Notes what it is asked; publishes what the test gives it."""

    state: EngineSnapshot = field(default_factory=lambda: EngineSnapshot(1))
    names: FakeNames = field(default_factory=FakeNames)
    deployments: FakeDeployments = field(default_factory=FakeDeployments)
    backends: FakeBackends = field(default_factory=FakeBackends)
    downloads: FakeDownloads = field(default_factory=FakeDownloads)
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    tail: tuple[str, ...] = ()
    hearers: list[Callable[[EngineSnapshot], None]] = field(default_factory=list)
    log_hearers: list[Callable[[LogBatch], None]] = field(default_factory=list)
    gate: asyncio.Event | None = None
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    n_given_up: int = 0

    def snapshot(self) -> EngineSnapshot:
        return self.state

    def publish(self, state: EngineSnapshot) -> None:
        self.state = state
        for hear in self.hearers:
            hear(state)

    def subscribe(self, hear: Callable[[EngineSnapshot], None]) -> Callable[[], None]:
        self.hearers.append(hear)
        return lambda: self.hearers.remove(hear)

    def subscribe_logs(self, hear: Callable[[LogBatch], None]) -> Callable[[], None]:
        self.log_hearers.append(hear)
        return lambda: self.log_hearers.remove(hear)

    def log_tail(self, public_id: str, n_lines: int, *, is_verbose: bool = False) -> tuple[str, ...]:
        self.asked.append(("log_tail", public_id, n_lines))
        return self.tail

    async def load(self, name: str, n_ctx: int | None = None) -> RunningTarget:
        self.asked.append(("load", name, n_ctx))
        if self.gate is not None:
            self.waiting.set()
            try:
                await self.gate.wait()
            except asyncio.CancelledError:
                self.n_given_up += 1
                raise
        return RunningTarget.local(5500, 1, name, n_ctx or 4096)

    async def stop(self, name: str | None = None, *, is_forced: bool = False) -> None:
        self.asked.append(("stop", name, is_forced))

    async def set_context(self, name: str, n_ctx: int | None) -> None:
        self.asked.append(("set_context", name, n_ctx))

    async def pin(self, name: str, is_pinned: bool) -> None:
        self.asked.append(("pin", name, is_pinned))

    async def label(self, name: str, change: LabelChange) -> ModelSummary:
        self.asked.append(("label", name, change))
        labels = change.applied_to(UNLABELLED)
        tags, is_favourite = labels.tags, labels.is_favourite
        return summary(1, name, given_name=labels.name, tags=tags, is_favourite=is_favourite)

    async def settings(self, name: str) -> SettingsView:
        self.asked.append(("settings", name))
        return settings_view(name, ModelSettings(slots=2), CommonSettings())

    async def change_settings(self, name: str, changes: Mapping[str, object]) -> SettingsView:
        self.asked.append(("change_settings", name, changes))
        return settings_view(name, checked(changes, Path("/")), CommonSettings())

    async def reload(self) -> ReloadReport:
        self.asked.append(("reload",))
        return ReloadReport(("max_queue",), ("port",))

    async def rescan(self) -> CatalogReport:
        self.asked.append(("rescan",))
        return CatalogReport(folders=("/models",), n_files=3, scanned_at=0.0)


def summary(model_id: int, public_id: str, **more: Any) -> ModelSummary:
    """A catalog row."""
    return replace(ModelSummary(model_id, public_id, public_id.title(), "llama", 1000), **more)


def with_adapters() -> FakeCatalog:
    """The model `tiny` with the adapters code (0.8) and chat (0.5), and a stack of both."""
    attached = (AttachedAdapter("code", weight=0.8), AttachedAdapter("chat", weight=0.5))
    both = AdapterStack((AdapterRef("code", 0.8), AdapterRef("chat", 0.5)))
    stacks = (NamedStack("both", both, normalise=True), NamedStack("half", AdapterStack().add("code", 0.5)))
    return FakeCatalog(own={"tiny": ModelSettings(adapters=attached, stacks=stacks)})


def target_at(port: int, **more: Any) -> RunningTarget:
    """A ready server on this port, with a key of its own."""
    base = RunningTarget.local(port, 1, "tiny", 4096)
    return replace(base, api_key="launch-key", pid=port, **more)


@dataclass
class Door:
    """A running proxy and what stands behind it."""

    server: ProxyServer
    runtime: FakeRuntime
    catalog: FakeCatalog
    control: FakeControl
    endpoints: Endpoints
    port: int
    deployments: Deployments
    spend: MemorySpend
    secrets: MemorySecrets
    clients: list[Client] = field(default_factory=list)

    async def connect(self, receive_buffer: int | None = None) -> Client:
        """A raw connection; closed with the door when the test did not. receive_buffer: bytes it may hold."""
        sock = socket.socket()
        sock.setblocking(False)
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self.port))
        reader, writer = await asyncio.open_connection(sock=sock, limit=1 << 26)
        client = Client(reader, writer)
        self.clients.append(client)
        return client

    async def ask(self, request: bytes) -> bytes:
        """Send raw bytes, return everything up to the end of the connection."""
        client = await self.connect()
        client.writer.write(request)
        answer = await client.rest()
        client.close()
        return answer

    async def connections_gone(self) -> None:
        """Return when the door has no connection left, after it had one."""
        connections = self.server._server.server_state.connections
        while not connections:  # noqa: ASYNC110  uvicorn's set announces nothing
            await asyncio.sleep(0)
        while connections:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    async def quiet(self) -> None:
        """Return when no request runs."""
        await self.server._drain.quiet()

    async def tasks(self, n_wanted: int) -> set[asyncio.Task[None]]:
        """The tasks of open requests, once there are this many."""
        tasks = self.server._server.server_state.tasks
        while len(tasks) < n_wanted:  # noqa: ASYNC110  uvicorn's set announces nothing
            await asyncio.sleep(0)
        return set(tasks)

    def head(self, start: str, *fields: str, body: bytes | None = None) -> bytes:
        """A request with a right Host; a body gets its length."""
        lines = [f"{start} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", *fields]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + (body or b"")

    def post(self, body: bytes, path: str = "/v1/chat/completions", *fields: str) -> bytes:
        """A JSON request that ends its connection."""
        kind = () if any(each.lower().startswith("content-type") for each in fields) else (JSON,)
        return self.head(f"POST {path}", *kind, *fields, "Connection: close", body=body)

    def get(self, path: str, *fields: str) -> bytes:
        """A GET that ends its connection."""
        return self.head(f"GET {path}", *fields, "Connection: close")


JSON = "Content-Type: application/json"


@dataclass
class Client:
    """One raw client connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> Answer:
        """The next whole answer with Content-Length or chunked framing."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        answer = Answer.parse(head)
        if answer.values("transfer-encoding"):
            answer.body = await self.chunks()
        else:
            answer.body = await self.reader.readexactly(int(answer.values("content-length")[0]))
        return answer

    async def chunks(self) -> bytes:
        """A chunked body; raises IncompleteReadError when it is cut."""
        body = b""
        while True:
            size = int(await self.reader.readuntil(b"\r\n"), 16)
            data = await self.reader.readexactly(size + 2)
            if size == 0:
                return body
            body += data[:-2]

    async def rest(self) -> bytes:
        """Everything up to the end."""
        try:
            return await self.reader.read()
        except ConnectionResetError:
            return b""

    def close(self) -> None:
        self.writer.close()

    def reset(self) -> None:
        """Leave with RST."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@dataclass
class Answer:
    """A parsed answer."""

    status: int
    fields: list[tuple[str, str]]
    body: bytes = b""

    @classmethod
    def parse(cls, raw: bytes) -> Answer:
        """From raw bytes; a body behind the head is taken as it is."""
        head, _, body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        parts = [line.partition(":") for line in lines[1:]]
        fields = [(name.lower(), value.strip()) for name, _, value in parts]
        return cls(int(lines[0].split(" ")[1]), fields, body)

    def values(self, name: str) -> list[str]:
        return [value for found, value in self.fields if found == name]

    @property
    def json(self) -> Any:
        import json

        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The error code of a failure."""
        return str(self.json["error"]["code"])


def unchunk(body: bytes) -> tuple[bytes, bool]:
    """The decoded bytes, and whether the body was ended soundly."""
    decoded = b""
    while body:
        size_text, _, body = body.partition(b"\r\n")
        size = int(size_text, 16)
        if size == 0:
            return decoded, True
        decoded += body[:size]
        body = body[size + 2 :]
    return decoded, False


@asynccontextmanager
async def door(
    upstream_port: int | None = None,
    *,
    runtime: FakeRuntime | None = None,
    catalog: FakeCatalog | None = None,
    control: FakeControl | None = None,
    settings: ProxySettings | None = None,
    limits: UpstreamLimits | None = None,
    send_buffer: int | None = None,
    names: NameSettings | None = None,
    deployments: Sequence[Deployment] = (),
    spend: MemorySpend | None = None,
    backends: StandingBackends | None = None,
) -> AsyncIterator[Door]:
    """A proxy on a free port in front of a server on upstream_port; it holds nothing when all is over.

    send_buffer: bytes the system may hold of what goes to a client.
    """
    if runtime is None:
        runtime = FakeRuntime(target_at(upstream_port) if upstream_port else None)
    catalog, control = catalog or FakeCatalog(), control or FakeControl()
    endpoints = Endpoints(
        cast("CatalogService", catalog), names or NameSettings(), deployments=tuple(deployments)
    )
    if backends is not None:
        endpoints.take_backends(backends.declared, tuple(backends.states.values()))
    spend, secrets = spend or MemorySpend(), MemorySecrets()
    book = Deployments(
        deployments,
        spend=spend,
        counters=MemoryCounters(),
        secrets=secrets,
        is_local=endpoints.is_local,
    )
    book.take_backends(declared_names(backends.declared) if backends is not None else ())
    sock = bind("127.0.0.1", 0)
    port = sock.getsockname()[1]
    if send_buffer is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    server = ProxyServer(
        sock,
        runtime=runtime,
        catalog=catalog,
        control=control,
        endpoints=endpoints,
        deployments=book,
        backends=backends,
        pool=UpstreamPool(limits),
        settings=settings or ProxySettings(drain_grace_s=0.05),
    )
    await book.start()
    await server.start()
    proxy = Door(server, runtime, catalog, control, endpoints, port, book, spend, secrets)
    try:
        yield proxy
    finally:
        for client in proxy.clients:
            client.writer.transport.abort()
        await server.stop()
        await asyncio.sleep(0)
        assert 0 == server.n_open
        assert 0 == runtime.n_leases
        assert [] == [live.name for live in (*book.all, *book.of_backends) if holds(live)]
        await book.stop()


def holds(live: LiveDeployment) -> bool:
    """True when something of a deployment is taken: a slot, a place in a line, a part of a limit."""
    return bool(
        live.in_flight
        or live.n_waiting
        or live.resources.room.n_served
        or any(each.in_flight for each in live.resources.limits.all)
        or live.resources.spending.held_pusd
    )
