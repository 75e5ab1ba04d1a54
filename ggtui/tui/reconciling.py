"""What a person wants of backends, turned into orders; what is deleted there is asked for by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.backends.rows import RowState
from ggtui.tui.backend_rows import counts_text, why_not
from ggtui.tui.screens.backends import BackendsScreen
from ggtui.tui.screens.choice import ChoiceScreen
from ggtui.tui.screens.form import FormScreen
from ggtui.tui.screens.pruning import PruneScreen

if TYPE_CHECKING:
    from ggtui.core.backends.rows import Row
    from ggtui.tui.app import ModelsApp
    from ggtui.tui.backend_rows import BackendRow


class Reconciling:
    """One method per intent of the screen of backends."""

    def __init__(self, app: ModelsApp) -> None:
        self._app = app

    def open(self) -> None:
        """Show them all."""
        app = self._app
        if isinstance(app.screen, (BackendsScreen, ChoiceScreen, FormScreen)):
            return
        app.clear_notifications()
        app.push_screen(BackendsScreen(app.desk.snapshot, app.glyphs, app.clock))

    def do(self, wanted: BackendsScreen.Wanted) -> None:
        """What the key means, or why it means nothing now."""
        app, row = self._app, wanted.row
        reason = why_not(row, wanted.binding_id, app.desk.snapshot)
        if reason:
            app.notices.tell(reason, "warning")
        elif wanted.binding_id == "reconcile":
            self.reconcile()
        elif row is not None and wanted.binding_id == "prune":
            self._ask_prune(row)
        elif row is not None:
            self._hold(row)

    def reconcile(self) -> None:
        """Ask all backends now."""
        app = self._app
        app.notices.tell("asking all backends…")
        app.bridge.submit(app.bridge.control.backends.reconcile(is_dry_run=False), "", reconciled_words)

    def _hold(self, row: BackendRow) -> None:
        """Pause what is fetched, let go on what is paused or failed."""
        app, of = self._app, row.row
        assert of is not None
        downloads = app.bridge.control.downloads
        if of.job is None:
            said = f"{row.model} is not fetched"
            app.bridge.submit(self._hold_missing(of), row.model, lambda _: said)
        elif of.state is RowState.DOWNLOADING:
            said = f"{row.model} is paused: what is there already is kept"
            app.bridge.submit(downloads.pause(of.job), row.model, lambda _: said)
        else:
            said = f"{row.model} is fetched again"
            app.bridge.submit(downloads.resume(of.job), row.model, lambda _: said)

    async def _hold_missing(self, row: Row) -> None:
        """Nobody fetches it yet: put it in the queue, so that its pause can be kept there."""
        downloads = self._app.bridge.control.downloads
        job = await downloads.add(row.repository or row.model, backend=row.backend)
        await downloads.pause(job.number)

    def _ask_prune(self, row: BackendRow) -> None:
        app = self._app
        url = row.state.backend.base_url if row.state is not None else ""
        app.push_screen(
            PruneScreen(row.model, row.title, url, app.glyphs),
            lambda is_wanted: self._prune(row) if is_wanted else None,
        )

    def _prune(self, row: BackendRow) -> None:
        app = self._app
        said = f"{row.model} is deleted from {row.title}"
        app.bridge.submit(
            app.bridge.control.backends.prune(row.backend, row.model), row.model, lambda _: said
        )


def reconciled_words(rows: tuple[Row, ...]) -> str:
    """What was found."""
    stands = [row.state for row in rows]
    counts = [(state, stands.count(state)) for state in RowState if state in stands]
    if not any(state.is_drift for state, _ in counts):
        return "all backends were asked: everything is as declared"
    return f"all backends were asked: {counts_text(counts)}"
