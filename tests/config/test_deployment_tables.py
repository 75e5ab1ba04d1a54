"""Deployments as the configuration file has them, and every mistake with its line and its field."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from ggtui.config.load import load
from ggtui.config.toml_file import read_to_the_end
from ggtui.core.deployment.deployment import ApiKind, ChoicePolicy, Deployment, RuntimeConfig
from ggtui.core.deployment.policies import (
    Budget,
    BudgetAction,
    CapacityPolicy,
    CircuitBreakerPolicy,
    Jitter,
    RateLimits,
    RetryPolicy,
    Serving,
    Timeouts,
)
from ggtui.core.deployment.pricing import PUSD_PER_USD, Pricing
from ggtui.core.deployment.runtimes import RuntimeKind
from ggtui.core.deployment.secret import Secret, SecretRef, SecretSource
from ggtui.core.errors import ConfigInvalid
from ggtui.core.routing.adapters import AttachedAdapter

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = """\
[[deployment]]
name = "qwen"
model = "Qwen3-8B-Q4_K_M.gguf"
gpus = 1
replicas = 2
default = true
fallback = ["gpt-4o-mini"]
policy = "highest-context"
groups = ["chat"]
runtime_config = { runtime = "llama_server", ctx = 8192, rpc = ["a:1"] }
adapters = [{ name = "code", path = "code.gguf", weight = 0.8 }]
serving = { max_concurrent = 4, on_capacity_exhausted = "queue", queue_capacity = 7, queue_timeout = "20s" }
rate_limits = { requests_per_minute = 60, tokens_per_minute = 1000, concurrent_requests = 3, strict = true }
retry = { max_retries = 2, initial_backoff = "2s", max_backoff = "1m", backoff_multiplier = 3 }
circuit_breaker = { failure_threshold = 9, open_duration = 1500, half_open_max_probes = 2 }
timeouts = { request_timeout = "10m", read_timeout_ms = 250 }
pricing = { input_per_mtok_usd = 2.5, output_per_mtok_usd = 10, cached_input_per_mtok_usd = 0.5 }
budget = { max_spend_per_hour_usd = 1.0, max_spend_per_day_usd = 5, on_exceeded = "throttle" }
idempotent = false
[[deployment]]
name = "gpt-4o-mini"
model = "gpt-4o-mini"
[deployment.runtime_config]
runtime = "openai"
endpoint = "https://api.openai.com/v1"
api_key = { from = "env", name = "OPENAI_API_KEY" }
[[group]]
name = "chat"
"""


def _two(fields: str) -> str:
    """The second of two deployments has these fields; it begins in line 4."""
    return f'[[deployment]]\nname = "first"\nmodel = "m.gguf"\n[[deployment]]\n{fields}\n'


def _read(folder: Path, text: str) -> tuple[Deployment, ...]:
    file = folder / "config.toml"
    file.write_text(text)
    return load({}, {}, file).deployments


def _told(folder: Path, text: str) -> list[tuple[int | None, str, str]]:
    """Line, sentence and hint of every mistake."""
    file = folder / "config.toml"
    file.write_text(text)
    return [(each.line, each.words, each.hint) for each in read_to_the_end(file).mistakes]


def test_every_key_is_read(tmp_path: Path) -> None:
    local, remote = _read(tmp_path, WHOLE)

    assert local == Deployment(
        "qwen",
        "Qwen3-8B-Q4_K_M.gguf",
        None,
        RuntimeConfig(RuntimeKind.LLAMA_SERVER, ctx=8192, rpc=("a:1",)),
        gpus=1,
        replicas=2,
        default=True,
        fallback=("gpt-4o-mini",),
        policy=ChoicePolicy.HIGHEST_CONTEXT,
        groups=("chat",),
        adapters=(AttachedAdapter("code", str(tmp_path / "code.gguf"), 0.8),),
        serving=Serving(4, CapacityPolicy.QUEUE, 7, 20.0),
        rate_limits=RateLimits(60, 1000, 3, strict=True),
        retry=RetryPolicy(2, 2.0, 60.0, 3.0, Jitter.EQUAL),
        circuit_breaker=CircuitBreakerPolicy(9, 1.5, 2),
        timeouts=Timeouts(600.0, 0.25),
        pricing=Pricing(2_500_000, 10_000_000, 500_000),
        budget=Budget(PUSD_PER_USD, 5 * PUSD_PER_USD, BudgetAction.THROTTLE),
        idempotent=False,
    )
    assert remote == Deployment(
        "gpt-4o-mini",
        "gpt-4o-mini",
        runtime_config=RuntimeConfig(
            RuntimeKind.OPEN_AI,
            endpoint="https://api.openai.com/v1",
            api_key=SecretRef(SecretSource.ENV, "OPENAI_API_KEY"),
        ),
    )


def test_name_and_model_are_enough_and_none_is_none(tmp_path: Path) -> None:
    assert (Deployment("a", "m.gguf"),) == _read(tmp_path, '[[deployment]]\nname = "a"\nmodel = "m.gguf"')
    assert () == _read(tmp_path, "")


@pytest.mark.parametrize(
    ("spelling", "kind"),
    [
        ("open_ai", "open_ai"),
        ("litellm", "lite_llm"),
        ("mistral_rs", "mistral_rs"),
        ("TensorRT", "tensor_rt"),
    ],
)
def test_runtimes_have_several_spellings(tmp_path: Path, spelling: str, kind: str) -> None:
    text = f'[[deployment]]\nname = "a"\nmodel = "m"\nruntime = "{spelling}"\n'
    (read,) = _read(tmp_path, text + 'runtime_config = { endpoint = "http://h" }')

    assert kind == read.runtime


def test_azure_is_whole_or_names_what_is_missing(tmp_path: Path) -> None:
    text = '[[deployment]]\nname = "a"\nmodel = "gpt-4"\n[deployment.runtime_config]\n'
    text += 'kind = "azure"\nresource = "r"\n'
    (read,) = _read(tmp_path, text + 'deployment = "d"\napi_version = "v"')

    assert (ApiKind.AZURE, "r", "d", "v") == (
        read.runtime_config.kind,
        read.runtime_config.resource,
        read.runtime_config.deployment,
        read.runtime_config.api_version,
    )
    assert [
        (1, "deployment 'a': runtime_config.deployment: is needed where kind is azure", ""),
        (1, "deployment 'a': runtime_config.api_version: is needed where kind is azure", ""),
    ] == _told(tmp_path, text)


def test_paths_count_from_the_folder_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "there.gguf").touch()
    given = ["there.gguf", "./gone.gguf", "gone.gguf", "Qwen/Qwen3-8B"]
    text = "".join(
        f'[[deployment]]\nname = "n{n}"\nmodel = "{model}"\nruntime = "llama_server"\n'
        'runtime_config = { api_key = { from = "file", name = "k" } }\n'
        for n, model in enumerate(given)
    )
    read = _read(tmp_path, text)

    assert [str(tmp_path / "there.gguf"), str(tmp_path / "gone.gguf"), "gone.gguf", "Qwen/Qwen3-8B"] == [
        each.model for each in read
    ]
    assert SecretRef(SecretSource.FILE, str(tmp_path / "k")) == read[0].runtime_config.api_key


@pytest.mark.parametrize(
    ("fields", "sentence", "hint"),
    [
        ('name = ""\nmodel = "m"', "number 2: name: deployment name must not be empty", ""),
        ('name = "b"', "'b': model: deployment model must not be empty", ""),
        (
            'name = "b"\nmodel = "m"\nreplicas = 0',
            "'b': replicas: deployment must have at least one replica",
            "",
        ),
        (
            'name = "b"\nmodel = "m"\nreplicas = 1.5',
            "'b': replicas: must be a whole number, not 1.5",
            "",
        ),
        ('name = "b"\nmodel = "m"\nreplica = 1', "'b': replica: is no key here", "did you mean replicas?"),
        (
            'name = "b"\nmodel = "m"\nserving = { queue_timeuot = 1 }',
            "'b': serving.queue_timeuot: is no key here",
            "did you mean queue_timeout?",
        ),
        (
            'name = "b"\nmodel = "m"\napi_key = "sk-1"',
            "'b': api_key: is no key here",
            "did you mean runtime_config.api_key?",
        ),
        (
            'name = "b"\nmodel = "m"\nserving = 5',
            (
                "'b': serving: must be a table with any of max_concurrent, queue_capacity, "
                "on_capacity_exhausted, queue_timeout"
            ),
            "",
        ),
        (
            'name = "b"\nmodel = "m"\nserving = { queue_timeout = "3 weeks" }',
            (
                "'b': serving.queue_timeout: must be an integer of milliseconds or a text such as "
                '"250ms", "30s", "1m" or "1h"'
            ),
            "",
        ),
        (
            'name = "b"\nmodel = "m"\nserving = { queue_timeout = 0 }',
            "'b': serving.queue_timeout: must be longer than nothing",
            "",
        ),
        (
            'name = "b"\nmodel = "m"\nserving = { queue_timeout = 5, queue_timeout_ms = 5 }',
            "'b': serving.queue_timeout_ms: is set already, as queue_timeout",
            "",
        ),
        (
            'name = "b"\nmodel = "m"\nretry = { backoff_multiplier = nan }',
            "'b': retry.backoff_multiplier: must be a number, not nan",
            "",
        ),
        (
            'name = "b"\nmodel = "m"\nretry = { jitter = "some" }',
            "'b': retry.jitter: must be one of none, equal, full, not 'some'",
            "",
        ),
        (
            'name = "b"\nmodel = "m"\nbudget = { max_spend_per_day_usd = "1" }',
            "'b': budget.max_spend_per_day_usd: must be a number of USD",
            "",
        ),
        (
            'name = "b"\nmodel = "m"\nadapters = [{ name = "x", weight = 2 }]',
            "'b': adapters[0].weight: must be a number from 0 to 1, not 2",
            "",
        ),
        (
            'name = "b"\nmodel = "m"\nadapters = [{ name = "x" }, { name = "x" }]',
            "'b': adapters[1].name: x is in use already",
            "adapters and stacks of a model share their names",
        ),
        (
            'name = "b"\nmodel = "m"\nfallback = ["frist"]',
            "'b': fallback: unknown fallback 'frist'",
            "did you mean first?",
        ),
        (
            'name = "b"\nmodel = "m"\nfallback = ["zzz"]',
            "'b': fallback: unknown fallback 'zzz'",
            "a fallback is the name of another deployment",
        ),
        ('name = "b"\nmodel = "m"\nfallback = ["b"]', "'b': fallback: fallback cycle: b -> b", ""),
        ('name = "first"\nmodel = "m"', "'first': name: duplicate deployment name 'first'", ""),
        (
            'name = "7"\nmodel = "m"',
            "'7': name: deployment name must not be a number: numbers are those of the catalog",
            "",
        ),
        (
            'name = "b"\nmodel = "m"\nruntime = "ort"',
            (
                "'b': runtime: ort has no engine here and needs runtime_config.endpoint; "
                "chosen because it is set as runtime"
            ),
            "",
        ),
        (
            'name = "b"\nmodel = "m"\nruntime_config = { api_key = { from = "vault", name = "x" } }',
            "'b': runtime_config.api_key.from: must be one of env, file, keyring, inline",
            "",
        ),
        (
            'name = "b"\nmodel = "m"\nruntime_config = { api_key = { from = "env", value = "x" } }',
            "'b': runtime_config.api_key: is not whole: a key from env needs a name and no value",
            "",
        ),
    ],
)
def test_a_mistake_names_line_deployment_and_field(
    tmp_path: Path, fields: str, sentence: str, hint: str
) -> None:
    assert [(4, f"deployment {sentence}", hint)] == _told(tmp_path, _two(fields))

    with pytest.raises(ConfigInvalid) as raised:
        load({}, {}, tmp_path / "config.toml")
    assert f"{tmp_path / 'config.toml'}, line 4: deployment {sentence}" == raised.value.detail


def test_the_three_texts_come_in_their_order_with_all_else_that_is_wrong(tmp_path: Path) -> None:
    text = "[server]\nprot = 1\n[[deployment]]\nreplicas = 0\nserving = { max_concurrent = 0, x = 1 }\n"
    told = _told(tmp_path, text)

    assert [
        (2, "[server] has no key prot"),
        (3, "deployment number 1: serving.x: is no key here"),
        (3, "deployment number 1: name: deployment name must not be empty"),
        (3, "deployment number 1: model: deployment model must not be empty"),
        (3, "deployment number 1: replicas: deployment must have at least one replica"),
        (3, "deployment number 1: serving.max_concurrent: must be at least 1"),
    ] == [(line, words) for line, words, _ in told]
    with pytest.raises(ConfigInvalid) as raised:
        load({}, {}, tmp_path / "config.toml")
    assert f"5 more: ggtui validate {tmp_path / 'config.toml'}" in raised.value.hint


def test_a_cycle_is_told_at_its_first_deployment(tmp_path: Path) -> None:
    text = "".join(
        f'[[deployment]]\nname = "{name}"\nmodel = "m.gguf"\nfallback = ["{to}"]\n'
        for name, to in ("ab", "ba")
    )

    assert [(1, "deployment 'a': fallback: fallback cycle: a -> b -> a", "")] == _told(tmp_path, text)


def test_what_looks_like_a_table_inside_a_text_is_none(tmp_path: Path) -> None:
    text = (
        '[[deployment]]\nname = """\\\n[[deployment]]\\\n"""\nmodel = "m.gguf"\n[[deployment]]\nname = "b"\n'
    )

    assert [(6, "deployment 'b': model: deployment model must not be empty", "")] == _told(tmp_path, text)


def test_a_list_of_deployments_is_found_by_its_key(tmp_path: Path) -> None:
    assert [(2, "deployment 'b': model: deployment model must not be empty", "")] == _told(
        tmp_path, 'read_only = true\ndeployment = [\n  { name = "b" },\n]'
    )
    hint = "begin each with a line [[deployment]]"
    assert [(2, "deployment must be a list of tables", hint)] == _told(tmp_path, "\n[deployment]\nname = 'a'")


def test_there_is_one_default(tmp_path: Path) -> None:
    one = '[[deployment]]\nname = "{}"\nmodel = "m.gguf"\ndefault = true\n'
    names = '[names]\nunnamed = "default"\ndefault = "else"\n'

    assert [(5, "deployment 'b': default: 'a' is the default already", "")] == _told(
        tmp_path, one.format("a") + one.format("b")
    )
    words = "deployment 'a': default: 'else' is the default already, by [names] default in line 3"
    assert [(4, words, "keep one of both")] == _told(tmp_path, names + one.format("a"))


def test_an_inline_key_is_warned_of_and_shown_nowhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    key = "sk-0123456789abcdef"
    inline = f'api_key = {{ from = "inline", value = "{key}" }}'
    text = f'name = "b"\nmodel = "m.gguf"\nruntime_config = {{ {inline} }}'
    with caplog.at_level(logging.WARNING):
        _, read = _read(tmp_path, _two(text))

    assert SecretRef(SecretSource.INLINE, value=Secret(key)) == read.runtime_config.api_key
    assert "the key of deployment 'b' stands in the file" in caplog.text
    assert key not in caplog.text + repr(read)


@pytest.mark.parametrize(
    "config",
    [
        'api_key = "{}"',
        'api_key = {{ from = "{}" }}',
        'api_key = {{ from = "env", name = "{}" }}',
        'api_key = {{ from = "env", name = ["{}"] }}',
        'endpoint = ["{}"]',
        'runtime = "{}"',
        'api_keys = "{}"',
    ],
)
def test_what_may_be_a_key_is_not_repeated(tmp_path: Path, config: str) -> None:
    key = "sk-0123456789abcdef"
    told = _told(tmp_path, _two(f'name = "b"\nmodel = "m"\nruntime_config = {{ {config.format(key)} }}'))

    assert told
    assert key not in str(told)


def test_a_misspelled_table_is_told(tmp_path: Path) -> None:
    assert [(1, "no table is called [deployments]", "did you mean [[deployment]]?")] == _told(
        tmp_path, "[[deployments]]\nname = 'a'"
    )


@pytest.mark.parametrize("number", ["1e400", "-inf", "nan", "9" * 400])
def test_a_number_beyond_all_measure_is_told(tmp_path: Path, number: str) -> None:
    for field in ("retry = { backoff_multiplier = ", "serving = { max_concurrent = ", "replicas = { x = "):
        told = _told(tmp_path, f'[[deployment]]\nname = "a"\nmodel = "m.gguf"\n{field}{number} }}')

        assert [1] == [line for line, _, _ in told]
