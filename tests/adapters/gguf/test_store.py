"""What the catalog remembers: ids that stay, contexts, looks into folders; through full disks and kills."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.gguf.facts import ModelFacts
from ggtui.adapters.gguf.found import FoundFile, FoundModel, Place
from ggtui.adapters.gguf.store import FolderScan, Reading, Store, stamp_of
from ggtui.core.errors import StoreUnavailable
from ggtui.core.memory.shape import ModelShape, PerLayer
from ggtui.core.memory.weights import ModelWeights

if TYPE_CHECKING:
    from pathlib import Path

GUARD_S = 30.0


def found(path: str, size: int = 10, mtime_ns: int = 5, inode: int = 7) -> FoundModel:
    return FoundModel((FoundFile(path, path, size, mtime_ns, 1, inode),))


SHAPE = ModelShape("llama", 2, n_head_kv=PerLayer.of((4, 0)), key_length=16, value_length=8)
WEIGHTS = ModelWeights(PerLayer.of((400, 500)), span_bytes=900)
FACTS = ModelFacts(
    name="A", architecture="llama", quantisation="Q4_0", n_ctx_train=4096, shape=SHAPE, weights=WEIGHTS
)
A, B = found("/m/a-q4_0.gguf"), found("/n/a-q4_0.gguf")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalog.sqlite3"


def test_a_model_comes_back_as_it_was_kept(path: Path) -> None:
    with closing(Store(path)) as store:
        store.keep([Reading(A, FACTS)], [], {})
    with closing(Store(path)) as store:
        (model,) = store.models()

    assert (1, "a-q4_0", "/m/a-q4_0.gguf", 10) == (model.id, model.public_id, model.path, model.size_bytes)
    assert FACTS == model.facts
    assert stamp_of(A) == model.stamp
    assert model.n_ctx is None


def test_places_and_digest_come_back_too(path: Path) -> None:
    places = (Place("ollama", "a:1b", "key"), Place())
    model = replace(A, places=places)
    with closing(Store(path)) as store:
        store.keep([Reading(model, FACTS, "d1")], [], {})
        (kept,) = store.models()
        store.keep([Reading(A, FACTS)], [], {})
        (again,) = store.models()

    assert (places, "d1") == (kept.places, kept.digest)
    assert ((), "") == (again.places, again.digest)


def test_two_files_of_one_name_have_two_ids(path: Path) -> None:
    with closing(Store(path)) as store:
        store.keep([Reading(A, FACTS), Reading(B, FACTS)], [], {})
        first, second = sorted(model.public_id for model in store.models())

    assert "a-q4_0" == first
    assert second.startswith("a-q4_0-")


def test_a_vanished_model_keeps_its_ids_until_it_comes_back(path: Path) -> None:
    with closing(Store(path)) as store:
        store.keep([Reading(A, FACTS)], [], {})
        store.keep([], [1], {})
        hidden = store.models()
        store.keep([Reading(B, FACTS)], [], {})
        store.keep([Reading(A, FACTS)], [], {})
        names = {model.id: model.public_id for model in store.models()}

    assert [] == hidden
    assert "a-q4_0" == names[1]
    assert names[2].startswith("a-q4_0-")


def test_a_changed_model_keeps_its_id_and_its_context(path: Path) -> None:
    with closing(Store(path)) as store:
        store.keep([Reading(A, FACTS)], [], {})
        store.set_context(1, 2048)
        store.keep([Reading(found("/m/a-q4_0.gguf", size=99), FACTS)], [], {})
        (model,) = store.models()

    assert (1, 99, 2048) == (model.id, model.size_bytes, model.n_ctx)


def test_a_context_can_be_forgotten_and_unknown_ids_are_ignored(path: Path) -> None:
    with closing(Store(path)) as store:
        store.keep([Reading(A, FACTS)], [], {})
        store.set_context(1, 2048)
        store.set_context(1, None)
        store.set_context(99, 2048)
        (model,) = store.models()

    assert model.n_ctx is None


def test_paths_that_are_no_text_and_inodes_of_64_bits_are_kept(path: Path) -> None:
    odd = found("/m/\udcff\x1b.gguf", inode=(1 << 64) - 1)
    with closing(Store(path)) as store:
        store.keep([Reading(odd, FACTS)], [], {"/m/\udcfe": FolderScan(1.5, 1, ("one problem",))})
        (model,) = store.models()

        assert "/m/\udcff\x1b.gguf" == model.path
        assert stamp_of(odd) == model.stamp
        assert ["/m/\udcfe"] == list(store.folders())


def test_looks_into_folders_are_kept(path: Path) -> None:
    look = FolderScan(12.5, 3, ("x: permission denied",), ("y: a download has not ended",), is_absent=True)
    with closing(Store(path)) as store:
        store.keep([], [], {"/m": look})
    with closing(Store(path)) as store:
        assert {"/m": look} == store.folders()


def test_damaged_facts_are_told_and_make_the_file_be_read_again(path: Path) -> None:
    with closing(Store(path)) as store:
        store.keep([Reading(A, FACTS)], [], {})
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE models SET facts = '{\"name\": 5'")
    with closing(Store(path)) as store:
        (model,) = store.models()

    assert "its catalog entry is damaged; rescan the catalog" == model.facts.problem
    assert stamp_of(A) != model.stamp


def test_a_full_disk_leaves_the_file_as_it_was_and_goes_on_in_memory(path: Path) -> None:
    many = [Reading(found(f"/m/{number}-{'x' * 200}.gguf"), FACTS) for number in range(500)]
    with closing(Store(path)) as store:
        store.keep([Reading(A, FACTS)], [], {})
        store._connection.execute("PRAGMA max_page_count = 1")
        store.keep(many, [], {})

        assert 501 == len(store.models())
        assert "the catalog is kept in memory only: database or disk is full" == store.problem
    with closing(Store(path)) as store:
        assert 1 == len(store.models())


def test_a_database_that_is_locked_for_long_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ggtui.adapters.sqlite.file.BUSY_TIMEOUT_S", 0.01)
    with closing(Store(path)) as store, closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN EXCLUSIVE")

        with pytest.raises(StoreUnavailable) as caught:
            store.set_context(1, 5)

    assert "catalog database: database is locked" == caught.value.detail


def test_a_closed_store_is_told(path: Path) -> None:
    store = Store(path)
    store.close()

    with pytest.raises(StoreUnavailable):
        store.models()


WRITER = """
import sys
from pathlib import Path
from ggtui.adapters.gguf.store import Reading, Store
from tests.adapters.gguf.test_store import FACTS, found
store = Store(Path(sys.argv[1]))
number = len(store.models())
while True:
    number += 1
    store.keep([Reading(found(f"/m/{number}.gguf"), FACTS)], [], {})
    print(number, flush=True)
"""


def test_a_kill_while_writing_loses_nothing_that_was_acknowledged(path: Path) -> None:
    acknowledged = 0
    for n_lines in (1, 4, 9):
        child = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        with child.stdout as output:
            for _ in range(n_lines):
                acknowledged = int(output.readline())
            child.send_signal(signal.SIGKILL)
        child.wait(GUARD_S)

        with closing(Store(path)) as store:
            assert store.problem is None
            assert acknowledged <= len(store.models())
