"""The snapshot as one JSON document: what `/ggtui/state` answers and `ggtui ps --json` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui import __version__
from ggtui.core.backends_json import backend_document, rows_document
from ggtui.core.deployments_json import deployment_document
from ggtui.core.downloads_json import job_document
from ggtui.core.machine_json import engine_document, memory_document
from ggtui.core.moments import utc_text
from ggtui.core.names_json import LONGEST_PATH, found_document, names_document, refs_document
from ggtui.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ggtui.core.history import Generation
    from ggtui.core.load_history import LoadRecord
    from ggtui.core.memory.parts import DeviceShare
    from ggtui.core.ports.catalog import PlaceUse
    from ggtui.core.snapshot import (
        EngineSnapshot,
        FailureNote,
        ModelStatus,
        QueueEntry,
        RouteNote,
        TargetStatus,
    )
    from ggtui.core.stores import StoreRoot

SCHEMA = 1
"""Grows when a field changes its meaning or goes away; new fields do not count."""


def state_document(snapshot: EngineSnapshot, now: float, pid: int | None = None) -> dict[str, object]:
    """The whole state in plain JSON values.

    now: Unix time, for ages. pid: the ggtui process that runs; None when none does.
    """
    target = snapshot.target
    return {
        "schema": SCHEMA,
        "version": __version__,
        "pid": pid,
        "url": snapshot.url,
        "state_version": snapshot.version,
        "models": [_model(row) for row in snapshot.models],
        "target": target_document(target, now) if target is not None else None,
        "targets": [target_document(each, now) for each in snapshot.targets],
        "queue": [_waiter(entry) for entry in snapshot.queue],
        "memory": memory_document(snapshot.memory),
        "engine": engine_document(snapshot.engine) if snapshot.engine is not None else None,
        "catalog": {
            "folders": list(snapshot.catalog.folders),
            "stores": [_store(each) for each in snapshot.catalog.stores],
            "problems": list(snapshot.catalog.problems),
            "unfinished": list(snapshot.catalog.unfinished),
            "waste_bytes": snapshot.catalog.waste_bytes,
            "disk": [place_document(each) for each in snapshot.catalog.disk],
            "n_files": snapshot.catalog.n_files,
            "scanned_at": utc_text(snapshot.catalog.scanned_at),
            "is_scanning": snapshot.is_scanning,
        },
        "adapters": [found_document(each) for each in snapshot.catalog.adapters],
        "names": names_document(snapshot.names),
        "deployments": [deployment_document(each, now) for each in snapshot.deployments],
        "backends": [backend_document(each) for each in snapshot.backends],
        **rows_document(list(snapshot.rows)),
        "is_reconciling": snapshot.is_reconciling,
        "downloads": [job_document(each) for each in snapshot.downloads],
        "last_route": _route(snapshot.last_route) if snapshot.last_route is not None else None,
        "history": [generation_document(each) for each in snapshot.history],
        "default_n_ctx": snapshot.default_n_ctx,
        "strategy": snapshot.strategy,
        "memory_budget_bytes": snapshot.memory_budget_bytes,
        "is_read_only": snapshot.is_read_only,
    }


def target_document(target: TargetStatus, now: float) -> dict[str, object]:
    """One server: what runs, loads or ends. `uptime_s` counts from the last change of state.

    `context` is `n_ctx` for those who do not speak llama.cpp: tokens that one request may use. `replica` is
    its number among the servers of its model, from 1; null where the model has only one.
    """
    return {
        "id": target.model_id,
        "model": target.public_id,
        "replica": None if target.replica is None else target.replica + 1,
        "state": str(target.state),
        "pid": target.pid,
        "port": target.port,
        "context": target.n_ctx,
        "n_ctx": target.n_ctx,
        "n_slots": target.n_slots,
        "since": utc_text(target.since),
        "uptime_s": round(max(0.0, now - target.since), 1),
        "in_flight": target.in_flight,
        "progress": target.progress,
        "expected_load_s": target.expected_load_s,
        "argv": list(target.argv),
        "memory_bytes": target.memory_bytes,
        "predicted_bytes": target.predicted_bytes,
        "load": _load(target.load) if target.load is not None else None,
        "adapters": refs_document(target.adapters),
        "last_used_at": utc_text(target.last_used_at),
        "keep_alive_s": target.keep_alive_s,
        "prompt_per_second": target.prompt_per_second,
        "predicted_per_second": target.predicted_per_second,
    }


def _load(record: LoadRecord) -> dict[str, object]:
    """What was forecast and what the engine's log says, by device."""
    return {
        "engine": record.engine,
        "predicted_bytes": record.predicted_bytes,
        "actual_bytes": record.actual_bytes,
        "difference": round(record.difference, 4),
        "process_bytes": record.process_bytes,
        "devices": [share_document(share) for share in record.actual],
    }


