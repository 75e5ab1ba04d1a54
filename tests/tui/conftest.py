"""A clean environment before Textual is imported: a developer's own settings must not change a picture."""

from __future__ import annotations

import os

for _name in ("SSH_CONNECTION", "SSH_TTY", "TMUX", "DISPLAY", "WAYLAND_DISPLAY"):
    os.environ.pop(_name, None)
os.environ["COLORTERM"] = "truecolor"
