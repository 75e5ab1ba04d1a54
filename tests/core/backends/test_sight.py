"""What was seen of a declared model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ggtui.core.backends import sight
from ggtui.core.backends.backend import Backend, BackendType, Capability, DeclaredModel
from ggtui.core.backends.names import identity
from ggtui.core.backends.observed import BackendState, PulledModel
from ggtui.core.backends.sight import capabilities, context_length, seen, told_capabilities

if TYPE_CHECKING:
    import pytest

BOX = Backend("box", BackendType.OLLAMA, "http://box")
PLAIN = DeclaredModel("m")
SAID = DeclaredModel("m", capabilities=frozenset({Capability.EMBED}), context_length=512)
CHATTY = PulledModel("m", context_length=4096, can_chat=True, can_stream=True)
SILENT = PulledModel("m")


def _state(*names: str) -> BackendState:
    return BackendState("box", "box", BOX, pulled_models=tuple(PulledModel(name) for name in names))


def test_a_model_is_seen_under_any_spelling_and_the_exact_one_goes_first() -> None:
    assert PulledModel("llama3:latest") == seen(_state("other", "llama3:latest"), "llama3")
    assert PulledModel("Org/m:latest") == seen(_state("org/m:latest", "Org/m:latest"), "Org/m")
    assert PulledModel("org/m:latest") == seen(_state("org/m:latest"), "Org/m")
    assert None is seen(_state("qwen:7b"), "qwen:0.5b")
    assert None is seen(_state(), "qwen")


def test_thousands_are_read_once_however_many_are_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    spelled: list[str] = []

    def counted(type: BackendType, name: str) -> str:
        spelled.append(name)
        return identity(type, name)

    monkeypatch.setattr(sight, "identity", counted)
    names = [f"m{number}" for number in range(1000)]
    state = _state(*names)

    assert [PulledModel(name) for name in names] == [seen(state, name) for name in names]
    assert 2 * len(names) == len(spelled)
    assert None is seen(replace(state, pulled_models=()), "m1"), "another look is another list"


def test_what_a_person_says_goes_before_what_the_backend_tells() -> None:
    assert frozenset({Capability.EMBED}) == capabilities(SAID, CHATTY)
    assert frozenset({Capability.CHAT, Capability.STREAM}) == capabilities(PLAIN, CHATTY)
    assert (512, 4096) == (context_length(SAID, CHATTY), context_length(PLAIN, CHATTY))


def test_what_nobody_tells_is_not_known() -> None:
    assert None is told_capabilities(SILENT)
    assert (None, None) == (capabilities(PLAIN, SILENT), capabilities(PLAIN, None))
    assert (0, 0) == (context_length(PLAIN, SILENT), context_length(PLAIN, None))


def test_to_be_good_for_nothing_can_be_said() -> None:
    nothing = DeclaredModel("m", capabilities=frozenset())

    assert frozenset() == capabilities(nothing, CHATTY)
