"""Glyphs, words and colours by state and by verdict: one table for every view, with an ASCII twin."""

from __future__ import annotations

from dataclasses import dataclass

from ggtui.core.backends.rows import RowState
from ggtui.core.downloads.jobs import JobState
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

BACKENDS: dict[bool | None, StateLook] = {
    True: StateLook("●", "*", "READY", "$success"),
    False: StateLook("!", "!", "ERROR", "$error bold"),
    None: StateLook("◌", ".", "NOT ASKED", "$quiet"),
}
"""Whether the last look at a backend went well; None before the first."""

DISK = StateLook(" ", " ", "", "$quiet")
"""The disk of this machine is among backends, and neither well nor not."""

ROWS: dict[RowState, StateLook] = {
    RowState.IN_SYNC: StateLook("✓", "+", "in sync", "$success"),
    RowState.MISSING: StateLook("○", "o", "missing", "$warning"),
    RowState.DOWNLOADING: StateLook("◐", "~", "downloading", "$primary"),
    RowState.EXTRA: StateLook("·", ".", "extra", "$quiet"),
    RowState.DRIFTED: StateLook("≠", "#", "drifted", "$warning"),
    RowState.ERROR: StateLook("!", "!", "error", "$error bold"),
    RowState.PAUSED: StateLook("‖", "=", "paused", "$secondary"),
}
"""How a declared model differs from what is there."""

JOBS: dict[JobState, StateLook] = {
    JobState.PENDING: StateLook("◌", ".", "waiting", "$foreground"),
    JobState.RUNNING: StateLook("◐", "~", "running", "$primary"),
    JobState.PAUSED: StateLook("‖", "=", "paused", "$secondary"),
    JobState.DONE: StateLook("✓", "+", "done", "$success"),
    JobState.FAILED: StateLook("!", "!", "failed", "$error bold"),
}

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
    fetch: str = "↓"
    """Before what is being downloaded."""

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

    def look(self, look: StateLook) -> str:
        """The sign of any state, one cell."""
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
ASCII = Glyphs(True, "#", "+", ".", "=", "O", "|", "-", "->", "~", "^", "+", ">", " ..::-=##", "*", "_", "v")
