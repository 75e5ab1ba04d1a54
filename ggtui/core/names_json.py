"""Names and adapters in plain JSON values: endpoints, aliases, the default, and LoRA files by model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ggtui.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ggtui.core.models import AdapterFile, AdapterSummary
    from ggtui.core.routing.adapters import AdapterRef
    from ggtui.core.routing.endpoints import ModelEndpoint
    from ggtui.core.routing.name_settings import NameSettings
    from ggtui.core.snapshot import EngineSnapshot

SCHEMA = 1
"""Grows when a field changes its meaning or goes away; new fields do not count."""
LONGEST_PATH = 4096


def names_document(names: NameSettings) -> dict[str, object]:
    """What a person said about names. `default` is null where nothing was said; ids need not exist."""
    return {
        "default": names.default or None,
        "unnamed": str(names.unnamed),
        "disabled": sorted(names.disabled),
        "aliases": dict(sorted(names.aliases.items())),
    }


def refs_document(refs: Iterable[AdapterRef]) -> list[dict[str, object]]:
    """Adapters with their weights, 0 to 1, in order."""
    return [{"name": each.name, "weight": round(each.weight, 6)} for each in refs]


def endpoint_document(endpoint: ModelEndpoint, aliases: Sequence[str] = ()) -> dict[str, object]:
    """One thing that clients can ask for. aliases: those that lead to it."""
    return {
        "id": str(endpoint.id),
        "base": endpoint.base_model,
        "adapter": endpoint.adapter,
        "adapters": refs_document(endpoint.stack.adapters),
        "status": str(endpoint.status),
        "why": endpoint.why,
        "is_default": endpoint.is_default,
        "aliases": list(aliases),
        "context_window": endpoint.max_context_length,
        "capabilities": list(endpoint.capabilities),
        "backends": list(endpoint.backends),
    }


def endpoints_document(endpoints: Sequence[ModelEndpoint], names: NameSettings) -> dict[str, object]:
    """All endpoints in their order, and the names that lead to them."""
    aliases = aliases_by_id(endpoints, names)
    return {
        "schema": SCHEMA,
        "default": names.default or None,
        "unnamed": str(names.unnamed),
        "aliases": dict(sorted(names.aliases.items())),
        "endpoints": [endpoint_document(each, aliases.get(each.id, ())) for each in endpoints],
    }


def aliases_by_id(endpoints: Iterable[ModelEndpoint], names: NameSettings) -> dict[str, list[str]]:
    """The aliases that lead to each id, in order; one that an id of the same text shadows leads nowhere."""
    ids = {str(each.id) for each in endpoints}
    by_id: dict[str, list[str]] = {}
    for alias, target in sorted(names.aliases.items()):
        if alias not in ids:
            by_id.setdefault(target, []).append(alias)
    return by_id


def aliases_document(snapshot: EngineSnapshot) -> dict[str, object]:
    """All aliases with the ids that they lead to, which need not exist."""
    return {"schema": SCHEMA, "aliases": dict(sorted(snapshot.names.aliases.items()))}


def default_document(snapshot: EngineSnapshot) -> dict[str, object]:
    """What serves a request that names no model."""
    names = snapshot.names
    return {"schema": SCHEMA, "default": names.default or None, "unnamed": str(names.unnamed)}


def enabled_document(snapshot: EngineSnapshot, endpoint: str) -> dict[str, object]:
    """Whether an endpoint is switched on, and whether it serves; `status` is null when it does not exist."""
    found = next((each for each in snapshot.endpoints if each.id == endpoint), None)
    return {
        "schema": SCHEMA,
        "endpoint": endpoint,
        "enabled": endpoint not in snapshot.names.disabled,
        "status": None if found is None else str(found.status),
        "why": "" if found is None else found.why,
    }


def adapters_document(snapshot: EngineSnapshot, model: str | None = None) -> dict[str, object]:
    """What is attached to each model, or to one, and which LoRA files were found.

    `weight` is what `model:adapter` applies now; `file` is null for one that cannot be used, and `why` says
    why; `is_loaded` is true when the server that runs carries it. Of one model it also tells whether it has
    a server, which restarts after its requests when other adapters are attached than it carries.
    """
    files = {row.summary.public_id: row.options.adapters for row in snapshot.models if row.options}
    carried = {each.public_id: {ref.name for ref in each.adapters} for each in snapshot.targets}
    attached = [
        _attached(each, files.get(each.base_model, ()), carried.get(each.base_model, ()))
        for each in snapshot.endpoints
        if each.adapter is not None and model in (None, each.base_model)
    ]
    document: dict[str, object] = {"schema": SCHEMA, "attached": attached}
    if model is not None:
        is_running = any(each.public_id == model for each in snapshot.targets)
        return {**document, "model": model, "is_running": is_running}
    return {**document, "found": [found_document(each) for each in snapshot.catalog.adapters]}


def attached_document(snapshot: EngineSnapshot, model: str, name: str) -> dict[str, object]:
    """The same of one model after an adapter was attached to it, with the id by which that is asked for."""
    return {**adapters_document(snapshot, model), "endpoint": f"{model}:{name}"}


def _attached(
    endpoint: ModelEndpoint, files: Iterable[AdapterFile], carried: Iterable[str]
) -> dict[str, object]:
    """One adapter or stack of a model."""
    path = next((each.path for each in files if each.name == endpoint.adapter), None)
    names = {ref.name for ref in endpoint.stack.adapters}
    return {
        "id": str(endpoint.id),
        "model": endpoint.base_model,
        "name": endpoint.adapter,
        "is_stack": names != {endpoint.adapter},
        "adapters": refs_document(endpoint.stack.adapters),
        "file": None if path is None else plain(str(path), LONGEST_PATH),
        "is_loaded": bool(names) and names <= set(carried),
        "status": str(endpoint.status),
        "why": endpoint.why,
    }


def found_document(adapter: AdapterSummary) -> dict[str, object]:
    """A LoRA file that was found."""
    return {
        "name": adapter.name,
        "architecture": adapter.architecture,
        "size_bytes": adapter.size_bytes,
        "path": plain(str(adapter.path), LONGEST_PATH),
        "base_hints": list(adapter.base_hints),
        "places": list(adapter.places),
        "problem": adapter.problem,
    }


def weights_text(refs: Iterable[Mapping[str, Any]]) -> str:
    """Adapters as a person reads them: `code 0.8, chat 0.5`; empty for none."""
    return ", ".join(f"{each['name']} {each['weight']:g}" for each in refs)
