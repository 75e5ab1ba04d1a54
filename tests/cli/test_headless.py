"""Serving without a screen: one line on stdout, and signals that are heard the first and the second time."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

GUARD_S = 30
"""No wait lasts longer; nothing is asserted about how long it took."""

URL = "http://127.0.0.1:1/v1"

_PROGRAM = """
import asyncio, logging, sys
from typing import Any
from ggtui.cli import headless
from ggtui.cli.output import FailureWords, Output
from ggtui.core.errors import Failure, StoreUnavailable
from ggtui.services.engine import Engine

how = sys.argv[1]
headless.STOP_LIMIT_S = 3600 if how == "waits" else 0.3
logging.basicConfig(level="INFO", format="%(message)s")

class Part:
    async def start(self):
        if how == "breaks":
            raise StoreUnavailable("no disk")
        if how == "starts-for-ever":
            print("starting", file=sys.stderr, flush=True)
            await asyncio.sleep(3600)

    async def stop(self):
        print("draining", file=sys.stderr, flush=True)
        if how in ("hangs", "waits"):
            await asyncio.sleep(3600)

try:
    sys.exit(headless.serve(Engine(None, [Part()]), "http://127.0.0.1:1/v1", Output(is_json=how == "json")))
except Failure as failure:
    print(failure.detail, file=sys.stderr)
    sys.exit(3)
"""


@contextmanager
def _serving(how: str, *before: str) -> Iterator[subprocess.Popen[str]]:
    command = [*before, sys.executable, "-c", _PROGRAM, how]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def _words(process: subprocess.Popen[str], until: str) -> None:
    """Read stderr up to this line."""
    assert process.stderr is not None
    for line in process.stderr:
        if line == f"{until}\n":
            return
    raise AssertionError(f"never said {until}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_drains_and_ends_with_zero(number: signal.Signals) -> None:
    with _serving("well") as process:
        assert f"{URL}\n" == _line(process)
        process.send_signal(number)
        out, err = process.communicate(timeout=GUARD_S)

        assert (0, "") == (process.returncode, out)
        assert ["draining"] == [line for line in err.splitlines() if line == "draining"]


def test_the_second_signal_does_not_wait() -> None:
    with _serving("waits") as process:
        _line(process)
        process.send_signal(signal.SIGTERM)
        _words(process, until="draining")
        process.send_signal(signal.SIGINT)

        assert 128 + signal.SIGINT == process.wait(GUARD_S)


def test_an_engine_that_hangs_is_left_behind() -> None:
    with _serving("hangs") as process:
        _line(process)
        process.send_signal(signal.SIGTERM)

        assert 0 == process.wait(GUARD_S)


def test_a_signal_during_the_start_ends_it_too() -> None:
    with _serving("starts-for-ever") as process:
        _words(process, until="starting")
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=GUARD_S)

        assert (0, "") == (process.returncode, out)


def test_an_engine_that_does_not_start_is_its_own_failure() -> None:
    with _serving("breaks") as process:
        out, err = process.communicate(timeout=GUARD_S)

        assert (3, "") == (process.returncode, out)
        assert "no disk" == err.splitlines()[-1]


def test_a_hangup_that_was_ignored_stays_ignored() -> None:
    with _serving("well", "sh", "-c", "trap '' HUP; exec \"$@\"", "sh") as process:
        _line(process)
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=GUARD_S)

        assert 0 == process.returncode
        assert f"stopping (signal {signal.SIGTERM:d})" in err.splitlines()


def test_a_script_gets_a_document() -> None:
    with _serving("json") as process:
        document = json.loads(_line(process))

        assert (URL, process.pid) == (document["url"], document["pid"])


def test_it_serves_on_when_nobody_reads_the_url() -> None:
    with _serving("well", "sh", "-c", 'exec "$@" 1>/dev/full', "sh") as process:
        _words(process, until=f"serving at {URL}")
        _words(process, until="nobody reads the standard output: No space left on device")
        process.send_signal(signal.SIGTERM)

        assert 0 == process.wait(GUARD_S)
