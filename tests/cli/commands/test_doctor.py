"""What is in order and what is not."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import Answer, CommandLine
    from tests.cli.stub_instance import StubInstance


def _healths(answer: Answer) -> dict[str, str]:
    return {check["name"]: check["health"] for check in answer.document["checks"]}


def test_nothing_fails_on_a_sound_machine(cli: CommandLine) -> None:
    answer = cli("doctor", "--json", "--port", "0", "--llama-server", "embedded")

    assert (0, set()) == (answer.code, {"fail"} & set(_healths(answer).values()))
    assert "ok" == _healths(answer)["engine"]
    assert "2 in " in next(c["detail"] for c in answer.document["checks"] if c["name"] == "models")


def test_every_finding_has_its_cure(cli: CommandLine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as squatter:
        port = str(squatter.getsockname()[1])
        answer = cli("doctor", "--json", "--port", port, "--llama-server", "/none/llama-server")

    bad = [check for check in answer.document["checks"] if check["health"] != "ok"]
    assert 3 == answer.code
    assert {"engine", "port"} <= {check["name"] for check in bad if check["health"] == "fail"}
    assert all(check["cure"] for check in bad)


def test_a_broken_configuration_is_a_finding_and_no_end(cli: CommandLine) -> None:
    (cli.folder / "config.toml").write_text("port = 1")

    answer = cli("doctor", "--port", "0")

    assert 3 == answer.code
    assert "fail  config" in answer.out
    assert "did you mean [server] port?" in answer.out


def test_folders_that_others_can_enter_are_told(cli: CommandLine) -> None:
    cli.data_dir.mkdir(mode=0o755)

    assert "warn" == _healths(cli("doctor", "--json", "--port", "0"))["data folder"]


def test_a_running_one_holds_its_own_port(cli: CommandLine, stub: StubInstance) -> None:
    port = stub.url.removesuffix("/v1").rpartition(":")[2]

    healths = _healths(cli("doctor", "--json", "--port", port))

    assert ("ok", "ok") == (healths["instance"], healths["port"])


def test_a_running_one_that_does_not_answer_is_told(cli: CommandLine, stub: StubInstance) -> None:
    stub.answers.clear()

    assert "fail" == _healths(cli("doctor", "--json", "--port", "0"))["instance"]
