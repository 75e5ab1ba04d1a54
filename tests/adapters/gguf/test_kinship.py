"""Names that say the same model, and names that do not."""

from __future__ import annotations

import pytest

from ggtui.adapters.gguf.kinship import is_one_family, is_related


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("mmproj-google_gemma-3-12b-it-f16.gguf", "gemma-3-12b-it-Q4_K_M.gguf"),
        ("mmproj-Qwen2.5-VL-7B-Instruct-f16.gguf", "Qwen2.5-VL-7B-Instruct-Q4_K_M.gguf"),
        ("Qwen2.5 VL 7B Instruct", "Qwen2.5-VL-7B-Instruct-Q8_0-00001-of-00002.gguf"),
        ("SmolVLM-500M-Instruct", "mmproj-SmolVLM-500M-Instruct-Q8_0.gguf"),
    ],
)
def test_of_one_model(one: str, other: str) -> None:
    assert is_related([one], [other])
    assert is_related([other], [one])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("mmproj-gemma-3-12b-it-f16.gguf", "gemma-3-27b-it-Q4_K_M.gguf"),
        ("mmproj-gemma-3-12b-it-f16.gguf", "mistral-nemo-12b-Q4_K_M.gguf"),
        ("mmproj-model-f16.gguf", "llama-3.1-8b-instruct-Q4_K_M.gguf"),
        ("mmproj-Qwen2.5-VL-7B-Instruct-f16.gguf", "Qwen2-VL-7B-Instruct-Q4_K_M.gguf"),
    ],
)
def test_of_two_models(one: str, other: str) -> None:
    assert not is_related([one], [other])


def test_a_family_is_one_model_in_several_quantisations() -> None:
    quants = [["Gemma 3 4b It", f"gemma-3-4b-it-{quant}.gguf"] for quant in ("Q4_K_M", "Q8_0", "BF16")]

    assert is_one_family(quants)
    assert is_one_family(quants[:1])
    assert not is_one_family([*quants, ["Mistral 7B", "mistral-7b-Q4_K_M.gguf"]])
