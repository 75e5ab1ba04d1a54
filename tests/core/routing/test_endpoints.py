"""Names and endpoints as plain values."""

from __future__ import annotations

import pytest

from ggtui.core.routing.endpoints import EndpointStatus, ModelEndpoint, ModelId


@pytest.mark.parametrize(
    ("text", "is_base", "adapter"),
    [
        ("qwen", True, None),
        ("qwen:code", False, "code"),
        ("a:b:c", False, "b:c"),
        ("qwen:", False, ""),
        (":code", False, "code"),
        ("", True, None),
    ],
)
def test_the_text_of_a_name_is_cut_at_its_first_colon(text: str, is_base: bool, adapter: str | None) -> None:
    assert (is_base, adapter) == (ModelId(text).is_base(), ModelId(text).adapter_name())
    assert text == ModelId(text)


def test_only_what_is_ready_is_available() -> None:
    available = {str(status): status.is_available for status in EndpointStatus}

    assert {"ready": True, "loading": False, "error": False, "disabled": False} == available


def test_an_endpoint_of_which_nothing_is_known() -> None:
    endpoint = ModelEndpoint(ModelId("qwen:code"), "qwen")

    assert ("qwen:code", "", None) == (endpoint.display_name, endpoint.description, endpoint.adapter)
    assert (4096, False, EndpointStatus.READY) == (
        endpoint.max_context_length,
        endpoint.is_default,
        endpoint.status,
    )


def test_what_is_given_stays() -> None:
    endpoint = ModelEndpoint(ModelId("qwen:code"), "qwen", display_name="Qwen", adapter="other")

    assert ("Qwen", "other") == (endpoint.display_name, endpoint.adapter)
