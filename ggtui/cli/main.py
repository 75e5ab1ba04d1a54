"""The entry: reads the flags, hands over to one command, turns every failure into words and an exit code."""

from __future__ import annotations

import importlib
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from ggtui.cli.call import Call
    from ggtui.cli.exits import ExitCode
    from ggtui.cli.output import Output
    from ggtui.core.errors import Failure

_LOG = logging.getLogger(__name__)

INTERRUPTED: Final = 130
"""ExitCode.INTERRUPTED, for whoever presses ctrl-c before that is imported."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; returns the exit code.

    Raises: SystemExit for --help, --version and mistakes in the flags.
    """
    try:
        from ggtui.cli.arguments import parse

        return _guarded(parse(argv))
    except KeyboardInterrupt:
        return INTERRUPTED


def _guarded(arguments: argparse.Namespace) -> int:
    from ggtui.cli.exits import ExitCode
    from ggtui.cli.output import Output
    from ggtui.core.errors import Failure, Internal

    out = Output(is_json=arguments.json, is_ascii=arguments.ascii)
    try:
        return _run(arguments, out)
    except Failure as failure:
        return _told(failure, out)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Exception as error:  # the last line of defence: a person never sees a traceback
        _LOG.debug("command failed", exc_info=True)
        return _told(Internal(type(error).__name__), out)


def _told(failure: Failure, out: Output) -> ExitCode:
    """Say it, unless the one who would read it has gone: that is no failure."""
    from ggtui.cli.exits import ExitCode, exit_code
    from ggtui.cli.output import FailureWords, OutputLost

    if isinstance(failure, OutputLost) and isinstance(failure.__cause__, BrokenPipeError):
        return ExitCode.DONE
    with suppress(OutputLost):
        out.failure(FailureWords.of(failure))
    return exit_code(failure)


def _run(arguments: argparse.Namespace, out: Output) -> ExitCode:
    from ggtui.cli.call import Call

    logging.getLogger("ggtui").addHandler(logging.NullHandler())
    return _command(arguments)(Call(arguments, out))


def _command(arguments: argparse.Namespace) -> Callable[[Call], ExitCode]:
    name = arguments.command or ("serve" if arguments.proxy_only else "screen")
    run: Callable[[Call], ExitCode] = importlib.import_module(f"ggtui.cli.commands.{name}").run
    return run
