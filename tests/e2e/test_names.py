"""Aliases, the default and the context that a request needs, on real servers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.instance import running
from tests.models import tiny_model

if TYPE_CHECKING:
    from pathlib import Path

LETTERS = {"grammar": "root ::= [a-z ]*"}
CONFIG = """\
[names]
default = "small-f32"

[aliases]
"gpt-4" = "small-f32"
"gone" = "removed-f32"
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A model of 8k context, one of 32k, and names for them."""
    tiny_model(tmp_path / "models" / "small-f32.gguf", name="small", n_ctx_train=8192)
    tiny_model(tmp_path / "models" / "large-f32.gguf", name="large", n_ctx_train=32768, seed=1)
    (tmp_path / "config.toml").write_text(CONFIG)
    return tmp_path


def _run(home: Path, engine: str, *flags: str) -> Any:
    named = ("--llama-server", engine, "--config", str(home / "config.toml"))
    return running(home / "models", home / "data", *named, *flags)


def _words(n: int) -> list[dict[str, str]]:
    """A conversation of about n tokens in the vocabulary of the tiny models: one each letter."""
    return [{"role": "user", "content": "abcdefghij" * (n // 10)}]


def test_a_long_unnamed_request_goes_where_it_fits_and_a_named_one_is_refused(
    home: Path, engine_flag: str
) -> None:
    with _run(home, engine_flag) as one:
        body = {"messages": _words(12_000), "max_tokens": 4, **LETTERS}
        short = one.post("/v1/chat/completions", body | {"messages": _words(10)})
        counted = one.post("/v1/chat/completions", body)
        named = one.post("/v1/chat/completions", body | {"model": "gpt-4"})
        largest = one.post("/v1/chat/completions", body | {"messages": _words(40_000)})

        assert (200, "small-f32") == (short.status_code, short.headers["x-ggtui-endpoint"])
        assert (200, "large-f32") == (counted.status_code, counted.headers["x-ggtui-endpoint"])
        rule, required, _, available = counted.headers["x-ggtui-route"].split()
        assert ("context", "8192") == (rule, available)
        assert 12_000 < int(required) < 12_100
        assert "large-f32" == one.get("/ggtui/state")["last_route"]["endpoint"]
        error = named.json()["error"]
        assert (400, "context_length_exceeded") == (named.status_code, error["code"])
        assert 8192 == error["available"]
        assert 12_000 < error["required"] < 12_100
        assert (
            f"model 'small-f32' cannot handle context length {error['required']} (max: 8192)"
            in (error["message"])
        )
        assert (400, "context_length_exceeded") == (largest.status_code, largest.json()["error"]["code"])


def test_names_lead_where_they_say(home: Path, engine_flag: str) -> None:
    with _run(home, engine_flag) as one:
        alias = one.chat("gpt-4", **LETTERS)
        dangling = one.chat("gone", **LETTERS)
        one.post("/ggtui/default", {"endpoint": None})
        nobody = one.post("/v1/chat/completions", {"messages": _words(10), "max_tokens": 2})
        one.post("/ggtui/endpoints", {"endpoint": "large-f32", "enabled": False})
        disabled = one.chat("large-f32", **LETTERS)
        listed = [entry["id"] for entry in one.get("/v1/models")["data"]]
        everything = {entry["id"]: entry["status"] for entry in one.get("/v1/models?all=1")["data"]}

        assert (200, "small-f32") == (alias.status_code, alias.headers["x-ggtui-endpoint"])
        assert "alias gpt-4" == alias.headers["x-ggtui-route"]
        assert (404, "model 'gone' not found") == (
            dangling.status_code,
            dangling.json()["error"]["message"],
        )
        assert (503, "no models are currently available") == (
            nobody.status_code,
            nobody.json()["error"]["message"],
        )
        assert (503, "model 'large-f32' is not ready (status: disabled)") == (
            disabled.status_code,
            disabled.json()["error"]["message"],
        )
        assert ["small-f32"] == listed
        assert {"large-f32": "disabled", "small-f32": "ready"} == everything


def test_what_is_said_about_names_is_kept(home: Path, engine_flag: str) -> None:
    with _run(home, engine_flag) as one:
        assert 200 == one.post("/ggtui/aliases", {"alias": "mine", "endpoint": "large-f32"}).status_code
        assert 200 == one.post("/ggtui/default", {"endpoint": "mine"}).status_code
    with _run(home, engine_flag) as again:
        unnamed = again.post("/v1/chat/completions", {"messages": _words(10), "max_tokens": 2, **LETTERS})

        assert (200, "large-f32") == (unnamed.status_code, unnamed.headers["x-ggtui-endpoint"])
    assert '"gpt-4" = "small-f32"' in (home / "config.toml").read_text()
