"""What a person wants of deployments, turned into orders; asks first where requests would be refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.deployment.orders import DeploymentOrder
from ggtui.tui.deployment_rows import why_not
from ggtui.tui.screens.choice import NO, Answer, ChoiceScreen, Question
from ggtui.tui.screens.deployments import DeploymentsScreen
from ggtui.tui.screens.form import FormScreen

if TYPE_CHECKING:
    from ggtui.core.snapshot import DeploymentStatus
    from ggtui.tui.app import ModelsApp
    from ggtui.tui.deployment_rows import DeploymentRow

GO = "go"
SAID = {
    DeploymentOrder.OPEN: "the circuit breaker of {} is held open: nothing is sent to its server",
    DeploymentOrder.CLOSE: "the circuit breaker of {} is held closed: everything is sent to its server",
    DeploymentOrder.RESET: "the circuit breaker of {} judges by itself again",
    DeploymentOrder.DRAIN: "{} takes no new request; what runs goes on",
    DeploymentOrder.RESUME: "{} takes requests again",
}


class Deploying:
    """One method per intent of the screen of deployments."""

    def __init__(self, app: ModelsApp) -> None:
        self._app = app

    def open(self) -> None:
        """Show them all."""
        app = self._app
        if isinstance(app.screen, (DeploymentsScreen, ChoiceScreen, FormScreen)):
            return
        app.clear_notifications()
        app.push_screen(DeploymentsScreen(app.desk.snapshot, app.glyphs, app.clock))

    def do(self, wanted: DeploymentsScreen.Wanted) -> None:
        """What the key means, or why it means nothing now."""
        app, row = self._app, wanted.row
        reason = why_not(row, wanted.binding_id, is_read_only=app.desk.snapshot.is_read_only)
        if reason or row is None:
            app.notices.tell(reason or "", "warning")
            return
        order = _order(wanted.binding_id, row)
        question = before_order(row.status, order)
        if question is None:
            self._give(row.key, order)
            return
        app.push_screen(
            ChoiceScreen(question, app.glyphs),
            lambda answer: self._give(row.key, order) if answer == GO else None,
        )

    def _give(self, name: str, order: DeploymentOrder) -> None:
        deployments = self._app.bridge.control.deployments
        self._app.bridge.submit(deployments.order(name, order), name, lambda _: SAID[order].format(name))


def _order(binding_id: str, row: DeploymentRow) -> DeploymentOrder:
    if binding_id == "drain":
        return DeploymentOrder.RESUME if row.is_drained else DeploymentOrder.DRAIN
    return {
        "breaker-open": DeploymentOrder.OPEN,
        "breaker-close": DeploymentOrder.CLOSE,
        "breaker-reset": DeploymentOrder.RESET,
    }[binding_id]


def before_order(status: DeploymentStatus, order: DeploymentOrder) -> Question | None:
    """What to ask before this order; None when no request is refused by it."""
    name = status.name
    if order is DeploymentOrder.DRAIN:
        title, label = f"Drain {name}?", f"Drain {name}"
        text = f"New requests for {name} are refused until you resume it."
    elif order is DeploymentOrder.OPEN:
        title, label = f"Hold the breaker of {name} open?", "Hold it open"
        text = f"Nothing is sent to the server of {name} until you reset or close it: requests are refused."
    else:
        return None
    return Question(title, f"{text} {_who(status)}".strip(), (Answer(NO, "No"), Answer(GO, label)))


def _who(status: DeploymentStatus) -> str:
    """Whom it concerns at this moment."""
    told = []
    if status.queued:
        told.append(f"{status.queued} waiting {'is' if status.queued == 1 else 'are'} turned away.")
    if status.in_flight:
        told.append(f"{status.in_flight} in flight {'goes' if status.in_flight == 1 else 'go'} on.")
    return " ".join(told)
