"""Names that people and hubs give: each is checked before any of it becomes a path or an address."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ggtui.core.errors import RemoteRefused
from ggtui.core.text import plain

LONGEST_PATH = 512
LONGEST_PART = 240
"""Bytes; file systems take 255, and a name on the way is longer than the last one."""
_PART = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,95})"
_REPOSITORY = re.compile(rf"{_PART}/{_PART}")
_MODEL = re.compile(rf"(?:hf:)?({_PART}/{_PART})(?::([A-Za-z0-9._-]{{1,64}})|/(.+\.gguf))?", re.IGNORECASE)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NOT_IN_PATH = re.compile(r"[\\:*?\"<>|\u2044\u2215\u29f8\uff0f\uff3c\u29f5\ufe68]")
"""The other slash, what some file systems refuse, and signs that look like a slash."""
HOW = "write OWNER/REPO, OWNER/REPO:QUANT or OWNER/REPO/FILE.gguf"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person means: a repository, and one of its quantisations or files where they say which."""

    repository: str
    """OWNER/REPO."""
    quant: str = ""
    path: str = ""

    @classmethod
    def parse(cls, text: str) -> Wanted:
        """The meaning of this text. Raises: RemoteRefused."""
        match = _MODEL.fullmatch(text) if len(text) <= LONGEST_PATH else None
        if match is None:
            raise RemoteRefused(f"{plain(text, 80)!r} is no model on the hub", hint=HOW)
        repository, quant, path = match.groups()
        check_repository(repository)
        if path:
            check_path(path)
        return cls(repository, quant or "", path or "")


def check_repository(name: str) -> None:
    """Raises: RemoteRefused for a name that no repository has."""
    if not _REPOSITORY.fullmatch(name) or ".." in name or "--" in name:
        raise RemoteRefused(f"{plain(name, 80)!r} is no repository of the hub", hint="write OWNER/REPO")


def check_path(path: str) -> None:
    """Raises: RemoteRefused for a path that is not sound, or leads out of its folder."""
    parts = path.split("/")
    is_sound = len(path) <= LONGEST_PATH and path.isprintable() and not _NOT_IN_PATH.search(path)
    if not is_sound or not all(_is_part(part) for part in parts):
        raise RemoteRefused(f"{plain(path, 80)!r} is no name of a file that is fetched")


def _is_part(part: str) -> bool:
    try:
        return part.strip(". ") != "" and len(part.encode()) <= LONGEST_PART
    except UnicodeEncodeError:
        return False


def check_revision(revision: str) -> None:
    """Raises: RemoteRefused for what is no branch, tag or commit."""
    parts = revision.split("/")
    if (
        len(revision) > 200
        or not re.fullmatch(r"[A-Za-z0-9._/-]+", revision)
        or any(part.strip(".") == "" or part.endswith(".lock") for part in parts)
        or ".." in revision
    ):
        raise RemoteRefused(f"{plain(revision, 80)!r} is no revision")


def is_commit(text: str) -> bool:
    """True for 40 hexadecimal digits."""
    return _COMMIT.fullmatch(text) is not None


def is_sha256(text: str) -> bool:
    """True for 64 hexadecimal digits."""
    return _SHA256.fullmatch(text) is not None
