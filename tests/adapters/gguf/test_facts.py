"""From keys to what the catalog remembers of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.gguf.facts import ModelFacts, broken_facts, facts_of
from ggtui.adapters.gguf.header import read_header
from ggtui.core.errors import HeaderUnreadable
from ggtui.core.memory.cache import kv_bytes
from ggtui.core.memory.request import LoadRequest
from tests.adapters.gguf import raw
from tests.models import tiny_model

if TYPE_CHECKING:
    from pathlib import Path


def facts(folder: Path, *keys: bytes, name: str = "m.gguf", tensors: tuple[bytes, ...] = ()) -> ModelFacts:
    """The facts of the least of models with further keys; a further key replaces the one of its name."""
    path = raw.written(folder, raw.header([*raw.LLAMA_KEYS, *keys], tensors, data=bytes(4096)), name)
    return facts_of(read_header(path), path.name)


def facts_of_keys(folder: Path, architecture: str, *keys: bytes) -> ModelFacts:
    keys = (raw.string("general.architecture", architecture), *keys)
    return facts_of(read_header(raw.written(folder, raw.header(keys))), "m.gguf")


def test_a_tiny_model(tmp_path: Path) -> None:
    path = tiny_model(tmp_path / "tiny-Q4_K_M.gguf", name="Tiny \x1b[31mred", n_ctx_train=4096)

    found = facts_of(read_header(path), path.name)

    assert ("model", "Tiny red", "llama", "Q4_K_M") == (
        found.kind, found.name, found.architecture, found.quantisation,
    )  # fmt: skip
    assert (4096, 64) == (found.n_ctx_train, found.n_embd)
    assert found.shape is not None
    assert ((4, 4), 16) == (found.shape.n_head_kv.figures, found.shape.key_length)
    assert ("chat", "completion") == found.capabilities
    assert found.n_params is not None
    assert found.n_params > 100_000
    assert found.problem is None


def test_the_quantisation_comes_from_the_file_type_and_then_from_the_tensors(tmp_path: Path) -> None:
    assert "Q4_K_M" == facts(tmp_path, raw.u32("general.file_type", 15)).quantisation
    assert "Q8_0" == facts(tmp_path, tensors=(raw.tensor(type_id=8),)).quantisation
    assert "" == facts(tmp_path).quantisation


def test_the_name_comes_from_the_file_where_the_header_has_none(tmp_path: Path) -> None:
    assert "my-model" == facts(tmp_path, name="my-model.gguf").name
    assert "my-model" == facts(tmp_path, raw.string("general.name", "\x07"), name="my-model.gguf").name


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ((), ("completion",)),
        ((raw.string("tokenizer.chat_template", "{{ x }}"),), ("chat", "completion")),
        ((raw.u32("llama.pooling_type", 1),), ("embedding",)),
        ((raw.u32("llama.pooling_type", 3), raw.string("tokenizer.chat_template", "x")), ("embedding",)),
        ((raw.u32("llama.pooling_type", 4),), ("rerank",)),
        ((raw.u32("llama.pooling_type", 0),), ("completion",)),
    ],
    ids=["plain", "template", "mean", "last", "rank", "none"],
)
def test_abilities(tmp_path: Path, keys: tuple[bytes, ...], expected: tuple[str, ...]) -> None:
    assert expected == facts(tmp_path, *keys).capabilities


def test_a_bert_embeds_and_keeps_no_cache(tmp_path: Path) -> None:
    found = facts_of_keys(tmp_path, "bert", raw.u32("bert.block_count", 3))

    assert ("embedding",) == found.capabilities
    assert found.shape is not None
    assert 0 == kv_bytes(found.shape, LoadRequest(), 4096)


@pytest.mark.parametrize(
    ("keys", "kind"),
    [
        ((raw.string("general.type", "adapter"),), "adapter"),
        ((raw.string("adapter.type", "lora"),), "adapter"),
        ((raw.string("general.type", "mmproj"),), "mmproj"),
        ((raw.string("general.type", "imatrix"),), "imatrix"),
        ((raw.u32("clip.vision.block_count", 1),), "mmproj"),
        ((raw.string("general.type", "model"),), "model"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_kinds_by_keys(tmp_path: Path, keys: tuple[bytes, ...], kind: str) -> None:
    assert kind == facts(tmp_path, *keys).kind


def test_kinds_by_architecture_and_name(tmp_path: Path) -> None:
    assert "mmproj" == facts_of_keys(tmp_path, "clip").kind
    assert "draft" == facts_of_keys(tmp_path, "eagle3").kind
    assert "mmproj" == facts(tmp_path, name="mmproj-F16.gguf").kind


def test_a_header_without_architecture_is_no_model(tmp_path: Path) -> None:
    header = read_header(raw.written(tmp_path, raw.header([raw.u32("k", 1)])))

    with pytest.raises(HeaderUnreadable) as caught:
        facts_of(header, "m.gguf")

    assert "header names no architecture" == caught.value.detail


def test_an_incomplete_download_is_told_with_both_sizes(tmp_path: Path) -> None:
    content = raw.header(raw.LLAMA_KEYS, [raw.tensor(dims=(1 << 20, 4))], data=bytes(2 << 20))
    path = raw.written(tmp_path, content)

    assert "incomplete download: 2.0M of 16M" == facts_of(read_header(path), path.name).problem


def test_the_other_byte_order_is_told(tmp_path: Path) -> None:
    def text(value: bytes) -> bytes:
        return len(value).to_bytes(8, "big") + value

    key = text(b"general.architecture") + (8).to_bytes(4, "big") + text(b"llama")
    content = b"GGUF" + (3).to_bytes(4, "big") + bytes(8) + (1).to_bytes(8, "big") + key

    problem = facts_of(read_header(raw.written(tmp_path, content)), "m.gguf").problem

    assert "written for machines of the other byte order" == problem


def test_a_broken_file_keeps_what_its_name_tells() -> None:
    found = broken_facts("some-Q8_0-00001-of-00002.gguf", "odd\x1b[2J")

    assert ("some-Q8_0", "Q8_0", "odd") == (found.name, found.quantisation, found.problem)
