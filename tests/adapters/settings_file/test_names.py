"""Names written into config.toml while people and other programs have it too."""

from __future__ import annotations

import asyncio
import threading
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ggtui.adapters.memory.names import MemoryNames
from ggtui.adapters.settings_file.names import ConfigNames
from ggtui.config.load import load
from ggtui.config.toml_file import names_in
from ggtui.core.errors import ConfigInvalid, StoreUnavailable
from ggtui.core.routing.name_settings import NameSettings, Unnamed

if TYPE_CHECKING:
    from pathlib import Path

BY_HAND = """\
# my ggtui
stores = []   # none of them

[names]  # who is who
default = "qwen"   # the fast one
unnamed = "running"
disabled = [
  "old",  # until it is mended
  "older",
]

# what clients say
[aliases]
"gpt-4" = "qwen"   # for the editor
# and a comment at the end
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "config.toml"
    made.write_text(BY_HAND)
    return made


def alias(file: Path, name: str, target: str | None) -> NameSettings:
    return asyncio.run(ConfigNames(file).set_alias(name, target))


def disabled(file: Path, target: str, is_disabled: bool) -> NameSettings:
    return asyncio.run(ConfigNames(file).set_disabled(target, is_disabled))


def test_each_change_is_a_line_and_nothing_else(file: Path) -> None:
    expected = NameSettings(
        "llama", Unnamed.RUNNING, frozenset({"old"}), {"gpt-4": "qwen", "gpt-4.1": "llama"}
    )
    alias(file, "gpt-4.1", "llama")
    asyncio.run(ConfigNames(file).set_default("llama"))
    names = disabled(file, "older", False)
    text = BY_HAND.replace('default = "qwen" ', 'default = "llama" ').replace('  "older",\n', "")

    assert expected == names == load({}, {}, file).names
    assert text.replace("# and a", '"gpt-4.1" = "llama"\n# and a') == file.read_text()


def test_a_new_file_is_one_that_loads(tmp_path: Path) -> None:
    file = tmp_path / "new" / "config.toml"
    alias(file, "a.b", "m")

    assert {"a.b": "m"} == load({}, {}, file).names.aliases
    assert 0 == file.parent.stat().st_mode & 0o077


def test_where_nothing_changes_nothing_is_written(tmp_path: Path, file: Path) -> None:
    alias(tmp_path / "new.toml", "a", None)
    stamp = file.stat().st_ino
    alias(file, "gpt-4", "qwen")
    disabled(file, "old", True)
    disabled(file, "nobody", False)

    assert not (tmp_path / "new.toml").exists()
    assert (stamp, BY_HAND) == (file.stat().st_ino, file.read_text())


@pytest.mark.parametrize(
    "before",
    [
        'names = { default = "a" }\naliases = { x = "a" }\n[server]\nport = 1\n',
        'names.default = "a"\naliases.x = "a"\n[server]\nport = 1\n',
        '[names]\ndefault = "a"\n[aliases]\nx = "a"\n[server]\nport = 1',
        '[server]\nport = 1\n[names]\ndefault = "a"\ndisabled = []\n[aliases]\nx = "a"',
    ],
)
def test_other_ways_to_write_them_are_changed_too(tmp_path: Path, before: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(before)
    alias(file, "y", "b")
    alias(file, "x", None)
    asyncio.run(ConfigNames(file).set_default("b"))

    assert NameSettings("b", disabled=frozenset({"c"}), aliases={"y": "b"}) == disabled(file, "c", True)
    assert {"port": 1} == tomllib.loads(file.read_text())["server"]


@pytest.mark.parametrize(
    "text",
    ["[aliases]\n42 = 'x'\n", "[names]\ndisabled = 'x'\n", "names = 1\n", "[aliases]\na = 'x'\na = 'y'\n"],
)
def test_a_file_that_is_not_valid_is_left_alone(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)
    with pytest.raises(ConfigInvalid, match=r"config\.toml"):
        alias(file, "b", "x")
    with pytest.raises(ConfigInvalid, match=r"config\.toml"):
        disabled(file, "b", True)

    assert text == file.read_text()


def test_many_writers_lose_nothing(file: Path) -> None:
    writers = [threading.Thread(target=alias, args=(file, f"alias-{n}", "qwen")) for n in range(8)]
    writers += [threading.Thread(target=disabled, args=(file, f"model-{n}", True)) for n in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    names = names_in(file.read_text(), file)

    assert {"gpt-4", *(f"alias-{n}" for n in range(8))} == names.aliases.keys()
    assert {"old", "older", *(f"model-{n}" for n in range(8))} == names.disabled


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("not a folder")

    with pytest.raises(StoreUnavailable):
        alias(tmp_path / "folder" / "config.toml", "a", "b")


NAMES = st.sampled_from(["gpt-4", "a", "b.c", "older"])
STEPS = st.one_of(
    st.tuples(st.just("set_alias"), NAMES, st.one_of(st.none(), NAMES)),
    st.tuples(st.just("set_default"), st.one_of(st.none(), NAMES)),
    st.tuples(st.just("set_disabled"), NAMES, st.booleans()),
)


@settings(max_examples=40)
@given(st.lists(STEPS, max_size=6))
def test_any_run_of_changes_is_what_memory_makes_of_it(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[Any, ...]]
) -> None:
    file = tmp_path_factory.mktemp("names") / "config.toml"
    file.write_text(BY_HAND)
    memory = MemoryNames(names_in(BY_HAND, file))
    for method, *arguments in steps:
        kept = asyncio.run(getattr(ConfigNames(file), method)(*arguments))

        assert asyncio.run(getattr(memory, method)(*arguments)) == kept
    text = file.read_text()
    for comment in ("# my ggtui", "# who is who", "# what clients say", "# and a comment at the end"):
        assert 1 == text.count(comment)
