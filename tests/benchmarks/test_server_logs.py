"""The parts of a swap are read from what was written about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.server_logs import Life, lives, stops_ms

if TYPE_CHECKING:
    from pathlib import Path

SERVERS = """\
0.00.001.964 I srv          init: The UI is disabled
0.00.014.500 I srv  llama_server: listening on http://127.0.0.1:56273
0.00.017.250 I slot launch_slot_: id  3 | task 1 | processing task, is_child = 0
0.00.018.000 I slot      release: id  3 | task 1 | stop processing: n_tokens = 19, truncated = 0
0.00.030.000 I slot launch_slot_: id  3 | task 2 | processing task, is_child = 0
0.00.067.895 I srv    operator(): operator(): cleaning up before exit...
0.00.002.000 I srv          init: The UI is disabled
0.01.010.000 I srv  llama_server: listening on http://127.0.0.1:56111
0.01.012.000 I slot launch_slot_: id  3 | task 1 | processing task, is_child = 0
0.01.013.000 I slot      release: id  3 | task 1 | stop processing: n_tokens = 19, truncated = 0
0.00.002.000 I srv          init: The UI is disabled
0.00.009.000 I srv  llama_server: listening on http://127.0.0.1:56111
"""
OURS = """\
2026-11-21 04:33:48,259 INFO ggtui.services.dispatcher: load a  ctx 4k (first in the queue)
2026-11-21 04:33:48,292 INFO ggtui.services.dispatcher: stopping a: another model is wanted
2026-11-21 04:33:48,295 INFO ggtui.services.dispatcher: load b  ctx 4k (first in the queue)
2026-11-21 04:33:49,000 INFO ggtui.services.dispatcher: stopping b: ggtui is ending
"""


def test_each_server_that_answered_is_one_life(tmp_path: Path) -> None:
    log = tmp_path / "model.log"
    log.write_text(SERVERS)

    assert [Life(14.5, 2.75, 0.75), Life(1010.0, 2.0, 1.0)] == lives(log)


def test_a_stop_lasts_until_the_next_load(tmp_path: Path) -> None:
    log = tmp_path / "_ggtui.log"
    log.write_text(OURS)

    assert [3.0] == stops_ms(log)
