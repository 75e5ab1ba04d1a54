"""What is known of a model, and what its loads took beside what was forecast."""

from __future__ import annotations

from dataclasses import replace

from ggtui.core.load_history import LoadRecord
from ggtui.core.memory.parts import DeviceShare
from ggtui.tui.glyphs import UNICODE
from ggtui.tui.model_facts import MOST_LOADS, difference, facts, load_lines
from tests.tui.fake_engine import GIB, MODELS

PREDICTED = (DeviceShare("GPU0", weights_bytes=17 * GIB, kv_bytes=3 * GIB, overhead_bytes=GIB),)
ACTUAL = (
    DeviceShare("CUDA0", weights_bytes=17 * GIB, kv_bytes=3 * GIB),
    DeviceShare("CPU", is_host=True, compute_bytes=GIB),
)
RECORD = LoadRecord(1_000.0, "llama-server b1234", 32768, 4, PREDICTED, ACTUAL)


def test_files_are_told_with_their_places() -> None:
    summary = replace(
        MODELS[0],
        places=("folder /models", "ollama bge:latest"),
        copies=("bge-2",),
        waste_bytes=GIB,
        projector_candidates=("a.gguf", "b.gguf"),
    )
    found = facts(summary)

    assert ("found in", "folder /models") in found
    assert ("also in", "ollama bge:latest") in found
    assert ("same content", "bge-2") in found
    assert ("copies take", "1.0G") in found
    assert ("projector", "one of a.gguf, b.gguf") in found


def test_what_nobody_tells_is_left_out() -> None:
    assert {"found in", "also in", "projector", "copies take"}.isdisjoint(
        name for name, _ in facts(MODELS[0])
    )


def test_the_newest_load_is_told_by_part_without_what_no_log_line_tells() -> None:
    head, predicted, actual, line = [each.plain for each in load_lines((RECORD,), 1_060.0, 80, UNICODE)]

    assert ["weights", "kv", "compute", "all"] == head.split()
    assert ["predicted", "17.0G", "3.0G", "0.0M", "20.0G"] == predicted.split()
    assert ["actual", "17.0G", "3.0G", "1.0G", "21.0G"] == actual.split()
    assert line.startswith("1m00s ago   ctx 32k    4 slots  20.0G → 21.0G")
    assert line.endswith("-4.8%  llama-server b1234")


def test_only_the_newest_loads_are_listed() -> None:
    assert 3 + MOST_LOADS == len(load_lines((RECORD,) * 20, 1_060.0, 80, UNICODE))
    assert [] == load_lines((), 1_060.0, 80, UNICODE)


def test_a_line_keeps_to_its_width() -> None:
    assert all(line.cell_length <= 40 for line in load_lines((RECORD,), 1_060.0, 40, UNICODE)[3:])


def test_a_forecast_that_was_too_high_has_a_plus() -> None:
    whole = tuple(replace(share, overhead_bytes=0) for share in PREDICTED)

    assert "+5.0%" == difference(replace(RECORD, predicted=ACTUAL, actual=whole))
