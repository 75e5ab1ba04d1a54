"""The header reader: what it keeps, and every bound that keeps a hostile file from hurting."""

from __future__ import annotations

import os
import random
import struct
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.gguf import header as header_module
from ggtui.adapters.gguf import window as window_module
from ggtui.adapters.gguf.facts import facts_of
from ggtui.adapters.gguf.header import Header, SkippedArray, read_header, read_header_of
from ggtui.adapters.gguf.window import opened
from ggtui.core.errors import HeaderUnreadable
from tests.adapters.gguf import raw
from tests.models import tiny_model
from tests.vocabulary import vocabulary_model

if TYPE_CHECKING:
    from pathlib import Path

SEED = 20_240
N_MUTATIONS = 400


def read(folder: Path, content: bytes) -> Header:
    return read_header(raw.written(folder, content))


def refusal(folder: Path, content: bytes) -> str:
    with pytest.raises(HeaderUnreadable) as caught:
        read(folder, content)
    return caught.value.detail


def test_a_tiny_model_is_read_as_the_library_reads_it(tmp_path: Path) -> None:
    gguf = pytest.importorskip("gguf")
    path = tiny_model(tmp_path / "tiny.gguf", name="tiny")
    library = gguf.GGUFReader(path)

    mine = read_header(path)

    assert len(library.tensors) == mine.n_tensors
    assert sum(int(tensor.n_elements) for tensor in library.tensors) == mine.tensors.n_elements
    assert library.data_offset == mine.data_start
    assert path.stat().st_size == mine.needed_bytes
    assert "tiny" == mine.metadata["general.name"]
    assert 4096 == mine.metadata["llama.context_length"]
    n_vocab = len(library.fields["tokenizer.ggml.tokens"].data)
    assert SkippedArray(n_vocab) == mine.metadata["tokenizer.ggml.tokens"]


def test_every_scalar_type_is_kept(tmp_path: Path) -> None:
    scalars = [
        ("B", raw.U8, 200), ("b", raw.I8, -2), ("H", raw.U16, 60_000), ("h", raw.I16, -3), ("I", raw.U32, 7),
        ("i", raw.I32, -7), ("f", raw.F32, 0.5), ("?", raw.BOOL, True), ("Q", raw.U64, 1 << 40),
        ("q", raw.I64, -(1 << 40)), ("d", raw.F64, 0.25),
    ]  # fmt: skip
    keys = [raw.text(code) + struct.pack(f"<I{code}", kind, value) for code, kind, value in scalars]

    assert {code: value for code, _, value in scalars} == read(tmp_path, raw.header(keys)).metadata


def test_short_arrays_are_kept_and_long_ones_counted(tmp_path: Path) -> None:
    keys = [
        raw.u32s("short", [1, 2, 3]),
        raw.u32s("long", range(1025)),
        raw.array("words", raw.STRING, 2, raw.text("a") + raw.text("b")),
        raw.u32("last", 9),
    ]

    assert {
        "short": (1, 2, 3),
        "long": SkippedArray(1025),
        "words": SkippedArray(2),
        "last": 9,
    } == read(tmp_path, raw.header(keys)).metadata


def test_strings_longer_than_the_window_are_passed_over(tmp_path: Path) -> None:
    huge = raw.text(b"x" * (3 * 1024 * 1024))
    keys = [
        raw.array("words", raw.STRING, 3, huge + raw.text("b") + huge),
        raw.string("long", b"y" * (2 * 1024 * 1024)),
        raw.u32("last", 9),
    ]

    metadata = read(tmp_path, raw.header(keys)).metadata

    assert 9 == metadata["last"]
    assert "y" * 1024 == metadata["long"]


def test_a_big_endian_file_is_read(tmp_path: Path) -> None:
    key = struct.pack(">Q", 1) + b"k" + struct.pack(">II", raw.U32, 258)
    content = b"GGUF" + struct.pack(">IQQ", 3, 0, 1) + key

    header = read(tmp_path, content)

    assert header.is_big_endian
    assert 3 == header.version
    assert {"k": 258} == header.metadata


