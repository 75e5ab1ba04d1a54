"""Every family of rows runs in its smallest form and gives the figures it is there for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.families import FAMILIES

if TYPE_CHECKING:
    from benchmarks.bench import Bench
    from benchmarks.figures import Figure

FAST = {"direct", "ggtui"}
EXPECTED: dict[str, tuple[set[str], set[str]]] = {
    "small": (FAST, {"requests/s", "p50", "p99", "added p50"}),
    "queue": ({"ggtui", "4 slots"}, {"requests/s", "p99", "CPU per call"}),
    "policies": ({"without", "policies"}, {"requests/s", "p50", "CPU per call"}),
    "large": (FAST, {"requests/s", "p50", "p99", "added p50"}),
    "paced": (FAST, {"added first byte p50", "chunk p99", "added chunk p50", "CPU per chunk"}),
    "unpaced": (FAST, {"chunks/s"}),
    "swaps": ({"ggtui embedded"}, {"end to end p50", "end to end p99", "stop p50", "spawn and rest p50"}),
    "readiness": ({"ggtui"}, {"end to end p50", "lag, ready to asked p50"}),
    "memory": ({"ggtui"}, {"resident", "kept above idle"}),
    "screen": ({"headless", "screen"}, {"p99", "resident"}),
}
"""Targets and measures that must be there, with or without a real llama-server."""


def measured(bench: Bench, name: str) -> list[Figure]:
    return next(family for family in FAMILIES if family.name == name).measure(bench)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_family_gives_its_figures(bench: Bench, name: str) -> None:
    figures = measured(bench, name)
    targets, measures = EXPECTED[name]

    assert targets <= {figure.target for figure in figures}
    assert measures <= {figure.measure for figure in figures}


def test_no_stream_of_a_crowd_is_lost(bench: Bench) -> None:
    figures = measured(bench, "crowd")
    whole = [figure for figure in figures if figure.measure == "whole streams"]

    assert [float(bench.scale.crowd)] * 2 == [figure.value for figure in whole]


def test_a_failed_launch_is_one_process_and_its_cause_comes_after_the_exit(bench: Bench) -> None:
    figures = measured(bench, "failures")
    engines = 1 if bench.llama_server is None else 2
    attempts = [figure.value for figure in figures if figure.measure == "processes per request"]
    after = [figure.value for figure in figures if figure.measure == "from the exit to the cause"]

    assert [1.0] * 2 * engines == attempts
    assert 2 * engines == len([value for value in after if value > 0])


def test_the_real_engine_is_asked_three_ways(bench: Bench) -> None:
    if bench.llama_server is None:
        pytest.skip("GGTUI_TEST_LLAMA_SERVER names no llama-server")

    assert {"direct", "ggtui", "router"} == {figure.target for figure in measured(bench, "engine")}


def test_without_a_real_engine_it_is_not_asked(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "llama_server", None)

    assert [] == measured(bench, "engine")
