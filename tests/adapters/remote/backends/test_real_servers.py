"""The real ones: the embedded engine, llama-server alone and as a router, and another ggtui."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from ggtui.adapters.gguf.demo import write_demo_models
from ggtui.core.backends.backend import BackendType
from tests.adapters.remote.backends.looking import KEY, backend_of, error, look
from tests.e2e.instance import GUARD_S, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LISTENS = re.compile(r"listening on (http://127\.0\.0\.1:\d+)")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_demo_models(folder)
    return folder


@pytest.fixture
def binary() -> str:
    path = os.environ.get("GGTUI_TEST_LLAMA_SERVER")
    if path is None:
        pytest.skip("GGTUI_TEST_LLAMA_SERVER names no llama-server")
    return path


@contextmanager
def serving(*command: str) -> Iterator[str]:
    """A server on a free port, by its URL."""
    whole = [*command, "--host", "127.0.0.1", "--port", "0"]
    with subprocess.Popen(whole, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout is not None
            found = next(match[1] for line in process.stdout if (match := _LISTENS.search(line)))
            yield found
        finally:
            process.kill()


@pytest.mark.llama
def test_a_llama_server_with_a_key_and_two_names(binary: str, models: Path) -> None:
    flags = ["-m", str(models / "demo-alpha.gguf"), "--alias", "one,two", "-c", "1024", "--api-key", KEY]
    with serving(binary, *flags) as url:
        found = look(backend_of(BackendType.LLAMA_SERVER, url, "two"), KEY)
        refused = error(backend_of(BackendType.LLAMA_SERVER, url))

    assert [("one", "", 1024, True), ("two", "one", 1024, True)] == [
        (each.name, each.model, each.context_length, each.is_loaded) for each in found
    ]
    assert refused.startswith("Unexpected status: 401 ")
    assert "Invalid API Key" in refused


@pytest.mark.llama
def test_a_router_loads_nothing_because_it_is_looked_at(binary: str, models: Path) -> None:
    with serving(binary, "--models-dir", str(models), "-c", "512") as url:
        backend = backend_of(BackendType.LLAMA_ROUTER, url)
        before = look(backend)
        httpx.post(f"{url}/models/load", json={"model": "demo-beta"}, timeout=GUARD_S, trust_env=False)
        body = {"model": "demo-beta", "messages": [{"role": "user", "content": "a"}], "max_tokens": 1}
        httpx.post(f"{url}/v1/chat/completions", json=body, timeout=GUARD_S, trust_env=False)
        after = look(backend)

    assert [("demo-alpha", False, 0), ("demo-beta", False, 0)] == [
        (each.name, each.is_loaded, each.context_length) for each in before
    ]
    assert [("demo-alpha", False, 0), ("demo-beta", True, 512)] == [
        (each.name, each.is_loaded, each.context_length) for each in after
    ]


def test_the_embedded_engine_as_a_server_of_its_own(models: Path) -> None:
    flags = ["-m", str(models / "demo-alpha.gguf"), "--alias", "alpha", "-c", "1024"]
    with serving(sys.executable, "-m", "ggtui.engine", *flags) as url:
        (found,) = look(backend_of(BackendType.LLAMA_SERVER, url))

    assert ("alpha", 1024, True) == (found.name, found.context_length, found.is_loaded)


def test_another_ggtui_and_its_key(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GGTUI_API_KEY", KEY)
    with running(models, tmp_path / "data", "--llama-server", "embedded") as other:
        backend = backend_of(BackendType.GGTUI, other.url)
        found = look(backend, KEY)
        refused = error(backend)

    assert [("demo-alpha-f32", True, False, 8192), ("demo-beta-f32", True, False, 8192)] == [
        (each.name, each.can_chat, each.can_embed, each.context_length) for each in found
    ]
    assert refused.startswith("Unexpected status: 401 ")
