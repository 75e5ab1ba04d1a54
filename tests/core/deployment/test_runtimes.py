"""Which runtime serves a deployment, and why."""

from __future__ import annotations

import pytest

from ggtui.core.deployment.runtimes import (
    REMOTE,
    WITHOUT_ENGINE,
    RuntimeKind,
    can_serve,
    choose_runtime,
    infer_runtime,
    is_url,
    parse_runtime,
)

LLAMA, VLLM, OPEN_AI = RuntimeKind.LLAMA_SERVER, RuntimeKind.VLLM, RuntimeKind.OPEN_AI


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("gpt-4o-mini", "open_ai"),
        ("GPT-4", "open_ai"),
        ("gpt-3.5-turbo", "open_ai"),
        ("o1-preview", "open_ai"),
        ("o3-mini", "open_ai"),
        ("chatgpt-4o-latest", "open_ai"),
        ("gpt-4-via-litellm", "open_ai"),
        ("claude-3-opus", "anthropic"),
        ("anthropic/claude", "anthropic"),
        ("Gemini-1.5-pro", "gemini"),
        ("google/gemini-pro", "gemini"),
        ("qwen-via-litellm", "lite_llm"),
        ("litellm/mistral", "lite_llm"),
        ("my-litellm/x", "vllm"),
        ("mistralai/Mistral-7B", "mistral_rs"),
        ("open-mistral-nemo", "mistral_rs"),
        ("gpt-5", "vllm"),
        ("gpt-oss-20b", "vllm"),
        ("o1", "vllm"),
        ("o3", "vllm"),
        ("google/gemma", "vllm"),
        ("my-gpt-4", "vllm"),
        ("", "vllm"),
    ],
)
def test_what_a_name_suggests(model: str, expected: str) -> None:
    assert expected == infer_runtime(model)


@pytest.mark.parametrize(
    ("explicit", "of_config", "model", "is_local", "expected", "reason"),
    [
        (VLLM, OPEN_AI, "x.gguf", True, VLLM, "it is set as runtime"),
        (None, OPEN_AI, "x.gguf", True, OPEN_AI, "its runtime_config is for this"),
        (None, None, "qwen", True, LLAMA, "the model is on this machine"),
        (None, None, "Qwen.GGUF", False, LLAMA, "the model is on this machine"),
        (
            *(None, None, "mistral-7b", True, LLAMA),
            "the model is on this machine, though its name is like those of mistral_rs",
        ),
        (
            *(None, None, "gpt-4-local", True, LLAMA),
            "the model is on this machine, though its name is like those of open_ai",
        ),
        (None, None, "gpt-4o", False, OPEN_AI, "the name of the model is like those of open_ai"),
        (None, None, "qwen", False, VLLM, "the name of the model suggests nothing else"),
    ],
)
def test_the_choice_and_its_reason(
    explicit: RuntimeKind | None,
    of_config: RuntimeKind | None,
    model: str,
    is_local: bool,
    expected: RuntimeKind,
    reason: str,
) -> None:
    assert (expected, reason) == choose_runtime(explicit, of_config, model, is_local=is_local)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *((str(kind), kind) for kind in RuntimeKind),
        ("openai", OPEN_AI),
        ("OpenAI", OPEN_AI),
        ("litellm", RuntimeKind.LITE_LLM),
        ("mistralrs", RuntimeKind.MISTRAL_RS),
        ("tensorrt", RuntimeKind.TENSOR_RT),
        ("llama-server", LLAMA),
        ("python(my.module)", RuntimeKind.PYTHON),
        ("custom(x)", RuntimeKind.CUSTOM),
    ],
)
def test_spellings(text: str, expected: RuntimeKind) -> None:
    assert expected is parse_runtime(text)


@pytest.mark.parametrize("text", ["", "llama", "vllm(x)", "python(x", "(x)"])
def test_spellings_that_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="one of llama_server, open_ai, "):
        parse_runtime(text)


def test_each_kind_is_local_remote_or_without_an_engine() -> None:
    assert set(RuntimeKind) == {LLAMA} | REMOTE | WITHOUT_ENGINE
    assert not REMOTE & WITHOUT_ENGINE
    assert REMOTE == {kind for kind in RuntimeKind if kind.is_remote}
    assert {LLAMA} == {kind for kind in RuntimeKind if kind.is_local}


def test_a_kind_without_an_engine_needs_a_url() -> None:
    able = {kind for kind in RuntimeKind if can_serve(kind, "")}

    assert REMOTE | {LLAMA} == able
    assert all(can_serve(kind, "http://127.0.0.1:8000/v1") for kind in RuntimeKind)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://127.0.0.1:8000", True),
        ("https://api.example.com/v1", True),
        ("http://[::1]:80/v1", True),
        ("", False),
        ("127.0.0.1:8000", False),
        ("ftp://host/", False),
        ("http://", False),
        ("http://[::1", False),
        ("http://host:99999", False),
        ("http://host:x", False),
        ("http://b..x/v1", False),
    ],
)
def test_what_is_a_url(text: str, expected: bool) -> None:
    assert expected is is_url(text)