@pytest.mark.parametrize("version", [2, 3])
def test_versions_two_and_three_are_read(tmp_path: Path, version: int) -> None:
    assert version == read(tmp_path, raw.header([raw.u32("k", 1)], version=version)).version


def test_text_that_is_no_utf8_is_replaced(tmp_path: Path) -> None:
    assert "a\ufffd" == read(tmp_path, raw.header([raw.string("k", b"a\xff")])).metadata["k"]


KEY = raw.u32("k", 1)
LENGTH_2_60, LENGTH_900 = struct.pack("<Q", 1 << 60), struct.pack("<Q", 900)
LONG_STRING = raw.text("k") + struct.pack("<I", raw.STRING) + LENGTH_2_60
CUT_STRING = raw.text("k") + struct.pack("<I", raw.STRING) + LENGTH_900


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "file is empty"),
        (b"GGUF", "file is too short for a GGUF file"),
        (b"<html><body>404 Not Found</body></html>", "not a GGUF file"),
        (raw.header([KEY], version=1), "GGUF version 1 is no longer supported; get a newer conversion"),
        (raw.header([KEY], version=4), "GGUF version 4 is not known"),
        (raw.header([KEY], n_keys=1 << 40), "header claims more keys than the file can hold"),
        (raw.header([KEY], n_keys=65_537) + bytes(1 << 20), "header claims more keys than the file can hold"),
        (raw.header([KEY], n_tensors=1 << 40), "header claims more tensors than the file can hold"),
        (raw.header([KEY], n_tensors=8), "header claims more tensors than the file can hold"),
        (raw.header([raw.u32("", 1)]), "a key has no sound length"),
        (raw.header([raw.u32(b"k" * 65_536, 1)]), "a key has no sound length"),
        (raw.header([raw.u32(b"k\xff", 1)]), "a key is not UTF-8"),
        (raw.header([KEY, KEY]), "a key appears twice"),
        (raw.header([raw.text("k") + struct.pack("<II", 13, 0)]), "value type 13 is not known"),
        (raw.header([LONG_STRING]), "a string is longer than 64 MiB"),
        (raw.header([CUT_STRING]), "file is cut off inside its header"),
        (raw.header([raw.array("k", raw.U8, 1 << 60)]), "an array is longer than the file"),
        (raw.header([raw.array("k", raw.U8, 2000)]), "an array is longer than the file"),
        (raw.header([raw.array("k", raw.STRING, 1 << 60)]), "an array of strings is longer than the file"),
        (raw.header([raw.array("k", raw.STRING, 1, LENGTH_2_60)]), "a string is longer than 64 MiB"),
        (raw.header([raw.array("k", raw.STRING, 1, LENGTH_900)]), "file is cut off inside its header"),
        (raw.header([raw.array("k", raw.ARRAY, 1)]), "an array holds arrays or an unknown type"),
        (raw.header([raw.array("k", 99, 1)]), "an array holds arrays or an unknown type"),
        (raw.header([], [raw.tensor(dims=())]), "a tensor has no sound number of dimensions"),
        (raw.header([], [raw.tensor(dims=(1,) * 5)]), "a tensor has no sound number of dimensions"),
        (raw.header([], [raw.tensor(dims=(32, 0))]), "a tensor has no sound size"),
        (raw.header([], [raw.tensor(dims=(1 << 32, 1 << 31))]), "a tensor has no sound size"),
        (raw.header([], [raw.tensor(dims=(33,), type_id=8)]), "a tensor's rows are no whole blocks"),
        (raw.header([], [raw.tensor(offset=8)]), "a tensor is not aligned"),
        (raw.header([], [raw.tensor(b"n" * 65)]), "a tensor name has no sound length"),
        (raw.header([], [raw.tensor(b"\xff")]), "a tensor name is not UTF-8"),
        (raw.header([], [raw.tensor(), raw.tensor()]), "a tensor appears twice"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_hostile_file_is_refused_with_its_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    assert reason == refusal(tmp_path, content)


@pytest.mark.parametrize("alignment", [0, 4, 48, 1 << 21, 1 << 31])
def test_an_alignment_that_is_none_is_refused(tmp_path: Path, alignment: int) -> None:
    content = raw.header([raw.u32("general.alignment", alignment)])

    assert "alignment is not a power of two between 8 and 1 MiB" == refusal(tmp_path, content)


def test_an_alignment_of_another_type_is_refused(tmp_path: Path) -> None:
    wide = raw.text("general.alignment") + struct.pack("<IQ", raw.U64, 32)

    for key in (raw.string("general.alignment", "32"), wide):
        assert "alignment is no unsigned 32-bit number" == refusal(tmp_path, raw.header([key]))


def test_an_own_alignment_moves_the_data(tmp_path: Path) -> None:
    header = read(tmp_path, raw.header([raw.u32("general.alignment", 4096)]))

    assert 4096 == header.data_start


def test_too_many_strings_are_refused_before_they_are_counted(tmp_path: Path) -> None:
    path = raw.written(tmp_path, raw.header([raw.array("k", raw.STRING, 50_000_000)]))
    os.truncate(path, 1 << 30)

    with pytest.raises(HeaderUnreadable) as caught:
        read_header(path)

    assert "an array of strings is longer than the file" == caught.value.detail


def test_too_many_numbers_are_refused(tmp_path: Path) -> None:
    path = raw.written(tmp_path, raw.header([raw.array("k", raw.U8, (16 << 20) + 1)]))
    os.truncate(path, 1 << 30)

    with pytest.raises(HeaderUnreadable):
        read_header(path)


def test_a_header_longer_than_its_budget_is_given_up(tmp_path: Path) -> None:
    piece = struct.pack("<Q", 63 << 20)
    path = tmp_path / "long.gguf"
    with path.open("wb") as file:
        file.write(b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + raw.array("k", raw.STRING, 6))
        for _ in range(6):
            file.write(piece)
            file.seek(63 << 20, os.SEEK_CUR)
    os.truncate(path, 1 << 30)

    with pytest.raises(HeaderUnreadable) as caught:
        read_header(path)

    assert "header is longer than 256 MiB" == caught.value.detail


def test_a_header_that_takes_too_long_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window_module, "TIME_LIMIT_S", -1.0)

    assert "header takes too long to read" == refusal(tmp_path, raw.header([KEY]))


