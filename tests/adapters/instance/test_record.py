"""The record of a running ggtui is found while it lives and never believed afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import psutil
import pytest

from ggtui.adapters.instance.record import (
    RECORD_NAME,
    InstanceRecord,
    find_instance,
    own_record,
    remove_record,
    write_record,
)
from ggtui.core.errors import StoreUnavailable

if TYPE_CHECKING:
    from pathlib import Path

URL = "http://127.0.0.1:8080/v1"


def test_a_record_is_found_as_it_was_written(tmp_path: Path) -> None:
    record = own_record(URL, "s3cret")
    write_record(tmp_path, record)

    assert record == find_instance(tmp_path)


def test_the_record_is_private_and_nothing_else_is_left(tmp_path: Path) -> None:
    write_record(tmp_path, own_record(URL))

    assert [RECORD_NAME] == [each.name for each in tmp_path.iterdir()]
    assert 0o600 == (tmp_path / RECORD_NAME).stat().st_mode & 0o777


def test_the_key_does_not_show(tmp_path: Path) -> None:
    assert "s3cret" not in repr(own_record(URL, "s3cret"))


def test_another_process_with_the_same_pid_is_not_believed(tmp_path: Path) -> None:
    record = own_record(URL)
    write_record(tmp_path, replace(record, started_at=record.started_at - 3600))

    assert find_instance(tmp_path) is None


def test_a_process_that_ended_is_not_believed_even_before_it_is_reaped(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    started_at = psutil.Process(ended.pid).create_time()
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
    write_record(tmp_path, InstanceRecord(ended.pid, started_at, URL))
    before_reaping = find_instance(tmp_path)
    ended.communicate()

    assert [None, None] == [before_reaping, find_instance(tmp_path)]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"pid": 1}', '{"pid": "x"}', "[" * 60_000, "\0"])
def test_a_damaged_record_is_no_record(tmp_path: Path, text: str) -> None:
    (tmp_path / RECORD_NAME).write_text(text)

    assert find_instance(tmp_path) is None


def test_remove_takes_back_only_what_is_ours(tmp_path: Path) -> None:
    remove_record(tmp_path)
    write_record(tmp_path, replace(own_record(URL), pid=1))

    remove_record(tmp_path)

    assert (tmp_path / RECORD_NAME).exists()
    write_record(tmp_path, own_record(URL))

    remove_record(tmp_path)

    assert [] == list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="cannot be written"):
        write_record(tmp_path / "none", own_record(URL))
