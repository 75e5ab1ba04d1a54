"""The load generator sees what is there, and says so when something is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from benchmarks.load.generator import Disturbed
from benchmarks.load.jobs import CallJob
from benchmarks.processes import free_port
from benchmarks.rows.calls import CHAT
from benchmarks.rows.streams import stream_job, whole_streams

if TYPE_CHECKING:
    from benchmarks.bench import Bench
    from benchmarks.targets import Target


def calls(target: Target, **fields: Any) -> CallJob:
    given: dict[str, Any] = {"path": CHAT, "connections": 2, "seconds": 0.0, "calls_each": 3, **fields}
    return CallJob(host=target.host, port=target.port, document={"model": target.model}, **given)


def test_every_answer_is_counted_once(bench: Bench) -> None:
    for target in bench.fast_targets:
        result = bench.load.call(calls(target))

        assert (6, 0) == (result.n, result.errors)
        assert 0 < result.p50 <= result.p99


def test_a_large_body_arrives(bench: Bench) -> None:
    assert 2 == bench.load.call(calls(bench.ggtui, padding=1_500_000, calls_each=1)).n


def test_a_request_declares_its_whole_body(bench: Bench) -> None:
    head, _, body = calls(bench.ggtui, padding=10, headers={"x-more": "1"}).request().partition(b"\r\n\r\n")

    assert {"model": bench.ggtui.model, "padding": "x" * 10} == msgspec.json.decode(body)
    assert f"content-length: {len(body)}".encode() in head.split(b"\r\n")
    assert b"x-more: 1" in head.split(b"\r\n")


def test_an_answer_that_is_no_success_disturbs(bench: Bench) -> None:
    with pytest.raises(Disturbed, match="status 404"):
        bench.load.call(calls(bench.fast_targets[0], path="/nowhere"))


def test_a_server_that_is_not_there_disturbs_this_job_only(bench: Bench) -> None:
    nobody = CallJob(host="127.0.0.1", port=free_port(), path="/", document={}, connections=1, seconds=0.0)
    with pytest.raises(Disturbed, match="ConnectionRefusedError"):
        bench.load.call(nobody)

    assert 6 == bench.load.call(calls(bench.ggtui)).n


def test_streams_are_whole_or_not(bench: Bench) -> None:
    for target in bench.fast_targets:
        result = whole_streams(bench, stream_job(target, 3, 5, 1_000, 0.0))

        assert (15, 3, "") == (result.chunks, result.whole, result.complaint)
        assert result.delay_p50 > 0

    job = stream_job(bench.ggtui, 2, 5, 1_000, 0.0)
    short = msgspec.structs.replace(job, chunks=6)
    with pytest.raises(Disturbed, match=r"2 of 2 streams: 5 of 6 chunks"):
        whole_streams(bench, short)
