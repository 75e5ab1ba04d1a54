"""Every theme of ours can be read: text contrast of at least 4.5 to 1, dimmed keys too."""

from __future__ import annotations

import pytest
from textual.color import Color

from ggtui.core.forecast import Verdict
from ggtui.core.state import TargetState
from ggtui.tui.glyphs import STATES, VERDICTS
from ggtui.tui.themes import THEMES

TEXT = ("foreground", "quiet", "primary", "secondary", "success", "warning", "error", "ours")
GROUND = ("background", "panel")


def luminance(color: Color) -> float:
    """Relative luminance. Source: WCAG 2.1."""

    def linear(value: float) -> float:
        return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)

    red, green, blue = (linear(part) for part in color.normalized)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours. Source: WCAG 2.1."""
    light, dark = sorted((luminance(Color.parse(one)), luminance(Color.parse(other))), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_contrast(theme: object) -> None:
    chosen = next(one for one in THEMES if one is theme)
    colours = {**chosen.to_color_system().generate(), **chosen.variables}
    weak = {
        (text, ground): round(contrast(colours[text], colours[ground]), 2)
        for text in TEXT
        for ground in GROUND
        if contrast(colours[text], colours[ground]) < 4.5
    }

    assert {} == weak


def test_every_state_and_verdict_is_told_without_colour() -> None:
    assert set(TargetState) == set(STATES)
    assert set(Verdict) == set(VERDICTS)
    assert len({(look.glyph, look.word) for look in STATES.values()}) == len(STATES)
    assert len({look.ascii for look in VERDICTS.values()}) == len(VERDICTS)
