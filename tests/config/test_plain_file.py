"""Small files as they may lie there: what is no file ends at once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ggtui.config.model_file import read_models
from ggtui.config.plain_file import read_plain
from ggtui.config.stores import store_roots
from ggtui.core.errors import ConfigInvalid


def test_a_file_is_read_up_to_a_limit_and_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abcdef")
    (tmp_path / "link").symlink_to("file")

    assert (b"abc", b"abcdef") == (read_plain(tmp_path / "file", 3), read_plain(tmp_path / "link", 99))


def test_a_pipe_a_device_and_a_folder_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for each in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(OSError, match="not a regular file"):
            read_plain(each, 10)


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    before = len(os.listdir("/dev/fd"))
    for _ in range(3):
        with pytest.raises(OSError, match="not a regular file"):
            read_plain(tmp_path, 10)

    assert before == len(os.listdir("/dev/fd"))


def test_a_pipe_in_the_place_of_the_settings_is_a_mistake_and_no_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "models.toml")

    with pytest.raises(ConfigInvalid, match="not a regular file"):
        read_models(tmp_path / "models.toml")


def test_a_pipe_in_the_place_of_another_programs_settings_tells_nothing(tmp_path: Path) -> None:
    (tmp_path / ".lmstudio").mkdir()
    os.mkfifo(tmp_path / ".lmstudio" / "settings.json")

    found = store_roots(["lmstudio"], {"HOME": str(tmp_path)})

    assert [tmp_path / ".lmstudio/models", tmp_path / ".cache/lm-studio/models"] == [
        root.path for root in found
    ]
