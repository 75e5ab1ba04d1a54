"""`python -m benchmarks.load`: a job per line in, its result per line out."""

from __future__ import annotations

import gc
import sys

import msgspec
import uvloop

from benchmarks.load.calls import call
from benchmarks.load.jobs import CallJob, Job
from benchmarks.load.streams import stream


def main() -> None:
    """Work until the input ends."""
    decoder = msgspec.json.Decoder[Job](Job)
    gc.disable()  # a collection would show up as somebody else's latency
    for line in sys.stdin.buffer:
        job = decoder.decode(line)
        result = uvloop.run(call(job)) if isinstance(job, CallJob) else uvloop.run(stream(job))
        sys.stdout.buffer.write(msgspec.json.encode(result) + b"\n")
        sys.stdout.buffer.flush()
        gc.collect()


if __name__ == "__main__":
    main()
