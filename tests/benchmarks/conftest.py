"""One tiny bench for all families: its targets are started once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from benchmarks.bench import Bench
from benchmarks.scale import TINY

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Everything in its smallest form; with a real llama-server where one is named."""
    binary = os.environ.get("GGTUI_TEST_LLAMA_SERVER")
    with Bench(TINY, tmp_path_factory.mktemp("bench"), binary) as one:
        yield one
