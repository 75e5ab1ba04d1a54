"""The shipped themes: dark, light and one of strong contrast."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="ggtui-dark",
    primary="#6cb6ff",
    secondary="#c7a0dc",
    accent="#6cb6ff",
    success="#5fd38d",
    warning="#f0b35a",
    error="#ff8078",
    foreground="#e6e9ee",
    background="#12161c",
    surface="#12161c",
    panel="#1d2530",
    dark=True,
    variables={
        "quiet": "#9aa7b5",
        "ours": "#58a6ff",
        "others": "#e8924a",
        "frame": "#46566a",
        "block-cursor-foreground": "#12161c",
        "block-cursor-background": "#6cb6ff",
    },
)

LIGHT = Theme(
    name="ggtui-light",
    primary="#0a58a8",
    secondary="#7a3e9d",
    accent="#0a58a8",
    success="#116329",
    warning="#7d4e00",
    error="#b3151b",
    foreground="#1c2128",
    background="#fafafa",
    surface="#fafafa",
    panel="#e8ecf1",
    dark=False,
    variables={
        "quiet": "#57606a",
        "ours": "#0a66c2",
        "others": "#b35900",
        "frame": "#8c959f",
        "block-cursor-foreground": "#fafafa",
        "block-cursor-background": "#0a58a8",
    },
)

CONTRAST = Theme(
    name="ggtui-contrast",
    primary="#ffff00",
    secondary="#ff9cff",
    accent="#ffff00",
    success="#00ff66",
    warning="#ffd000",
    error="#ff8f8f",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#000000",
    dark=True,
    text_alpha=1.0,
    variables={
        "quiet": "#dddddd",
        "ours": "#66b3ff",
        "others": "#ff9900",
        "frame": "#ffffff",
        "block-cursor-foreground": "#000000",
        "block-cursor-background": "#ffff00",
    },
)

THEMES = (DARK, LIGHT, CONTRAST)

OWN_VARIABLES = ("quiet", "ours", "others", "frame")
"""Variables that our stylesheets use beyond those of Textual."""


def variable_defaults(is_dark: bool) -> dict[str, str]:
    """Values of our own variables for a theme that does not name them."""
    variables = (DARK if is_dark else LIGHT).variables
    return {name: variables[name] for name in OWN_VARIABLES}
