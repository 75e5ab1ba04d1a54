"""Which engine is found, and what is said when none is."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import sys
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.llama_server.discovery import describe, locate
from ggtui.core.models import EngineInfo
from tests.contracts.launching import run, survivors, wait_for_none

if TYPE_CHECKING:
    from pathlib import Path

EMPTY = {"PATH": "/nowhere"}


def program(path: Path, text: str = "#!/bin/sh\nexit 0\n", mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.fixture
def no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)


def look(choice: str | None, environ: dict[str, str]) -> EngineInfo:
    return asyncio.run(describe(locate(choice, environ), environ))


def test_the_order_is_choice_variable_path_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    chosen, named, on_path = (str(program(tmp_path / folder / "llama-server")) for folder in ("a", "b", "c"))
    environ = {"GGTUI_LLAMA_SERVER": named, "PATH": str(tmp_path / "c")}

    assert chosen == locate(chosen, environ).path
    assert named == locate(None, environ).path
    assert on_path == locate(None, {"PATH": environ["PATH"]}).path
    assert "embedded" == locate(None, EMPTY).kind
    assert "embedded" == locate("embedded", environ).kind
    assert (sys.executable, "-P", "-m", "ggtui.engine") == locate("embedded", environ).command


def test_a_plain_name_is_looked_up_on_the_path(tmp_path: Path) -> None:
    program(tmp_path / "my-server")

    assert str(tmp_path / "my-server") == locate("my-server", {"PATH": str(tmp_path)}).path


def test_nothing_found_says_what_was_looked_at(no_wheel: None) -> None:
    info = look(None, EMPTY)

    assert "missing" == info.kind
    assert not info.is_usable
    for place in ("PATH", "GGTUI_LLAMA_SERVER", "ggtui[engine]"):
        assert place in str(info.problem)


def test_a_wanted_wheel_that_is_missing_is_a_problem(no_wheel: None) -> None:
    assert "pip install 'ggtui[engine]'" in str(look("embedded", EMPTY).problem)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("missing", "does not exist"),
        ("directory", "is a directory"),
        ("mode", "is not executable"),
        ("alien", "is not a program for this machine"),
        ("library", "error while loading shared libraries: libcuda.so.1"),
        ("truncated", "is not a program for this machine"),
    ],
)
def test_a_named_program_that_does_not_work_is_a_problem(fault: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "llama-server"
    if fault == "directory":
        path.mkdir()
    elif fault == "mode":
        program(path, mode=0o644)
    elif fault == "alien":
        program(path, "\x7fELF\x02\x01\x01" + "\0" * 9 + "\x02\0\xff\0" + "\0" * 44)
    elif fault == "truncated":
        program(path, "\x7fELF")
    elif fault == "library":
        text = "llama-server: error while loading shared libraries: libcuda.so.1: cannot open"
        program(path, f"#!/bin/sh\necho '{text}' >&2\nexit 127\n")
    if os.geteuid() == 0 and fault == "mode":
        path.chmod(0o000)
    info = look(str(path), EMPTY | {"PATH": os.environ["PATH"]})

    assert words in str(info.problem)
    assert str(path) in str(info.problem)


def test_version_and_devices_are_what_the_program_says(tmp_path: Path) -> None:
    path = program(
        tmp_path / "llama-server",
        '#!/bin/sh\ncase "$1" in --version) echo "version: 42 (abc)" >&2; echo built >&2;;\n'
        '*) echo "Available devices:"; echo "  CUDA0: Big card (24000 MiB, 23000 MiB free)";; esac\n',
    )
    expected = EngineInfo(
        "llama-server", str(path), "42 (abc)", ("CUDA0: Big card (24000 MiB, 23000 MiB free)",)
    )

    assert expected == look(str(path), {"PATH": os.environ["PATH"]})


def test_no_device_is_an_empty_list(tmp_path: Path) -> None:
    path = program(tmp_path / "llama-server", '#!/bin/sh\necho "Available devices:"; echo "  (none)"\n')

    assert () == look(str(path), {"PATH": os.environ["PATH"]}).devices


def test_a_program_without_an_answer_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ggtui.adapters.llama_server.discovery.ANSWER_LIMIT_S", 0.2)
    path = program(tmp_path / "llama-server", "#!/bin/sh\nsleep 600 &\nwait\n")

    assert "gave no answer" in str(look(str(path), {"PATH": os.environ["PATH"]}).problem)


HANGING = "#!/bin/sh\nsleep 600 &\nwait\n"


def test_a_look_that_is_given_up_leaves_no_process(tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "GGTUI_INSTANCE": "given-up"}
    located = locate(str(program(tmp_path / "llama-server", HANGING)), environ)

    async def test() -> None:
        look = asyncio.ensure_future(describe(located, environ))
        while len(survivors("given-up")) < 4:  # noqa: ASYNC110 - two shells and what they started
            await asyncio.sleep(0.005)
        look.cancel()
        await asyncio.gather(look, return_exceptions=True)

        assert [] == wait_for_none("given-up")

    run(test())


def test_a_program_that_prints_without_end_is_heard_only_in_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ggtui.adapters.llama_server.discovery.ANSWER_LINES", 10)
    path = program(tmp_path / "llama-server", "#!/bin/sh\nseq 1 10\necho 'version: 42'\n")

    assert "" == look(str(path), {"PATH": os.environ["PATH"]}).version
