"""The load generator as the benchmarks see it: jobs in, results out."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec

from benchmarks.load.jobs import CallJob, CallResult, Job, Result, StreamJob, StreamResult
from benchmarks.processes import ROOT

if TYPE_CHECKING:
    from types import TracebackType


class Disturbed(Exception):
    """A job ended in a way that makes its figures worthless."""


class LoadGenerator:
    """The process, started on entry and ended on exit. One job at a time."""

    def __init__(self) -> None:
        self._decoder: msgspec.json.Decoder[Result] = msgspec.json.Decoder(Result)

    def __enter__(self) -> LoadGenerator:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.load"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def call(self, job: CallJob) -> CallResult:
        """Run a closed loop.

        Raises: Disturbed when an answer was not 200 or did not come.
        """
        result = self._run(job)
        assert isinstance(result, CallResult)
        if result.errors or not result.n:
            raise Disturbed(f"{job.path} on port {job.port}: {result.complaint or 'no answer in time'}")
        return result

    def stream(self, job: StreamJob) -> StreamResult:
        """Run streams; some of them may not be whole."""
        result = self._run(job)
        assert isinstance(result, StreamResult)
        return result

    def _run(self, job: Job) -> Result:
        """Raises: Disturbed when the generator has ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(job) + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise Disturbed("the load generator has ended")
        return self._decoder.decode(line)
