"""What can fail about a server that was ready."""

from __future__ import annotations

from ggtui.core.errors.failure import Failure


class UpstreamFailure(Failure):
    """A server that was ready did not answer as it should."""

    title = "Upstream failed"
    status = 502
    code = "upstream_error"
    retryable = True

    def __init__(self, detail: str = "", *, told: str = "", hint: str = "", param: str | None = None) -> None:
        """told: what the server says itself. It may repeat what it was sent: it is for who has sent that."""
        super().__init__(detail, hint=hint, param=param)
        self.told = told

    @property
    def message(self) -> str:
        """As every failure's, with what the server says."""
        return f"{super().message}: {self.told}" if self.told else super().message

    @property
    def public(self) -> str:
        """As every failure's: without what the server says."""
        return super().message


class UpstreamUnreachable(UpstreamFailure):
    """No connection to a server that should be there."""

    title = "Upstream cannot be reached"
    code = "upstream_unreachable"


class UpstreamCrashed(UpstreamFailure):
    """The server ended or dropped the connection in the middle of an answer."""

    title = "Upstream crashed"
    code = "upstream_crashed"


class UpstreamProtocolError(UpstreamFailure):
    """The server's answer is not sound HTTP."""

    title = "Upstream answer is not valid"


class UpstreamTimedOut(UpstreamFailure):
    """No byte came within the limit."""

    title = "Upstream timed out"
    status = 504
    code = "upstream_timeout"


class UpstreamServerError(UpstreamFailure):
    """The server answered with a status of 500 and above."""

    title = "Upstream reported an error"


class UpstreamRateLimited(UpstreamFailure):
    """The server answered 429. `retry_after_s` is what it asked for, None when it did not say."""

    title = "Upstream limits the rate"
    status = 429
    error_type = "rate_limit_error"
    code = "rate_limited"

    def __init__(
        self, detail: str = "", *, told: str = "", retry_after_s: float | None = None, hint: str = ""
    ) -> None:
        super().__init__(detail, told=told, hint=hint)
        self.retry_after_s = retry_after_s


class UpstreamUnauthorized(UpstreamFailure):
    """The server refused ggtui's own key: no fault of the client, who must not be asked for another one."""

    title = "Upstream refused the key"
    code = "upstream_unauthorized"


class UpstreamForbidden(UpstreamFailure):
    """The server knows the key and does not allow this with it."""

    title = "Upstream does not allow this"
    status = 403
    error_type = "invalid_request_error"
    code = "upstream_forbidden"
    retryable = False


class RequestLoop(UpstreamFailure):
    """The request came back to a ggtui that has sent it: to ask again would only go round again."""

    title = "Request goes round in a loop"
    status = 508
    code = "request_loop"
    retryable = False


class UpstreamBadRequest(UpstreamFailure):
    """The server says that the request itself is wrong."""

    title = "Upstream refused the request"
    status = 400
    error_type = "invalid_request_error"
    code = "upstream_bad_request"
    retryable = False


class ContentFiltered(UpstreamBadRequest):
    """The server's filter refused the content. No other server is asked to answer it instead."""

    title = "Content was filtered"
    code = "content_filter"
