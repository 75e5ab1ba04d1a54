"""What the models take on disk, from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


def test_a_line_per_place(cli: CommandLine) -> None:
    size = sum(path.stat().st_size for path in cli.models_dir.iterdir())
    answer = cli("du")
    (place,) = cli("du", "--json").document["places"]

    assert 0 == answer.code
    assert ["folder", "2"] == answer.out.splitlines()[1].split()[:2]
    assert answer.out.splitlines()[1].endswith(str(cli.models_dir))
    assert ("folder", 2, size, str(cli.models_dir)) == (
        place["store"],
        place["n_models"],
        place["n_bytes"],
        place["path"],
    )
    assert place["free_bytes"] > 0


def test_copies_are_told(cli: CommandLine) -> None:
    copy = cli.models_dir / "again.gguf"
    copy.write_bytes((cli.models_dir / "alpha.gguf").read_bytes() + b"x")
    (cli.models_dir / "alpha.gguf").write_bytes(copy.read_bytes())
    document = cli("du", "--json").document

    assert copy.stat().st_size == document["places"][0]["waste_bytes"] == document["waste_bytes"]


def test_without_a_folder_it_says_so(cli: CommandLine) -> None:
    (cli.folder / "config.toml").write_text("")
    answer = cli("du")

    assert (0, "") == (answer.code, answer.out)
    assert "no models folder" in answer.err
