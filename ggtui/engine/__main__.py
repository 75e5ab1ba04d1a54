"""`python -m ggtui.engine [llama-server flags]`."""

from __future__ import annotations

import sys

from ggtui.engine.runner import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
