"""The hub's cache on this disk, in the layout that its own library and llama.cpp share.

models--OWNER--REPO/blobs/DIGEST            the contents; DIGEST.incomplete while they come
models--OWNER--REPO/snapshots/COMMIT/PATH   links to them
models--OWNER--REPO/refs/REVISION           a commit
.locks/models--OWNER--REPO/DIGEST.lock      held by who fetches; the same for the hub's own library
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from ggtui.adapters.remote.downloads.names import (
    check_path,
    check_repository,
    check_revision,
    is_commit,
)
from ggtui.config.stores import store_roots
from ggtui.core.errors import CatalogFailure, DiskFull, RemoteRefused
from ggtui.core.stores import StoreKind
from ggtui.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ggtui.adapters.remote.downloads.checksum import Checksum
    from ggtui.adapters.remote.downloads.stopping import Stop

LOCK_POLL_S = 0.2
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL})
_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EACCES, errno.EINVAL})


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Where the cache lies, by the variables that the hub's own library reads. Raises: CatalogFailure."""
    roots = store_roots([StoreKind.HUGGING_FACE], environ)
    if not roots:
        raise CatalogFailure("the hub's cache has no place", hint="set HF_HUB_CACHE to a folder")
    return roots[0].path


@contextmanager
def written(folder: Path) -> Iterator[None]:
    """Failures of the disk in the words of this program. Raises: DiskFull, CatalogFailure."""
    try:
        yield
    except OSError as error:
        reason = plain(error.strerror or type(error).__name__).lower()
        if error.errno in _FULL:
            hint = "remove what is not needed; what is fetched already is kept"
            raise DiskFull(f"{plain(str(folder))} cannot be written: {reason}", hint=hint) from error
        hint = "set HF_HUB_CACHE to a folder that may be written"
        raise CatalogFailure(f"{plain(str(folder))} cannot be written: {reason}", hint=hint) from error


class Repository:
    """The folder of one repository. No name becomes a path before it is checked."""

    def __init__(self, cache: Path, name: str) -> None:
        """Raises: RemoteRefused for a name that no repository has."""
        check_repository(name)
        self.cache = cache
        title = "models--" + name.replace("/", "--")
        self.folder = cache / title
        self._locks = cache / ".locks" / title

    def blob(self, checksum: Checksum) -> Path:
        """Where a content lies when it is whole."""
        return self.folder / "blobs" / checksum.digits

    def make(self) -> None:
        """Have the folder of the contents. Raises: DiskFull, CatalogFailure, RemoteRefused."""
        with written(self.cache):
            (self.folder / "blobs").mkdir(parents=True, exist_ok=True)
        self._check_inside(self.folder / "blobs")

    def snapshot(self, commit: str, path: str) -> Path:
        """Where a file of a commit is found. Raises: RemoteRefused."""
        check_path(path)
        if not is_commit(commit):
            raise RemoteRefused(f"{plain(commit, 48)!r} is no commit")
        return self.folder / "snapshots" / commit / path

    def has(self, commit: str, path: str, size_bytes: int | None = None) -> bool:
        """True when this file of a commit is there, and of this size."""
        try:
            found = self.snapshot(commit, path).stat()
        except (OSError, ValueError):
            return False
        return stat.S_ISREG(found.st_mode) and size_bytes in (None, found.st_size)

    def commits(self, revision: str) -> tuple[str, ...]:
        """The commits on this disk that may be this revision, the likeliest first.

        `main` may be any of them: a model stays what it is when its repository goes on.
        """
        check_revision(revision)
        if is_commit(revision):
            return (revision,)
        named = self._named(revision)
        others = self._snapshots() if revision == "main" else ()
        return tuple(dict.fromkeys((*named, *others)))

    def files(self, commit: str) -> Iterator[str]:
        """Paths of all GGUF files of a commit, in no order."""
        top = self.folder / "snapshots" / commit
        for folder, _, names in os.walk(top):
            for name in names:
                if name.lower().endswith(".gguf"):
                    yield Path(folder, name).relative_to(top).as_posix()

    def _named(self, revision: str) -> tuple[str, ...]:
        try:
            text = (self.folder / "refs" / revision).read_text("ascii", "replace")[:64].strip()
        except (OSError, ValueError):
            return ()
        return (text,) if is_commit(text) else ()

    def _snapshots(self) -> tuple[str, ...]:
        try:
            names = os.listdir(self.folder / "snapshots")
        except OSError:
            return ()
        return tuple(sorted(name for name in names if is_commit(name)))

    def link(self, commit: str, path: str, checksum: Checksum) -> None:
        """Have a file of a commit lead to its content, in place of what is there.

        Raises: DiskFull, CatalogFailure, RemoteRefused.
        """
        place, blob = self.snapshot(commit, path), self.blob(checksum)
        with written(self.cache):
            place.parent.mkdir(parents=True, exist_ok=True)
            self._check_inside(place.parent)
            if not blob.exists() and place.is_file():
                return
            place.unlink(missing_ok=True)
            try:
                os.symlink(os.path.relpath(blob, place.parent), place)
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                # As the hub's own library does it on such a disk; a copy would take the room twice.
                os.replace(blob, place)

    def _check_inside(self, folder: Path) -> None:
        if not folder.resolve().is_relative_to(self.folder.resolve()):
            raise RemoteRefused(f"{plain(str(folder))} leads out of the cache")

    def name_commit(self, revision: str, commit: str) -> None:
        """Note which commit a revision is. Raises: DiskFull, CatalogFailure, RemoteRefused."""
        check_revision(revision)
        if revision == commit or self._named(revision) == (commit,):
            return
        place = self.folder / "refs" / revision
        with written(self.cache):
            place.parent.mkdir(parents=True, exist_ok=True)
            self._check_inside(place.parent)
            # Not beside it: other programs take each file there for a ref.
            beside = self._locks / f"{uuid4().hex}.ref"
            beside.parent.mkdir(parents=True, exist_ok=True)
            write_whole(place, commit.encode(), beside)

    @contextmanager
    def locked(self, checksum: Checksum, stop: Stop, waits: Callable[[], None]) -> Iterator[None]:
        """Be the only one, of all processes, who fetches this content.

        waits: called once, when another one does. Raises: Stopped, DiskFull, CatalogFailure.
        """
        with written(self.cache):
            self._locks.mkdir(parents=True, exist_ok=True)
            file = self._locks / f"{checksum.digits}.lock"
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o664)
        try:
            if not _is_taken(descriptor):
                waits()
                while not _is_taken(descriptor):
                    stop.wait(LOCK_POLL_S)
            yield
        finally:
            os.close(descriptor)


def _is_taken(descriptor: int) -> bool:
    """True when the lock is ours now, or the disk knows no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in _NO_LOCKS
    return True


def write_whole(file: Path, content: bytes, beside: Path) -> None:
    """Replace a small file so that nobody sees half of it, not even after a power cut.

    beside: where it is written first, on the same disk. Raises: OSError.
    """
    try:
        with beside.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(beside, file)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise


def free_bytes(folder: Path) -> int:
    """Room for us on the disk of a folder that may not exist yet."""
    for each in (folder, *folder.parents):
        with suppress(OSError):
            found = os.statvfs(each)
            return found.f_bavail * found.f_frsize
    return 0
