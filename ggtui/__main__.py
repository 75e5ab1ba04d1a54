"""`python -m ggtui`."""

from __future__ import annotations

import sys

from ggtui.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
