"""One ggtui per data folder."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.instance.lock import LOCK_NAME, InstanceLock, lock_owner
from ggtui.core.errors import InstanceRunning, StoreUnavailable

if TYPE_CHECKING:
    from pathlib import Path

_OWNER = """
import sys
from pathlib import Path
from ggtui.adapters.instance.lock import InstanceLock
InstanceLock(Path(sys.argv[1])).acquire()
print("held", flush=True)
sys.stdin.read()
"""


def _owner(folder: Path) -> subprocess.Popen[str]:
    owner = subprocess.Popen(
        [sys.executable, "-c", _OWNER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    assert "held\n" == owner.stdout.readline()
    return owner


def test_a_second_process_hears_who_owns_the_folder(tmp_path: Path) -> None:
    with _owner(tmp_path) as owner:
        try:
            with pytest.raises(InstanceRunning, match=f"pid {owner.pid} owns"):
                InstanceLock(tmp_path).acquire()
            assert owner.pid == lock_owner(tmp_path)
        finally:
            owner.kill()


def test_a_killed_owner_leaves_no_lock(tmp_path: Path) -> None:
    with _owner(tmp_path) as owner:
        owner.kill()
        owner.wait()

        with InstanceLock(tmp_path):
            pass


def test_release_lets_the_next_one_in_and_may_be_repeated(tmp_path: Path) -> None:
    lock = InstanceLock(tmp_path)
    lock.acquire()

    lock.release()
    lock.release()

    assert lock_owner(tmp_path) is None
    with InstanceLock(tmp_path):
        pass


def test_the_lock_file_is_private_and_survives(tmp_path: Path) -> None:
    with InstanceLock(tmp_path):
        pass

    assert 0o600 == (tmp_path / LOCK_NAME).stat().st_mode & 0o777


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        InstanceLock(tmp_path / "none").acquire()


def test_a_lock_file_that_points_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("precious")
    (tmp_path / LOCK_NAME).symlink_to(tmp_path / "victim")

    with pytest.raises(StoreUnavailable):
        InstanceLock(tmp_path).acquire()

    assert "precious" == (tmp_path / "victim").read_text()
