"""What can fail about files and their storage."""

from __future__ import annotations

from ggtui.core.errors.failure import Failure


class CatalogFailure(Failure):
    """The catalog or a model file cannot be read."""

    title = "Catalog is not readable"


class HeaderUnreadable(CatalogFailure):
    """A GGUF header that is missing, cut, hostile or of an unknown version."""

    title = "Model file is not readable"


class RemoteFailure(CatalogFailure):
    """A file or a listing on another machine cannot be read."""

    title = "Cannot be read over the network"


class RemoteRefused(RemoteFailure):
    """It answered, and asking again would bring the same; or it is nothing to ask for at all."""


class RemoteUnreachable(RemoteFailure):
    """No answer, a broken one, or none in time."""

    retryable = True


class RemovalRefused(CatalogFailure):
    """A model's files may not be removed, or not all of them could be."""

    title = "The model is not removed"
    status = 409
    error_type = "invalid_request_error"
    code = "removal_refused"


class StoreUnavailable(CatalogFailure):
    """A database of ggtui, such as that of the catalog, cannot be opened or written."""

    title = "A database of ggtui is not available"


class DiskFull(CatalogFailure):
    """There is no room for a download on this disk."""

    title = "Not enough room on the disk"


class FileCorrupt(CatalogFailure):
    """A file that was fetched is not the one that its hub has."""

    title = "The download is not what the hub has"


class BackendError(CatalogFailure):
    """A backend cannot be asked, or answers with an error. The detail is a text that clients match on."""

    title = "Backend failed"
    retryable = True
