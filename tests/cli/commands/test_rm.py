"""Models taken off the disk from the command line."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.gguf.catalog import GgufCatalog
from ggtui.cli.surroundings import look
from ggtui.core.models import LaunchOptions

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine
    from tests.cli.stub_instance import StubInstance


class Typed(io.StringIO):
    """A terminal at which somebody types a line."""

    def isatty(self) -> bool:
        return True


def files(cli: CommandLine) -> list[str]:
    return sorted(path.name for path in cli.models_dir.iterdir())


def test_the_typed_name_removes_the_file(cli: CommandLine) -> None:
    answer = cli("rm", "alpha-f32", "--yes-type", "alpha-f32")

    assert (0, ["beta.gguf"]) == (answer.code, files(cli))
    assert answer.out.startswith(str(cli.models_dir / "alpha.gguf"))
    assert "1 file goes" in answer.err
    assert ["beta-f32"] == [model["public_id"] for model in cli("ls", "--json").document["models"]]


@pytest.mark.parametrize("typed", ["alpha", "ALPHA-F32", "1", ""])
def test_another_name_removes_nothing(cli: CommandLine, typed: str) -> None:
    answer = cli("rm", "alpha-f32", "--yes-type", typed)

    assert (1, ["alpha.gguf", "beta.gguf"]) == (answer.code, files(cli))
    assert "not typed" in answer.err


@pytest.mark.parametrize(("line", "left"), [("alpha-f32\n", 1), ("yes\n", 2), ("", 2)])
def test_a_person_is_asked(cli: CommandLine, monkeypatch: pytest.MonkeyPatch, line: str, left: int) -> None:
    monkeypatch.setattr("sys.stdin", Typed(line))
    answer = cli("rm", "1")

    assert left == len(files(cli))
    assert "type alpha-f32 to remove it" in answer.err


def test_nobody_is_asked_in_a_script(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("alpha-f32\n"))

    assert [2, 2, 2] == [
        cli("rm", "alpha-f32", *more).code
        for more in ((), ("--yes",), ("--yes-type", "alpha-f32", "--read-only"))
    ]
    assert 2 == len(files(cli))


def test_the_document_tells_what_went(cli: CommandLine) -> None:
    size = (cli.models_dir / "alpha.gguf").stat().st_size
    document = cli("rm", "alpha-f32", "--yes-type", "alpha-f32", "--json").document

    assert (True, size, [str(cli.models_dir / "alpha.gguf")]) == (
        document["is_removed"],
        document["freed_bytes"],
        [file["path"] for file in document["files"]],
    )


def test_an_unknown_model_is_not_found(cli: CommandLine) -> None:
    assert 1 == cli("rm", "nobody", "--yes-type", "nobody").code
    assert 2 == len(files(cli))


def test_a_refusal_says_why(cli: CommandLine) -> None:
    (cli.folder / "second.bin").hardlink_to(cli.models_dir / "alpha.gguf")
    answer = cli("rm", "alpha-f32", "--yes-type", "alpha-f32")

    assert (1, 2) == (answer.code, len(files(cli)))
    assert "2 names" in answer.err


def scan(cli: CommandLine, stub: StubInstance) -> None:
    """Look at the folders as the running one would have."""

    async def refresh() -> None:
        catalog = GgufCatalog(cli.data_dir / "catalog.sqlite3", [cli.models_dir], LaunchOptions())
        await catalog.refresh()
        await catalog.close()

    look(refresh())
    stub.answer("/ggtui/rescan", {})


def test_a_running_ggtui_looks_again(cli: CommandLine, stub: StubInstance) -> None:
    scan(cli, stub)
    answer = cli("rm", "alpha-f32", "--yes-type", "alpha-f32")

    assert (0, ["beta.gguf"]) == (answer.code, files(cli))
    assert ("POST", "/ggtui/rescan", {}) == stub.asked[-1]


@pytest.mark.parametrize(
    "state",
    [{"targets": [{"id": 1}]}, {"queue": [{"id": 1}]}, {"is_read_only": True}],
    ids=lambda each: next(iter(each)),
)
def test_a_model_in_use_stays(cli: CommandLine, stub: StubInstance, state: dict[str, object]) -> None:
    scan(cli, stub)
    stub.show(**state)
    answer = cli("rm", "alpha-f32", "--yes-type", "alpha-f32")

    assert (1, 2) == (answer.code, len(files(cli)))
    assert "/ggtui/rescan" not in [path for _, path, _ in stub.asked]


def test_a_silent_ggtui_keeps_its_models(cli: CommandLine, stub: StubInstance) -> None:
    scan(cli, stub)
    stub.answers.pop("/ggtui/state")
    answer = cli("rm", "alpha-f32", "--yes-type", "alpha-f32")

    assert 0 != answer.code
    assert 2 == len(files(cli))
