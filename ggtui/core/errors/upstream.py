"""What can fail about a server that was ready."""

from __future__ import annotations

from ggtui.core.errors.failure import Failure


class UpstreamFailure(Failure):
    """A server that was ready did not answer as it should."""

    title = "Upstream failed"
    status = 502
    code = "upstream_error"
    retryable = True


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
