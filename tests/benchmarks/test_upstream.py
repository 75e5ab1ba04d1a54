"""The fast model server behaves as llama-server where ggtui looks."""

from __future__ import annotations

import http.client
import sys
from typing import TYPE_CHECKING

from benchmarks.processes import HOST, clean_environment, first_line, started
from benchmarks.upstream.server import ROOM_FOR_ALL, read_flags
from benchmarks.upstream.timeline import read_timelines

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.bench import Bench


def status(port: int, path: str, key: str = "") -> int:
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    connection.request("GET", path, headers={"Authorization": f"Bearer {key}"})
    code = connection.getresponse().status
    connection.close()
    return code


def test_switches_take_no_value() -> None:
    flags = read_flags(["-m", "a.gguf", "-kvu", "--port", "0", "--metrics", "--no-ui"])

    assert {"-m": "a.gguf", "-kvu": "", "--port": "0", "--metrics": "", "--no-ui": ""} == flags


def test_a_key_is_asked_for_except_by_health(tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_text("secret\n")
    log = tmp_path / "log"
    command = [sys.executable, "-m", "benchmarks.upstream", "-m", str(tmp_path / "m"), "-c", "512"]
    with started([*command, "--api-key-file", str(key_file)], clean_environment(tmp_path), log) as process:
        port = int(first_line(process, log))

        assert [200, 200, 401, 401, 404] == [
            status(port, "/health"),
            status(port, "/props", "secret"),
            status(port, "/props", "other"),
            status(port, "/v1/models"),
            status(port, "/nowhere", "secret"),
        ]
    assert "listening on http://" in log.read_text()
    assert [{"started", "ready", "told_to_end"}] == [set(line) for line in read_timelines(tmp_path / "m")]


def test_ggtui_starts_it_and_reads_what_it_says(bench: Bench) -> None:
    _, state = bench.ggtui.ask("GET", "/ggtui/state")

    assert ("ready", 4096, ROOM_FOR_ALL) == tuple(
        state["target"][name] for name in ("state", "n_ctx", "n_slots")
    )
    assert bench.fast_server == state["engine"]["path"]
