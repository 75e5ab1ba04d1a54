"""The flags of `python -m benchmarks`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.families import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Sequence

SERVER_VARIABLE = "GGTUI_TEST_LLAMA_SERVER"


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The flags as typed.

    Raises: SystemExit.
    """
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure what ggtui costs, before a fast upstream and on real engines: four minutes.",
        allow_abbrev=False,
    )
    parser.add_argument("--quick", action="store_true", help="about forty seconds, less exact")
    parser.add_argument(
        "--only",
        metavar="NAME",
        action="append",
        choices=[family.name for family in FAMILIES],
        help="one family of rows, repeatable: " + ", ".join(family.name for family in FAMILIES),
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write every figure there")
    parser.add_argument(
        "--llama-server",
        metavar="PATH",
        default=os.environ.get(SERVER_VARIABLE),
        help=f"a real llama-server to swap on ({SERVER_VARIABLE})",
    )
    parser.add_argument(
        "--target",
        metavar="NAME=URL",
        action="append",
        default=[],
        help="measure this server too, beside direct and ggtui; repeatable, loopback only",
    )
    parser.add_argument(
        "--model", default="fast", help="model that the --target servers are asked for (fast)"
    )
    return parser.parse_args(argv)
