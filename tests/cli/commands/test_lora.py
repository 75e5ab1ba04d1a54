"""LoRA adapters from the command line: kept in models.toml, or asked from the running ggtui."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from tests.models import write_lora

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine
    from tests.cli.stub_instance import StubInstance


@pytest.fixture
def files(cli: CommandLine) -> CommandLine:
    """The same with a LoRA that is found, and two that lie elsewhere, one for another architecture."""
    write_lora(cli.models_dir / "code.gguf", 1, name="Code LoRA")
    write_lora(cli.folder / "else" / "chat.gguf", 2)
    write_lora(cli.folder / "else" / "alien.gguf", 3, architecture="qwen2")
    return cli


def _kept(cli: CommandLine) -> dict[str, Any]:
    """What models.toml has."""
    file = cli.folder / "models.toml"
    return tomllib.loads(file.read_text()) if file.exists() else {}


def _elsewhere(cli: CommandLine, name: str) -> str:
    return str(cli.folder / "else" / name)


# Without a running ggtui


def test_a_file_is_attached_by_its_name_or_its_path(
    files: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(files.folder)
    found = files("lora", "attach", "--name", "coder", "alpha-f32", "Code LoRA", "--weight", "0.8")
    own = files("lora", "attach", "1", "else/chat.gguf")

    assert (0, "alpha-f32:coder can be asked for now\n", "") == (found.code, found.out, found.err)
    assert "alpha-f32:chat can be asked for now\n" == own.out
    assert [
        {"name": "coder", "path": "Code LoRA", "weight": 0.8},
        {"name": "chat", "path": _elsewhere(files, "chat.gguf")},
    ] == _kept(files)["alpha-f32"]["adapters"]


def test_what_is_attached_and_what_was_found_is_listed(files: CommandLine) -> None:
    files("lora", "attach", "alpha-f32", "code", "--weight", "0.8")
    everything, one = files("lora"), files("lora", "alpha-f32")
    attached = ["alpha-f32:code", "code", "0.8", "no", "ready", str(files.models_dir / "code.gguf")]

    assert attached == everything.out.splitlines()[1].split()
    assert ["Code", "LoRA", "llama"] == everything.out.splitlines()[4].split()[:3]
    assert everything.out.splitlines()[:2] == one.out.splitlines()
    document = files("lora", "--json").document
    assert (["alpha-f32:code"], ["Code LoRA"]) == (
        [each["id"] for each in document["attached"]],
        [each["name"] for each in document["found"]],
    )
    assert "no adapters are attached; ggtui lora attach" in files("lora", "beta-f32").err


def test_what_is_attached_counts_in_the_forecast_of_every_command(files: CommandLine) -> None:
    files("lora", "attach", "alpha-f32", "code")
    estimate = json.loads(files("estimate", "alpha-f32", "--json").out)
    shown = json.loads(files("show", "alpha-f32", "--json").out)

    assert estimate["devices"][0]["adapters_bytes"] > 0
    assert {estimate["devices"][0]["adapters_bytes"]} == {
        forecast["devices"][0]["adapters_bytes"] for forecast in shown["forecasts"]
    }


def test_nothing_attached_and_nothing_found_is_said(cli: CommandLine) -> None:
    answer = cli("lora")

    assert (0, "") == (answer.code, answer.out)
    assert "no LoRA files were found" == answer.err.splitlines()[1]


def test_an_adapter_whose_file_has_gone_says_so(files: CommandLine) -> None:
    files("lora", "attach", "alpha-f32", _elsewhere(files, "chat.gguf"))
    (files.folder / "else" / "chat.gguf").unlink()
    answer = files("lora")

    assert ["alpha-f32:chat", "chat", "1", "no", "error", "–"] == answer.out.splitlines()[1].split()
    assert "alpha-f32:chat: adapter chat: its file does not exist" == answer.err.splitlines()[0]
    assert "chat (its file does not exist)" in files("show", "alpha-f32").out


def test_an_adapter_is_taken_off(files: CommandLine) -> None:
    files("lora", "attach", "alpha-f32", "code")
    answer = files("lora", "detach", "alpha-f32", "code")

    assert (0, "alpha-f32:code is taken off\n") == (answer.code, answer.out)
    assert {} == _kept(files)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("attach", "alpha-f32"), 2, "ggtui lora attach MODEL FILE_OR_NAME"),
        (("attach", "alpha-f32", "code", "more"), 2, "ggtui lora attach MODEL FILE_OR_NAME"),
        (("attach", "alpha-f32", "nothing"), 2, "no LoRA file is called nothing"),
        (("attach", "alpha-f32", "none.gguf"), 2, "its file does not exist"),
        (("attach", "alpha-f32", "else/alien.gguf"), 2, "it is made for qwen2, the model is llama"),
        (("attach", "alpha-f32", "models/beta.gguf"), 2, "it is not a LoRA adapter"),
        (("attach", "alpha-f32", "code", "--name", "a+b"), 2, "the name of an adapter is"),
        (("attach", "alpha-f32", "code", "--read-only"), 2, "--read-only"),
        (("attach", "zzz", "code"), 1, "model 'zzz' not found"),
        (("detach", "alpha-f32"), 2, "ggtui lora detach MODEL NAME"),
        (("detach", "alpha-f32", "code"), 1, "alpha-f32 has no adapter of that name"),
        (("detach", "alpha-f32", "code", "--weight", "1"), 2, "belong to attach"),
        (("weight", "alpha-f32", "code"), 2, "ggtui lora weight MODEL NAME W"),
        (("weight", "alpha-f32", "code", "-1"), 2, "must be a number from 0 to 1, not '-1'"),
        (("weight", "alpha-f32", "code", "0.5"), 3, "start one: ggtui, or ggtui --proxy-only"),
        (("alpha-f32", "code"), 2, "alpha-f32 is none of attach, detach, weight"),
        (("zzz",), 1, "model 'zzz' not found"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(
    files: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    code: int,
    words: str,
) -> None:
    monkeypatch.chdir(files.folder)
    answer = files("lora", *arguments)

    assert (code, "") == (answer.code, answer.out)
    assert words in answer.err
    assert {} == _kept(files)


def test_a_weight_out_of_bounds_shows_the_usage(
    files: CommandLine, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        files("lora", "attach", "alpha-f32", "code", "--weight", "2")

    assert 2 == left.value.code
    assert "must be a number from 0 to 1, not '2'" in capsys.readouterr().err


# Everywhere a model is named


def test_a_model_is_found_by_every_name_that_leads_to_it(files: CommandLine) -> None:
    files("lora", "attach", "alpha-f32", "code", "--weight", "0.8")
    files("alias", "gpt-4", "alpha-f32")
    files("alias", "coder", "alpha-f32:code")
    files("default", "alpha-f32:code")
    shown = files("show", "coder")
    document = files("show", "alpha-f32:code", "--json").document

    facts = dict(line.split(maxsplit=1) for line in shown.out.splitlines()[:16] if " " in line)
    assert ("alpha-f32", "gpt-4, coder (code)", "code 0.8") == (
        facts["model"],
        facts["aliases"],
        facts["adapters"],
    )
    assert "alpha-f32:code serves requests that name no model" == facts["default"]
    assert [("alpha-f32", ["gpt-4"]), ("alpha-f32:code", ["coder"])] == [
        (each["id"], each["aliases"]) for each in document["endpoints"]
    ]
    assert f"{files.models_dir / 'alpha.gguf'}\n" == files("show", "coder", "--path").out
    assert files("estimate", "gpt-4").out.startswith("load alpha-f32")
    # What takes a model off the disk insists on the model itself.
    assert 1 == files("rm", "gpt-4", "--yes-type", "alpha-f32").code


def test_the_log_is_found_by_every_name_also_without_a_running_ggtui(files: CommandLine) -> None:
    files("alias", "gpt-4", "alpha-f32")
    (files.data_dir / "logs").mkdir(exist_ok=True)
    (files.data_dir / "logs" / "alpha-f32.log").write_text("one\ntwo\n")

    assert "two\n" == files("logs", "gpt-4", "-n", "1").out
    assert 1 == files("logs", "nobody").code


def test_names_complete_with_adapters_and_aliases(files: CommandLine) -> None:
    files("lora", "attach", "alpha-f32", "code")
    files("alias", "gpt-4", "alpha-f32")

    assert ["alpha-f32", "alpha-f32:code", "beta-f32", "gpt-4"] == (
        files("completion", "endpoints").out.split()
    )
    assert ["alpha-f32", "beta-f32"] == files("completion", "models").out.split()


def test_the_list_of_files_leads_to_attaching(files: CommandLine) -> None:
    answer = files("ls", "--adapters")

    assert ["Code", "LoRA", "llama"] == answer.out.splitlines()[1].split()[:3]
    assert "ggtui lora attach MODEL ADAPTER lets clients ask for MODEL:ADAPTER\n" == answer.err


# With a running ggtui


TOLD = {
    "schema": 1,
    "model": "alpha-f32",
    "endpoint": "alpha-f32:code",
    "is_running": True,
    "attached": [
        {
            "id": "alpha-f32:code",
            "model": "alpha-f32",
            "name": "code",
            "is_stack": False,
            "adapters": [{"name": "code", "weight": 0.25}],
            "file": "/l/code.gguf",
            "is_loaded": True,
            "status": "ready",
            "why": "",
        }
    ],
}
RESTARTS = "the server of alpha-f32 restarts when its requests have ended\n"


@pytest.mark.parametrize(
    ("arguments", "path", "wish", "out", "err"),
    [
        (
            ("attach", "gpt-4", "Code LoRA", "--name", "code"),
            "/ggtui/adapters/attach",
            {"model": "gpt-4", "lora": "Code LoRA", "name": "code", "weight": 1.0},
            "alpha-f32:code can be asked for now\n",
            RESTARTS,
        ),
        (
            ("detach", "gpt-4", "code"),
            "/ggtui/adapters/detach",
            {"model": "gpt-4", "adapter": "code"},
            "alpha-f32:code is taken off\n",
            RESTARTS,
        ),
        (
            ("weight", "gpt-4", "code", "0.25"),
            "/ggtui/adapters",
            {"model": "gpt-4", "adapter": "code", "weight": 0.25},
            "alpha-f32:code applies 0.25 until ggtui ends\n",
            "",
        ),
    ],
)
def test_a_running_ggtui_changes_its_own_adapters(
    cli: CommandLine,
    stub: StubInstance,
    arguments: tuple[str, ...],
    path: str,
    wish: dict[str, object],
    out: str,
    err: str,
) -> None:
    stub.answer(path, TOLD)
    answer = cli("lora", *arguments)

    assert (0, out, err) == (answer.code, answer.out, answer.err)
    assert ("POST", path, wish) == stub.asked[-1]
    assert TOLD == cli("lora", *arguments, "--json").document
    assert {} == _kept(cli)


def test_a_running_ggtui_tells_what_it_applies(cli: CommandLine, stub: StubInstance) -> None:
    stub.answer("/ggtui/adapters", TOLD)
    answer = cli("lora", "gpt-4")

    assert ["alpha-f32:code", "code", "0.25", "yes", "ready", "/l/code.gguf"] == (
        answer.out.splitlines()[1].split()
    )
    assert ("GET", "/ggtui/adapters?model=gpt-4", None) == stub.asked[-1]


def test_a_path_goes_into_the_file_that_the_running_ggtui_then_reads(
    files: CommandLine, stub: StubInstance
) -> None:
    """No client of the door may name a file; the person at this machine may."""
    (files.data_dir / "catalog.sqlite3").unlink(missing_ok=True)
    _scan(files)
    stub.answer("/ggtui/settings", {"schema": 1})
    stub.answer("/ggtui/adapters", TOLD)
    answer = files("lora", "attach", "alpha-f32", _elsewhere(files, "chat.gguf"), "--name", "code")

    assert (0, "alpha-f32:code can be asked for now\n", RESTARTS) == (answer.code, answer.out, answer.err)
    kept = {"name": "code", "path": _elsewhere(files, "chat.gguf")}
    assert [kept] == _kept(files)["alpha-f32"]["adapters"]
    assert ("POST", "/ggtui/settings", {"model": "alpha-f32", "settings": {}}) in stub.asked


def test_a_running_ggtui_that_reads_another_file_is_told_apart(
    files: CommandLine, stub: StubInstance
) -> None:
    _scan(files)
    stub.answer("/ggtui/settings", {"schema": 1})
    stub.answer("/ggtui/adapters", {**TOLD, "attached": []})
    answer = files("lora", "attach", "alpha-f32", _elsewhere(files, "chat.gguf"))

    assert (2, "") == (answer.code, answer.out)
    assert "the running ggtui reads another file" in answer.err


def test_no_path_is_written_when_the_running_ggtui_is_read_only(
    files: CommandLine, stub: StubInstance
) -> None:
    stub.show(is_read_only=True)
    answer = files("lora", "attach", "alpha-f32", _elsewhere(files, "chat.gguf"))

    assert (1, "") == (answer.code, answer.out)
    assert "read-only" in answer.err
    assert {} == _kept(files)


def _scan(cli: CommandLine) -> None:
    """Let the catalog of the data folder know its models, as a running ggtui would."""
    from ggtui.adapters.gguf.catalog import GgufCatalog
    from ggtui.cli.surroundings import look
    from ggtui.core.models import LaunchOptions

    async def scanned() -> None:
        catalog = GgufCatalog(cli.data_dir / "catalog.sqlite3", (cli.models_dir,), LaunchOptions(), ())
        await catalog.refresh()
        await catalog.close()

    look(scanned())
