"""The words of the launch options: where a load goes, how sure that is, what saving does and did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from ggtui.core.memory.confidence import Confidence
from ggtui.core.units import gib
from ggtui.tui.format import Part, fit_line

if TYPE_CHECKING:
    from ggtui.core.forecast import Forecast
    from ggtui.core.memory.parts import DeviceShare
    from ggtui.tui.glyphs import Glyphs
    from ggtui.tui.outlook import Outlook

CONFIDENCES: dict[Confidence, str] = {
    Confidence.EXACT: "$success",
    Confidence.GOOD: "$foreground",
    Confidence.LOW: "$warning",
}


def heading(public_id: str, *, is_read_only: bool) -> str:
    """Of the frame."""
    return f"Launch options {public_id}{' (read-only)' if is_read_only else ''}"


def devices_line(ahead: Forecast | None, width: int, glyphs: Glyphs) -> Content:
    """`takes GPU0 19.0G (49 layers)  CPU 0.6G`: what each device would hold of the model."""
    if ahead is None:
        return Content("")
    held = [share for share in ahead.devices if share.total_bytes]
    return fit_line(["takes ", "  ".join(_share(share) for share in held)], width, glyphs)


def _share(share: DeviceShare) -> str:
    layers = f" ({share.n_layers} layers)" if share.n_layers else ""
    return f"{share.name} {gib(share.total_bytes)}{layers}"


def confidence_line(ahead: Forecast | None, width: int, glyphs: Glyphs) -> Content:
    """`confidence good: …`, cut where there is no room."""
    if ahead is None:
        return Content("")
    reasons = f": {'; '.join(ahead.reasons)}" if ahead.reasons else ""
    parts: list[Part] = [
        ("confidence ", "$quiet"),
        (str(ahead.confidence), CONFIDENCES[ahead.confidence]),
        (glyphs.twin(reasons), "$quiet"),
    ]
    return fit_line(parts, width, glyphs)


def saved_words(outlook: Outlook, *, restarts: bool) -> str:
    """What was done, and when it counts. restarts: the changes are of a kind that needs a new start."""
    name = outlook.summary.public_id
    if outlook.target is None:
        return f"saved for {name}: the next load uses it"
    if not restarts:
        return f"saved for {name}: it counts at once"
    return f"saved for {name}: its server ends after its requests; enter or the next request starts it anew"


def unsaved_words(public_id: str, n_changes: int) -> str:
    """What was not done."""
    changes = "1 change" if n_changes == 1 else f"{n_changes} changes"
    return f"{changes} of {public_id} not saved"
