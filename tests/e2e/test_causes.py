"""Why a model cannot be served, from the broken thing to the client and the catalog; the others go on."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests import models
from tests.contracts.launching import FAKE
from tests.e2e.instance import GUARD_S, Instance, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LETTERS = {"grammar": "root ::= [a-z ]*"}
"""Random weights answer noise, which no chat parser takes without a grammar."""


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One model that works, and one for every cause."""
    folder = tmp_path_factory.mktemp("shelf")
    models.tiny_model(folder / "good.gguf", "good")
    models.wrong_architecture_model(folder / "alien.gguf")
    models.aborting_model(folder / "abort.gguf")
    models.corrupt_model(folder / "corrupt.gguf")
    models.html_model(folder / "page.gguf")
    return folder


@pytest.fixture(scope="module")
def one(shelf: Path, engine_flag: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    for name in ("gone", "later"):
        models.tiny_model(shelf / f"{name}.gguf", name)
    data_dir = tmp_path_factory.mktemp("causes") / "data"
    with running(shelf, data_dir, "--llama-server", engine_flag) as instance:
        yield instance


def _row(one: Instance, model: str) -> dict[str, Any]:
    rows: list[dict[str, Any]] = one.get("/ggtui/state")["models"]
    return next(row for row in rows if row["public_id"] == model)


def _refused(one: Instance, model: str) -> tuple[int, str, str | None]:
    answer = one.chat(model, **LETTERS)
    error = answer.json()["error"]
    return answer.status_code, error["code"], error.get("reason")


@pytest.mark.parametrize(
    ("model", "reason", "words", "was_started"),
    [
        ("alien-f32", "unsupported_arch", "unknown model architecture: 'zzz'", True),
        ("abort-f32", "engine_abort", "GGML_ASSERT", True),
        ("corrupt", "bad_model_file", "64 MiB", False),
        ("page", "bad_model_file", "not a GGUF file", False),
    ],
)
def test_what_is_wrong_with_a_file_is_told_and_shown(
    one: Instance, model: str, reason: str, words: str, was_started: bool
) -> None:
    assert (500, "model_start_failed", reason) == _refused(one, model)

    row = _row(one, model)

    assert "failed" == row["state"]
    assert reason == row["failure"]["reason"]
    assert words in row["failure"]["detail"]
    assert was_started == bool(row["failure"]["log_tail"])
    assert 200 == one.chat("good-f32", **LETTERS).status_code


def test_a_file_that_has_gone_takes_the_place_of_nothing_twice(one: Instance, shelf: Path) -> None:
    (shelf / "gone.gguf").unlink()

    assert (404, "model_file_not_found", None) == _refused(one, "gone-f32")
    assert "failed" == _row(one, "gone-f32")["state"]
    assert 200 == one.chat("good-f32", **LETTERS).status_code

    pid = one.target()["pid"]

    assert (404, "model_file_not_found", None) == _refused(one, "gone-f32")
    assert pid == one.target()["pid"]


def test_a_file_that_was_cut_after_the_scan_and_then_repaired(one: Instance, shelf: Path) -> None:
    models.truncated_model(shelf / "later.gguf")

    assert (500, "model_start_failed", "bad_model_file") == _refused(one, "later-f32")

    models.tiny_model(shelf / "later.gguf", "later")

    assert 200 == one.chat("later-f32", **LETTERS).status_code
    assert "ready" == _row(one, "later-f32")["state"]


def test_an_argument_that_is_refused_is_named(shelf: Path, tmp_path: Path, engine_flag: str) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[launch]\nextra_args = ["--zzz"]\n')
    flags = ("--llama-server", engine_flag, "--config", str(config))
    with running(shelf, tmp_path / "data", *flags) as one:
        assert (500, "model_start_failed", "bad_argument") == _refused(one, "good-f32")
        assert "invalid argument: --zzz" in _row(one, "good-f32")["failure"]["detail"]
    assert [] == list((tmp_path / "data" / "run").iterdir())


@pytest.mark.parametrize("fault", ["not executable", "not a program for this machine", "does not exist"])
def test_an_engine_that_cannot_run_is_told_and_shown(shelf: Path, tmp_path: Path, fault: str) -> None:
    program = tmp_path / "llama-server"
    if fault != "does not exist":
        program.write_bytes(b"\x7fELF")
        program.chmod(0o755 if "program" in fault else 0o644)
    with running(shelf, tmp_path / "data", "--llama-server", str(program)) as one:
        assert (500, "model_start_failed", "binary_missing") == _refused(one, "good-f32")
        assert fault in _row(one, "good-f32")["failure"]["detail"]


def test_an_engine_that_is_killed_in_its_load_is_told_at_once(shelf: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[launch]\nextra_args = ["--fake-hang"]\n')
    flags = ("--llama-server", str(FAKE), "--config", str(config))
    with running(shelf, tmp_path / "data", *flags) as one, ThreadPoolExecutor(1) as pool:
        refused = pool.submit(_refused, one, "good-f32")
        os.kill(_pid_in_load(one), signal.SIGKILL)

        assert (500, "model_start_failed", "out_of_memory") == refused.result(GUARD_S)

        failure = _row(one, "good-f32")["failure"]

        assert "killed (out of memory?)" == failure["detail"]
        assert any("loading model" in line for line in failure["log_tail"])


def test_a_lack_of_memory_is_told_with_what_to_do(shelf: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    words = "llama_init_from_model: failed to allocate buffer for kv cache"
    config.write_text(f'[launch]\nextra_args = ["--fake-crash-at-start", "{words}"]\n')
    flags = ("--llama-server", str(FAKE), "--config", str(config))
    with running(shelf, tmp_path / "data", *flags) as one:
        assert (500, "model_start_failed", "out_of_memory") == _refused(one, "good-f32")

        failure = _row(one, "good-f32")["failure"]

        assert "failed to allocate buffer for kv cache" in failure["detail"]
        assert "smaller context" in failure["hint"]


def test_an_engine_that_hangs_at_its_version_does_not_outlive_ggtui(shelf: Path, tmp_path: Path) -> None:
    program = tmp_path / "llama-server"
    program.write_text("#!/bin/sh\nexec sleep 600\n")
    program.chmod(0o755)
    with running(shelf, tmp_path / "data", "--llama-server", str(program)) as one:
        while len(family := one.family()) < 2:
            time.sleep(0.01)
        one.process.terminate()

        assert 0 == one.process.wait(GUARD_S)
    assert [] == [process for process in family if process.is_running() and process.status() != "zombie"]


def _pid_in_load(one: Instance) -> int:
    deadline = time.monotonic() + GUARD_S
    while time.monotonic() < deadline:
        target = one.get("/ggtui/state")["target"]
        if target is not None and target["progress"] is not None:
            pid: int = target["pid"]
            return pid
        time.sleep(0.01)
    raise AssertionError("nothing loads")
