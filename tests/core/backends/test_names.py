"""Names of models as backends compare them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ggtui.core.backends.backend import BackendType
from ggtui.core.backends.names import canonical, is_same, spellings

TYPES = st.sampled_from(BackendType)
NAMES = st.text(alphabet="aB0./:@-_", max_size=24)
OLLAMA = BackendType.OLLAMA


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("llama3", "llama3:latest"),
        ("llama3:latest", "llama3:latest"),
        ("qwen2.5:0.5b", "qwen2.5:0.5b"),
        ("library/llama3", "llama3:latest"),
        ("registry.ollama.ai/library/llama3:8b", "llama3:8b"),
        ("Registry.Ollama.AI/Library/llama3", "llama3:latest"),
        ("registry.ollama.ai/someone/llama3", "someone/llama3:latest"),
        ("someone/llama3", "someone/llama3:latest"),
        ("hf.co/unsloth/Qwen3-8B-GGUF:Q4_K_M", "hf.co/unsloth/Qwen3-8B-GGUF:Q4_K_M"),
        ("hf.co/library/llama3", "hf.co/library/llama3:latest"),
        ("box:5000/library/llama3", "box:5000/library/llama3:latest"),
        ("llama3@sha256:abc", "llama3@sha256:abc"),
        ("", ""),
    ],
)
def test_a_name_of_ollama_has_its_tag_and_no_home(name: str, expected: str) -> None:
    assert expected == canonical(OLLAMA, name)


def test_the_prefix_of_gemini_does_not_count() -> None:
    assert "gemini-2.5-pro" == canonical(BackendType.GEMINI, "models/gemini-2.5-pro")
    assert "gemini-2.5-pro" == canonical(BackendType.GEMINI, "gemini-2.5-pro")
    assert "tunedModels/mine" == canonical(BackendType.GEMINI, "tunedModels/mine")


@pytest.mark.parametrize("type", sorted(set(BackendType) - {OLLAMA, BackendType.GEMINI}))
@pytest.mark.parametrize("name", ["llama3", "library/llama3", "models/x", "Org/Model-8B"])
def test_everything_else_is_as_it_is_written(type: BackendType, name: str) -> None:
    assert name == canonical(type, name)
    assert not is_same(type, name, name.swapcase())


@given(TYPES, NAMES)
def test_a_canonical_name_stays_so(type: BackendType, name: str) -> None:
    once = canonical(type, name)

    assert once == canonical(type, once)
    assert is_same(type, name, once)
    assert {name, once} == set(spellings(type, name))


@given(NAMES, st.sampled_from(["0.5b", "7b", "Latest2", "q4_0"]))
def test_a_tag_is_never_dropped(name: str, tag: str) -> None:
    tagged = f"{name.replace(':', '').replace('@', '')}x:{tag}"

    assert canonical(OLLAMA, tagged).endswith(f":{tag}")
    assert not is_same(OLLAMA, tagged, tagged.rpartition(":")[0])
    assert not is_same(OLLAMA, tagged, f"{tagged}1")


def test_ollama_gives_the_same_model_in_any_case() -> None:
    assert is_same(OLLAMA, "hf.co/Org/Model:Q4_K_M", "hf.co/org/model:q4_k_m")
    assert is_same(OLLAMA, "Llama3", "llama3:latest")
    assert not is_same(OLLAMA, "qwen2.5:0.5b", "qwen2.5:7b")


def test_clients_may_write_both_spellings() -> None:
    assert ("llama3", "llama3:latest") == spellings(OLLAMA, "llama3")
    assert ("llama3:latest",) == spellings(OLLAMA, "llama3:latest")
    assert ("llama3",) == spellings(BackendType.VLLM, "llama3")
