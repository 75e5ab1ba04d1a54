"""A models folder named in config.toml, with everything else left as it was."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from ggtui.adapters.settings_file.folders import ConfigFolders, checked_folder
from ggtui.config.toml_file import read_settings
from ggtui.core.errors import ConfigInvalid, StoreUnavailable

BY_HAND = """\
# my ggtui
stores = []   # none of them

[server]
port = 9000   # as ever
# and a comment at the end
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "my models"
    made.mkdir()
    return made


def added(file: Path, folder: Path | str) -> Path:
    return asyncio.run(ConfigFolders(file).add(str(folder)))


def named(file: Path) -> list[Path]:
    found = {setting.key: value for setting, value in read_settings(file).items()}
    value = found["models_dirs"]
    assert isinstance(value, tuple)
    return list(value)


def test_a_new_file_names_the_folder(tmp_path: Path, folder: Path) -> None:
    file = tmp_path / "new" / "config.toml"

    assert folder == added(file, f"  {folder}/ ")
    assert [folder] == named(file)
    assert 0 == file.parent.stat().st_mode & 0o077


def test_comments_and_other_settings_stay(tmp_path: Path, folder: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(BY_HAND)
    added(file, folder)
    text = file.read_text()

    assert [folder] == named(file)
    assert [] == [line for line in BY_HAND.splitlines() if line not in text.splitlines()]


@pytest.mark.parametrize(
    "before",
    [
        "models_dirs = ['/a', '/b']  # both\n",
        "models_dirs = [\n  '/a',  # first\n  '/b',\n]\n[server]\nport = 1\n",
        "[server]\nport = 1\n",
        "models_dirs = '/a'\n",
        "models_dirs = []\n",
    ],
)
def test_folders_that_are_named_stay_before_it(tmp_path: Path, folder: Path, before: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(before)
    known = [Path(each) for each in ("/a", "/b") if f"'{each}'" in before]
    added(file, folder)
    added(file, folder)

    assert [*known, folder] == named(file)
    assert [] == [part for part in before.split() if part.startswith("#") and part not in file.read_text()]


def test_a_link_to_the_file_and_its_line_ends_stay(tmp_path: Path, folder: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_bytes(b"# mine\r\nstores = []\r\n")
    (tmp_path / "config.toml").symlink_to(real)
    added(tmp_path / "config.toml", folder)

    assert (tmp_path / "config.toml").is_symlink()
    assert real.read_bytes().count(b"\n") == real.read_bytes().count(b"\r\n")


@pytest.mark.parametrize("text", ["models_dirs = 5\n", "models_dirs = [1]\n", "not toml"])
def test_a_file_that_is_not_valid_is_left_alone(tmp_path: Path, folder: Path, text: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)
    with pytest.raises(ConfigInvalid):
        added(file, folder)

    assert text == file.read_text()


@pytest.mark.parametrize(
    "typed", ["", "  ", "models", "./x", "/nowhere/at/all", "~nobody-by-this-name/x", "/a\nb", "/x" * 3000]
)
def test_what_is_no_folder_is_refused_before_anything_is_written(tmp_path: Path, typed: str) -> None:
    file = tmp_path / "config.toml"
    with pytest.raises(ConfigInvalid):
        added(file, typed)

    assert not file.exists()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    with pytest.raises(ConfigInvalid, match="is not a folder"):
        checked_folder(str(tmp_path / "f"))


def test_the_home_is_completed(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    assert folder == checked_folder("~/my models")
    assert tmp_path == checked_folder("~")


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "config").touch()
    with pytest.raises((StoreUnavailable, ConfigInvalid)):
        added(tmp_path / "config" / "config.toml", folder)
    assert os.path.isfile(tmp_path / "config")
