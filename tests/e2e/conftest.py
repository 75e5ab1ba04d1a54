"""A whole ggtui for the tests: its own process, models on disk, a real engine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from ggtui.adapters.gguf.demo import write_demo_models
from tests.e2e.instance import Instance, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def engines() -> list[Any]:
    """The engines of this machine: always the embedded one, a real binary where one is named."""
    real = os.environ.get("GGTUI_TEST_LLAMA_SERVER")
    reason = "GGTUI_TEST_LLAMA_SERVER names no llama-server"
    marks = [pytest.mark.llama, pytest.mark.skipif(real is None, reason=reason)]
    return [pytest.param("embedded", id="embedded"), pytest.param(real, id="llama-server", marks=marks)]


@pytest.fixture(scope="session")
def demo_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sound models and one whose file is cut."""
    folder = tmp_path_factory.mktemp("models")
    first, *_ = write_demo_models(folder)
    whole = first.read_bytes()
    (folder / "broken-q4_0.gguf").write_bytes(whole[: len(whole) // 2])
    return folder


@pytest.fixture(scope="session", params=engines())
def engine_flag(request: pytest.FixtureRequest) -> str:
    """What `--llama-server` is given."""
    return str(request.param)


@pytest.fixture(scope="session")
def instance(
    engine_flag: str, demo_models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Instance]:
    """One ggtui shared by the tests that leave it serving."""
    data_dir = tmp_path_factory.mktemp("shared") / "data"
    with running(demo_models, data_dir, "--llama-server", engine_flag) as one:
        yield one


@pytest.fixture
def model_ids(instance: Instance) -> list[str]:
    """Ids of the sound models, as /v1/models lists them."""
    return [entry["id"] for entry in instance.get("/v1/models")["data"] if "broken" not in entry["id"]]
