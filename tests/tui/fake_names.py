"""Names, aliases and adapters of the fake engine: what is asked of it shows in its next state."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ggtui.core.models import AdapterFile, AdapterSummary, LaunchOptions
from ggtui.core.routing.adapters import AdapterRef, AdapterStack, AttachedAdapter
from ggtui.core.routing.endpoints import EndpointStatus, ModelEndpoint, ModelId
from ggtui.core.routing.name_settings import NameSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ggtui.core.snapshot import EngineSnapshot

MIB = 1024**2


class Talks(Protocol):
    """What these names need of the fake control."""

    def record(self, *call: object) -> None: ...

    def snapshot(self) -> EngineSnapshot: ...

    async def publish(self, snapshot: EngineSnapshot) -> None: ...

    async def change_settings(self, name: str, changes: Mapping[str, object]) -> object: ...


def lora(name: str, architecture: str = "qwen3", **changes: Any) -> AdapterSummary:
    """A LoRA file that was found."""
    found = AdapterSummary(name, architecture, 48 * MIB, Path(f"/loras/{name}.gguf"), tensor_bytes=48 * MIB)
    return replace(found, **changes)


LORAS = (
    lora("code-lora", base_hints=("gemma 3 27b it",)),
    lora("chat-lora"),
    lora("old-lora", problem="it has no tensors"),
    lora("plain-lora", ""),
    lora("zebra-lora", "llama", base_hints=("llama-3.3-70b-instruct",)),
)


def endpoints(
    snapshot: EngineSnapshot,
    adapters: Mapping[str, Mapping[str, float]] | None = None,
    stacks: Mapping[str, Mapping[str, tuple[AdapterRef, ...]]] | None = None,
    problems: Mapping[str, str] | None = None,
) -> tuple[ModelEndpoint, ...]:
    """Every model of a state, with these adapters and stacks by model, as its names say; ordered by id.

    adapters: weights by name. problems: of adapters, by id.
    """
    all_of_them: list[ModelEndpoint] = []
    for row in snapshot.models:
        public_id = row.summary.public_id
        base = ModelEndpoint(
            ModelId(public_id),
            public_id,
            max_context_length=row.n_ctx,
            status=EndpointStatus.ERROR if row.summary.problem else EndpointStatus.READY,
            capabilities=row.summary.capabilities,
            why=row.summary.problem or "",
        )
        applied: dict[str, tuple[AdapterRef, ...]] = {
            name: (AdapterRef(name, w),) for name, w in (adapters or {}).get(public_id, {}).items()
        }
        applied |= (stacks or {}).get(public_id, {})
        all_of_them.append(base)
        for name, refs in applied.items():
            endpoint_id = f"{public_id}:{name}"
            problem = (problems or {}).get(endpoint_id, "")
            made = replace(
                base, id=ModelId(endpoint_id), display_name="", adapter=name, stack=AdapterStack(refs)
            )
            if problem:
                made = replace(made, status=EndpointStatus.ERROR, why=f"adapter {name}: {problem}")
            all_of_them.append(made)
    return tuple(_as_told(each, snapshot.names) for each in sorted(all_of_them, key=lambda each: each.id))


def _as_told(endpoint: ModelEndpoint, names: NameSettings) -> ModelEndpoint:
    told = replace(endpoint, is_default=endpoint.id == names.default)
    if endpoint.id in names.disabled:
        why = f"it is switched off; ggtui enable {endpoint.id} switches it on"
        return replace(told, status=EndpointStatus.DISABLED, why=why)
    is_off = endpoint.status is EndpointStatus.DISABLED
    return replace(told, status=EndpointStatus.READY, why="") if is_off else told


def named(snapshot: EngineSnapshot, **names: Any) -> EngineSnapshot:
    """A state with its endpoints, and these names."""
    told = replace(snapshot, names=NameSettings(**names))
    return replace(told, endpoints=endpoints(told))


def adapted(
    snapshot: EngineSnapshot,
    public_id: str,
    weights: Mapping[str, float],
    stacks: Mapping[str, tuple[AdapterRef, ...]] | None = None,
    problems: Mapping[str, str] | None = None,
) -> EngineSnapshot:
    """A state in which a model has these adapters and stacks, and its server carries those without a problem.

    problems: by name of the adapter.
    """
    bad = {f"{public_id}:{name}": words for name, words in (problems or {}).items()}
    usable = [name for name in weights if f"{public_id}:{name}" not in bad]
    files = tuple(AdapterFile(name, Path(f"/loras/{name}-lora.gguf"), 48 * MIB, 48 * MIB) for name in usable)
    models = tuple(
        replace(row, options=replace(LaunchOptions(), adapters=files))
        if row.summary.public_id == public_id
        else row
        for row in snapshot.models
    )
    carried = tuple(AdapterRef(name, weights[name]) for name in usable)
    targets = tuple(
        replace(each, adapters=carried) if each.public_id == public_id else each for each in snapshot.targets
    )
    catalog = replace(snapshot.catalog, adapters=LORAS)
    told = replace(snapshot, models=models, targets=targets, catalog=catalog)
    made = endpoints(told, {public_id: weights}, {public_id: stacks or {}}, bad)
    return replace(told, endpoints=made)


class FakeNames:
    """The same calls as of `services.names.Names`."""

    def __init__(self, control: Talks) -> None:
        self._control = control

    async def set_alias(self, alias: str, target: str | None) -> None:
        self._control.record("set_alias", alias, target)
        kept = {name: to for name, to in self._names.aliases.items() if name != alias}
        await self._tell(aliases=kept if target is None else kept | {alias: target})

    async def set_default(self, target: str | None) -> None:
        self._control.record("set_default", target)
        await self._tell(default=target or "")

    async def set_enabled(self, target: str, is_enabled: bool) -> str:
        self._control.record("set_enabled", target, is_enabled)
        disabled = self._names.disabled - {target} if is_enabled else self._names.disabled | {target}
        await self._tell(disabled=disabled)
        return target

    async def set_weight(self, model: str, adapter: str, weight: float) -> float:
        self._control.record("set_weight", model, adapter, weight)
        snapshot = self._control.snapshot()
        stack = AdapterStack((AdapterRef(adapter, weight),))
        made = tuple(
            replace(each, stack=stack) if each.id == f"{model}:{adapter}" else each
            for each in snapshot.endpoints
        )
        targets = tuple(
            replace(each, adapters=tuple(_with(each.adapters, adapter, weight)))
            if each.public_id == model
            else each
            for each in snapshot.targets
        )
        await self._control.publish(replace(snapshot, endpoints=made, targets=targets))
        return weight

    async def attach(self, model: str, lora: str, name: str | None = None, weight: float = 1.0) -> str:
        self._control.record("attach", model, lora, name, weight)
        assert name is not None
        snapshot = self._control.snapshot()
        file = AdapterFile(name, Path(f"/loras/{lora}.gguf"), 48 * MIB, 48 * MIB)
        endpoint = next(each for each in snapshot.endpoints if each.id == model)
        made = replace(
            endpoint,
            id=ModelId(f"{model}:{name}"),
            adapter=name,
            stack=AdapterStack((AdapterRef(name, weight),)),
        )
        await self._with_files(model, (*_files(snapshot, model), file), (*snapshot.endpoints, made))
        return name

    async def detach(self, model: str, name: str) -> None:
        self._control.record("detach", model, name)
        snapshot = self._control.snapshot()
        kept = tuple(each for each in _files(snapshot, model) if each.name != name)
        made = tuple(each for each in snapshot.endpoints if each.id != f"{model}:{name}")
        await self._with_files(model, kept, made)

    @property
    def _names(self) -> NameSettings:
        return self._control.snapshot().names

    async def _tell(self, **changes: Any) -> None:
        snapshot = self._control.snapshot()
        names = replace(snapshot.names, **changes)
        made = tuple(_as_told(each, names) for each in snapshot.endpoints)
        await self._control.publish(replace(snapshot, names=names, endpoints=made))

    async def _with_files(
        self, model: str, files: tuple[AdapterFile, ...], made: tuple[ModelEndpoint, ...]
    ) -> None:
        snapshot = self._control.snapshot()
        models = tuple(
            replace(row, options=replace(row.options or LaunchOptions(), adapters=files))
            if row.summary.public_id == model
            else row
            for row in snapshot.models
        )
        ordered = tuple(sorted(made, key=lambda each: each.id))
        await self._control.publish(replace(snapshot, models=models, endpoints=ordered))


def _files(snapshot: EngineSnapshot, model: str) -> tuple[AdapterFile, ...]:
    row = next(row for row in snapshot.models if row.summary.public_id == model)
    return row.options.adapters if row.options is not None else ()


def _with(refs: Iterable[AdapterRef], name: str, weight: float) -> list[AdapterRef]:
    return [replace(each, weight=weight) if each.name == name else each for each in refs]


def attached(*names: str) -> tuple[AttachedAdapter, ...]:
    """What models.toml says of these adapters: all of each."""
    return tuple(AttachedAdapter(name) for name in names)
