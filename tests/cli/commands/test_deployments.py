"""Deployments from the command line: listed, and ordered."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from ggtui.core.deployment.breaker import BreakerState
from ggtui.core.deployment.limits import Limit
from ggtui.core.deployment.policies import Budget
from ggtui.core.deployment.pricing import PUSD_PER_USD
from ggtui.core.deployment.runtimes import RuntimeKind
from ggtui.core.deployments_json import deployments_document, ordered_document
from ggtui.core.snapshot import DeploymentCounts, DeploymentState, DeploymentStatus, LimitUse

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine
    from tests.cli.stub_instance import StubInstance

PATH = "/ggtui/deployments"
NOW = time.time()
DECLARED = """
[[deployment]]
name = "cloud"
model = "gpt-4o-mini"
serving = { max_concurrent = 7 }
rate_limits = { requests_per_minute = 60 }
budget = { max_spend_per_hour_usd = 1.0 }
[[deployment]]
name = "here"
model = "alpha.gguf"
[[deployment]]
name = "gone"
model = "gone.gguf"
[[deployment]]
name = "box"
model = "qwen"
[[deployment]]
name = "nowhere"
model = "other"
[[backend]]
name = "gpu-box"
type = "vllm"
base_url = "http://127.0.0.1:1"
models = ["qwen"]
"""
CLOUD = DeploymentStatus(
    "cloud",
    RuntimeKind.OPEN_AI,
    "it is set as runtime",
    "gpt-4o-mini",
    in_flight=3,
    queued=2,
    slots=32,
    limits=(LimitUse(Limit.REQUESTS, 12, 60),),
    breaker=BreakerState.OPEN,
    retry_at=NOW + 95,
    spent_hour_pusd=PUSD_PER_USD // 4,
    budget=Budget(max_spend_per_hour_pusd=PUSD_PER_USD),
    counts=DeploymentCounts(input_tokens=12_345, output_tokens=678),
)
LOCAL = DeploymentStatus(
    "local",
    RuntimeKind.LLAMA_SERVER,
    "the model is on this machine",
    "tiny",
    DeploymentState.DRAINING,
    "it was drained",
    in_flight=1,
)


def _columns(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def test_each_has_a_line_and_says_why_it_does_not_serve(cli: CommandLine, stub: StubInstance) -> None:
    stub.answer(PATH, deployments_document((CLOUD, LOCAL), NOW))

    answer = cli("deployments")

    assert [
        [
            *("cloud", "serving", "open_ai", "gpt-4o-mini", "3/32 +2", "12/60 req/min", "open 1m35s"),
            *("12.3k in 678 out", "$0.25/$1.00 h"),
        ],
        ["local", "draining", "llama_server", "tiny", "1", "–", "closed", "–", "–"],
    ] == [_columns(line) for line in answer.out.splitlines()[1:]]
    assert (0, "local: it was drained\n") == (answer.code, answer.err)


def test_as_json_it_is_what_was_told(cli: CommandLine, stub: StubInstance) -> None:
    told = deployments_document((CLOUD, LOCAL), NOW)
    stub.answer(PATH, told)

    assert told == cli("deployments", "--json").document


def test_none_is_an_empty_list_with_a_reason(cli: CommandLine, stub: StubInstance) -> None:
    stub.answer(PATH, deployments_document((), NOW))

    answer = cli("deployments")

    assert (0, "") == (answer.code, answer.out)
    assert "no [[deployment]]" in answer.err


def test_without_a_running_ggtui_it_is_what_the_configuration_says(cli: CommandLine) -> None:
    file = cli.folder / "config.toml"
    file.write_text(file.read_text() + DECLARED)
    answer = cli("deployments")
    told = cli("deployments", "--json").document["deployments"]

    assert [
        ["cloud", "unknown", "open_ai", "gpt-4o-mini", "–/7", "–/60 req/min", "–", "–", "–/$1.00 h"],
        ["here", "unknown", "llama_server", "alpha.gguf", "–", "–", "–", "–", "–"],
        ["gone", "unknown", "llama_server", "gone.gguf", "–", "–", "–", "–", "–"],
        ["box", "unknown", "vllm", "qwen", "–/32", "–", "–", "–", "–"],
        ["nowhere", "unknown", "vllm", "other", "–/32", "–", "–", "–", "–"],
    ] == [_columns(line) for line in answer.out.splitlines()[1:]]
    assert (0, ["gone", "nowhere", "no ggtui is running"]) == (
        answer.code,
        [line.partition(":")[0].partition(";")[0] for line in answer.err.splitlines()],
    )
    assert (None, None, None) == (told[0]["state"], told[0]["in_flight"], told[0]["spent_hour_usd"])
    assert {"used": None, "allowed": 60} == told[0]["limits"]["requests_per_minute"]
    assert {"state": None, "is_forced": None, "retry_after_s": None} == told[0]["breaker"]


def test_without_both_the_list_is_empty(cli: CommandLine) -> None:
    answer = cli("deployments")

    assert (0, "", "no ggtui is running") == (answer.code, answer.out, answer.err.splitlines()[0])
    assert [] == cli("deployments", "--json").document["deployments"]


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ("open", "held open"),
        ("close", "held closed"),
        ("reset", "judges by itself again"),
        ("drain", "takes no new request"),
        ("resume", "takes requests again"),
    ],
)
def test_an_order_is_passed_on(cli: CommandLine, stub: StubInstance, order: str, words: str) -> None:
    stub.answer(PATH, ordered_document((LOCAL,), "local", NOW))

    answer = cli("deployments", order, "local")

    assert ("POST", PATH, {"deployment": "local", "action": order}) == stub.asked[-1]
    assert (0, True) == (answer.code, words in answer.out)
    assert ("1 in flight; they go on to their end\n" if order == "drain" else "") == answer.err


def test_an_order_as_json_answers_what_is_in_force(cli: CommandLine, stub: StubInstance) -> None:
    told = ordered_document((LOCAL,), "local", NOW)
    stub.answer(PATH, told)

    assert told == cli("deployments", "open", "local", "--json").document


def test_an_unknown_one_is_told(cli: CommandLine, stub: StubInstance) -> None:
    error = {"message": "model 'gone' not found", "type": "invalid_request_error", "code": "model_not_found"}
    stub.answer(PATH, {"error": error}, 404)

    answer = cli("deployments", "drain", "gone")

    assert (1, "") == (answer.code, answer.out)
    assert "'gone' not found" in answer.err


@pytest.mark.parametrize("words", [("drain",), ("explode", "local"), ("drain", "a", "b"), ("local",)])
def test_words_that_are_no_order_are_refused(cli: CommandLine, words: tuple[str, ...]) -> None:
    answer = cli("deployments", *words)

    assert (2, "") == (answer.code, answer.out)
    assert "open|close|reset|drain|resume NAME" in answer.err


def test_an_order_needs_a_running_ggtui(cli: CommandLine) -> None:
    assert 3 == cli("deployments", "drain", "local").code
