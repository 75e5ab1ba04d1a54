"""Deployments: what serves each name, whether it does, and how far its rules are used up."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from ggtui.tui.deployment_rows import about, deployment_rows, heads, row_parts, summary, why_not
from ggtui.tui.keys import Where, bindings
from ggtui.tui.screens.listing import OrderRoom

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.binding import BindingType

    from ggtui.core.snapshot import EngineSnapshot
    from ggtui.tui.deployment_rows import DeploymentRow
    from ggtui.tui.format import Part
    from ggtui.tui.glyphs import Glyphs


class DeploymentsScreen(OrderRoom):
    """Follows the state and the clock while it is open; every order is the app's to give."""

    PLACE: ClassVar[Where] = Where.DEPLOYMENTS
    BINDINGS: ClassVar[list[BindingType]] = bindings(Where.DEPLOYMENTS)

    class Wanted(OrderRoom.Wanted):
        """A key was pressed that orders something."""

        row: DeploymentRow | None

    def __init__(
        self, snapshot: EngineSnapshot, glyphs: Glyphs, clock: Callable[[], float] = time.time
    ) -> None:
        """clock: Unix time, for what counts down."""
        super().__init__("Deployments", glyphs)
        self._snapshot = snapshot
        self._clock = clock

    @property
    def row(self) -> DeploymentRow | None:
        """The row under the cursor."""
        return self.list.current

    def follow(self, snapshot: EngineSnapshot) -> None:
        """Draw anew when deployments have changed: the rest of the state is not shown here."""
        before, self._snapshot = self._snapshot, snapshot
        if before.deployments != snapshot.deployments or before.is_read_only != snapshot.is_read_only:
            self.draw()

    def tick(self) -> None:
        """Once a second: let open breakers count down."""
        if any(each.retry_at is not None for each in self._snapshot.deployments):
            self.draw()

    def why_not_here(self, binding_id: str) -> str | None:
        """What the row under the cursor does not allow."""
        if binding_id == "filter":
            return "" if self._snapshot.deployments else "there is no deployment"
        return why_not(self.row, binding_id, is_read_only=self._snapshot.is_read_only)

    def to_copy(self) -> tuple[str, str] | None:
        """The name under the cursor, as clients send it."""
        return (self.row.key, "the name") if self.row is not None else None

    def entries(self) -> tuple[DeploymentRow, ...]:
        """The rows that hold the words."""
        return deployment_rows(self._snapshot, self._clock(), self.words)

    def heads(self, width: int) -> list[Part]:
        """What each column tells."""
        return heads(width)

    def draw_entry(self, entry: DeploymentRow, width: int) -> list[Part]:
        """One row."""
        return row_parts(entry, width, self.glyphs)

    def about(self, width: int) -> list[list[Part]]:
        """Reasons, rules and requests."""
        return [] if self.row is None else about(self.row, width, self.glyphs)

    def empty_text(self) -> str:
        """No deployment, or a filter that matches none."""
        if self.list.entries:
            return ""
        if self.words:
            return f'0 of {len(self._snapshot.deployments)} match "{self.words}"\n\nesc clears the filter'
        return (
            "the configuration has no [[deployment]]\n\n"
            "every model is served by its own name, without limits, breaker or budget"
        )

    def summary(self) -> str:
        """How many, and what goes on."""
        return summary(self._snapshot, len(self.list.entries), self.words)
