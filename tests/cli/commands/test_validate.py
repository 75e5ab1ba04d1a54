"""What a configuration file means, or all that is wrong in it, from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.models import tiny_model

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Answer, CommandLine

BARE = '[[deployment]]\nname = "mine"\nmodel = "{}"\n'
REMOTE = """\
[[deployment]]
name = "far"
model = "gpt-4o-mini"
serving = { max_concurrent = 2, on_capacity_exhausted = "reject" }
rate_limits = { requests_per_minute = 60, strict = true, per_key = true }
retry = { max_retries = 1 }
pricing = { input_per_mtok_usd = 2.5, output_per_mtok_usd = 10 }
budget = { max_spend_per_hour_usd = 20, on_exceeded = "warn" }
runtime_config = { api_key = { from = "inline", value = "sk-0123456789abcdef" } }
"""


def _validate(cli: CommandLine, text: str, *flags: str) -> tuple[Path, Answer]:
    file = cli.folder / "x.toml"
    file.write_text(text)
    return file, cli("validate", str(file), *flags)


def test_a_sound_file_is_told_with_what_serves_and_by_which_rules(cli: CommandLine) -> None:
    file, answer = _validate(cli, REMOTE)

    assert (0, f"{file} is valid: 1 deployment") == (answer.code, answer.out.splitlines()[0])
    assert [
        "far: open_ai, the name of the model is like those of open_ai; model gpt-4o-mini",
        "  key from the configuration itself",
        "  2 at once, one more is refused",
        "  at most 60 requests a minute for each API key, counted with all ggtui here",
        "  1 retry, 1 s to 60 s apart",
        "  left alone for 30 s after 10 failures in a row",
        "  30 s to the first byte, 10 s between events",
        "  2.5 USD in, 10 USD out for a million tokens",
        "  at most 20 USD an hour, then warn",
    ] == answer.out.splitlines()[1:]
    assert "warning: the key of deployment 'far' stands in the file" in answer.err
    assert "sk-0123" not in answer.out + answer.err


def test_without_deployments_the_rest_is_checked(cli: CommandLine) -> None:
    assert (0, "no deployments") == _told(_validate(cli, "[server]\nport = 1"))
    assert 2 == _validate(cli, "[server]\nport = -1")[1].code


def _told(validated: tuple[Path, Answer]) -> tuple[int, str]:
    file, answer = validated
    return answer.code, answer.out.strip().removeprefix(f"{file} is valid: ")


def test_everything_that_is_wrong_is_told_with_its_line(cli: CommandLine) -> None:
    text = '[server]\nprot = 1\n\n[[deployment]]\nname = "a"\nreplicas = 0\n'
    file, answer = _validate(cli, text)

    assert 2 == answer.code
    assert [
        f"{file}:2: [server] has no key prot",
        "  did you mean [server] port?",
        f"{file}:4: deployment 'a': model: deployment model must not be empty",
        f"{file}:4: deployment 'a': replicas: deployment must have at least one replica",
    ] == answer.out.splitlines()
    assert "3 problems\n" == answer.err


def test_the_same_for_a_program(cli: CommandLine) -> None:
    file, answer = _validate(cli, BARE.format("m.gguf") + "replicas = 0\n", "--json")
    _, sound = _validate(cli, BARE.format("m.gguf"), "--json")
    (row,) = sound.document["deployments"]

    assert {
        "schema": 1,
        "file": str(file),
        "valid": False,
        "problems": [
            {
                "line": 1,
                "table": "deployment",
                "name": "mine",
                "deployment": "mine",
                "field": "replicas",
                "text": "deployment 'mine': replicas: deployment must have at least one replica",
                "hint": None,
            }
        ],
    } == answer.document
    assert (2, 0, True) == (answer.code, sound.code, sound.document["valid"])
    assert ("llama_server", "the model is on this machine") == (row["runtime"], row["why_runtime"])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = = 1", "{file}:1: Invalid value"),
        ("[server]\napi_key_file = 'gone'", "{file}: api_key_file {folder}/gone cannot be read: "),
    ],
)
def test_what_stops_the_reading_is_told_too(cli: CommandLine, text: str, line: str) -> None:
    file, answer = _validate(cli, text)

    assert 2 == answer.code
    assert answer.out.startswith(line.format(file=file, folder=cli.folder))


def test_models_toml_beside_it_is_checked(cli: CommandLine) -> None:
    (cli.folder / "models.toml").write_text('["a"]\nctx = 0\n')
    _, answer = _validate(cli, "")

    assert 2 == answer.code
    assert answer.out.startswith(f"{cli.folder / 'models.toml'}: ")


def test_a_file_that_is_not_there_is_named_once(cli: CommandLine) -> None:
    answer = cli("validate", str(cli.folder / "gone.toml"))

    assert 2 == answer.code
    assert 1 == answer.out.count("gone.toml")


def test_a_model_is_known_by_the_stored_list_or_by_its_path(cli: CommandLine, tmp_path: Path) -> None:
    tiny_model(tmp_path / "mistral-there.gguf")
    _, unknown = _validate(cli, BARE.format("alpha-f32"))
    cli("ls")
    _, known = _validate(cli, BARE.format("alpha-f32"), "--models-dir", str(cli.models_dir))
    _, path = _validate(cli, BARE.format("./mistral-there.gguf"))
    _, nowhere = _validate(cli, BARE.format("omega"))

    assert 0 == unknown.code
    assert "whether alpha-f32 is a model of this machine is not known" in unknown.err
    assert "mine: llama_server, the model is on this machine; model alpha-f32" in known.out
    assert "mine: llama_server, the model is on this machine, though its name is like those of" in path.out
    assert 2 == nowhere.code
    assert "runtime: vllm has no engine here and needs runtime_config.endpoint" in nowhere.out
    assert "warning" not in known.err


def test_a_file_that_no_list_has_is_warned_of(cli: CommandLine) -> None:
    cli("ls")
    folder = ("--models-dir", str(cli.models_dir))
    _, there = _validate(cli, BARE.format("alpha.gguf"), *folder)
    _, lost = _validate(cli, BARE.format("lost.gguf"), *folder)

    assert (0, 0, "") == (there.code, lost.code, there.err)
    assert (
        "warning: deployment 'mine': no model lost.gguf was in the catalog when it was last seen\n"
        == lost.err
    )


BACKENDS = """\
[[backend]]
name = "gpu-box"
type = "vllm"
base_url = "http://192.168.1.9:8000"
api_key = { from = "inline", value = "sk-0123456789abcdef" }
groups = ["chat"]
models = ["qwen3"]
[[backend]]
name = "home"
type = "openai"
models = ["gpt-4o"]
[[backend]]
name = "idle"
type = "vllm"
base_url = "http://idle"
groups = ["none"]
[[model]]
name = "llama3"
groups = ["chat"]
[[model]]
name = "lost"
groups = ["other"]
[[model]]
repository = "org/repo:Q8_0"
[[group]]
name = "chat"
policy = "random"
[[group]]
name = "none"
[[group]]
name = "other"
[[deployment]]
name = "far"
model = "qwen3"
policy = "priority"
groups = ["chat"]
"""


def test_backends_are_told_with_the_models_that_they_should_have(cli: CommandLine) -> None:
    file, answer = _validate(cli, BACKENDS)

    assert [
        f"{file} is valid: 1 deployment",
        "far: vllm, the name of the model suggests nothing else; model qwen3",
        "backend gpu-box: vllm at http://192.168.1.9:8000; models qwen3, llama3",
        "backend home: openai; models none",
        "backend idle: vllm at http://idle; models none",
        "model org/repo:Q8_0: org/repo:Q8_0, on this disk",
    ] == [line for line in answer.out.splitlines() if not line.startswith("  ")]
    assert [
        "  served by backends: gpu-box",
        "  only by backends of chat",
        "  policy priority, where several backends have the model",
    ] == answer.out.splitlines()[2:5]
    assert [
        (
            "warning: the key of backend 'gpu-box' stands in the file: "
            'from = "env" or from = "file" keeps it out of copies and backups'
        ),
        "warning: backend 'home' is in no group, and groups count: it is not asked",
        "warning: backend 'idle' should have no model: nothing is sent to it",
        "warning: backend 'home' has no api_key, and openai wants one",
        "warning: model 'lost' is in no group that a backend is in: nothing serves it",
    ] == answer.err.splitlines()
    assert "sk-0123" not in answer.out + answer.err


def test_backends_for_a_program(cli: CommandLine) -> None:
    _, answer = _validate(cli, BACKENDS, "--json")
    document = answer.document

    assert {
        "name": "gpu-box",
        "type": "vllm",
        "base_url": "http://192.168.1.9:8000",
        "groups": ["chat"],
        "models": ["qwen3", "llama3"],
        "is_asked": True,
    } == document["backends"][0]
    assert [True, False, True] == [each["is_asked"] for each in document["backends"]]
    assert ["llama3", "lost", "org/repo:Q8_0"] == [each["name"] for each in document["models"]]
    assert {"name": "chat", "policy": "random"} == document["groups"][0]
    assert "sk-0123" not in answer.out


def test_mistakes_in_backends_are_told_as_those_in_deployments(cli: CommandLine) -> None:
    text = BACKENDS.replace('name = "chat"\n', 'name = "chats"\n').replace('"openai"', '"open"')
    file, answer = _validate(cli, text)
    _, document = _validate(cli, text, "--json")
    problem = document.document["problems"][0]

    assert 2 == answer.code
    assert [
        f"{file}:1: backend 'gpu-box': groups: unknown group 'chat'",
        f"{file}:8: backend 'home': type: Unsupported backend type: open",
        f"{file}:17: model 'llama3': groups: unknown group 'chat'",
        f"{file}:32: deployment 'far': groups: unknown group 'chat'",
    ] == [line for line in answer.out.splitlines() if not line.startswith("  ")]
    assert ("backend", "gpu-box", None, "groups") == (
        *(problem["table"], problem["name"], problem["deployment"]),
        problem["field"],
    )
