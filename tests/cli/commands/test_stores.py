"""`ggtui ls` over the stores of other programs, whatever their names hold."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.adapters.gguf import raw
from tests.adapters.gguf.stores import layouts
from tests.adapters.gguf.stores.layouts import hub_repository, model, ollama_model, placed

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine
    from tests.cli.stub_instance import StubInstance


@pytest.fixture
def at_home(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """A command line whose person has models in other programs, and chose no stores."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "LLAMA_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("GGTUI_STORES")
    monkeypatch.setenv("HOME", str(cli.folder))
    monkeypatch.setattr("ggtui.config.stores.OLLAMA_SERVICE", cli.folder / "absent")
    monkeypatch.setenv("OLLAMA_MODELS", str(cli.folder / "ollama"))
    hub_repository(cli.folder / ".cache/huggingface/hub", "acme/gamma", {"gamma.gguf": model("Gamma")})
    ollama_model(cli.folder / "ollama", "delta:1b", model("Delta"))
    return cli


def stores(rows: str) -> dict[str, str]:
    return {row.split()[0]: row.split()[-1] for row in rows.splitlines()[1:]}


def test_a_folder_on_the_command_line_does_not_hide_the_stores(at_home: CommandLine) -> None:
    answer = at_home("ls", "--models-dir", str(at_home.models_dir))

    assert {
        "alpha-f32": "folder",
        "beta-f32": "folder",
        "delta-1b-f32": "ollama",
        "gamma-f32": "huggingface",
    } == stores(answer.out)


def test_no_stores_leaves_the_folders(at_home: CommandLine) -> None:
    assert {"alpha-f32", "beta-f32"} == set(stores(at_home("ls", "--no-stores").out))
    with (at_home.folder / "config.toml").open("a") as file:
        file.write("stores = []\n")
    assert {"alpha-f32", "beta-f32"} == set(stores(at_home("ls").out))


def test_places_and_stores_are_in_the_document(at_home: CommandLine) -> None:
    document = at_home("ls", "--json").document
    (gamma,) = [each for each in document["models"] if each["public_id"] == "gamma-f32"]

    assert ("huggingface", ["huggingface acme/gamma"]) == (gamma["store"], gamma["places"])
    hub = str(at_home.folder / ".cache/huggingface/hub")
    assert {"store": "huggingface", "path": hub} in document["catalog"]["stores"]
    assert hub in document["catalog"]["folders"]


def test_beside_a_running_one_its_stores_count(at_home: CommandLine, stub: StubInstance) -> None:
    ollama = str(at_home.folder / "ollama")
    at_home.data_dir.joinpath("instance.json").rename(at_home.folder / "away")
    at_home("ls")
    (at_home.folder / "away").rename(at_home.data_dir / "instance.json")
    stub.show(
        catalog={
            "folders": [ollama],
            "stores": [{"store": "ollama", "path": ollama}],
            "problems": [],
            "n_files": 1,
            "scanned_at": None,
            "is_scanning": False,
        }
    )

    assert {"delta-1b-f32"} == set(stores(at_home("ls").out))


def test_adapters_are_listed_on_request(cli: CommandLine) -> None:
    assert "no LoRA adapters\n" == cli("ls", "--adapters").err
    path = placed(cli.models_dir / "style.gguf", layouts.adapter("Llama 3.2"))

    head, row = cli("ls", "--adapters").out.splitlines()

    assert ["ADAPTER", "ARCHITECTURE", "SIZE", "FOR", "FILE"] == head.split()
    assert ["style", "llama", "0.0M", "Llama", "3.2", str(path)] == row.split()
    (told,) = cli("ls", "--json").document["adapters"]
    assert ("style", ["Llama 3.2"], str(path)) == (told["name"], told["base_hints"], told["path"])


def test_remarks_stand_below_the_rows(at_home: CommandLine) -> None:
    first = placed(at_home.folder / ".lmstudio/models/acme/copy/copy.gguf", model("Copy"))
    hub = hub_repository(at_home.folder / ".cache/huggingface/hub", "acme/copy", {"copy.gguf": model("Copy")})
    for path in (first, *(hub / "blobs").iterdir()):
        os.truncate(path, 100 << 20)
    placed(hub / "blobs" / ("a" * 64 + ".incomplete"), bytes(1 << 20))

    told = at_home("ls").err.splitlines()

    assert "huggingface acme/copy: a download has not ended, 1.0M so far" in told
    assert "copy-f32: further copies take 100M: huggingface acme/copy, lmstudio acme/copy" in told


HOSTILE = [
    b"\x1b]0;owned\x07\x1b[31mred",
    b"[red]markup[/red]",
    b"bad\xff\xfeutf8",
    "rtl\u202eflip\u2066".encode(),
    b"line\nfeed\rback",
    b"c1\xc2\x9b31m",
]


@pytest.mark.parametrize("command", [("ls",), ("ls", "--adapters"), ("ls", "--json")], ids=" ".join)
def test_no_name_can_style_or_escape(at_home: CommandLine, command: tuple[str, ...]) -> None:
    evil = [raw.string("general.name", b"\x1b[2J\x1b]8;;x\x07name"), raw.string("llama.x", b"\x1b")]
    keys = [*raw.LLAMA_KEYS, *evil]
    hub, ollama = at_home.folder / ".cache/huggingface/hub", at_home.folder / "ollama"
    for number, name in enumerate(map(os.fsdecode, HOSTILE)):
        placed(at_home.models_dir / name / f"{name}.gguf", raw.header(keys))
        placed(at_home.models_dir / f"{name}-cut.gguf", b"GGUF")
        placed(at_home.models_dir / f"{name}-lora.gguf", layouts.adapter(f"\x1b[31m{number}"))
        placed(at_home.models_dir / f"{name}.gguf.part", b"x")
        hub_repository(hub, f"acme/{name}", {f"{name}.gguf": model(f"h{number}")})
        digest = layouts.ollama_blob(ollama, model(f"o{number}"))
        layouts.ollama_manifest(ollama, f"h/{name}/{name}/{name}", [("model", digest)])
        placed(ollama / "manifests/h/n" / name / "broken", b"{")

    answer = at_home(*command)
    said = (answer.out + answer.err).replace("\n", "")

    assert 0 == answer.code
    assert said.isprintable(), [sign for sign in said if not sign.isprintable()]
    assert not {"\u202e", "\u2066"} & set(said)