def share_document(share: DeviceShare) -> dict[str, object]:
    """What one device or the host holds, by part."""
    return {
        "name": share.name,
        "is_host": share.is_host,
        "weights_bytes": share.weights_bytes,
        "kv_bytes": share.kv_bytes,
        "state_bytes": share.state_bytes,
        "compute_bytes": share.compute_bytes,
        "output_bytes": share.output_bytes,
        "overhead_bytes": share.overhead_bytes,
        "adapters_bytes": share.adapters_bytes,
        "projector_bytes": share.projector_bytes,
        "draft_bytes": share.draft_bytes,
        "mapped_bytes": share.mapped_bytes,
        "total_bytes": share.total_bytes,
    }


def history_document(generations: Iterable[Generation]) -> dict[str, object]:
    """What was served, in the order given."""
    return {"schema": SCHEMA, "generations": [generation_document(each) for each in generations]}


def generation_document(generation: Generation) -> dict[str, object]:
    """One period in which a model was served in one way."""
    return {
        "generation": generation.number,
        "model": generation.public_id,
        "path": generation.path,
        "n_ctx": generation.n_ctx,
        "adapters": refs_document(generation.adapters),
        "began_at": utc_text(generation.began),
        "why": generation.why,
        "is_serving": generation.is_serving,
        "ended_at": utc_text(generation.ended),
        "how_ended": generation.how_ended or None,
        "n_requests": generation.n_requests,
    }


def _model(row: ModelStatus) -> dict[str, object]:
    summary = row.summary
    return {
        "id": summary.id,
        "public_id": summary.public_id,
        "name": summary.name,
        "architecture": summary.architecture,
        "quantisation": summary.quantisation,
        "size_bytes": summary.size_bytes,
        "n_params": summary.n_params,
        "n_ctx_train": summary.n_ctx_train,
        "n_ctx_chosen": summary.n_ctx_chosen,
        "n_ctx": row.n_ctx,
        "capabilities": list(summary.capabilities),
        "given_name": summary.given_name,
        "tags": list(summary.tags),
        "is_favourite": summary.is_favourite,
        "state": str(row.state),
        "is_pinned": row.is_pinned,
        "store": summary.store,
        "places": list(summary.places),
        "waste_bytes": summary.waste_bytes,
        "copies": list(summary.copies),
        "projector": summary.projector,
        "projector_candidates": list(summary.projector_candidates),
        "problem": summary.problem,
        "warning": summary.warning,
        "failure": _failure(row.failure) if row.failure is not None else None,
    }


def _store(root: StoreRoot) -> dict[str, object]:
    return {"store": str(root.store), "path": plain(str(root.path), LONGEST_PATH)}


def place_document(use: PlaceUse) -> dict[str, object]:
    """What the models in one place take."""
    return {
        "store": use.store,
        "path": use.path,
        "n_models": use.n_models,
        "n_bytes": use.n_bytes,
        "waste_bytes": use.waste_bytes,
        "free_bytes": use.free_bytes,
    }


def _route(note: RouteNote) -> dict[str, object]:
    return {"endpoint": str(note.endpoint), "words": note.words, "at": utc_text(note.at)}


def _failure(note: FailureNote) -> dict[str, object]:
    return {
        "title": note.title,
        "detail": note.detail,
        "hint": note.hint,
        "code": note.code,
        "reason": note.reason,
        "log_tail": list(note.log_tail),
        "at": utc_text(note.at),
    }


def _waiter(entry: QueueEntry) -> dict[str, object]:
    return {
        "model": entry.public_id,
        "n_ctx": entry.n_ctx,
        "waiting_s": round(entry.waiting_s, 1),
        "waits_for": entry.words,
        "position": entry.position,
        "id": entry.model_id,
        "since": utc_text(entry.since),
        "phase": str(entry.phase),
        "behind": list(entry.behind),
        "expected_s": round(entry.expected_s, 1) if entry.expected_s is not None else None,
        "is_expected_at_least": entry.is_expected_at_least,
    }
