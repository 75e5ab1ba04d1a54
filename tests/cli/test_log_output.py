"""ggtui's own log: private, bounded, without keys, and without traces where a person reads along."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ggtui.cli.log_output import LOG_NAME, file_log, stderr_log
from ggtui.config.load import load
from ggtui.core.client_keys import ClientKey

if TYPE_CHECKING:
    from pathlib import Path

    from ggtui.config.schema import Config

_LOG = logging.getLogger("ggtui.test")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "config.toml").write_text("")
    found = load({"data_dir": str(tmp_path)}, {}, tmp_path / "config.toml")
    found.log_dir.mkdir()
    return replace(found, client_keys=(ClientKey("s3", "ann"), ClientKey("s3cret", "bob")))


def _log_all() -> None:
    _LOG.info("the key is %s", "s3cret")
    try:
        raise ValueError("s3cret")
    except ValueError:
        _LOG.exception("it failed")


def test_the_file_is_private_and_holds_traces_but_no_key(config: Config) -> None:
    with file_log(config):
        _log_all()

    file = config.log_dir / LOG_NAME
    assert 0o600 == file.stat().st_mode & 0o777
    assert "the key is [key]" in file.read_text()
    assert "Traceback" in file.read_text()
    assert "s3cret" not in file.read_text()


def test_standard_error_names_the_error_without_a_trace(
    config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    with stderr_log(config):
        _log_all()

    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith("INFO ggtui.test: the key is [key]")
    assert second.endswith("ERROR ggtui.test: it failed: ValueError")


def test_a_folder_that_is_missing_costs_the_file_only(config: Config) -> None:
    with file_log(replace(config, log_dir=config.log_dir / "none")):
        _log_all()


def test_nothing_is_logged_afterwards(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    before = list(logging.getLogger().handlers)
    with stderr_log(config):
        pass

    assert before == logging.getLogger().handlers
