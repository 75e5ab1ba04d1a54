"""The corpus is whole and sound, and the engine it came from still gives the same figures."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.golden.configurations import CONFIGURATIONS, configurations_of
from tests.golden.corpus_file import CORPUS, WEIGHTS, corpus_models, save, weight_models
from tests.golden.engine import NoEngine, compiled
from tests.golden.families import ARCHITECTURES
from tests.golden.regenerate import WHEEL, measured
from tests.golden.weights import F16, F32, Q4_K, Tensor, WeightFile, tensors_of

if TYPE_CHECKING:
    from tests.golden.corpus_file import Model

LAUNCH_FIELDS = set(CONFIGURATIONS[0]) | {"embedding", "mtp"}
SIZE_FIELDS = {"context_bytes", "kv_bytes", "state_bytes", "compute_bytes", "output_bytes"}
SAMPLED = ("llama3.1-8b", "gemma3-27b", "deepseek-v2-lite", "lfm2-1.2b", "t5-1", "qwen35-5")


@pytest.fixture(scope="module")
def models() -> list[Model]:
    return list(corpus_models())


def test_covers_what_the_engine_knows(models: list[Model]) -> None:
    architectures = {model["arch"] for model in models}
    invented = {f"{name}-{number}" for name in architectures for number in range(1, 7)}

    assert len(architectures) >= 135
    assert architectures <= set(ARCHITECTURES)
    assert sum(model["name"] not in invented for model in models) >= 30


def test_every_model_has_figures_for_ten_launches(models: list[Model]) -> None:
    figures = {model["name"]: sum("refused" not in case for case in model["cases"]) for model in models}

    assert len(figures) == len(models), "a name appears twice"
    assert {} == {name: count for name, count in figures.items() if count < 10}


def test_rows_have_the_documented_fields(models: list[Model]) -> None:
    for model in models:
        for case in model["cases"]:
            expected = {"refused"} if "refused" in case else SIZE_FIELDS | {"flash"}

            assert LAUNCH_FIELDS | expected == set(case), model["name"]
            assert all(isinstance(case[field], int) and case[field] >= 0 for field in expected & SIZE_FIELDS)


def test_every_launch_is_kept_refused_or_not(models: list[Model]) -> None:
    for model in models:
        asked = configurations_of(model["arch"], model["keys"])

        assert len(asked) == len(model["cases"]), model["name"]
        for launch, case in zip(asked, model["cases"], strict=True):
            assert launch == {field: case[field] for field in launch}


def test_keys_are_a_header(models: list[Model]) -> None:
    for model in models:
        assert model["arch"] == model["keys"]["general.architecture"]
        assert model["keys"][f"{model['arch']}.block_count"] > 0


def test_context_does_not_shrink_with_length(models: list[Model]) -> None:
    for model in models:
        plain = [case for case in model["cases"] if "refused" not in case and _is_plain(case)]
        sizes = [case["context_bytes"] for case in sorted(plain, key=lambda case: case["ctx"])]

        assert len(sizes) >= 4, model["name"]
        assert sorted(sizes) == sizes, model["name"]


def _is_plain(case: dict[str, Any]) -> bool:
    usual = {"np": 1, "ctk": "f16", "ctv": "f16", "fa": "auto", "embedding": False, "mtp": False}
    return all(case[field] == value for field, value in usual.items())


def test_says_which_engine() -> None:
    for path in sorted(CORPUS.rglob("*.json")):
        assert WHEEL in path.read_text(encoding="utf-8"), path.name


def test_corpus_stays_small() -> None:
    assert sum(path.stat().st_size for path in CORPUS.rglob("*.json")) < 3_000_000


def test_weights_are_the_sum_of_the_tensors_the_engine_loads() -> None:
    differences = Counter[str]()
    for model in weight_models():
        loaded = [tensor for tensor in model["tensors"] if not _is_draft(tensor, model)]
        aligned = sum(-(-tensor.n_bytes // 32) * 32 for tensor in loaded)
        differences[model["name"]] = sum(model["weights_bytes"].values()) - aligned

    assert len(differences) >= 20
    assert {} == {name: bytes_ for name, bytes_ in differences.items() if bytes_}


def _is_draft(tensor: Tensor, model: Model) -> bool:
    keys, prefix = model["keys"], model["arch"]
    n_trunk = keys[f"{prefix}.block_count"] - keys.get(f"{prefix}.nextn_predict_layers", 0)
    return tensor.name.startswith("blk.") and int(tensor.name.split(".")[1]) >= n_trunk


def test_placements_keep_every_byte_somewhere() -> None:
    for model in weight_models():
        whole = sum(model["weights_bytes"].values())
        for row in model["placements"]:
            if "refused" not in row:
                assert sum(row["weights_bytes"].values()) >= whole, model["name"]
                assert set(row["weights_bytes"]) <= {"CPU", "GPU0", "GPU1"}

    assert WEIGHTS.is_dir()


def test_a_saved_model_reads_back_in_full(tmp_path: Path, models: list[Model]) -> None:
    save(tmp_path / "some.json", {"from": WHEEL}, models[:3])

    assert models[:3] == list(corpus_models(tmp_path))


def test_tensors_leave_out_what_a_file_does_not_have() -> None:
    file = WeightFile("any", "Q4_K_M", kept=r"blk\.0\.attn_q\.bias", missing=r"output\.weight")
    possible = (
        "output.weight 512 1000 1 1",
        "blk.0.attn_q.weight 512 256 1 1",
        "blk.0.attn_q.bias 256 1 1 1",
        "blk.0.attn_k.bias 256 1 1 1",
        "blk.0.attn_q.scale 1 1 1 1",
        "blk.0.ffn_up.weight 100 512 1 1",
    )

    assert tensors_of(file, possible) == [
        Tensor("blk.0.attn_q.weight", (512, 256), Q4_K),
        Tensor("blk.0.attn_q.bias", (256,), F32),
        Tensor("blk.0.ffn_up.weight", (100, 512), F16),
    ]


@pytest.mark.llama
def test_the_engine_still_says_the_same(tmp_path: Path, models: list[Model]) -> None:
    binary = os.environ.get("GGTUI_TEST_LLAMA_SERVER")
    if not binary:
        pytest.skip("GGTUI_TEST_LLAMA_SERVER names no llama-server")
    sources = Path(os.environ.get("LLAMA_CPP_SOURCES") or Path(binary).parents[1] / "include")
    try:
        engine = compiled(Path(binary), sources, tmp_path)
    except NoEngine as error:
        pytest.skip(f"the engine cannot be asked: {error}")
    known = {model["name"]: model for model in models}

    for name in SAMPLED:
        save(tmp_path / "again.json", {}, [measured(engine, name, known[name]["keys"], tmp_path)])

        assert [known[name]] == list(corpus_models(tmp_path)), name
