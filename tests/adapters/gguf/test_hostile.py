"""No file hangs the reader, fills the memory or ends in another way than with a sentence."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SEED = 20_260
N_MUTANTS = 10_000
GUARD_S = 60.0
LONGEST_S = 10.0
"""Five times what one header may take, so that a busy machine does not fail the test."""

pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc to bound memory")


def test_crafted_files_and_ten_thousand_mutants_end_in_one_way(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.adapters.gguf.hostile", str(tmp_path), str(SEED), str(N_MUTANTS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=GUARD_S, check=True)
    told = json.loads(done.stdout)

    assert {"read", "refused"} == set(told["ends"]), f"seed {SEED}"
    assert N_MUTANTS + told["crafted"] == sum(told["ends"].values())
    assert N_MUTANTS // 10 < told["ends"]["refused"]
    assert told["slowest_s"] < LONGEST_S
