"""The demo: everything for real in a folder that is gone afterwards."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.instance.record import find_instance
from ggtui.cli.commands.demo import prepared, what_to_try
from ggtui.config.schema import Config

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GUARD_S = 45


@contextmanager
def _demo(tmp_path: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    (tmp_path / "tmp").mkdir()
    (tmp_path / "config.toml").write_text("")
    command = [sys.executable, "-m", "ggtui", "demo", "--proxy-only", "--port", "0", *arguments]
    with subprocess.Popen(
        [*command, "--config", str(tmp_path / "config.toml")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_it_serves_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with _demo(tmp_path) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        (folder,) = (tmp_path / "tmp").iterdir()
        record = find_instance(folder / "data")
        process.terminate()
        _, words = process.communicate(timeout=GUARD_S)

        assert (0, [], 2) == (
            process.returncode,
            list((tmp_path / "tmp").iterdir()),
            words.count(f"curl {url}"),
        )
        assert record is not None
        assert url == record.url


def test_a_data_folder_that_was_named_is_used_and_kept(tmp_path: Path) -> None:
    with _demo(tmp_path, "--data-dir", str(tmp_path / "mine")) as process:
        assert process.stdout is not None
        process.stdout.readline()
        record = find_instance(tmp_path / "mine")
        process.terminate()

        assert 0 == process.wait(GUARD_S)
    assert record is not None
    assert (tmp_path / "mine").is_dir()
    assert [] == list((tmp_path / "tmp").iterdir())


def test_in_a_named_folder_files_and_ids_stay(tmp_path: Path) -> None:
    config = Config(tmp_path / "mine", tmp_path, tmp_path, tmp_path)
    folder = tmp_path / "mine" / "demo-models"
    first = prepared(config, folder)
    kept = {each: each.stat().st_ino for each in folder.iterdir()}
    (folder / "demo-beta.gguf").write_bytes(b"of an older ggtui")
    second = prepared(config, folder)

    assert first == second
    assert ["demo-alpha-f32", "demo-beta-f32"] == first[1]
    assert ["demo-alpha.gguf", "demo-beta.gguf"] == sorted(each.name for each in folder.iterdir())
    alpha = folder / "demo-alpha.gguf"
    assert kept[alpha] == alpha.stat().st_ino


def test_a_second_signal_leaves_no_folder_behind(tmp_path: Path) -> None:
    with _demo(tmp_path) as process:
        assert process.stdout is not None
        process.stdout.readline()
        for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGINT, signal.SIGCONT):
            process.send_signal(number)

        assert process.wait(GUARD_S) in (128 + signal.SIGTERM, 128 + signal.SIGINT)
    assert [] == list((tmp_path / "tmp").iterdir())


@pytest.mark.parametrize("index", [0, 1])
def test_what_to_try_is_a_sound_command(index: int) -> None:
    words = shlex.split(what_to_try("http://127.0.0.1:1/v1", ["a", "b"])[1 + index])

    assert ["curl", "http://127.0.0.1:1/v1/chat/completions"] == words[:2]
    assert ["a", "b"][index] == json.loads(words[-1])["model"]
