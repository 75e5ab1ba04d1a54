"""Every failure of the runtime port has the status, code and retryability that clients rely on."""

from __future__ import annotations

import pytest

from ggtui.core import errors
from ggtui.core.errors import Failure, ModelRuntimeError, RequestFailure


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
    "OutOfMemory": (500, "model_start_failed"),
    "LoadCancelled": (503, "load_cancelled"),
    "HealthCheckFailed": (500, "health_check_failed"),
    "StartTimedOut": (500, "health_check_failed"),
    "Internal": (500, "internal_error"),
}


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


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = errors.__doc__ or ""

    assert [] == [kind.__name__ for kind in _leaves(Failure) if kind.__name__ not in drawn]
