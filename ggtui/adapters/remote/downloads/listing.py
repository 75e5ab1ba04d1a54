"""Questions to the hub's API: what there is, and which commit a revision is."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from ggtui.adapters.remote.downloads.names import check_repository, check_revision, is_commit
from ggtui.adapters.remote.hub import HubName, below, gguf_files, read_document
from ggtui.core.errors import RemoteRefused
from ggtui.core.ports.downloads import RepositoryHit

if TYPE_CHECKING:
    from collections.abc import Callable

    from ggtui.adapters.remote.access import Access
    from ggtui.adapters.remote.budget import Budget
    from ggtui.adapters.remote.hub import HubFile

MOST_HITS = 100
LONGEST_SEARCH = 200


def search(text: str, limit: int, access: Access, budget: Budget) -> tuple[RepositoryHit, ...]:
    """Repositories with GGUF files, the most downloaded first. Raises: RemoteRefused, RemoteUnreachable."""
    limit = max(1, min(limit, MOST_HITS))
    wanted = [("search", text[:LONGEST_SEARCH]), ("filter", "gguf"), ("sort", "downloads")]
    told = [("expand[]", name) for name in ("downloads", "likes", "lastModified", "gated")]
    query = urlencode([*wanted, ("direction", "-1"), ("limit", str(limit)), *told], errors="replace")
    rows, _ = read_document(below(access, "/api/models", query), access, budget)
    if not isinstance(rows, list):
        raise RemoteRefused(f"{access.endpoint.origin.host} does not answer as the hub does")
    return tuple(hit for row in rows[:limit] if (hit := _hit(row)))


def _hit(row: object) -> RepositoryHit | None:
    """None for nonsense, and for a name that no repository has."""
    name = row.get("id") if isinstance(row, dict) else None
    if not isinstance(row, dict) or not isinstance(name, str):
        return None
    try:
        check_repository(name)
    except RemoteRefused:
        return None
    return RepositoryHit(
        name,
        _count(row.get("downloads")),
        _count(row.get("likes")),
        _moment(row.get("lastModified")),
        bool(row.get("gated")),
    )


def _count(value: object) -> int:
    return value if type(value) is int and 0 <= value < 1 << 63 else 0


def _moment(value: object) -> float | None:
    """Unix time of `2025-06-01T12:00:00.000Z`."""
    try:
        return datetime.fromisoformat(value).timestamp() if isinstance(value, str) else None
    except (ValueError, OverflowError, OSError):
        return None


def read_repository(
    repository: str, revision: str, access: Access, new_budget: Callable[[], Budget]
) -> tuple[str, list[HubFile]]:
    """The commit of a revision, and its GGUF files. Raises: RemoteRefused, RemoteUnreachable."""
    check_repository(repository)
    check_revision(revision)
    commit = revision if is_commit(revision) else _commit_of(repository, revision, access, new_budget())
    owner, _, name = repository.partition("/")
    return commit, gguf_files(HubName(owner, name, None, commit), access, new_budget())


def _commit_of(repository: str, revision: str, access: Access, budget: Budget) -> str:
    path = f"/api/models/{repository}/revision/{quote(revision, safe='')}"
    document, _ = read_document(below(access, path, urlencode([("expand[]", "sha")])), access, budget)
    commit = document.get("sha") if isinstance(document, dict) else None
    if not isinstance(commit, str) or not is_commit(commit):
        raise RemoteRefused(f"{access.endpoint.origin.host} does not tell which commit {revision} is")
    return commit
