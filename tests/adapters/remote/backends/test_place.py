"""Where the paths of a backend's own API lie."""

from __future__ import annotations

import pytest

from ggtui.adapters.remote.backends.place import place_of
from ggtui.core.backends.backend import BackendType
from ggtui.core.errors import RemoteRefused
from tests.adapters.remote.backends.looking import backend_of

HOME = "https://generativelanguage.googleapis.com:443"


@pytest.mark.parametrize(
    ("type", "url", "models"),
    [
        (BackendType.VLLM, "http://box:8000", "http://box:8000/v1/models"),
        (BackendType.VLLM, "http://box:8000/api/v2", "http://box:8000/api/v2/models"),
        (BackendType.VLLM, "http://box/?token=7", "http://box:80/v1/models?token=7&page=1"),
        (BackendType.GGTUI, "https://box/llm/v1", "https://box:443/llm/v1/models"),
        (BackendType.OPENAI, "", "https://api.openai.com:443/v1/models"),
        (BackendType.OPENAI, "http://box:1234", "http://box:1234/models"),
        (BackendType.OPENAI, "http://box:1234/v1/", "http://box:1234/v1/models"),
        (BackendType.GEMINI, "", f"{HOME}/v1beta/models"),
        (BackendType.GEMINI, f"{HOME}/v1beta/openai", f"{HOME}/v1beta/models"),
        (BackendType.GEMINI, f"{HOME}/v1", f"{HOME}/v1/models"),
    ],
)
def test_the_list_of_models(type: BackendType, url: str, models: str) -> None:
    query = "page=1" if "?" in url else ""

    assert models == place_of(backend_of(type, url)).below_version("/models", query).url


@pytest.mark.parametrize("path", ["", "/v1", "/api/"])
def test_paths_beside_the_version(path: str) -> None:
    place = place_of(backend_of(BackendType.OLLAMA, f"http://192.168.1.9:11434{path}"))

    assert "http://192.168.1.9:11434/api/tags" == place.below_root("/api/tags").url


@pytest.mark.parametrize(
    "url", ["", "box:8000", "file:///etc/passwd", "http://", "http://me:pw@box", "http://box:x"]
)
def test_what_nobody_can_ask(url: str) -> None:
    with pytest.raises(RemoteRefused):
        place_of(backend_of(BackendType.VLLM, url))
