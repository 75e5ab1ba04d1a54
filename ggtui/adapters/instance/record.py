"""The record of a running ggtui: where it answers, and proof that it is still the same process."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from ggtui.core.errors import StoreUnavailable

if TYPE_CHECKING:
    from pathlib import Path

RECORD_NAME = "instance.json"
LARGEST_RECORD = 64 * 1024
"""Bytes; anything longer was not written here."""

_SAME_START_S = 1.0
"""Start times are read from the kernel in ticks, against a boot time that may be corrected by a little."""


@dataclass(frozen=True, slots=True)
class InstanceRecord:
    """One running ggtui."""

    pid: int
    started_at: float
    """Unix time at which the process began, as psutil tells it."""
    url: str
    """Base URL of its proxy, ending in /v1."""
    api_key: str = field(default="", repr=False)
    """What its proxy asks clients for; empty when it asks for nothing."""


def own_record(url: str, api_key: str = "") -> InstanceRecord:
    """The record of this process."""
    import psutil

    return InstanceRecord(os.getpid(), psutil.Process().create_time(), url, api_key)


def write_record(data_dir: Path, record: InstanceRecord) -> None:
    """Publish the record, readable by its owner only; readers see the old one or the new one, whole.

    Raises: StoreUnavailable.
    """
    try:
        _replace(data_dir / RECORD_NAME, json.dumps(asdict(record)).encode())
    except OSError as error:
        raise StoreUnavailable(f"{data_dir / RECORD_NAME} cannot be written: {error.strerror}") from error


def remove_record(data_dir: Path) -> None:
    """Take this process's record back; a missing one, or another process's, is left alone."""
    record = _read(data_dir / RECORD_NAME)
    if record is not None and record.pid == os.getpid():
        with suppress(OSError):
            (data_dir / RECORD_NAME).unlink()


def find_instance(data_dir: Path) -> InstanceRecord | None:
    """The ggtui that runs on this folder; None without one, or when the record outlived its process."""
    record = _read(data_dir / RECORD_NAME)
    return record if record is not None and _is_alive(record) else None


def _is_alive(record: InstanceRecord) -> bool:
    import psutil

    try:
        process = psutil.Process(record.pid)
        is_same = abs(process.create_time() - record.started_at) < _SAME_START_S
        return bool(is_same and process.status() != psutil.STATUS_ZOMBIE)
    except (psutil.Error, ValueError, OverflowError):
        return False


def _read(file: Path) -> InstanceRecord | None:
    try:
        with file.open("rb") as stream:
            document = json.loads(stream.read(LARGEST_RECORD))
        return InstanceRecord(
            int(document["pid"]),
            float(document["started_at"]),
            str(document["url"]),
            str(document["api_key"]),
        )
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def _replace(file: Path, data: bytes) -> None:
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(name, file)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
    _sync_folder(file.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
