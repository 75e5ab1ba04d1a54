"""Runs one server until it is told to end: the embedded engine's main program."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Any

from ggtui.engine import command_line, lifeline
from ggtui.engine.flags import FLAGS

if TYPE_CHECKING:
    from collections.abc import Sequence

PUSH_VARIABLE = "LLAMA_SERVER_ROUTER_PORT"
"""Set by whoever wants progress on stdout and ends the server through stdin."""

MISSING_WHEEL = (
    "error: the embedded engine is not installed: pip install 'ggtui[engine]', "
    "or put llama-server on the PATH"
)


def main(arguments: Sequence[str]) -> int:
    """Serve until a signal, the exit line or the end of stdin; the value is the exit status."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the load holds the GIL: no Python handler would run
    try:
        request = command_line.parse(arguments)
        if request.question:
            return _answer(request.question, _wheel())
        real_stdin = lifeline.hold() if os.environ.get(PUSH_VARIABLE) else None
        xllamacpp = _wheel()
        params = xllamacpp.CommonParams()
        command_line.apply(request, xllamacpp, params)
    except (command_line.BadArgument, ImportError) as error:
        return _complain(str(error))
    return _serve(xllamacpp, params, real_stdin)


def _wheel() -> Any:
    """The xllamacpp module.

    Raises: ImportError with one line that says what to do.
    """
    try:
        import xllamacpp
    except ModuleNotFoundError as error:
        if error.name != "xllamacpp":
            raise
        raise ImportError(MISSING_WHEEL) from error
    except ImportError as error:
        raise ImportError(f"error: the embedded engine cannot be loaded: {error}") from error
    return xllamacpp


def _serve(xllamacpp: Any, params: Any, real_stdin: int | None) -> int:
    if not params.model.path:
        return _complain("error: --model is required")
    try:
        _server = xllamacpp.Server(params)  # it serves for as long as this name holds it
    except (RuntimeError, OSError, MemoryError, ValueError) as error:
        return _complain(f"error: {str(error) or type(error).__name__}")
    _wait_for_signal()
    # Native threads may still be generating; nothing of theirs needs unwinding.
    os._exit(0 if real_stdin is None else lifeline.exit_status(real_stdin))


def _wait_for_signal() -> None:
    """Block until SIGTERM or SIGINT. The wake-up pipe leaves no gap between handler and wait."""
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: None)
    os.read(wake_read, 1)


def _answer(question: str, xllamacpp: Any) -> int:
    if question == "--version":
        build = getattr(xllamacpp, "BUILD_INFO", {})
        built = f"built with {build.get('compiler', '?')} for {build.get('build_target', '?')}"
        sys.stderr.write(f"version: xllamacpp {xllamacpp.__version__}\n{built}\n")
    elif question == "--list-devices":
        sys.stdout.write("\n".join(["Available devices:", *_devices(xllamacpp)]) + "\n")
    else:
        names = ("  " + ", ".join(flag.names) for flag in FLAGS)
        sys.stdout.write("\n".join(["usage: python -m ggtui.engine [flags]", "", *names]) + "\n")
    return 0


def _devices(xllamacpp: Any) -> list[str]:
    """Accelerators in llama-server's form; the CPU is no device there."""
    mib = 1024 * 1024
    lines = [
        f"  {device['name']}: {device['description']} "
        f"({device['memory_total'] // mib} MiB, {device['memory_free'] // mib} MiB free)"
        for device in xllamacpp.get_device_info()
        if not device["type"].name.endswith("_CPU")
    ]
    return lines or ["  (none)"]


def _complain(text: str) -> int:
    sys.stderr.write(text + "\n")
    return 1
