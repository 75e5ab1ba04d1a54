"""The desk's values as each pane of the main screen takes them: no widgets, no I/O."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from ggtui.core.gpu_absence import gpu_absence
from ggtui.tui.catalog_rows import Listing, catalog_rows
from ggtui.tui.panes.catalog import CatalogView, empty_text, summary_text
from ggtui.tui.panes.gpu_view import GpuView
from ggtui.tui.panes.running_rows import RunningView

if TYPE_CHECKING:
    from ggtui.core.forecast import Forecast
    from ggtui.core.snapshot import EngineSnapshot, ModelStatus, TargetStatus
    from ggtui.tui.desk import Desk
    from ggtui.tui.glyphs import Glyphs
    from ggtui.tui.outlook import Outlook


def catalog_view(
    desk: Desk, listing: Listing, glyphs: Glyphs, config_path: str, unix_now: float
) -> CatalogView:
    """The rows of this listing, or the words in their place."""
    snapshot = desk.snapshot
    rows = catalog_rows(desk, listing, glyphs)
    return CatalogView(
        rows=rows,
        empty=empty_text(snapshot, listing.words, config_path),
        summary=summary_text(snapshot, len(rows), listing.words, listing.label, unix_now, len(desk.marked)),
    )


def gpu_view(desk: Desk, outlook: Outlook | None, now: tuple[int, int, int], *, shows_after: bool) -> GpuView:
    """The memory now and, where this pane shows it, after the load of the model under the cursor.

    now: bytes of the pool: total, held by our servers, held by other programs.
    """
    ahead = None if outlook is None or outlook.is_loaded_as_chosen else outlook.forecast
    snapshot, after = desk.snapshot, None
    if ahead is not None and shows_after:
        after = (ahead.model_bytes, max(0, ahead.after_bytes - ahead.model_bytes))
    return GpuView(
        memory=snapshot.memory,
        pool=desk.pool.kind,
        now=now,
        after=after,
        pids=tuple(target.pid for target in snapshot.targets if target.pid is not None),
        history=snapshot.memory_history,
        gpu_history=snapshot.gpu_history,
        after_by_gpu={} if outlook is None or ahead is None else _after_by_gpu(snapshot, outlook, ahead),
        reserve_bytes=desk.pool.reserve_bytes,
        absence=gpu_absence(snapshot.memory, snapshot.engine),
    )


def _after_by_gpu(snapshot: EngineSnapshot, outlook: Outlook, ahead: Forecast) -> dict[int, int]:
    """Bytes held on each device that the load would use, by index: what stays, and the model's share."""
    shares = {share.name: share.total_bytes for share in ahead.devices if not share.is_host}
    goes = [
        target.pid
        for target in snapshot.targets
        if target.model_id == outlook.summary.id or target.public_id in ahead.frees
    ]
    return {
        gpu.index: (gpu.used_bytes or 0)
        - sum(gpu.process_bytes.get(pid, 0) for pid in goes if pid is not None)
        + shares[f"GPU{gpu.index}"]
        for gpu in snapshot.memory.gpus
        if f"GPU{gpu.index}" in shares
    }


def running_view(desk: Desk) -> RunningView:
    """The server that the keys mean, and those beside it."""
    target = desk.target
    status = None if target is None else desk.status_of(target.model_id)
    return RunningView(
        target=target,
        url=desk.snapshot.url,
        forecast=desk.forecast_at(status.summary, target.n_ctx) if status and target else None,
        failed=desk.newest_failure() if target is None else None,
        has_models=bool(desk.snapshot.models),
        log_tail=() if target is None else desk.log_tail(target.public_id, 4),
        others=tuple(other for other in desk.snapshot.targets if other is not target),
        is_pinned=status is not None and status.is_pinned,
        adapters=() if target is None else desk.weights.of_target(target),
        layers="" if target is None else layers_on_devices(desk, target, status),
    )


def layers_on_devices(desk: Desk, target: TargetStatus, status: ModelStatus | None) -> str:
    """`49/49`, as the server's log says, else as it was told to; empty when neither says anything."""
    if told := desk.offloaded(target.public_id):
        return told
    shape = status.summary.shape if status is not None else None
    chosen = dict(pairwise(target.argv)).get("-ngl", "")
    if shape is None or not chosen.isdigit():
        return ""
    n_places = shape.n_layer_all + 1
    return f"{min(int(chosen), n_places)}/{n_places}"
