"""Every failure of the runtime port has the status, code and retryability that clients rely on."""

from __future__ import annotations

import math

import pytest

from ggtui.core import errors
from ggtui.core.errors import Failure, ModelRuntimeError, PolicyRefusal, RequestFailure, UpstreamFailure


def _leaves(kind: type[Failure]) -> list[type[Failure]]:
    """The kind and all below it, of the tree itself; other rooms may add leaves of their own."""
    own = [child for child in kind.__subclasses__() if child.__module__.startswith(errors.__name__)]
    return [kind, *(leaf for child in own for leaf in _leaves(child))]


RUNTIME_MAP = {
    "ModelRuntimeError": (500, "internal_error"),
    "ModelNotFound": (404, "model_not_found"),
    "ModelFileNotFound": (404, "model_file_not_found"),
    "RoutingError": (500, "internal_error"),
    "EndpointNotFound": (404, "model_not_found"),
    "NoneMatched": (404, "model_not_found"),
    "EndpointNotReady": (503, "model_not_ready"),
    "ContextTooLong": (400, "context_length_exceeded"),
    "NoModelsAvailable": (503, "no_models_available"),
    "ModelLoading": (503, "model_loading"),
    "AdmissionTimeout": (503, "admission_timeout"),
    "ModelNotReady": (503, "model_not_ready"),
    "QueueFull": (429, "capacity_exhausted"),
    "NoRoom": (503, "no_room"),
    "EngineStopping": (503, "stopping"),
    "SpawnFailed": (500, "model_start_failed"),
    "ServerMissing": (500, "model_start_failed"),
    "LaunchRejected": (500, "model_start_failed"),
    "NotEnoughGpus": (500, "model_start_failed"),
    "NoGpuNodes": (500, "model_start_failed"),
    "OutOfMemory": (500, "model_start_failed"),
    "LoadCancelled": (503, "load_cancelled"),
    "HealthCheckFailed": (500, "health_check_failed"),
    "StartTimedOut": (500, "health_check_failed"),
    "Internal": (500, "internal_error"),
}

UPSTREAM_MAP = {
    "UpstreamFailure": (502, "server_error", "upstream_error"),
    "UpstreamUnreachable": (502, "server_error", "upstream_unreachable"),
    "UpstreamCrashed": (502, "server_error", "upstream_crashed"),
    "UpstreamProtocolError": (502, "server_error", "upstream_error"),
    "UpstreamTimedOut": (504, "server_error", "upstream_timeout"),
    "UpstreamServerError": (502, "server_error", "upstream_error"),
    "UpstreamRateLimited": (429, "rate_limit_error", "rate_limited"),
    "UpstreamUnauthorized": (502, "server_error", "upstream_unauthorized"),
    "UpstreamForbidden": (403, "invalid_request_error", "upstream_forbidden"),
    "RequestLoop": (508, "server_error", "request_loop"),
    "UpstreamBadRequest": (400, "invalid_request_error", "upstream_bad_request"),
    "ContentFiltered": (400, "invalid_request_error", "content_filter"),
}

POLICY_MAP = {
    "PolicyRefusal": (429, "rate_limit_error", "rate_limit_exceeded"),
    "RateLimitExceeded": (429, "rate_limit_error", "rate_limit_exceeded"),
    "CapacityExhausted": (429, "overloaded_error", "capacity_exhausted"),
    "QueueTimeout": (503, "service_unavailable", "queue_timeout"),
    "CircuitOpen": (503, "service_unavailable", "circuit_open"),
    "BudgetExceeded": (429, "budget_error", "budget_exceeded"),
}


@pytest.mark.parametrize(("root", "expected"), [(UpstreamFailure, UPSTREAM_MAP), (PolicyRefusal, POLICY_MAP)])
def test_what_clients_are_told_of_upstreams_and_policies(
    root: type[Failure], expected: dict[str, tuple[int, str, str]]
) -> None:
    actual = {kind.__name__: (kind.status, kind.error_type, kind.code) for kind in _leaves(root)}

    assert expected == actual


def test_the_runtime_map_is_whole() -> None:
    actual = {kind.__name__: (kind.status, kind.code) for kind in _leaves(ModelRuntimeError)}

    assert RUNTIME_MAP == actual


@pytest.mark.parametrize("kind", _leaves(ModelRuntimeError), ids=lambda kind: str(kind.__name__))
def test_retryable_is_503_is_service_unavailable(kind: type[Failure]) -> None:
    assert kind.retryable == (kind.status == 503) == (kind.error_type == "service_unavailable")


@pytest.mark.parametrize("kind", _leaves(RequestFailure), ids=lambda kind: str(kind.__name__))
def test_a_bad_request_is_the_clients_and_is_not_repeated(kind: type[Failure]) -> None:
    assert 400 <= kind.status < 500
    assert not kind.retryable


def test_messages_clients_match() -> None:
    assert "Model not found: x" == errors.ModelNotFound("x").message
    assert "Model is loading, try again" == errors.ModelLoading().message
    assert "Failed to start model: no" == errors.SpawnFailed("no").message
    assert "Health check failed: no" == errors.HealthCheckFailed("no").message
    assert "Model file not found: x" == errors.ModelFileNotFound("x").message
    assert "Internal error: no" == errors.Internal("no").message
    assert "engine queue full" == errors.CapacityExhausted("x", retry_after_s=1, is_queue_full=True).message


def test_when_to_come_again_is_always_a_number_of_seconds() -> None:
    assert 1.5 == errors.CircuitOpen("x", retry_after_s=1.5).retry_after_s
    assert 0.0 == errors.QueueTimeout("x", 30.0, retry_after_s=-1.0).retry_after_s
    assert 60.0 == errors.RateLimitExceeded("x", "tokens_per_minute", retry_after_s=math.inf).retry_after_s
    assert errors.UpstreamRateLimited().retry_after_s is None


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = errors.__doc__ or ""

    assert [] == [kind.__name__ for kind in _leaves(Failure) if kind.__name__ not in drawn]
