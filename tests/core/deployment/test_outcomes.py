"""Every failure has one row: is it tried again, told to the breaker, handed to a fallback, the caller's."""

from __future__ import annotations

import pytest

from ggtui.core import errors
from ggtui.core.deployment.outcomes import OUTCOMES, Outcome, Retry, outcome_of, upstream_kind
from ggtui.core.errors import Failure


def _tree(kind: type[Failure]) -> list[type[Failure]]:
    """The kind and all below it, of the tree itself; other rooms may add leaves of their own."""
    own = [child for child in kind.__subclasses__() if child.__module__.startswith(errors.__name__)]
    return [kind, *(leaf for child in own for leaf in _tree(child))]


def _name(kind: type[Failure]) -> str:
    return kind.__name__


# retry, breaker, falls back, the caller's: y or n each, s for once with the secret read again
EXPECTED = {
    "nnny": """ConfigInvalid RequestFailure InvalidRequest RequestTooLarge UnsupportedMediaType InvalidApiKey
        HostNotAllowed OriginNotAllowed RouteNotFound MethodNotAllowed ReadOnly RemovalRefused ModelNotFound
        ModelFileNotFound EndpointNotFound NoneMatched ContextTooLong UpstreamForbidden UpstreamBadRequest
        ContentFiltered CapabilityMissing DownloadNotFound BackendNotFound""",
    "nnnn": """Failure CatalogFailure HeaderUnreadable RemoteFailure RemoteRefused RemoteUnreachable
        StoreUnavailable ModelRuntimeError RoutingError EngineStopping Internal ProbeFailure DriverMissing
        ProxyFailure PortInUse BindRefused InstanceRunning BudgetExceeded
        DiskFull FileCorrupt BackendError""",
    "nnyn": """ModelLoading ModelNotReady AdmissionTimeout QueueFull NoRoom NoModelsAvailable EndpointNotReady
        SpawnFailed ServerMissing LaunchRejected NotEnoughGpus NoGpuNodes OutOfMemory LoadCancelled
        HealthCheckFailed StartTimedOut
        PolicyRefusal RateLimitExceeded CapacityExhausted QueueTimeout CircuitOpen RequestLoop""",
    "yyyn": """UpstreamFailure UpstreamUnreachable UpstreamCrashed UpstreamProtocolError UpstreamTimedOut
        UpstreamServerError""",
    "ynyn": "UpstreamRateLimited",
    "snyn": "UpstreamUnauthorized",
}
_RETRY = {"y": Retry.YES, "n": Retry.NO, "s": Retry.WITH_NEW_SECRET}


def test_the_table_is_whole_and_says_what_is_expected() -> None:
    expected = {
        name: Outcome(_RETRY[row[0]], row[1] == "y", row[2] == "y", row[3] == "y")
        for row, names in EXPECTED.items()
        for name in names.split()
    }

    assert expected == {kind.__name__: outcome for kind, outcome in OUTCOMES.items()}
    assert {kind.__name__ for kind in _tree(Failure)} == set(expected)


@pytest.mark.parametrize("kind", list(OUTCOMES), ids=_name)
def test_rows_do_not_contradict_what_the_client_is_told(kind: type[Failure]) -> None:
    outcome = OUTCOMES[kind]

    assert (kind.error_type == "invalid_request_error") == outcome.is_the_callers
    assert (400 <= kind.status < 500 and kind.status != 429) == outcome.is_the_callers
    if outcome.is_the_callers:
        assert Outcome(is_the_callers=True) == outcome
    if outcome.counts_for_breaker or outcome.retry is not Retry.NO:
        assert issubclass(kind, errors.UpstreamFailure)
        assert kind.retryable
        assert outcome.falls_back
    if kind.status == 429:
        assert not outcome.counts_for_breaker


def test_a_kind_of_another_room_has_the_outcome_of_its_parent() -> None:
    class Vanished(errors.UpstreamCrashed):
        pass

    assert OUTCOMES[errors.UpstreamCrashed] == outcome_of(Vanished())
    assert OUTCOMES[errors.ContentFiltered] == outcome_of(errors.ContentFiltered())


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (200, "", None),
        (400, "", errors.UpstreamBadRequest),
        (400, "content_filter", errors.ContentFiltered),
        (401, "", errors.UpstreamUnauthorized),
        (403, "", errors.UpstreamForbidden),
        (404, "", None),
        (422, "content_filter", None),
        (429, "", errors.UpstreamRateLimited),
        (500, "", errors.UpstreamServerError),
        (501, "", None),
        (503, "", errors.UpstreamServerError),
        (599, "", errors.UpstreamServerError),
    ],
)
def test_what_an_upstream_status_means(status: int, code: str, expected: type[Failure] | None) -> None:
    assert expected is upstream_kind(status, code)
