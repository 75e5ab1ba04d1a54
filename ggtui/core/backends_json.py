"""Backends in plain JSON values: what each has, as it is spelled in their own world, and how it differs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ggtui.core.moments import utc_text
from ggtui.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ggtui.core.backends.backend import Backend, DeclaredModel
    from ggtui.core.backends.observed import BackendState, ModelDetails, PulledModel
    from ggtui.core.backends.rows import Row

SCHEMA = 1
"""Grows when a field changes its meaning or goes away; new fields do not count."""

LONGEST_ERROR: Final = 2048
"""Characters of what a backend answered."""


def backends_document(states: Iterable[BackendState], rows: Iterable[Row]) -> dict[str, object]:
    """All backends as they were seen last, and how that differs from what is declared."""
    shown = list(rows)
    return {
        "schema": SCHEMA,
        "backends": [backend_document(each) for each in states],
        **rows_document(shown),
    }


def reconciled_document(rows: Iterable[Row], *, is_dry_run: bool) -> dict[str, object]:
    """What a cycle found. is_dry_run: it queued nothing."""
    return {"schema": SCHEMA, "is_dry_run": is_dry_run, **rows_document(list(rows))}


def rows_document(rows: list[Row]) -> dict[str, object]:
    """The rows, and whether declared and observed are the same; an extra model is no difference."""
    return {
        "in_sync": not any(each.state.is_drift for each in rows),
        "rows": [row_document(each) for each in rows],
    }


def backend_document(state: BackendState) -> dict[str, object]:
    """One backend. `error` is there only when the last look failed; moments are ISO 8601 in UTC.

    Of its key there is where it comes from, and the last four characters of one that is long enough.
    """
    document: dict[str, object] = {
        "id": state.id,
        "name": state.name,
        "models": list(state.models),
        "pulledModels": [_pulled(each) for each in state.pulled_models],
        "backend": _declared(state.backend, state.key_ending),
        "isReady": state.is_ready,
        "lastSeen": utc_text(state.last_seen),
        "observedAt": utc_text(state.observed_at),
        "latencySeconds": None if state.latency_s is None else round(state.latency_s, 4),
    }
    if state.error:
        document["error"] = plain(state.error, LONGEST_ERROR)
    return document


def row_document(row: Row) -> dict[str, object]:
    """One model of one backend; `model` is null for the backend alone."""
    return {
        "backend": row.backend,
        "model": plain(row.model) or None,
        "state": str(row.state),
        "why": plain(row.why, LONGEST_ERROR) or None,
        "download": row.job,
        "completed_bytes": row.completed_bytes,
        "total_bytes": row.total_bytes or None,
    }


def _declared(backend: Backend, key_ending: str) -> dict[str, object]:
    """What a person wrote; of the key only where it comes from."""
    key = backend.api_key
    document: dict[str, object] = {
        "name": backend.name,
        "type": str(backend.type),
        "baseUrl": backend.base_url,
        "groups": list(backend.groups),
        "models": [_model(each) for each in backend.models],
    }
    if key is not None:
        document["apiKey"] = {"from": str(key.source), "ending": key_ending or None}
    return document


def _model(model: DeclaredModel) -> dict[str, object]:
    able = model.capabilities
    return {
        "name": model.name,
        "groups": list(model.groups),
        "capabilities": None if able is None else sorted(str(each) for each in able),
        "contextLength": model.context_length,
    }


def _pulled(model: PulledModel) -> dict[str, object]:
    """What a backend tells is hostile text, and is made plain."""
    return {
        "name": plain(model.name),
        "model": plain(model.model or model.name),
        "modifiedAt": utc_text(model.modified_at),
        "size": model.size_bytes,
        "digest": plain(model.digest),
        "details": _details(model.details),
        "contextLength": model.context_length,
        "canChat": model.can_chat,
        "canEmbed": model.can_embed,
        "canPrompt": model.can_prompt,
        "canStream": model.can_stream,
        "isLoaded": model.is_loaded,
    }


def _details(details: ModelDetails) -> dict[str, object]:
    return {
        "parent_model": plain(details.parent_model),
        "format": plain(details.format),
        "family": plain(details.family),
        "families": [plain(each) for each in details.families],
        "parameter_size": plain(details.parameter_size),
        "quantization_level": plain(details.quantization_level),
    }
