"""Tells copies of one model apart from models that only have the same size."""

from __future__ import annotations

import hashlib
import os
import stat
from collections import defaultdict
from typing import TYPE_CHECKING

from ggtui.core.units import MIB

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ggtui.adapters.gguf.found import FoundFile, FoundModel

HEAD_BYTES = MIB
SAMPLES = 32
SAMPLE_BYTES = 4096


def of_equal_size(models: Iterable[FoundModel]) -> list[FoundModel]:
    """Those that may be copies of each other: different files of the same size."""
    by_size: dict[tuple[int, int], list[FoundModel]] = defaultdict(list)
    for model in models:
        if model.size_bytes and not model.missing:
            by_size[model.size_bytes, len(model.files)].append(model)
    return [
        model
        for alike in by_size.values()
        if len({(each.first.device, each.first.inode) for each in alike}) > 1
        for model in alike
    ]


def content_digest(model: FoundModel) -> str:
    """What tells the content of equally large files: their heads and samples of the rest.

    Two fine-tunes of one model may have the same header, so the header alone would not do. Empty when a file
    cannot be read.
    """
    digest = hashlib.blake2b(digest_size=16)
    try:
        for file in model.files:
            _add(digest, file)
    except OSError:
        return ""
    return digest.hexdigest()


def _add(digest: hashlib.blake2b, file: FoundFile) -> None:
    fd = os.open(file.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError("not a regular file")
        digest.update(os.pread(fd, HEAD_BYTES, 0))
        last = max(0, file.size_bytes - SAMPLE_BYTES)
        for index in range(1, SAMPLES + 1):
            digest.update(os.pread(fd, SAMPLE_BYTES, last * index // SAMPLES))
    finally:
        os.close(fd)
