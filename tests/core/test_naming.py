"""Names from files: ids that never collide, labels of quantisations, shards."""

from __future__ import annotations

import pytest

from ggtui.core.naming import ShardName, model_stem, public_id, quantisation, shard_of, slug


@pytest.mark.parametrize(
    ("file_name", "label"),
    [
        ("Llama-3.2-3B-Instruct-Q4_K_M.gguf", "Q4_K_M"),
        ("qwen2.5-0.5b-instruct-q8_0.gguf", "Q8_0"),
        ("model.Q2_K_XL.gguf", "Q2_K_XL"),
        ("gemma-3-27b-UD-Q4_K_XL.gguf", "UD-Q4_K_XL"),
        ("x-IQ4_XS.gguf", "IQ4_XS"),
        ("x-BF16-00001-of-00002.gguf", "BF16"),
        ("gpt-oss-20b-mxfp4.gguf", "MXFP4"),
        ("f16-to-Q6_K.gguf", "Q6_K"),
        ("plain.gguf", ""),
    ],
)
def test_the_label_of_a_file_name(file_name: str, label: str) -> None:
    assert label == quantisation(file_name)


def test_the_file_type_and_then_the_commonest_type_tell_where_the_name_does_not() -> None:
    assert "Q5_K_M" == quantisation("plain.gguf", 17, "Q5_K")
    assert "Q5_K" == quantisation("plain.gguf", 999, "Q5_K")
    assert "Q8_0" == quantisation("plain-q8_0.gguf", 17, "Q5_K")


@pytest.mark.parametrize(
    ("file_name", "quant", "expected"),
    [
        ("Llama-3.2-3B-Q4_K_M.gguf", "Q4_K_M", "llama-3.2-3b-q4_k_m"),
        ("demo alpha.gguf", "F32", "demo-alpha-f32"),
        ("big-q4_0-00001-of-00003.gguf", "Q4_0", "big-q4_0"),
        ("42.gguf", "", "model-42"),
        ("42.gguf", "Q4_0", "42-q4_0"),
        ("....gguf", "", "model"),
        ("\x1b[31mred.gguf", "", "31mred"),
        ("Ünïcode.GGUF", "", "n-code"),
    ],
)
def test_the_slug_of_a_file(file_name: str, quant: str, expected: str) -> None:
    assert expected == slug(file_name, quant)


def test_a_taken_id_gets_a_short_suffix_from_the_path_and_stays() -> None:
    taken = {"a-q4_0"}

    first = public_id("a-q4_0.gguf", "Q4_0", "/one/a-q4_0.gguf", taken)
    second = public_id("a-q4_0.gguf", "Q4_0", "/two/a-q4_0.gguf", taken | {first})

    assert first.startswith("a-q4_0-")
    assert len("a-q4_0-") + 4 == len(first)
    assert first != second
    assert first == public_id("a-q4_0.gguf", "Q4_0", "/one/a-q4_0.gguf", taken)
    assert "a-q4_0" == public_id("a-q4_0.gguf", "Q4_0", "/one/a-q4_0.gguf", set())


def test_a_path_that_is_no_text_still_gives_an_id() -> None:
    assert "a-" == public_id("a.gguf", "", "/x/\udcff/a.gguf", {"a"})[:2]


def test_shards() -> None:
    assert ShardName("m-q4_0", 2, 3) == shard_of("m-q4_0-00002-of-00003.gguf")
    assert shard_of("m-00004-of-00003.gguf") is None
    assert shard_of("m-00000-of-00003.gguf") is None
    assert shard_of("m.gguf") is None
    assert "m-q4_0" == model_stem("m-q4_0-00002-of-00003.gguf")
