"""The command: what it refuses, prints and writes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from benchmarks import __main__ as command
from benchmarks.scale import TINY
from benchmarks.targets import given_target

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.bench import Bench


def test_a_run_prints_its_table_and_writes_it(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "QUICK", TINY)
    file = tmp_path / "run.json"
    beside = f"beside=http://127.0.0.1:{bench.fast_targets[0].port}"
    code = command.main(["--quick", "--only", "unpaced", "--json", str(file), "--target", beside])
    told, written = capsys.readouterr().out, json.loads(file.read_text())

    assert 0 == code
    assert "Streams as fast as they go" in told
    assert {"direct", "ggtui", "beside"} == set(written["families"]["unpaced"][0]["targets"])
    assert {"ggtui/direct", "beside/direct", "ggtui/beside", "beside/ggtui"} == set(
        written["families"]["unpaced"][0]["ratios"]
    )


def test_only_loopback_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == command.main(["--target", "there=http://192.0.2.1:80"])
    assert "only loopback" in capsys.readouterr().err
    for wrong in ("http://127.0.0.1:1", "a=https://127.0.0.1:1", "a=127.0.0.1:1"):
        with pytest.raises(ValueError, match="not NAME="):
            given_target(wrong, "fast")
