"""Mistakes in the configuration file, each named with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ggtui.config.toml_file import LARGEST_FILE, names_in, read_settings
from ggtui.core.errors import ConfigInvalid
from ggtui.core.routing.name_settings import NameSettings, Unnamed

if TYPE_CHECKING:
    from pathlib import Path

ALIAS = "an alias is what clients ask for in place of an id"


@pytest.mark.parametrize(
    ("text", "detail", "hint"),
    [
        ("prot = 1", "no key is called prot", "did you mean [server] port?"),
        ("port = 1", "no key is called port", "did you mean [server] port?"),
        ("[server]\nprot = 1", "[server] has no key prot", "did you mean [server] port?"),
        ("[sever]\nport = 1", "no table is called [sever]", "did you mean [server]?"),
        ("[qqqq]", "no table is called [qqqq]", ""),
        ("server = 1", "server must be a table", "write it as [server]"),
        ("[server]\nport = '1'", "[server] port must be a whole number from 0 to 65535, not '1'", ""),
        ("[server]\nport = true", "[server] port must be a whole number from 0 to 65535, not True", ""),
        ("read_only = 1", "read_only must be true or false, not 1", ""),
        ("[screen]\nascii = 'no'", "[screen] ascii must be true or false, not 'no'", ""),
        ("models_dirs = [1]", "models_dirs must be a list of paths, not [1]", ""),
        ('[server]\nhost = "a\\nb"', "[server] host must be one line of text, not 'a\\nb'", ""),
        ("[names]\ndefualt = 'm'", "[names] has no key defualt", "did you mean [names] default?"),
        ("[names]\ndefault = 5", "[names] default must be the id of a model or another endpoint, not 5", ""),
        ("[names]\nunnamed = 'x'", "[names] unnamed must be one of default, running, not 'x'", ""),
        ("[names]\ndisabled = ['a', 1]", "[names] disabled must be a list of ids, not ['a', 1]", ""),
        ("[alias]", "no table is called [alias]", "did you mean [aliases]?"),
        ("aliases = 5", '[aliases] must be a table such as { "gpt-4" = "ID" }, not 5', ""),
        ("[aliases]\n42 = 'm'", "[aliases] '42' is all digits, which name a model by its number", ALIAS),
        ("[aliases]\n'' = 'm'", "[aliases] '' is empty", ALIAS),
        ('[aliases]\n"a\\tb" = "m"', "[aliases] 'a\\tb' has control characters", ALIAS),
        (
            f"[aliases]\n{'a' * 513} = 'm'",
            f"[aliases] '{'a' * 59}…' is longer than 512 characters",
            ALIAS,
        ),
        (
            "[aliases]\na = ' '",
            "[aliases] 'a' must be the id of a model or another endpoint, not ' '",
            "",
        ),
        (
            "[aliases]\ngpt-4.1 = 'm'",
            "[aliases] 'gpt-4' must be the id of a model or another endpoint, not {'1': 'm'}",
            'put a name with a dot in quotes: "gpt-4.1"',
        ),
        ("[launch]\nstop_grace_s = inf", "[launch] stop_grace_s must be seconds from 0 to 600, not inf", ""),
    ],
)
def test_a_mistake_names_file_table_and_key(tmp_path: Path, text: str, detail: str, hint: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)

    with pytest.raises(ConfigInvalid) as caught:
        read_settings(file)

    assert (f"{file}: {detail}", hint) == (caught.value.detail, caught.value.hint)


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"a = 1\nb = = 2\n", ", line 2: Invalid value"),
        (b"read_only = true\nmodels_dirs = [", ", last line: Invalid value"),
        (b"ok = 1\n\xff\xfe", ", line 2: not UTF-8 text"),
        (
            b"[names]\ndefault = 'a'\n# mine\ndefault = 'b'\n",
            ", line 4: default is set for the second time",
        ),
        (
            b'[aliases]\n"gpt-4.1" = "a"\n"gpt-4.1" = "b"\n',
            ', line 3: "gpt-4.1" is set for the second time',
        ),
    ],
)
def test_broken_text_names_the_line(tmp_path: Path, data: bytes, place: str) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(data)

    with pytest.raises(ConfigInvalid) as caught:
        read_settings(file)

    assert f"{file}{place}" == caught.value.detail


def test_names_are_read_whatever_else_is_wrong(tmp_path: Path) -> None:
    text = """
    nonsense = 1
    [names]
    default = "m:code"
    unnamed = "running"
    disabled = ["a", "b", "a"]
    [aliases]
    "gpt-4.1" = "m"
    """
    names = names_in(text, tmp_path)

    assert NameSettings("m:code", Unnamed.RUNNING, frozenset({"a", "b"}), {"gpt-4.1": "m"}) == names
    assert NameSettings() == names_in("nonsense = 1", tmp_path) == names_in("[names]\ndefault = ''", tmp_path)


def test_a_byte_order_mark_and_windows_lines_are_read(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(b"\xef\xbb\xbfread_only = true\r\n")

    assert [True] == list(read_settings(file).values())


def test_a_huge_file_and_deep_nesting_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    for text in ("#" * (LARGEST_FILE + 1), "a = " + "[" * 50_000, "a = " + "9" * 5_000):
        file.write_text(text)

        with pytest.raises(ConfigInvalid):
            read_settings(file)


def test_a_folder_instead_of_a_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="cannot be read"):
        read_settings(tmp_path)
