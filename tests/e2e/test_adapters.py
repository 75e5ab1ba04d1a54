"""`model:adapter` on a real engine: one process serves them all, and nobody gets another's cached state."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.instance import Instance, running
from tests.models import tiny_model, write_lora

if TYPE_CHECKING:
    from pathlib import Path

ENDPOINTS = ("base-f32", "base-f32:one", "base-f32:two", "base-f32:both", "base-f32:one+two")
SHARED = "the quick brown fox jumps over the lazy dog and " * 6
PROMPTS = (SHARED + "runs away", SHARED + "sleeps")
"""Most of each is the same, so that state cached for one would serve the other."""
N_ASKED = 200

MODELS_TOML = """\
["base-f32"]
ctx = 1024
flash_attn = false
slots = {n_slots}
adapters = [{{ name = "one", path = "loras/one.gguf" }}, {{ name = "two", path = "loras/two.gguf" }}]
stacks = [
    {{ name = "both", normalise = true, adapters = [
        {{ name = "one", weight = 0.8 }},
        {{ name = "two", weight = 0.5 }},
    ] }},
]
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with one tiny model, two adapters that fit it, one that does not, and a configuration."""
    tiny_model(tmp_path / "models" / "base-f32.gguf", name="base-f32", seed=7)
    for seed, name in enumerate(("one", "two"), start=1):
        write_lora(tmp_path / "loras" / f"{name}.gguf", seed)
    write_lora(tmp_path / "loras" / "wide.gguf", 3, n_in=96)
    (tmp_path / "config.toml").write_text("")
    return tmp_path


def _run(home: Path, engine: str, models_toml: str) -> Any:
    (home / "models.toml").write_text(models_toml)
    flags = ("--llama-server", engine, "--config", str(home / "config.toml"))
    return running(home / "models", home / "data", *flags)


def _ask(one: Instance, endpoint: str, prompt: str) -> str:
    body = {
        "model": endpoint,
        "prompt": prompt,
        "max_tokens": 12,
        "temperature": 0,
        "grammar": "root ::= [a-z ]*",
    }
    answer = one.post("/v1/completions", body)
    assert 200 == answer.status_code, answer.text
    assert endpoint == answer.headers["x-ggtui-endpoint"]
    return str(answer.json()["choices"][0]["text"])


@pytest.mark.parametrize("n_slots", [1, 2])
def test_random_interleavings_give_the_answers_of_fresh_servers(
    home: Path, engine_flag: str, n_slots: int
) -> None:
    with _run(home, engine_flag, MODELS_TOML.format(n_slots=n_slots)) as one:
        fresh = {}
        for endpoint in ENDPOINTS:
            for prompt in PROMPTS:
                fresh[endpoint, prompt] = _ask(one, endpoint, prompt)
                assert 200 == one.post("/ggtui/stop", {}).status_code
        assert len({fresh[endpoint, PROMPTS[0]] for endpoint in ENDPOINTS}) == len(ENDPOINTS)

        chance = random.Random(n_slots)
        asked = [chance.choice(list(fresh)) for _ in range(N_ASKED)]
        first = _ask(one, *asked[0])
        pid = one.target()["pid"]
        with ThreadPoolExecutor(2 * n_slots if n_slots > 1 else 1) as pool:
            answers = list(pool.map(lambda pair: _ask(one, *pair), asked))

        assert fresh[asked[0]] == first
        assert [] == [pair[0] for pair, text in zip(asked, answers, strict=True) if text != fresh[pair]]
        assert pid == one.target()["pid"]


def test_a_changed_weight_counts_for_the_next_request_of_the_same_process(
    home: Path, engine_flag: str
) -> None:
    with _run(home, engine_flag, MODELS_TOML.format(n_slots=1)) as one:
        base, full = _ask(one, "base-f32", PROMPTS[0]), _ask(one, "base-f32:one", PROMPTS[0])
        pid = one.target()["pid"]
        weight = {"model": "base-f32", "adapter": "one", "weight": 0}
        assert 200 == one.post("/ggtui/adapters", weight).status_code
        none = _ask(one, "base-f32:one", PROMPTS[0])
        assert 200 == one.post("/ggtui/adapters", weight | {"weight": 1}).status_code
        again = _ask(one, "base-f32:one", PROMPTS[0])

        assert base != full
        assert (base, full) == (none, again)
        assert pid == one.target()["pid"]


def test_an_adapter_that_does_not_fit_fails_in_the_engines_words(home: Path, engine_flag: str) -> None:
    table = '["base-f32"]\nadapters = [{ name = "wide", path = "loras/wide.gguf" }]\n'
    with _run(home, engine_flag, table) as one:
        answer = one.chat("base-f32:wide")

        error = answer.json()["error"]
        assert (500, "model_start_failed") == (answer.status_code, error["code"])
        assert "incorrect shape" in error["message"]
        assert "wide" in error["message"]


def test_what_cannot_be_named_is_told(home: Path, engine_flag: str) -> None:
    with _run(home, engine_flag, MODELS_TOML.format(n_slots=1)) as one:
        unknown = one.chat("base-f32:three")
        twice = one.chat("base-f32:one+one")
        stranger = one.chat("bass-f32:one")

        assert (404, "model_not_found") == (unknown.status_code, unknown.json()["error"]["code"])
        assert "model 'base-f32:three' not found" == unknown.json()["error"]["message"]
        assert "base-f32 has the adapters both, one, two" == unknown.json()["error"]["hint"]
        assert 404 == twice.status_code
        assert 404 == stranger.status_code


def test_a_stream_that_runs_is_not_cut_when_an_adapter_is_attached(home: Path, engine_flag: str) -> None:
    with _run(home, engine_flag, "") as one:
        before = one.chat("base-f32", grammar="root ::= [a-z ]*")
        with ThreadPoolExecutor(1) as pool:
            stream = pool.submit(
                lambda: one.chat("base-f32", grammar="root ::= [a-z ]*", stream=True, max_tokens=256).text
            )
            (home / "models.toml").write_text(MODELS_TOML.format(n_slots=1))
            assert 200 == one.post("/ggtui/reload", {}).status_code
            after = _ask(one, "base-f32:one", PROMPTS[0])

            assert 200 == before.status_code
            assert after
            assert stream.result().rstrip().endswith("data: [DONE]")