def test_kept_text_has_a_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(header_module, "KEPT_BUDGET", 1500)
    keys = [raw.string(name, "x" * 1000) for name in "abc"] + [raw.u32s("d", [1]), raw.u32("e", 2)]

    metadata = read(tmp_path, raw.header(keys)).metadata

    assert [1000, 500, 0] == [len(str(metadata[name])) for name in "abc"]
    assert SkippedArray(1) == metadata["d"]
    assert 2 == metadata["e"]


def test_an_unknown_tensor_type_makes_the_size_unknown_and_not_the_file_bad(tmp_path: Path) -> None:
    header = read(tmp_path, raw.header([], [raw.tensor(dims=(33,), type_id=999)]))

    assert 33 == header.tensors.n_elements
    assert {999: 0} == header.tensors.bytes_by_type


def test_what_the_file_should_hold_is_known_when_it_is_cut(tmp_path: Path) -> None:
    header = read(tmp_path, raw.header([], [raw.tensor(dims=(32, 4))], data=bytes(100)))

    assert header.file_bytes - 100 + 512 == header.needed_bytes


def test_a_pipe_is_no_file_and_does_not_block(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.gguf"
    os.mkfifo(pipe)

    with pytest.raises(HeaderUnreadable) as caught:
        read_header(pipe)

    assert "not a regular file" == caught.value.detail


@pytest.mark.parametrize("name", [".", "absent.gguf", "nul\0.gguf"])
def test_what_cannot_be_opened_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(HeaderUnreadable):
        read_header(tmp_path / name)


def test_a_file_that_shrinks_while_it_is_read_is_cut_off(tmp_path: Path) -> None:
    path = raw.written(tmp_path, raw.header([KEY]))

    with opened(path) as window:
        os.truncate(path, 2)

        with pytest.raises(HeaderUnreadable):
            window.u32()


def test_mutations_of_a_sound_file_raise_nothing_else(tmp_path: Path) -> None:
    """Flips, cuts and overwrites in the header of a tiny model; the seed is fixed."""
    whole = tiny_model(tmp_path / "tiny.gguf").read_bytes()
    n_header = read_header(tmp_path / "tiny.gguf").data_start
    dice = random.Random(SEED)
    path = tmp_path / "mutant.gguf"
    n_refused = 0
    for _ in range(N_MUTATIONS):
        path.write_bytes(_mutated(whole[: n_header + 64], n_header, dice))
        try:
            facts_of(read_header(path), path.name)
        except HeaderUnreadable:
            n_refused += 1

    assert N_MUTATIONS // 10 < n_refused < N_MUTATIONS


def _mutated(content: bytes, n_header: int, dice: random.Random) -> bytes:
    mutant = bytearray(content)
    # Half of the mutations hit the keys in front, where every byte has a meaning.
    reach = 700 if dice.random() < 0.5 else n_header
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(4, reach)
        kind = dice.randrange(3)
        if kind == 0:
            mutant[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            mutant[at : at + 8] = dice.choice([b"\xff" * 8, bytes(8), struct.pack("<Q", 1 << 62)])
        else:
            del mutant[dice.randrange(at, n_header) :]
            break
    return bytes(mutant)


class Counted:
    """Bytes in memory as a source, and how many of them were asked for."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.size_bytes = len(content)
        self.n_read = 0

    def read(self, offset: int, least: int) -> bytes:
        piece = self.content[offset : offset + max(least, 4096)]
        self.n_read += len(piece)
        return piece


def test_a_header_is_the_same_from_any_source(tmp_path: Path) -> None:
    content = vocabulary_model(n_tokens=20_000)

    assert read(tmp_path, content) == read_header_of(Counted(content), 10.0)


def test_what_another_file_of_the_model_has_shown_is_not_read_again(tmp_path: Path) -> None:
    first = read(tmp_path, vocabulary_model(n_tokens=20_000))
    content = vocabulary_model(n_tokens=20_000, is_quantised=True)
    source = Counted(content)

    found = read_header_of(source, 10.0, first)

    assert read(tmp_path, content) == found
    assert first.tensors != found.tensors
    assert source.n_read < first.data_start // 10


@pytest.mark.parametrize("salt", ["x", "longer"])
def test_another_vocabulary_of_the_same_size_is_read_for_itself(tmp_path: Path, salt: str) -> None:
    first = read(tmp_path, vocabulary_model(n_tokens=20_000))
    content = vocabulary_model(n_tokens=20_000, salt=salt)

    assert read(tmp_path, content) == read_header_of(Counted(content), 10.0, first)


def test_a_header_that_hides_another_one_is_read_for_itself(tmp_path: Path) -> None:
    count, key = 8000, "tokenizer.ggml.tokens"
    first = read(tmp_path, raw.header([raw.array(key, raw.STRING, count, raw.text("x") * count)]))
    hidden = raw.u32("hidden", 1) + raw.tensor()
    shift = len(raw.text("x") * count) - len(raw.text("") * count)
    before = len(raw.string("shown", b""))
    keys = [
        raw.array(key, raw.STRING, count, raw.text("") * count),
        raw.string("shown", bytes(shift - before) + hidden),
    ]
    content = raw.header(keys, [raw.tensor(dims=(1024,))], data=bytes(4096))

    found = read_header_of(Counted(content), 10.0, first)

    assert read(tmp_path, content) == found
    assert {key, "shown"} == set(found.metadata)


def test_a_cut_file_is_read_for_itself(tmp_path: Path) -> None:
    content = vocabulary_model(n_tokens=20_000)

    found = read_header_of(Counted(content[:-64]), 10.0, read(tmp_path, content))

    assert found.file_bytes < found.needed_bytes


def test_the_time_of_a_source_is_its_own() -> None:
    with pytest.raises(HeaderUnreadable, match="takes too long"):
        read_header_of(Counted(raw.header([KEY])), -1.0)
