"""Names, tags and favourites from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.models import tiny_model

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine
    from tests.cli.stub_instance import StubInstance


def test_labels_are_kept_and_shown(cli: CommandLine) -> None:
    answer = cli(
        "label", "alpha-f32", "--name", "Red Fox", "--tag", "Coding", "--tag", "small", "--favourite"
    )

    assert 0 == answer.code
    assert ["Red Fox", "coding small", "yes"] == [line[11:] for line in answer.out.splitlines()[1:]]
    assert "Red Fox" in cli("show", "alpha-f32").out
    model = cli("ls", "--json").document["models"][0]
    assert ("Red Fox", "Red Fox", ["coding", "small"], True) == (
        model["name"],
        model["given_name"],
        model["tags"],
        model["is_favourite"],
    )


def test_the_paths_are_printed_alone(cli: CommandLine) -> None:
    for number in (1, 2):
        tiny_model(cli.models_dir / f"big-0000{number}-of-00002.gguf")
    big = [str(cli.models_dir / f"big-0000{number}-of-00002.gguf") for number in (1, 2)]

    assert f"{cli.models_dir / 'alpha.gguf'}\n" == cli("show", "alpha-f32", "--path").out
    assert big == cli("show", "big-f32", "--path").out.splitlines()
    assert big == cli("show", "big-f32", "--path", "--json").document["paths"]
    assert (1, "") == (cli("show", "nobody", "--path").code, cli("show", "nobody", "--path").out)


def test_an_empty_name_gives_the_files_own_back(cli: CommandLine) -> None:
    own = cli("label", "1", "--json").document
    cli("label", "1", "--name", "Fox", "--tag", "a", "--favourite")
    answer = cli("label", "1", "--name", "", "--untag", "a", "--no-favourite", "--json")

    assert own == answer.document
    assert ("", [], False) == (own["given_name"], own["tags"], own["favourite"])


@pytest.mark.parametrize(
    "arguments",
    [("nobody", "--tag", "a"), ("alpha-f32", "--tag", "two words"), ("alpha-f32", "--name", "x" * 81)],
)
def test_what_cannot_be_is_refused(cli: CommandLine, arguments: tuple[str, ...]) -> None:
    answer = cli("label", *arguments)

    assert (1, "") == (answer.code, answer.out)
    assert "Traceback" not in answer.err


def test_read_only_changes_nothing_and_prints(cli: CommandLine) -> None:
    assert 2 == cli("label", "alpha-f32", "--tag", "a", "--read-only").code
    assert [] == cli("label", "alpha-f32", "--read-only", "--json").document["tags"]


def test_a_running_ggtui_changes_its_own_catalog(cli: CommandLine, stub: StubInstance) -> None:
    told = {"model": "alpha-f32", "name": "Fox", "given_name": "Fox", "tags": ["a"], "favourite": False}
    stub.answer("/ggtui/label", told)
    answer = cli("label", "alpha-f32", "--name", "Fox", "--tag", "A", "--untag", "b")

    assert 0 == answer.code
    wish = {"model": "alpha-f32", "name": "Fox", "add_tags": ["a"], "remove_tags": ["b"], "favourite": None}
    assert ("POST", "/ggtui/label", wish) == stub.asked[-1]
