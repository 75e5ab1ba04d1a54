"""What a fresh interpreter has loaded: nothing that its command does not use."""

from __future__ import annotations

import subprocess
import sys

_LOADED = "; import sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))"


def _loaded_by(code: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", code + _LOADED], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_command_line_and_bootstrap_do_not_know_the_screen() -> None:
    loaded = _loaded_by("import ggtui.cli.main, ggtui.cli.commands.serve, ggtui.bootstrap")

    # tomlkit is for the first change of a file.
    assert set() == loaded & {"textual", "rich", "tomlkit"}


def test_the_entry_loads_nothing_heavy() -> None:
    loaded = _loaded_by("import ggtui.cli.main")

    heavy = {
        "asyncio",
        "httpx",
        "uvicorn",
        "httptools",
        "psutil",
        "platformdirs",
        "msgspec",
        "tomllib",
        "ssl",
    }
    assert set() == loaded & heavy


def test_version_loads_nothing_heavy() -> None:
    code = (
        "import contextlib\nfrom ggtui.cli.main import main\n"
        "with contextlib.suppress(SystemExit): main(['--version'])\n"
        "import sys"
    )
    loaded = _loaded_by(code)

    assert set() == loaded & {"asyncio", "httpx", "uvicorn", "textual", "rich"}


def test_ls_and_ps_stay_lean() -> None:
    loaded = _loaded_by("import ggtui.cli.commands.ls, ggtui.cli.commands.ps")

    assert set() == loaded & {"textual", "rich", "httpx", "uvicorn", "uvloop"}
