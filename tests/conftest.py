"""What every test stands on: a clean environment, and no child process left behind."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# Textual reads its variables at import: a developer's own settings must not change a picture. Those that
# are kept belong to the tests: the snapshot folder, the real server, the length of the soak.
_KEPT = {"TEXTUAL_SNAPSHOT_TEMPDIR", "GGTUI_TEST_LLAMA_SERVER", "GGTUI_TEST_SOAK_S"}
for _name in [name for name in os.environ if name == "NO_COLOR" or name.startswith(("TEXTUAL", "GGTUI_"))]:
    if _name not in _KEPT:
        del os.environ[_name]
# The stores of a developer's machine are no part of any test, nor of a process that one starts.
os.environ["GGTUI_STORES"] = "none"
for _name in ("SSH_CONNECTION", "SSH_TTY", "TMUX", "DISPLAY", "WAYLAND_DISPLAY"):
    os.environ.pop(_name, None)
os.environ["COLORTERM"] = "truecolor"
os.environ["TERM"] = "xterm-256color"

# How fast a machine is, is no property of the code: a busy one fails no test for it.
settings.register_profile("ggtui", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ggtui")
