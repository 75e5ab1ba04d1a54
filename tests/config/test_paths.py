"""Where files are kept, and with which rights."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ggtui.config.paths import default_config_file, directories, make_private, models_file_beside
from ggtui.core.errors import StoreUnavailable

if TYPE_CHECKING:
    from pathlib import Path


def test_the_platform_chooses_when_nobody_does(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)

    found = directories()

    assert all(tmp_path in each.parents for each in (found.data, found.cache, found.log, found.runtime))
    assert 4 == len({found.data, found.cache, found.log, found.runtime})


def test_settings_of_models_lie_beside_the_configuration_else_in_a_data_dir_that_was_named(
    tmp_path: Path,
) -> None:
    named, data = tmp_path / "own.toml", tmp_path / "data"

    assert tmp_path / "models.toml" == models_file_beside(named, data)
    assert data / "models.toml" == models_file_beside(None, data)
    assert default_config_file().parent / "models.toml" == models_file_beside(None, None)


def test_a_new_folder_and_its_parents_are_private(tmp_path: Path) -> None:
    make_private(tmp_path / "a" / "b")

    assert [0o700, 0o700] == [each.stat().st_mode & 0o777 for each in (tmp_path / "a", tmp_path / "a" / "b")]


def test_an_existing_folder_keeps_its_rights(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)

    make_private(tmp_path)

    assert 0o755 == tmp_path.stat().st_mode & 0o777


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreUnavailable, match="cannot be made"):
        make_private(tmp_path / "file" / "below")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_parent_is_one_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    with pytest.raises(StoreUnavailable, match="Permission denied"):
        make_private(tmp_path / "a")
