"""The small writer, read back by the header reader and by the library."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.gguf.header import SkippedArray, read_header
from ggtui.adapters.gguf.writer import GgufWriter

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    writer = GgufWriter()
    writer.add_text("general.name", "näme")
    writer.add_number("number", 7)
    writer.add_float("half", 0.5)
    writer.add_texts("words", ["a", "bc"])
    writer.add_floats("floats", [0.25, -1.0])
    writer.add_integers("integers", [1, -2])
    writer.add_tensor("matrix", array("f", [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), n_columns=3)
    writer.add_tensor("vector", array("f", [7.0, 8.0]), n_columns=2)
    path = tmp_path / "m.gguf"
    writer.write(path)
    return path


def test_keys_and_tensors_are_read_back(path: Path) -> None:
    header = read_header(path)

    assert {
        "general.name": "näme",
        "number": 7,
        "half": 0.5,
        "words": SkippedArray(2),
        "floats": (0.25, -1.0),
        "integers": (1, -2),
    } == header.metadata
    assert (2, 8) == (header.n_tensors, header.tensors.n_elements)
    assert header.needed_bytes <= header.file_bytes


def test_the_library_sees_the_same_values(path: Path) -> None:
    gguf = pytest.importorskip("gguf")

    matrix, vector = gguf.GGUFReader(path).tensors

    assert [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]] == matrix.data.tolist()
    assert [7.0, 8.0] == vector.data.tolist()
