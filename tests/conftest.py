"""What every test stands on: a clean environment, and no child process left behind."""

from __future__ import annotations

import os

# Textual reads these at import: a developer's own settings must not change a picture.
for _name in [name for name in os.environ if name == "NO_COLOR" or name.startswith(("TEXTUAL", "GGTUI_"))]:
    if not _name.startswith("GGTUI_TEST_"):
        del os.environ[_name]
os.environ["COLORTERM"] = "truecolor"
os.environ["TERM"] = "xterm-256color"
