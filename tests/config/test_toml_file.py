"""Mistakes in the configuration file, each named with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ggtui.config.toml_file import LARGEST_FILE, read_settings
from ggtui.core.errors import ConfigInvalid

if TYPE_CHECKING:
    from pathlib import Path


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
    ],
)
def test_broken_text_names_the_line(tmp_path: Path, data: bytes, place: str) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(data)

    with pytest.raises(ConfigInvalid) as caught:
        read_settings(file)

    assert f"{file}{place}" == caught.value.detail


def test_a_byte_order_mark_and_windows_lines_are_read(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(b"\xef\xbb\xbfread_only = true\r\n")

    assert [True] == list(read_settings(file).values())


def test_a_huge_file_and_deep_nesting_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    for text in ("#" * (LARGEST_FILE + 1), "a = " + "[" * 50_000):
        file.write_text(text)

        with pytest.raises(ConfigInvalid):
            read_settings(file)


def test_a_folder_instead_of_a_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="cannot be read"):
        read_settings(tmp_path)
