"""What follows from each failure: whether it is tried again, told to the breaker, or handed to a fallback."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from ggtui.core import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ggtui.core.errors import Failure


class Retry(StrEnum):
    """Whether the same deployment is asked again."""

    NO = "no"
    YES = "yes"
    """After a delay, as its retry policy says."""
    WITH_NEW_SECRET = "with_new_secret"
    """Once, at once, after its secret was read again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a failure of one attempt leads to, while no byte has gone to the client."""

    retry: Retry = Retry.NO
    counts_for_breaker: bool = False
    """True: one more failure in a row. False: the attempt proves nothing, and its pass is given back."""
    falls_back: bool = False
    """True: when it is not tried again any more, the next fallback is asked."""
    is_the_callers: bool = False
    """True: the request itself is at fault, and any other place would answer the same."""


_CALLERS: Final = Outcome(is_the_callers=True)
_FINAL: Final = Outcome()
_NOT_HERE: Final = Outcome(falls_back=True)
"""This deployment cannot serve it now, and nothing is learned about its server."""
_BROKEN: Final = Outcome(Retry.YES, counts_for_breaker=True, falls_back=True)

_BY_OUTCOME: Final[tuple[tuple[Outcome, tuple[type[Failure], ...]], ...]] = (
    (
        _CALLERS,
        (
            errors.ConfigInvalid,
            errors.RequestFailure,
            errors.InvalidRequest,
            errors.CapabilityMissing,
            errors.RequestTooLarge,
            errors.UnsupportedMediaType,
            errors.InvalidApiKey,
            errors.HostNotAllowed,
            errors.OriginNotAllowed,
            errors.RouteNotFound,
            errors.MethodNotAllowed,
            errors.ReadOnly,
            errors.RemovalRefused,
            errors.ModelNotFound,
            errors.ModelFileNotFound,
            errors.EndpointNotFound,
            errors.BackendNotFound,
            errors.DownloadNotFound,
            errors.NoneMatched,
            errors.ContextTooLong,
            errors.UpstreamForbidden,
            errors.UpstreamBadRequest,
            errors.ContentFiltered,
        ),
    ),
    (
        _FINAL,
        (
            errors.Failure,
            errors.CatalogFailure,
            errors.HeaderUnreadable,
            errors.RemoteFailure,
            errors.RemoteRefused,
            errors.RemoteUnreachable,
            errors.StoreUnavailable,
            errors.DiskFull,
            errors.FileCorrupt,
            errors.BackendError,
            errors.ModelRuntimeError,
            errors.RoutingError,
            errors.EngineStopping,
            errors.Internal,
            errors.ProbeFailure,
            errors.DriverMissing,
            errors.ProxyFailure,
            errors.PortInUse,
            errors.BindRefused,
            errors.InstanceRunning,
            errors.BudgetExceeded,
        ),
    ),
    (
        _NOT_HERE,
        (
            errors.ModelLoading,
            errors.ModelNotReady,
            errors.AdmissionTimeout,
            errors.QueueFull,
            errors.NoRoom,
            errors.NoModelsAvailable,
            errors.EndpointNotReady,
            errors.SpawnFailed,
            errors.ServerMissing,
            errors.LaunchRejected,
            errors.NotEnoughGpus,
            errors.NoGpuNodes,
            errors.OutOfMemory,
            errors.LoadCancelled,
            errors.HealthCheckFailed,
            errors.StartTimedOut,
            errors.PolicyRefusal,
            errors.RateLimitExceeded,
            errors.CapacityExhausted,
            errors.QueueTimeout,
            errors.CircuitOpen,
            errors.RequestLoop,
        ),
    ),
    (
        _BROKEN,
        (
            errors.UpstreamFailure,
            errors.UpstreamUnreachable,
            errors.UpstreamCrashed,
            errors.UpstreamProtocolError,
            errors.UpstreamTimedOut,
            errors.UpstreamServerError,
        ),
    ),
    (Outcome(Retry.YES, falls_back=True), (errors.UpstreamRateLimited,)),
    (Outcome(Retry.WITH_NEW_SECRET, falls_back=True), (errors.UpstreamUnauthorized,)),
)

OUTCOMES: Final[Mapping[type[Failure], Outcome]] = {
    kind: outcome for outcome, kinds in _BY_OUTCOME for kind in kinds
}
"""Every kind of the failure tree, each with a row of its own."""


def outcome_of(failure: Failure) -> Outcome:
    """What follows from this failure; one of a kind that other rooms added has the outcome of its parent."""
    return next(OUTCOMES[kind] for kind in type(failure).__mro__ if kind in OUTCOMES)


def upstream_kind(status: int, code: str = "") -> type[errors.UpstreamFailure] | None:
    """The failure that an upstream's HTTP status means; None for an answer that is passed on as it is.

    code: the `code` of the upstream's error body; empty when unknown.
    501 is passed on: it says that the server cannot do this at all, and is no sign of ill health.
    """
    if status == 400:
        return errors.ContentFiltered if code == "content_filter" else errors.UpstreamBadRequest
    if status == errors.RequestLoop.status and code == errors.RequestLoop.code:
        return errors.RequestLoop
    known = {
        401: errors.UpstreamUnauthorized,
        403: errors.UpstreamForbidden,
        429: errors.UpstreamRateLimited,
        501: None,
    }
    return known.get(status, errors.UpstreamServerError if status >= 500 else None)
