"""The models on disk, by every name that leads to them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ggtui.cli.shelf import Shelf, read_shelf, seen_names, seen_router
from ggtui.config.load import load
from ggtui.core.errors import ModelNotFound

if TYPE_CHECKING:
    from ggtui.config.schema import Config
    from tests.cli.conftest import CommandLine
    from tests.cli.stub_instance import StubInstance


def _config(cli: CommandLine) -> Config:
    return load({"data_dir": str(cli.data_dir)}, {}, cli.folder / "config.toml")


def _shelf(cli: CommandLine, *lines: str) -> Shelf:
    """What is there with these lines in the configuration."""
    with (cli.folder / "config.toml").open("a") as stream:
        stream.write("\n".join(lines))
    return asyncio.run(read_shelf(_config(cli), None))


def test_a_model_is_found_by_id_by_number_and_by_alias(cli: CommandLine) -> None:
    shelf = _shelf(cli, "[aliases]", '"gpt-4" = "beta-f32"')

    assert ["alpha-f32", "beta-f32", "beta-f32"] == [
        shelf.model(name).public_id for name in ("alpha-f32", "2", "gpt-4")
    ]
    assert ["beta-f32"] == [each.id for each in shelf.endpoints_of("beta-f32")]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("alpha", "did you mean alpha-f32?"),
        ("zzz", "ggtui ls lists the models"),
        ("gone", "the alias leads to removed, which does not exist"),
        ("alpha-f32:code", "alpha-f32 has no adapters"),
    ],
)
def test_a_name_that_leads_to_no_model_says_what_may_be_meant(cli: CommandLine, name: str, hint: str) -> None:
    with pytest.raises(ModelNotFound) as refused:
        _shelf(cli, "[aliases]", 'gone = "removed"').model(name)

    assert hint == refused.value.hint


def test_beside_a_running_ggtui_its_names_count(cli: CommandLine, stub: StubInstance) -> None:
    names = {"default": "away", "unnamed": "running", "disabled": ["x"], "aliases": {"mine": "alpha-f32"}}
    stub.show(names=names)
    registry = asyncio.run(seen_router(_config(cli))).registry

    assert {"mine": "alpha-f32"} == registry.aliases


def test_an_older_ggtui_that_tells_no_names_leaves_those_of_the_file(
    cli: CommandLine, stub: StubInstance
) -> None:
    with (cli.folder / "config.toml").open("a") as stream:
        stream.write('[aliases]\nmine = "alpha-f32"\n')
    stub.show(names=None)

    assert {"mine": "alpha-f32"} == asyncio.run(seen_router(_config(cli))).registry.aliases


def test_what_was_seen_is_told_without_looking_into_a_folder(cli: CommandLine) -> None:
    assert [] == asyncio.run(seen_names(_config(cli)))
    _shelf(cli)
    (cli.models_dir / "alpha.gguf").unlink()

    assert ["alpha-f32", "beta-f32"] == asyncio.run(seen_names(_config(cli)))
    assert asyncio.run(seen_router(_config(cli))).find("alpha-f32") is not None
