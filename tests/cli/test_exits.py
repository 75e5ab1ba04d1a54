"""Which failure ends with which code."""

from __future__ import annotations

import pytest

from ggtui.cli.exits import ExitCode, exit_code
from ggtui.core.errors import (
    BindRefused,
    ConfigInvalid,
    DriverMissing,
    Failure,
    InstanceRunning,
    ModelNotFound,
    OutOfMemory,
    PortInUse,
    ServerMissing,
    StoreUnavailable,
)


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (ConfigInvalid(), 2), (PortInUse(), 3), (BindRefused(), 3), (InstanceRunning(), 3),
        (ServerMissing("x"), 3), (DriverMissing(), 3), (StoreUnavailable(), 3), (ModelNotFound("m"), 1),
        (OutOfMemory("x"), 1), (Failure(), 1),
    ],
)  # fmt: skip
def test_a_failure_has_its_code(failure: Failure, code: int) -> None:
    assert code == exit_code(failure)


def test_a_failure_of_the_command_line_brings_its_own_code() -> None:
    class Own(Failure):
        exit_code = ExitCode.DOES_NOT_FIT

    assert ExitCode.DOES_NOT_FIT == exit_code(Own())
