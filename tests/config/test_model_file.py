"""Settings of single models as a person writes them, and every mistake in them."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from ggtui.config.model_file import KEYS, checked, read_models
from ggtui.core.errors import ConfigInvalid
from ggtui.core.model_settings import AUTO, ModelSettings
from ggtui.core.models import KvType


def written(folder: Path, text: str) -> Path:
    file = folder / "models.toml"
    file.write_text(text)
    return file


def test_the_keys_are_the_fields() -> None:
    assert [each.name for each in fields(ModelSettings)] == list(KEYS)


def test_every_key_arrives_with_its_type(tmp_path: Path) -> None:
    text = """
    ["qwen3-8b-q4_k_m"]
    ctx = 16384
    slots = 2
    kv_unified = false
    cache_type_k = "q8_0"
    cache_type_v = "Q5_1"
    gpu_layers = 20
    flash_attn = true
    threads = "auto"
    template = "chatml"
    extra_args = ["--no-warmup", "--seed", "7"]
    keep_alive = "10m"
    pinned = true
    """
    expected = ModelSettings(
        ctx=16384,
        slots=2,
        kv_unified=False,
        cache_type_k=KvType.Q8_0,
        cache_type_v=KvType.Q5_1,
        gpu_layers=20,
        flash_attn=True,
        threads=AUTO,
        template="chatml",
        extra_args=("--no-warmup", "--seed", "7"),
        keep_alive="10m",
        pinned=True,
    )

    own = read_models(written(tmp_path, text))["qwen3-8b-q4_k_m"]

    assert expected == own
    assert 600.0 == own.keep_alive_s


def test_no_file_is_no_settings(tmp_path: Path) -> None:
    assert {} == read_models(tmp_path / "models.toml")


@pytest.mark.parametrize(
    ("written_as", "expected"),
    [
        ("llama2-sys", "llama2-sys"),
        ("granite-4.0", "granite-4.0"),
        ("own.jinja", "FOLDER/own.jinja"),
        ("templates/../own", "FOLDER/own"),
        ("/abs/own.j2", "/abs/own.j2"),
        ("~/own.jinja", "HOME/own.jinja"),
    ],
)
def test_a_template_is_a_name_or_a_path_from_the_files_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written_as: str, expected: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    own = checked({"template": written_as}, tmp_path)

    assert expected.replace("FOLDER", str(tmp_path)).replace("HOME", str(tmp_path / "home")) == own.template


@pytest.mark.parametrize(
    ("text", "detail", "hint"),
    [
        ('["m"]\nctxt = 1', '["m"] has no key ctxt', "did you mean ctx?"),
        ('["m"]\nn_parallel = 1', '["m"] has no key n_parallel', f"the keys are {', '.join(KEYS)}"),
        ('["m"]\nctx = 0', '["m"] ctx must be a whole number from 1 to 16777216, not 0', ""),
        ('["m"]\nslots = "2"', "[\"m\"] slots must be a whole number from 1 to 1024, not '2'", ""),
        (
            '["m"]\ngpu_layers = -1',
            '["m"] gpu_layers must be a whole number from 0 to 10000, or "auto", not -1',
            "",
        ),
        ('["m"]\nflash_attn = 1', '["m"] flash_attn must be true or false, or "auto", not 1', ""),
        (
            '["m"]\nkeep_alive = "soon"',
            '["m"] keep_alive must be seconds, a time such as "10m", or -1 for ever, not \'soon\'',
            "",
        ),
        (
            '["m"]\nkeep_alive = nan',
            '["m"] keep_alive must be seconds, a time such as "10m", or -1 for ever, not nan',
            "",
        ),
        (
            '["m"]\nkeep_alive = true',
            '["m"] keep_alive must be seconds, a time such as "10m", or -1 for ever, not True',
            "",
        ),
        ('["m"]\nextra_args = "-v"', "[\"m\"] extra_args must be a list of texts, not '-v'", ""),
        ('["m"]\ntemplate = " "', '["m"] template must name a template or a file', ""),
        (
            "ctx = 4096",
            "ctx stands outside the table of a model",
            'begin with the model\'s name: ["PUBLIC-ID"]',
        ),
        (
            "[llama-3.2-3b]\nctx = 4096",
            "[llama-3.2-3b] is no table of a model",
            'put the name of a model in quotes: ["llama-3.2-3b"]',
        ),
    ],
)
def test_a_mistake_names_file_table_and_key(tmp_path: Path, text: str, detail: str, hint: str) -> None:
    file = written(tmp_path, text)

    with pytest.raises(ConfigInvalid) as caught:
        read_models(file)

    assert (f"{file}: {detail}", hint) == (caught.value.detail, caught.value.hint)


def test_broken_toml_names_the_line(tmp_path: Path) -> None:
    file = written(tmp_path, '["m"]\nctx = = 2\n')

    with pytest.raises(ConfigInvalid) as caught:
        read_models(file)

    assert f"{file}, line 2: Invalid value" == caught.value.detail


def test_none_is_not_set_and_an_unknown_key_is_refused_even_so() -> None:
    assert ModelSettings(slots=2) == checked({"slots": 2, "ctx": None}, Path("/"))
    with pytest.raises(ConfigInvalid) as caught:
        checked({"ctxt": None}, Path("/"))

    assert ("no key ctxt", "ctxt") == (caught.value.detail, caught.value.param)
