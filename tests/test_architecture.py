"""The floors hold: the static contracts, and what they cannot see at run time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
OWNERLESS = {"utils", "helpers", "common", "misc", "manager", "managers"}


def test_import_contracts() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program], cwd=ROOT, capture_output=True, text=True, check=False)

    assert 0 == done.returncode, done.stdout


def test_modules_say_what_they_are() -> None:
    ownerless = [str(path) for path in (ROOT / "ggtui").rglob("*") if path.stem in OWNERLESS]

    assert [] == ownerless


def test_every_module_has_a_docstring() -> None:
    silent = [
        str(path)
        for path in (ROOT / "ggtui").rglob("*.py")
        if not path.read_text(encoding="utf-8").startswith('"""')
    ]

    assert [] == silent
