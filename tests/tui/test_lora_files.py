"""Which LoRA files are likely to fit a model, and what they are called."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ggtui.core.routing.adapters import is_adapter_name
from ggtui.tui.lora_files import Match, match, ordered, proposed_name, reference, why_not
from tests.tui.fake_engine import model
from tests.tui.fake_names import LORAS, lora

MODEL = model(4, "gemma-3-27b-it", 15.4)


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (lora("a", base_hints=("gemma 3 27b it",)), Match.MADE_FOR),
        (lora("a", base_hints=("google/gemma-3-27b",)), Match.MADE_FOR),
        (lora("a", "", base_hints=("Gemma 3 27B",)), Match.MADE_FOR),
        (lora("a", base_hints=("gemma-3-12b",)), Match.SAME_KIND),
        (lora("a", base_hints=("it",)), Match.SAME_KIND),
        (lora("a"), Match.SAME_KIND),
        (lora("a", ""), Match.UNKNOWN),
        (lora("a", "llama", base_hints=("gemma-3-27b-it",)), Match.OTHER),
        (lora("a", problem="it is cut off"), Match.BROKEN),
    ],
)
def test_a_file_fits_by_what_it_tells(file: object, expected: Match) -> None:
    assert expected is match(file, MODEL)  # type: ignore[arg-type]


def test_the_likely_ones_come_first_then_names() -> None:
    files = (lora("z"), lora("a"), *reversed(LORAS))

    assert ["code-lora", "a", "chat-lora", "z", "plain-lora", "zebra-lora", "old-lora"] == [
        file.name for _, file in ordered(files, MODEL)
    ]


def test_a_given_name_is_a_name_of_the_model_too() -> None:
    assert Match.MADE_FOR is match(lora("a", base_hints=("house fox",)), replace(MODEL, name="House-Fox"))


def test_what_cannot_be_attached_says_why() -> None:
    assert "it is made for llama, the model is qwen3" == why_not(lora("a", "llama"), MODEL)
    assert "it is cut off" == why_not(lora("a", problem="it is cut off"), MODEL)
    assert "" == why_not(lora("a", ""), MODEL)


def test_a_file_is_named_unless_others_have_the_name() -> None:
    code, other = lora("code"), lora("code", path=Path("/elsewhere/x.gguf"))
    stem = lora("other", path=Path("/elsewhere/code.gguf"))

    assert "code" == reference(code, (code, lora("chat")))
    assert "/loras/code.gguf" == reference(code, (code, other))
    assert "/loras/code.gguf" == reference(code, (code, stem))


@pytest.mark.parametrize(
    ("file_name", "taken", "expected"),
    [
        ("Code LoRA.gguf", (), "code-lora"),
        ("code.gguf", ("code",), "code-2"),
        ("code.gguf", ("code", "code-2"), "code-3"),
        ("x" * 90, (), "x" * 64),
        ("x" * 90, ("x" * 64,), f"{'x' * 61}-2"),
        ("7.gguf", (), "model-7"),
    ],
)
def test_a_name_is_proposed_that_is_free(file_name: str, taken: tuple[str, ...], expected: str) -> None:
    proposed = proposed_name(file_name, taken)

    assert expected == proposed
    assert is_adapter_name(proposed)
