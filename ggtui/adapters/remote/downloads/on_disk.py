"""Whether a model is in the cache, by what the disk alone tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.adapters.remote.downloads.offering import offer_meant, offers_of
from ggtui.adapters.remote.hub import HubFile
from ggtui.core.errors import RemoteRefused
from ggtui.core.naming import shard_of

if TYPE_CHECKING:
    from ggtui.adapters.remote.downloads.cache import Repository
    from ggtui.adapters.remote.downloads.names import Wanted
    from ggtui.core.ports.downloads import Offer


def has_all(repository: Repository, offer: Offer) -> bool:
    """True when every file of the offer is there."""
    return all(repository.has(offer.commit, file.path, file.size_bytes) for file in offer.files)


def has_model(repository: Repository, wanted: Wanted, revision: str) -> bool:
    """True when a model that this may mean is there with all its shards; a repository alone means any of its.

    A projector that belongs to it was linked before it.
    """
    return any(_has(repository, commit, wanted) for commit in repository.commits(revision))


def _has(repository: Repository, commit: str, wanted: Wanted) -> bool:
    if wanted.path and shard_of(wanted.path.rpartition("/")[2]) is None:
        # Also a projector, which is no model by itself.
        return repository.has(commit, wanted.path)
    files = [HubFile(path, 0) for path in repository.files(commit) if repository.has(commit, path)]
    offers = offers_of(wanted.repository, commit, files)
    if not wanted.quant and not wanted.path:
        return bool(offers)
    try:
        return offer_meant(wanted, offers, files) is not None
    except RemoteRefused:
        return False
