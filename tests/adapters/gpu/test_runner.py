"""Short programs: their output, or nothing."""

from __future__ import annotations

import sys

import pytest

from ggtui.adapters.gpu import runner
from ggtui.adapters.gpu.runner import run_program


def test_the_output_of_a_program_in_the_given_environment() -> None:
    program = "import os, sys; print(os.environ['GIVEN']); sys.stderr.write('noise')"

    assert "yes\n" == run_program([sys.executable, "-c", program], {"GIVEN": "yes"})


@pytest.mark.parametrize("command", [["/no/such/program"], [sys.executable, "-c", "raise SystemExit(3)"]])
def test_a_program_that_cannot_be_run_or_fails_gives_nothing(command: list[str]) -> None:
    assert run_program(command) is None


def test_a_program_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "LIMIT_S", 0.05)

    assert run_program([sys.executable, "-c", "import time; time.sleep(60)"]) is None
