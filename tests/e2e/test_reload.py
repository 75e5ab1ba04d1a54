"""A changed configuration is taken over by a running ggtui; a broken one changes nothing."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from tests.e2e.instance import Instance, running

if TYPE_CHECKING:
    from pathlib import Path


def _reload(one: Instance, log: Path, expected: str) -> str:
    """Ask for a reload and wait for the line that tells its end."""
    n_before = log.read_text().count(expected)
    one.process.send_signal(signal.SIGHUP)
    while log.read_text().count(expected) == n_before:
        one.get("/health")
    return log.read_text()


def test_sighup_applies_what_changed_and_keeps_the_last_good_one(demo_models: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[server]\nmax_queue = 5\n")
    log = tmp_path / "data.err"
    flags = ("--llama-server", "embedded", "--config", str(config))
    with running(demo_models, tmp_path / "data", *flags) as one:
        model = next(e["id"] for e in one.get("/v1/models")["data"] if "broken" not in e["id"])

        assert 200 == one.chat(model).status_code

        kept = one.target()["pid"]
        config.write_text("[server]\nmax_queue = 7\n")

        assert "changed: max_queue" in _reload(one, log, "configuration reloaded")
        assert kept == one.target()["pid"]

        config.write_text("[server]\nmax_queue = 'many'\n")

        assert "max_queue" in _reload(one, log, "the configuration stays as it was")
        assert kept == one.target()["pid"]

        config.write_text("[server]\nmax_queue = 7\n[launch]\nn_parallel = 2\n")

        assert "changed: [launch]" in _reload(one, log, "configuration reloaded: changed: [launch]")
        assert 200 == one.chat(model).status_code
        assert kept != one.target()["pid"]
        assert 2 == one.target()["n_slots"]
