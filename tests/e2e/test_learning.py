"""A load is compared with its forecast, and the next forecast knows what it taught."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tests.e2e.instance import GUARD_S, Instance, running

if TYPE_CHECKING:
    from pathlib import Path

LOG_STEP = 0.01 * 1024 * 1024
"""The engine's log tells buffers to a hundredth of a MiB."""


def _load_of(one: Instance) -> dict[str, Any]:
    """What the running target's load took, once that is known."""
    deadline = time.monotonic() + GUARD_S
    while (load := one.target()["load"]) is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert isinstance(load, dict)
    return load


def _verbosity(one: Instance) -> str:
    argv = one.target()["argv"]
    return argv[argv.index("-lv") + 1] if "-lv" in argv else ""


def test_a_load_teaches_the_next_forecast(demo_models: Path, tmp_path: Path, engine_flag: str) -> None:
    data_dir = tmp_path / "data"
    flags = ("--llama-server", engine_flag, "--ctx", "2048")
    with running(demo_models, data_dir, *flags) as one:
        name = one.get("/v1/models")["data"][0]["id"]
        assert 200 == one.post("/ggtui/load", {"model": name}).status_code
        first = _load_of(one)
        shares = {share["name"]: share for share in first["devices"]}

        assert "4" == _verbosity(one)
        assert {"CPU"} == set(shares)
        assert shares["CPU"]["weights_bytes"] > 0
        assert shares["CPU"]["kv_bytes"] > 0
        assert shares["CPU"]["compute_bytes"] > 0

        assert 200 == one.post("/ggtui/stop", {}).status_code
        assert 200 == one.post("/ggtui/load", {"model": name}).status_code
        assert first == _load_of(one)  # the same load has told before
        assert "" == _verbosity(one)

    with running(demo_models, data_dir, *flags) as one:  # what was learned is kept
        assert 200 == one.post("/ggtui/load", {"model": name, "num_ctx": 4096}).status_code
        again = _load_of(one)

    n_lines = 5
    assert abs(again["predicted_bytes"] - again["actual_bytes"]) <= max(
        n_lines * LOG_STEP, 0.01 * again["actual_bytes"]
    )
    assert abs(again["difference"]) <= abs(first["difference"]) + 0.001
