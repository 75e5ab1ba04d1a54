"""What is wrong with a client's request."""

from __future__ import annotations

from ggtui.core.errors.failure import Failure


class RequestFailure(Failure):
    """The client's request cannot be served as it is."""

    title = "Request refused"
    status = 400
    error_type = "invalid_request_error"
    code = "invalid_request"


class InvalidRequest(RequestFailure):
    """Malformed JSON, a wrong type, a bad `num_ctx`."""

    title = "Request is not valid"


class CapabilityMissing(RequestFailure):
    """The model cannot do what the request asks of it."""

    title = "The model cannot do this"
    code = "capability_missing"


class RequestTooLarge(RequestFailure):
    """Body or head over the cap."""

    title = "Request is too large"
    status = 413
    code = "request_too_large"


class UnsupportedMediaType(RequestFailure):
    """Neither JSON nor a form this endpoint takes, or a compressed body."""

    title = "Media type is not supported"
    status = 415
    code = "unsupported_media_type"


class InvalidApiKey(RequestFailure):
    """Key missing or wrong."""

    title = "API key is not valid"
    status = 401
    code = "invalid_api_key"


class HostNotAllowed(RequestFailure):
    """The Host header names another machine: DNS rebinding."""

    title = "Host is not allowed"
    status = 403
    code = "host_not_allowed"


class OriginNotAllowed(RequestFailure):
    """A browser page of another origin is asking."""

    title = "Origin is not allowed"
    status = 403
    code = "origin_not_allowed"


class RouteNotFound(RequestFailure):
    """No such path."""

    title = "No such path"
    status = 404
    code = "not_found"


class MethodNotAllowed(RequestFailure):
    """The path exists, the method does not."""

    title = "Method is not allowed"
    status = 405
    code = "method_not_allowed"


class ReadOnly(RequestFailure):
    """Something would be changed where nothing may be changed from outside."""

    title = "Nothing can be changed"
    status = 403
    code = "read_only"

    def __init__(self) -> None:
        super().__init__("this ggtui is read-only", hint="start it without --read-only")


class DownloadNotFound(RequestFailure):
    """No download of the queue is meant."""

    title = "Download not found"
    status = 404
    code = "download_not_found"


class BackendNotFound(RequestFailure):
    """No backend of this name is declared."""

    title = "Backend not found"
    status = 404
    code = "backend_not_found"
