"""What the commands about backends and downloads take."""

from __future__ import annotations

import argparse
from contextlib import suppress

COMMANDS: dict[str, str] = {
    "backends": "show the backends: what they have, what they should have, what is wrong",
    "reconcile": "close the difference between what is declared and what there is",
    "pull": "download a model from the hub onto this disk, or onto a backend",
    "downloads": "list downloads; pause, resume, cancel, move or remove one",
    "search": "search the hub for repositories with GGUF models",
}
"""Subcommands and their line of help."""

DOWNLOAD_ACTIONS = ("pause", "resume", "cancel", "move", "rm")
DOWNLOADS_USAGE = """\
ggtui downloads
       ggtui downloads pause|resume|cancel|rm N
       ggtui downloads move N PLACE"""
MOST_HITS = 100


def add_arguments(name: str, parser: argparse.ArgumentParser) -> None:
    """The arguments of one of these commands."""
    if name == "reconcile":
        parser.add_argument("--once", action="store_true", help="one cycle; without it until all is in sync")
        parser.add_argument(
            "--dry-run", action="store_true", help="tell what would be done, and change nothing"
        )
    if name == "pull":
        words = "OWNER/REPO[:QUANT] or OWNER/REPO/FILE.gguf; with --backend the name that it pulls by"
        parser.add_argument("model", metavar="MODEL", help=words)
        parser.add_argument("--revision", metavar="R", help="branch, tag or commit (main)")
        parser.add_argument("--backend", metavar="NAME", help="have this backend fetch it")
        parser.add_argument("--detach", action="store_true", help="queue it, and do not wait for it")
    if name == "downloads":
        parser.usage = DOWNLOADS_USAGE
        words = "what is to be done, and the number of a download; all are listed without"
        parser.add_argument("order", metavar="ORDER N", nargs="*", help=words)
    if name == "search":
        parser.add_argument("text", metavar="TEXT", nargs="+", help="words of its name")
        parser.add_argument("-n", "--hits", metavar="N", type=_hits, default=20, help="how many (20)")


def _hits(text: str) -> int:
    with suppress(ValueError):
        if 1 <= int(text) <= MOST_HITS:
            return int(text)
    raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {MOST_HITS}, not {text!r}")
