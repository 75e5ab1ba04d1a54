"""`python -m benchmarks.upstream`."""

from __future__ import annotations

import sys

from benchmarks.upstream.server import main

if __name__ == "__main__":
    main(sys.argv[1:])
