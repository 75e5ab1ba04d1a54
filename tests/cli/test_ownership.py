"""What is held while ggtui serves, and what is left afterwards."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.instance.record import find_instance
from ggtui.cli.ownership import owning, url_of, usable_directories
from ggtui.config.load import load
from ggtui.core.client_keys import ClientKey
from ggtui.core.errors import BindRefused, InstanceRunning, PortInUse

if TYPE_CHECKING:
    from pathlib import Path

    from ggtui.config.schema import Config


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "config.toml").write_text("")
    return load({"data_dir": str(tmp_path / "data"), "port": "0"}, {}, tmp_path / "config.toml")


def _say(_: str) -> None:
    raise AssertionError("nothing to say")


def test_the_record_is_there_while_it_is_held(config: Config) -> None:
    with owning(
        replace(config, client_keys=(ClientKey("s3cret"), ClientKey("other", "bob"))), _say
    ) as ground:
        record = find_instance(config.data_dir)

        assert record is not None
        assert (ground.url, "s3cret") == (record.url, record.api_key)
        assert ground.url == f"http://127.0.0.1:{ground.sock.getsockname()[1]}/v1"

    assert find_instance(config.data_dir) is None


def test_a_second_one_is_refused_with_the_pid(config: Config) -> None:
    with owning(config, _say):
        with pytest.raises(InstanceRunning, match=r"pid \d+ owns"), owning(config, _say):
            pass

        assert find_instance(config.data_dir) is not None


def test_a_taken_port_is_refused_and_leaves_nothing(config: Config) -> None:
    with socket.create_server(("127.0.0.1", 0)) as squatter:
        taken = replace(config, port=squatter.getsockname()[1])
        with pytest.raises(PortInUse), owning(taken, _say):
            pass

    assert find_instance(config.data_dir) is None
    with owning(config, _say):
        pass


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_an_open_address_needs_a_key(config: Config, host: str) -> None:
    with pytest.raises(BindRefused), owning(replace(config, host=host), _say):
        pass


def test_an_open_address_is_told_as_one_that_works_here() -> None:
    with socket.create_server(("0.0.0.0", 0)) as sock:
        assert f"http://127.0.0.1:{sock.getsockname()[1]}/v1" == url_of(sock)
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as sock:
        assert f"http://[::1]:{sock.getsockname()[1]}/v1" == url_of(sock)


def test_a_folder_that_cannot_be_made_costs_memory_only(config: Config, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file in the way")
    said: list[str] = []

    with usable_directories(config, said.append) as usable:
        kept_in = usable.data_dir

        assert usable.log_dir.is_dir()
        assert 0o700 == kept_in.stat().st_mode & 0o777

    assert not kept_in.exists()
    assert 1 == len(said)
    assert "using a temporary folder" in said[0]
