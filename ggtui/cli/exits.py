"""Exit codes, and which failure ends with which."""

from __future__ import annotations

from enum import IntEnum

from ggtui.core.errors import (
    ConfigInvalid,
    Failure,
    ProbeFailure,
    ProxyFailure,
    ServerMissing,
    StoreUnavailable,
)


class ExitCode(IntEnum):
    """What the caller's shell sees."""

    DONE = 0
    FAILED = 1
    """Asked and failed: a load, a target that crashed."""
    USAGE = 2
    """A wrong flag or setting, or no terminal."""
    ENVIRONMENT = 3
    """Port, binary, driver, storage, no running ggtui."""
    DOES_NOT_FIT = 4
    INTERRUPTED = 130


class WrongUse(Failure):
    """Words of the command line that do not go together; the hint shows how they do."""

    title = "Wrong use"
    exit_code = ExitCode.USAGE


def exit_code(failure: Failure) -> ExitCode:
    """The code a failure ends with; a failure of the command line's own brings its code along."""
    own = getattr(failure, "exit_code", None)
    if isinstance(own, ExitCode):
        return own
    if isinstance(failure, ConfigInvalid):
        return ExitCode.USAGE
    if isinstance(failure, (ProxyFailure, ServerMissing, ProbeFailure, StoreUnavailable)):
        return ExitCode.ENVIRONMENT
    return ExitCode.FAILED
