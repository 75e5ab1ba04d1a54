"""The forecast against the engine's own log, for a tiny model of each of several architectures."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import ggtui
from ggtui.adapters.gguf.facts import facts_of
from ggtui.adapters.gguf.header import read_header
from ggtui.core.memory.log_lines import LoadLog
from ggtui.core.memory.plan import MemoryPlan
from ggtui.core.memory.request import LoadRequest
from ggtui.core.models import KvType, ModelSummary
from ggtui.core.units import MIB
from tests.architectures import ARCHITECTURES, tiny_architecture

if TYPE_CHECKING:
    from ggtui.core.memory.parts import DeviceShare

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("xllamacpp") is None, reason="the embedded engine (xllamacpp) is not installed"
)
N_CTX = 4000
PRECISION = MIB / 100
"""The log has two digits behind the point."""
LAUNCHES = {
    "shared": (("-np", "4", "-kvu", "-c", str(N_CTX)), LoadRequest(n_parallel=4)),
    "apart": (
        ("-np", "2", "-no-kvu", "-c", str(2 * N_CTX), "-ctk", "q8_0", "-ctv", "q8_0", "-ub", "256"),
        LoadRequest(
            n_parallel=2,
            kv_unified=False,
            cache_type_k=KvType.Q8_0,
            cache_type_v=KvType.Q8_0,
            n_ubatch=256,
        ),
    ),
}


def _logged(path: Path, flags: tuple[str, ...]) -> DeviceShare:
    """What the engine's log tells of a load of this file."""
    command = [sys.executable, "-m", "ggtui.engine", "-m", str(path), "--port", "0", "-lv", "4", *flags]
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(ggtui.__file__).parent.parent)}
    log, seen = LoadLog(), []
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environ) as engine:
        assert engine.stderr is not None
        for line in engine.stderr:
            seen.append(line)
            log.hear(line)
            if log.is_told:
                break
        engine.kill()
    assert log.is_told, "".join(seen[-15:])
    (host,) = log.shares()
    return host


def _predicted(path: Path, request: LoadRequest) -> DeviceShare:
    facts = facts_of(read_header(path), path.name)
    model = ModelSummary(
        1, "m", "m", facts.architecture, path.stat().st_size, shape=facts.shape, weights=facts.weights
    )
    (host,) = MemoryPlan(model, request).shares(N_CTX)
    return host


@pytest.mark.parametrize("launch", LAUNCHES)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_part_is_what_the_engine_says(tmp_path: Path, architecture: str, launch: str) -> None:
    path = tiny_architecture(tmp_path / f"{architecture}.gguf", architecture)
    flags, request = LAUNCHES[launch]

    logged, predicted = _logged(path, flags), _predicted(path, request)

    for part in ("weights_bytes", "kv_bytes", "state_bytes", "output_bytes"):
        assert getattr(predicted, part) == pytest.approx(getattr(logged, part), abs=PRECISION), part
    assert predicted.compute_bytes == pytest.approx(logged.compute_bytes, abs=2 * MIB)
