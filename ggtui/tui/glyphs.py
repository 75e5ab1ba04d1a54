"""Glyphs, words and colours by state and by verdict: one table for every view, with an ASCII twin."""

from __future__ import annotations

from dataclasses import dataclass

from ggtui.core.forecast import Verdict
from ggtui.core.routing.endpoints import EndpointStatus
from ggtui.core.snapshot import DeploymentState
from ggtui.core.state import TargetState


@dataclass(frozen=True, slots=True)
class StateLook:
    """How a state is told: by shape, by word and by colour, never by colour alone."""

    glyph: str
    ascii: str
    word: str
    style: str
    """A theme variable, with attributes."""


STATES: dict[TargetState, StateLook] = {
    TargetState.IDLE: StateLook(" ", " ", "", "$quiet"),
    TargetState.QUEUED: StateLook("◌", ".", "QUEUED", "$foreground"),
    TargetState.LOADING: StateLook("◐", "~", "LOADING", "$warning"),
    TargetState.READY: StateLook("●", "*", "READY", "$success"),
    TargetState.DRAINING: StateLook("◑", "-", "DRAINING", "$warning"),
    TargetState.STOPPING: StateLook("◌", ".", "STOPPING", "$quiet"),
    TargetState.FAILED: StateLook("!", "!", "FAILED", "$error bold"),
    TargetState.EXTERNAL: StateLook("○", "o", "EXTERNAL", "$secondary"),
}

DEPLOYMENTS: dict[DeploymentState, StateLook] = {
    DeploymentState.SERVING: StateLook("●", "*", "SERVING", "$success"),
    DeploymentState.DRAINING: StateLook("◑", "-", "DRAINING", "$warning"),
    DeploymentState.DISABLED: StateLook("○", "o", "OFF", "$quiet"),
    DeploymentState.FAILED: StateLook("!", "!", "FAILED", "$error bold"),
}


@dataclass(frozen=True, slots=True)
class VerdictLook:
    """How a verdict is told."""

    text: str
    ascii: str
    style: str


VERDICTS: dict[Verdict, VerdictLook] = {
    Verdict.FITS: VerdictLook("✓ fits", "ok fits", "$success"),
    Verdict.PART: VerdictLook("~ part", "part", "$warning"),
    Verdict.NO: VerdictLook("✗ no", "no", "$error"),
    Verdict.GUESS: VerdictLook("? guess", "? guess", "$secondary"),
}

ENDPOINTS: dict[EndpointStatus, StateLook] = {
    EndpointStatus.READY: StateLook("✓", "+", "ready", "$success"),
    EndpointStatus.LOADING: StateLook("◐", "~", "loading", "$warning"),
    EndpointStatus.ERROR: StateLook("!", "!", "error", "$error bold"),
    EndpointStatus.DISABLED: StateLook("○", "o", "off", "$quiet"),
}
"""Whether an endpoint serves. A ready one need not be loaded: its model is, when somebody asks for it."""

_ASCII_SIGNS = str.maketrans(
    {
        "–": "-",
        "…": "~",
        "·": "|",
        "°": " ",
        "→": ">",
        "≈": "~",
        "≥": ">=",
        "×": "x",
        "◆": "^",
        "★": "+",
        "▸": ">",
        "»": ">",
        "⏎": "enter",
        "↑": "up",
        "↓": "down",
        "←": "left",
    }
)


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set of drawing signs; `is_ascii` chooses the twin of every table here."""

    is_ascii: bool
    ours: str
    others: str
    free: str
    line: str
    thumb: str
    limit: str
    rest: str
    arrow: str
    approx: str
    pinned: str
    """Beside the state of a model that never makes way."""
    favourite: str
    marked: str
    levels: str
    """Nine heights of a bar, from empty to full."""
    adds: str = "▓"
    """What a load would add to a memory."""
    margin: str = "·"
    """What is kept free."""

    def state(self, state: TargetState) -> str:
        """The sign of a state, one cell."""
        look = STATES[state]
        return look.ascii if self.is_ascii else look.glyph

    def deployment(self, state: DeploymentState) -> str:
        """The sign of a deployment's state, one cell."""
        look = DEPLOYMENTS[state]
        return look.ascii if self.is_ascii else look.glyph

    def endpoint(self, status: EndpointStatus) -> str:
        """The sign of an endpoint's status, one cell."""
        look = ENDPOINTS[status]
        return look.ascii if self.is_ascii else look.glyph

    def verdict(self, verdict: Verdict) -> str:
        """Sign and word of a verdict."""
        look = VERDICTS[verdict]
        return look.ascii if self.is_ascii else look.text

    @property
    def broken(self) -> str:
        """What the Fit column says of a file that cannot be loaded."""
        return "no, broken" if self.is_ascii else "✗ broken"

    def twin(self, text: str) -> str:
        """The text with the signs of our own words replaced, when this set is ASCII."""
        return text.translate(_ASCII_SIGNS) if self.is_ascii else text


UNICODE = Glyphs(False, "█", "▒", "░", "━", "●", "╎", "─", "→", "≈", "◆", "★", "▸", " ▁▂▃▄▅▆▇█")
ASCII = Glyphs(True, "#", "+", ".", "=", "O", "|", "-", "->", "~", "^", "+", ">", " ..::-=##", "*", "_")
