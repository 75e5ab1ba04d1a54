"""models.toml written while people and other programs have it too."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.settings_file.file import ModelSettingsFile
from ggtui.core.errors import ConfigInvalid, StoreUnavailable
from ggtui.core.model_settings import ModelSettings
from ggtui.core.routing.adapters import AttachedAdapter

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def write(file: Path, public_id: str, changes: Mapping[str, object]) -> ModelSettings:
    return asyncio.run(ModelSettingsFile(file).write(public_id, changes))


def test_the_file_and_its_folder_are_made(tmp_path: Path) -> None:
    file = tmp_path / "new" / "models.toml"

    assert ModelSettings(ctx=2048) == write(file, "m", {"ctx": 2048})
    assert {"m": ModelSettings(ctx=2048)} == ModelSettingsFile(file).read()
    assert ["models.toml"] == os.listdir(file.parent)


def test_what_a_person_wrote_a_moment_before_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "models.toml"
    write(file, "m", {"ctx": 2048})
    file.write_text(file.read_text() + 'pinned = true  # by hand\n["other"]\nslots = 1\n')

    assert ModelSettings(ctx=512, pinned=True) == write(file, "m", {"ctx": 512})
    assert ModelSettings(slots=1) == ModelSettingsFile(file).read()["other"]
    assert "# by hand" in file.read_text()


def test_without_a_change_it_is_only_read(tmp_path: Path) -> None:
    file = tmp_path / "new" / "models.toml"

    assert ModelSettings() == write(file, "m", {})
    assert not file.parent.exists()
    write(file, "m", {"ctx": 2048})
    before = file.stat()

    assert ModelSettings(ctx=2048) == write(file, "m", {})
    assert before == file.stat()


def test_a_file_written_between_reading_and_replacing_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "models.toml"
    file.write_text('["m"]\nctx = 1\n')
    slips = [lambda: file.write_text('["m"]\nctx = 1\nslots = 7\n')]
    sync = os.fsync

    def slipped_in(descriptor: int) -> None:
        sync(descriptor)
        if slips:
            slips.pop()()

    monkeypatch.setattr("os.fsync", slipped_in)

    assert ModelSettings(ctx=2, slots=7) == write(file, "m", {"ctx": 2})
    assert ["models.toml"] == os.listdir(tmp_path)


def test_many_writers_lose_nothing(tmp_path: Path) -> None:
    file = tmp_path / "models.toml"
    tasks = [(file, f"model-{n}", {"ctx": n + 1, "slots": 1}) for n in range(12)]
    writers = [threading.Thread(target=write, args=task) for task in tasks]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    expected = {f"model-{n}": ModelSettings(ctx=n + 1, slots=1) for n in range(12)}
    assert expected == ModelSettingsFile(file).read()


def test_a_broken_file_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "models.toml"
    file.write_text('["m"\nctx = 1\n')

    with pytest.raises(ConfigInvalid) as caught:
        write(file, "m", {"ctx": 2})

    assert f"{file}, line 1" in caught.value.detail
    assert '["m"\nctx = 1\n' == file.read_text()


def test_a_wrong_change_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    file = tmp_path / "models.toml"
    for changes in ({"ctx": "many"}, {"nonsense": None}, {"nonsense": 1}):
        with pytest.raises(ConfigInvalid):
            write(file, "m", changes)

    assert not file.exists()


def test_a_place_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("not a folder")

    with pytest.raises(StoreUnavailable) as caught:
        write(tmp_path / "folder" / "models.toml", "m", {"ctx": 2})

    assert str(tmp_path / "folder") in caught.value.detail


def test_rights_links_and_line_ends_stay(tmp_path: Path) -> None:
    real, link = tmp_path / "dotfiles.toml", tmp_path / "models.toml"
    real.write_bytes(b'["m"]\r\nctx = 1\r\n')
    real.chmod(0o640)
    link.symlink_to(real)
    write(link, "m", {"slots": 2})

    assert link.is_symlink()
    assert (b'["m"]\r\nctx = 1\r\nslots = 2\r\n', 0o640) == (real.read_bytes(), real.stat().st_mode & 0o777)


ADAPTERS = """\
["m"]
adapters = [
  { name = "code", path = "loras/code.gguf", weight = 0.8 },  # ours
  { name = "chat" },  # found
]
ctx = 1  # small
stacks = [{ name = "both", adapters = [{ name = "code" }, { name = "chat", weight = 1 }] }]  # all

# next
["n"]
slots = 2
"""


@pytest.fixture
def adapted(tmp_path: Path) -> Path:
    file = tmp_path / "models.toml"
    file.write_text(ADAPTERS)
    return file


def test_an_attached_adapter_is_a_line_and_the_others_stay_as_they_were_written(adapted: Path) -> None:
    own = ModelSettingsFile(adapted).read()["m"]
    now = write(adapted, "m", {"adapters": (*(own.adapters or ()), AttachedAdapter("new", "/l/new.gguf"))})
    line = '  {name = "new", path = "/l/new.gguf"},\n'

    assert ADAPTERS.replace("  # found\n", f"  # found\n{line}") == adapted.read_text()
    assert (*(own.adapters or ()), AttachedAdapter("new", "/l/new.gguf")) == now.adapters


def test_a_weight_changes_in_its_place_and_the_path_stays_relative(adapted: Path) -> None:
    path = str(adapted.parent / "loras" / "code.gguf")
    write(adapted, "m", {"adapters": [{"name": "code", "path": path, "weight": 0.3}, {"name": "chat"}]})

    assert ADAPTERS.replace("weight = 0.8", "weight = 0.3") == adapted.read_text()


def test_a_detached_adapter_takes_its_line(adapted: Path) -> None:
    write(adapted, "m", {"stacks": None})
    own = ModelSettingsFile(adapted).read()["m"]
    write(adapted, "m", {"adapters": (own.adapters or ())[1:]})
    lines = [line for line in ADAPTERS.splitlines() if '"code"' not in line]

    assert lines == adapted.read_text().splitlines()


def test_new_lists_are_readable_by_people(tmp_path: Path) -> None:
    file = tmp_path / "models.toml"
    adapters = [{"name": "a", "path": "a.gguf"}, {"name": "b", "weight": 0.5}]
    stacks = [{"name": "s", "adapters": [{"name": "a", "weight": 0.5}, {"name": "b"}], "normalise": True}]
    write(file, "m", {"adapters": adapters, "stacks": stacks})
    text = """\
[m]
adapters = [
    {name = "a", path = "PATH"},
    {name = "b", weight = 0.5},
]
stacks = [
    {name = "s", adapters = [{name = "a", weight = 0.5}, {name = "b"}], normalise = true},
]
"""

    assert text.replace("PATH", str(tmp_path / "a.gguf")) in file.read_text()
