"""Where the stores of other programs are looked for."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from ggtui.config.load import load
from ggtui.config.stores import store_roots
from ggtui.core.errors import ConfigInvalid
from ggtui.core.stores import STORES

HOME = {"HOME": "/h"}


def places(store: str, environ: dict[str, str]) -> list[str]:
    return [str(root.path) for root in store_roots([store], environ)]


def test_the_hub_is_looked_for_in_its_own_order() -> None:
    environ = HOME | {
        "XDG_CACHE_HOME": "/x",
        "HF_HOME": "~/hf",
        "HUGGINGFACE_HUB_CACHE": "/old",
        "HF_HUB_CACHE": "/new",
    }

    assert ["/new", "/old", "/h/hf/hub", "/x/huggingface/hub", "/h/.cache/huggingface/hub"] == places(
        "huggingface", environ
    )


@pytest.mark.skipif(sys.platform == "darwin", reason="the flat folder lies elsewhere there")
def test_llama_cpp_has_a_variable_of_its_own_then_the_hub_then_its_flat_folder() -> None:
    assert ["/ll", "/h/.cache/huggingface/hub", "/h/.cache/llama.cpp"] == places(
        "llama.cpp", HOME | {"LLAMA_CACHE": "/ll"}
    )


def test_what_lm_studio_was_told_comes_first(tmp_path: Path) -> None:
    settings = tmp_path / ".lmstudio" / "settings.json"
    settings.parent.mkdir()
    settings.write_text(json.dumps({"downloadsFolder": "/disk/models"}))
    usual = [f"{tmp_path}/.lmstudio/models", f"{tmp_path}/.cache/lm-studio/models"]

    assert ["/disk/models", *usual] == places("lmstudio", {"HOME": str(tmp_path)})


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"downloadsFolder": 5}', '{"downloadsFolder": ""}', '{"downloadsFolder": "relative"}',
     '{"downloadsFolder": "/a\\u0000b"}', '{"downloadsFolder": "/a\\u001b[31m"}', "[" * 100_000],
    ids=range(9),
)  # fmt: skip
def test_settings_that_tell_nothing_do_no_harm(tmp_path: Path, content: str) -> None:
    settings = tmp_path / ".lmstudio" / "settings.json"
    settings.parent.mkdir()
    settings.write_text(content)

    assert 2 == len(places("lmstudio", {"HOME": str(tmp_path)}))


def test_ollama_is_looked_for_at_home_and_in_its_service() -> None:
    expected = ["/o", "/h/.ollama/models"]
    if sys.platform.startswith("linux"):
        expected.append("/usr/share/ollama/.ollama/models")

    assert expected == places("ollama", HOME | {"OLLAMA_MODELS": "/o"})


def test_a_place_of_two_stores_is_looked_at_once() -> None:
    roots = store_roots(STORES, HOME)

    assert len({root.path for root in roots}) == len(roots)
    assert "huggingface" == next(
        root.store for root in roots if root.path == Path("/h/.cache/huggingface/hub")
    )


def test_stores_are_chosen_by_flag_then_variable_then_file(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('stores = ["ollama"]\n')

    def chosen(flags: dict[str, object], environ: dict[str, str]) -> set[str]:
        return {str(root.store) for root in load(flags, HOME | environ, file).stores}

    assert {"ollama"} == chosen({}, {})
    assert {"lmstudio", "huggingface"} == chosen({}, {"GGTUI_STORES": "lmstudio, huggingface"})
    assert set() == chosen({}, {"GGTUI_STORES": "none"})
    assert set() == chosen({"stores": ()}, {"GGTUI_STORES": "lmstudio"})
    file.write_text("stores = []\n")
    assert set() == chosen({}, {})
    file.write_text("")
    assert len(STORES) == len(chosen({}, {}))


def test_a_store_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('stores = ["gpt4all"]\n')

    with pytest.raises(ConfigInvalid) as caught:
        load({}, HOME, file)

    assert "stores must be a list of huggingface, llama.cpp, lmstudio, ollama" in caught.value.detail
