"""Models on a server of our own: what is read of them is what the files on this disk tell."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ggtui.cli import remote_model
from ggtui.cli.model_file import summary_of_file
from ggtui.cli.remote_model import Repository, is_repository, read_repository, summary_of_address
from ggtui.core.errors import HeaderUnreadable, RemoteFailure, RemoteRefused, RemoteUnreachable
from ggtui.core.units import KIB, MIB
from tests.adapters.gguf import raw
from tests.models import html_model, tiny_model, truncated_model, zero_byte_model
from tests.vocabulary import endless, shards_of_model, vocabulary_model
from tests.web import Asked, Reply, Web, folder, part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ggtui.core.models import ModelSummary

PLACE = "o/r/resolve/main"


class Hub:
    """A folder as a hub with one repository, `hf:o/r`."""

    def __init__(self, root: Path, web: Web) -> None:
        self.root = root
        self.files = root / PLACE
        self.files.mkdir(parents=True)
        self.web = web
        self.environ = {"HOME": str(root), "HF_ENDPOINT": web.url, "HF_TOKEN": "hf_secret"}

    def serve(self, asked: Asked) -> Reply:
        if asked.path.startswith("/api/models/o/r/tree/main"):
            found = sorted(path for path in self.files.rglob("*") if path.is_file())
            rows = [
                {"type": "file", "path": str(path.relative_to(self.files)), "size": path.stat().st_size}
                for path in found
            ]
            return Reply(body=json.dumps(rows).encode())
        return folder(self.root)(asked)

    def write(self, name: str, content: bytes) -> Path:
        path = self.files / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def summary(self, name: str) -> ModelSummary:
        """Of the file at its web address."""
        return summary_of_address(f"{self.web.url}/{PLACE}/{name}", self.environ)

    def listing(self) -> Repository:
        return read_repository("hf:o/r", self.environ)

    def n_bytes_asked(self, name: str) -> int:
        """What the ranges of one file would be together, taken whole."""
        spans = [asked.span for asked in self.web.asked if asked.path.endswith(name)]
        return sum(last - first + 1 for first, last in spans)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with Web(lambda asked: one.serve(asked)) as web:
        one = Hub(tmp_path / "hub", web)
        yield one


def test_a_file_tells_the_same_from_afar(hub: Hub) -> None:
    path = tiny_model(hub.files / "tiny.gguf")

    here = summary_of_file(str(path))

    assert here.problem is None
    assert here == hub.summary("tiny.gguf")
    assert here == summary_of_address("hf:o/r/tiny.gguf", hub.environ)


def test_of_a_long_header_only_the_header_is_read(hub: Hub) -> None:
    path = hub.write("large.gguf", vocabulary_model() + bytes(64 * MIB))

    assert summary_of_file(str(path)) == hub.summary("large.gguf")
    assert 4 * MIB < hub.n_bytes_asked("large.gguf") < 16 * MIB


def test_shards_are_one_model_whichever_is_named(hub: Hub) -> None:
    for number, content in enumerate(shards_of_model(3), start=1):
        hub.write(f"m-0000{number}-of-00003.gguf", content)

    here = summary_of_file(str(hub.files / "m-00001-of-00003.gguf"))

    assert here.problem is None
    assert here == hub.summary("m-00001-of-00003.gguf")
    assert here == hub.summary("m-00003-of-00003.gguf")


def test_a_missing_shard_is_named(hub: Hub) -> None:
    for number, content in enumerate(shards_of_model(3), start=1):
        if number != 2:
            hub.write(f"m-0000{number}-of-00003.gguf", content)

    assert "shard 2 of 3 is missing" == hub.summary("m-00001-of-00003.gguf").problem


def test_without_the_first_shard_there_is_nothing_to_read(hub: Hub) -> None:
    hub.write("m-00002-of-00003.gguf", shards_of_model(3)[1])

    with pytest.raises(RemoteRefused, match=r"there is no m-00001-of-00003\.gguf"):
        hub.summary("m-00002-of-00003.gguf")


def test_a_shard_that_cannot_be_read_is_no_missing_one(hub: Hub) -> None:
    first, second = shards_of_model(2)
    hub.write("m-00001-of-00002.gguf", first)
    hub.write("m-00002-of-00002.gguf", second)
    hub.web.serve = lambda asked: Reply(503) if "00002-of" in asked.path else folder(hub.root)(asked)

    with pytest.raises(RemoteUnreachable, match="fails: status 503"):
        hub.summary("m-00001-of-00002.gguf")


def test_no_name_makes_thousands_of_questions(hub: Hub) -> None:
    with pytest.raises(RemoteRefused, match="more than 1024 files"):
        hub.summary("m-00001-of-99999.gguf")
    assert [] == hub.web.asked


@pytest.mark.parametrize("broken", [html_model, zero_byte_model])
def test_a_bad_file_fails_as_on_this_disk(hub: Hub, broken: Callable[[Path], Path]) -> None:
    path = broken(hub.files / "bad.gguf")

    with pytest.raises(HeaderUnreadable) as caught:
        hub.summary("bad.gguf")

    assert summary_of_file(str(path)).problem == caught.value.message


def test_a_cut_file_is_told_as_on_this_disk(hub: Hub) -> None:
    path = truncated_model(hub.files / "cut.gguf")

    assert summary_of_file(str(path)).problem == hub.summary("cut.gguf").problem


def test_a_header_without_end_is_given_up(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_model, "MOST_BYTES", 5 * MIB)
    beginning, size = endless(), 1 << 40

    def serve(asked: Asked) -> Reply:
        first, last = asked.span
        known = beginning[first : last + 1]
        where = {"Content-Range": f"bytes {first}-{last}/{size}", "ETag": '"x"'}
        return Reply(206, where, known + bytes(last - first + 1 - len(known)))

    hub.web.serve = serve

    with pytest.raises(RemoteRefused, match="more than 5 MiB would have to be read"):
        hub.summary("endless.gguf")


def test_a_server_that_stalls_is_given_up(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_model, "TIME_S", 0.3)

    def serve(asked: Asked) -> Reply:
        hub.web.ended.wait()
        return Reply(404)

    hub.web.serve = serve

    with pytest.raises(RemoteUnreachable):
        hub.summary("m.gguf")


def test_a_file_that_changes_meanwhile_is_no_mixture(hub: Hub) -> None:
    content = vocabulary_model()
    hub.web.serve = lambda asked: part(asked, content, f'"{asked.span[0]}"')

    with pytest.raises(RemoteFailure, match="was changed while its header was read"):
        hub.summary("m.gguf")


def test_the_token_is_for_the_hub_and_not_for_where_it_sends_on(hub: Hub) -> None:
    path = hub.write("m.gguf", vocabulary_model())
    with Web(lambda asked: part(asked, path.read_bytes())) as storage:
        hub.web.serve = lambda asked: Reply(302, {"Location": f"{storage.url}/blob?signature=s"})

        summary = summary_of_address("hf:o/r/m.gguf", hub.environ)

    assert summary_of_file(str(path)) == summary
    assert ["Bearer hf_secret"] == [asked.headers.get("authorization") for asked in hub.web.asked]
    assert len(storage.asked) > 1
    assert {None} == {asked.headers.get("authorization") for asked in storage.asked}


def test_offline_asks_nobody(hub: Hub) -> None:
    environ = {**hub.environ, "HF_HUB_OFFLINE": "1"}

    for ask in (summary_of_address, read_repository):
        with pytest.raises(RemoteRefused, match="HF_HUB_OFFLINE is set"):
            ask("hf:o/r/m.gguf" if ask is summary_of_address else "hf:o/r", environ)
    assert [] == hub.web.asked


def test_a_repository_is_read_model_by_model(hub: Hub) -> None:
    hub.write("BF16/m-BF16-00001-of-00002.gguf", shards_of_model(2)[0])
    hub.write("BF16/m-BF16-00002-of-00002.gguf", shards_of_model(2)[1])
    hub.write("m-Q8_0.gguf", vocabulary_model(is_quantised=True))
    hub.write("mmproj-F16.gguf", raw.header([raw.string("general.architecture", "clip")]))
    hub.write("README.md", b"# a model")
    hub.write("cut-Q4_0.gguf", b"GGUF")

    rows = {model.path: model for model in hub.listing().models}

    sharded = "BF16/m-BF16-00001-of-00002.gguf"
    assert ["cut-Q4_0.gguf", "mmproj-F16.gguf", sharded, "m-Q8_0.gguf"] == list(rows)
    assert ["model", "mmproj", "model", "model"] == [row.kind for row in rows.values()]
    assert [1, 1, 2, 1] == [row.n_files for row in rows.values()]
    assert "file is too short for a GGUF file" == rows["cut-Q4_0.gguf"].summary.problem
    for path in (sharded, "m-Q8_0.gguf"):
        assert summary_of_file(str(hub.files / path)) == rows[path].summary


def test_a_vocabulary_that_many_files_share_is_read_once(hub: Hub) -> None:
    for number in range(4):
        hub.write(f"m-{number}-Q8_0.gguf", vocabulary_model(is_quantised=True, name=str(number)))

    listing = hub.listing()

    assert [str(number) for number in range(4)] == [model.summary.name for model in listing.models]
    whole = len(vocabulary_model(is_quantised=True))
    assert listing.fetched_bytes < 1.5 * whole + 3 * 512 * KIB
    assert listing.models[0].summary == replace(listing.models[3].summary, name="0", public_id="m-0-q8_0")


def test_a_missing_shard_of_a_repository_is_named(hub: Hub) -> None:
    hub.write("m-00001-of-00002.gguf", shards_of_model(2)[0])

    (model,) = hub.listing().models

    assert "shard 2 of 2 is missing" == model.summary.problem


def test_what_is_not_read_in_time_is_told_in_its_row(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.write("a.gguf", vocabulary_model())
    hub.write("b.gguf", vocabulary_model())
    monkeypatch.setattr(remote_model, "LONGEST_LOOK_S", 2.0)

    def serve(asked: Asked) -> Reply:
        if asked.path.endswith("b.gguf"):
            hub.web.ended.wait()
        return hub.serve(asked)

    hub.web.serve = serve

    first, second = hub.listing().models

    assert first.summary.problem is None
    assert second.summary.problem is not None
    assert "time" in second.summary.problem or "not read within 2 s" == second.summary.problem


def test_a_repository_without_models_is_refused(hub: Hub) -> None:
    hub.write("README.md", b"#")

    with pytest.raises(RemoteRefused, match="hf:o/r holds no GGUF files"):
        hub.listing()


def test_what_names_a_repository() -> None:
    assert is_repository("hf:o/r")
    assert is_repository("HF:o/r@dev")
    assert not is_repository("hf:o/r/m.gguf")
    assert not is_repository("https://huggingface.co/o/r")
    with pytest.raises(RemoteRefused):
        is_repository("hf:o")
