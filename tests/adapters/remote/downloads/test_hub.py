"""Downloads end to end: what lies on the disk afterwards, and what went over the wire."""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from ggtui.adapters.gguf.found import models_of
from ggtui.adapters.gguf.roots import Root
from ggtui.adapters.gguf.scan import read_facts
from ggtui.adapters.remote.downloads.hub import Hub
from ggtui.core.backends.backend import THIS_MACHINE
from ggtui.core.downloads.jobs import FilePart, Job, JobKind
from ggtui.core.errors import DiskFull, RemoteRefused, RemoteUnreachable
from ggtui.core.stores import StoreKind
from tests.adapters.remote.conftest import secure, without_proxies
from tests.adapters.remote.downloads.conftest import GUARD_S, MODEL, NAME, gguf, sha256
from tests.adapters.remote.tunnel import Tunnel
from tests.models import tiny_model
from tests.web import Asked, Reply

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tests.adapters.remote.downloads.conftest import Desk

SHARDS = [f"big/m-Q8_0-0000{n}-of-00003.gguf" for n in (1, 2, 3)]
PROJECTOR = "mmproj-F16.gguf"
HUB_FIELDS = frozenset(
    ("content-type", "content-range", "etag", "location", "x-repo-commit", "x-linked-etag", "x-linked-size")
)
"""Of its answers, those that are passed on."""


def hub_threads() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "hub"]


def test_a_model_lies_in_the_hubs_own_layout(desk: Desk) -> None:
    content = gguf()
    desk.hub.repository(NAME, {MODEL: content})

    desk.fetch(f"{NAME}:q4_k_m")

    assert content == desk.found()
    assert {sha256(content): len(content)} == desk.blobs()
    (link,) = desk.repository.glob("snapshots/*/*")
    assert f"../../blobs/{sha256(content)}" == os.readlink(link)


def test_the_catalog_sees_it(desk: Desk, tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "tiny-F32.gguf")
    desk.hub.repository(NAME, {"tiny-F32.gguf": model})
    desk.fetch()

    walk = Root(str(desk.cache), StoreKind.HUGGING_FACE).walk()
    (found,) = models_of(walk.files)

    assert ("", "F32") == (read_facts(found).problem or "", read_facts(found).quantisation)
    assert [] == walk.problems + walk.unfinished
    assert NAME == found.first.place.title


def test_shards_and_projector_come_as_one(desk: Desk) -> None:
    files = {path: gguf(100_000, n) for n, path in enumerate([*SHARDS, PROJECTOR])}
    desk.hub.repository(NAME, {**files, "mmproj-F32.gguf": gguf(9), "notes.md": b"no model"})

    desk.fetch(f"{NAME}:Q8_0")

    assert files == {path: desk.found(path) for path in files}
    assert set(files) == {each["path"] for each in desk.hub.requests("content")}
    assert 400_000 == desk.told.completed[-1] == desk.told.n_allowed


def test_a_model_that_is_not_whole_is_not_found(desk: Desk) -> None:
    desk.hub.repository(NAME, {path: gguf(50_000, n) for n, path in enumerate(SHARDS)})
    desk.hub.script("content", SHARDS[2], {"status": 404})

    assert isinstance(desk.failure(), RemoteRefused)
    assert not desk.ask(lambda hub: hub.is_here(NAME, "main"))
    assert [] == Root(str(desk.cache), StoreKind.HUGGING_FACE).walk().files
    assert 2 == len(desk.blobs())

    desk.fetch()

    assert desk.ask(lambda hub: hub.is_here(f"{NAME}:Q8_0", "main"))
    assert [1, 1, 2] == [len(desk.hub.requests("content", path)) for path in SHARDS]


def test_a_projector_alone_is_here_once_it_was_fetched(desk: Desk) -> None:
    desk.hub.repository(NAME, {MODEL: gguf(1000), PROJECTOR: gguf(1000, 1)})
    model = f"{NAME}/{PROJECTOR}"
    was_here = desk.ask(lambda hub: hub.is_here(model, "main"))
    desk.fetch(model)

    assert [False, True] == [was_here, desk.ask(lambda hub: hub.is_here(model, "main"))]
    assert not desk.ask(lambda hub: hub.is_here(NAME, "main"))


def test_one_shard_that_was_deleted_makes_it_missing(desk: Desk) -> None:
    desk.hub.repository(NAME, {path: gguf(50_000, n) for n, path in enumerate(SHARDS)})
    desk.fetch()
    (second,) = desk.repository.glob(f"snapshots/*/{SHARDS[1]}")
    second.unlink()

    assert not desk.ask(lambda hub: hub.is_here(NAME, "main"))
    assert not desk.ask(lambda hub: hub.is_here(f"{NAME}/{SHARDS[0]}", "main"))


def test_the_token_is_for_the_hub_alone(desk: Desk) -> None:
    desk.environ["HF_TOKEN"] = "hf_canary"
    desk.hub.repository(NAME, {MODEL: gguf()}, token="hf_canary")
    desk.hub.script("resolve", MODEL, {}, {"headers": {"Set-Cookie": "session=canary"}})

    desk.fetch()

    told = [(each["place"], each["headers"].get("authorization")) for each in desk.hub.requests()]
    assert {("api", "Bearer hf_canary"), ("resolve", "Bearer hf_canary"), ("content", None)} == set(told)
    assert all("canary" not in str(each) for each in desk.hub.requests("content"))


def test_another_host_is_followed_without_the_token(desk: Desk) -> None:
    content = gguf()
    desk.environ["HF_TOKEN"] = "hf_canary"
    desk.hub.repository(NAME, {MODEL: content})
    other = desk.hub.content_url.replace("127.0.0.1", "localhost")
    desk.hub.script("resolve", MODEL, {"location": f"{other}/{sha256(content)}/{MODEL}"})

    desk.fetch()

    (asked,) = desk.hub.requests("content")
    assert asked["headers"]["host"].startswith("localhost")
    assert "canary" not in str(asked["headers"])
    assert content == desk.found()


@pytest.mark.parametrize(
    "location", ["http://files.invalid/m.gguf", "ftp://127.0.0.1/m.gguf", "file:///etc/passwd"]
)
def test_a_way_that_leaves_https_is_not_gone(desk: Desk, location: str) -> None:
    desk.hub.repository(NAME, {MODEL: gguf()})
    desk.hub.script("resolve", MODEL, {"location": location})

    assert isinstance(desk.failure(), RemoteRefused)
    assert {} == desk.blobs()


def test_a_job_that_knows_its_files_asks_for_no_listing(desk: Desk) -> None:
    content = gguf()
    desk.hub.repository(NAME, {MODEL: content})
    offer = desk.ask(lambda hub: hub.offer(NAME, "main"))
    desk.hub.repository(NAME, {MODEL: gguf(seed=9)})
    n_asked = len(desk.hub.requests("api"))

    desk.fetch(job=desk.job(commit=offer.commit, files=offer.files))

    assert content == desk.found()
    assert n_asked == len(desk.hub.requests("api"))


@pytest.mark.parametrize(
    "file",
    [
        FilePart("../../../m.gguf", 9, "0" * 64),
        FilePart("/m.gguf", 9, "0" * 64),
        FilePart("m\x00.gguf", 9, "0" * 64),
        FilePart("a\\b.gguf", 9, "0" * 64),
        FilePart("a\u2215b.gguf", 9, "0" * 64),
        FilePart("m.gguf", 9, "../" + "0" * 61),
        FilePart("m.gguf", 9, "sha256:" + "0" * 64),
        FilePart("m.gguf", -1, "0" * 64),
    ],
)
def test_names_that_lead_elsewhere_reach_neither_disk_nor_hub(desk: Desk, file: FilePart) -> None:
    job = desk.job(commit="0" * 40, files=(file,))

    assert isinstance(desk.failure(job=job), RemoteRefused)
    assert not desk.cache.exists()
    assert [] == desk.hub.requests()


def test_a_link_that_leads_out_of_the_cache_is_not_written_through(desk: Desk, tmp_path: Path) -> None:
    desk.hub.repository(NAME, {"d/" + MODEL: gguf(5000)})
    commit = desk.ask(lambda hub: hub.offer(NAME, "main")).commit
    (tmp_path / "elsewhere").mkdir()
    (desk.repository / "snapshots" / commit).mkdir(parents=True)
    (desk.repository / "snapshots" / commit / "d").symlink_to(tmp_path / "elsewhere")

    assert "leads out of the cache" in desk.failure().message
    assert [] == list((tmp_path / "elsewhere").iterdir())


def test_too_little_room_is_told_before_the_start(desk: Desk) -> None:
    desk.hub.repository(NAME, {MODEL: gguf()})

    failure = desk.failure(free_bytes=lambda _: 64 * 1024**2)

    assert isinstance(failure, DiskFull)
    assert "2.9M more room is needed: 2.9M to fetch, 64M to keep free, 64M there is" in failure.message
    assert str(desk.cache) in failure.message
    assert [] == desk.hub.requests("content")
    desk.fetch(free_bytes=lambda _: 64 * 1024**2 + 3_000_000)


def test_what_other_downloads_will_write_is_no_room(desk: Desk) -> None:
    desk.hub.repository(NAME, {MODEL: gguf()})
    desk.hub.repository("own/other", {"o.gguf": gguf(2_000_000)})
    desk.hub.script("content", MODEL, {"hold": True})

    async def both() -> None:
        hub = desk.adapter(free_bytes=lambda _: 64 * 1024**2 + 4_000_000)
        first = asyncio.create_task(hub.fetch(desk.job(), desk.told.progress, desk.told.allow))
        await asyncio.to_thread(desk.hub.wait, "content", MODEL, requests=1)
        with pytest.raises(DiskFull):
            await hub.fetch(desk.job("own/other"), desk.told.progress, desk.told.allow)
        desk.hub.release()
        await asyncio.wait_for(first, GUARD_S)

    asyncio.run(both())


def test_offline_what_is_here_works_and_nobody_is_asked(desk: Desk) -> None:
    desk.hub.repository(NAME, {MODEL: gguf()})
    offer = desk.ask(lambda hub: hub.offer(NAME, "main"))
    desk.fetch()
    n_asked = len(desk.hub.requests())
    desk.environ["HF_HUB_OFFLINE"] = "1"

    desk.fetch()
    desk.fetch(job=desk.job(commit=offer.commit, files=offer.files))

    assert desk.ask(lambda hub: hub.is_here(NAME, "main"))
    for question in (
        lambda hub: hub.search("x", 5),
        lambda hub: hub.offers(NAME, "main"),
        lambda hub: hub.fetch(desk.job("own/other"), desk.told.progress, desk.told.allow),
    ):
        with pytest.raises(RemoteRefused, match="HF_HUB_OFFLINE"):
            desk.ask(question)
    assert n_asked == len(desk.hub.requests())


def test_a_content_that_is_here_is_not_fetched_again(desk: Desk) -> None:
    content = gguf()
    desk.hub.repository(NAME, {MODEL: content})
    desk.fetch()
    desk.hub.repository(NAME, {MODEL: content, "m-Q8_0.gguf": gguf(5000, 3)})

    desk.fetch(f"{NAME}:Q4_K_M")

    assert 1 == len(desk.hub.requests("content"))
    assert 2 == len(list(desk.repository.glob("snapshots/*")))
    assert content == desk.found()


def test_an_older_commit_counts_for_main_and_not_for_another_revision(desk: Desk) -> None:
    desk.hub.repository(NAME, {MODEL: gguf()})
    desk.fetch()
    desk.hub.repository(NAME, {"m-Q8_0.gguf": gguf(5000, 3)}, revisions=["v2"])
    desk.fetch()
    desk.fetch(job=desk.job(revision="v2"))

    assert desk.ask(lambda hub: hub.is_here(f"{NAME}:Q4_K_M", "main"))
    assert not desk.ask(lambda hub: hub.is_here(f"{NAME}:Q4_K_M", "v2"))
    assert desk.ask(lambda hub: hub.is_here(f"{NAME}:Q8_0", "v2"))


@pytest.mark.parametrize(
    ("place", "answer"),
    [
        ("api", {"hold": True}),
        ("resolve", {"hold": True}),
        ("content", {"hold": True}),
        ("content", {"hold_after": 100_000}),
        ("content", {"drip_s": 0.01}),
    ],
)
def test_a_cancel_ends_it_within_a_second(desk: Desk, place: str, answer: dict[str, Any]) -> None:
    path = NAME if place == "api" else MODEL
    desk.hub.repository(NAME, {MODEL: gguf()})
    desk.hub.script(place, path, answer)

    async def cancelled() -> list[threading.Thread]:
        hub = desk.adapter(stall_s=60.0)
        task = asyncio.create_task(hub.fetch(desk.job(), desk.told.progress, desk.told.allow))
        await asyncio.to_thread(desk.hub.wait, place, path, requests=1)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return hub_threads()

    assert [] == asyncio.run(cancelled())


def test_a_cancel_ends_the_waiting_for_bandwidth(desk: Desk) -> None:
    desk.hub.repository(NAME, {MODEL: gguf()})
    desk.told.wait_s = 1000.0

    asyncio.run(desk.cancelled_after(1))

    assert [] == hub_threads()


def test_a_close_ends_what_runs(desk: Desk) -> None:
    desk.hub.repository(NAME, {MODEL: gguf()})
    desk.hub.script("content", MODEL, {"hold_after": 1000})

    async def closed() -> None:
        hub = desk.adapter()
        task = asyncio.create_task(hub.fetch(desk.job(), desk.told.progress, desk.told.allow))
        await asyncio.to_thread(desk.hub.wait, "content", MODEL, requests=1)
        await hub.close()
        with pytest.raises(RemoteUnreachable, match="stopping"):
            await task
        await hub.close()

    asyncio.run(closed())
    assert [] == hub_threads()


def test_reports_are_few_and_end_with_all_of_it(desk: Desk) -> None:
    desk.hub.repository(NAME, {MODEL: gguf(6_000_000)})

    desk.fetch()

    assert ["checking", "checking what is here", "fetching", "verifying", "done"] == desk.told.doings
    assert sorted(desk.told.completed) == desk.told.completed
    assert 6_000_000 == desk.told.completed[-1]
    assert 6_000_000 == desk.told.n_allowed


def test_where_no_links_can_be_made_the_file_itself_lies_there(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = gguf()
    desk.hub.repository(NAME, {MODEL: content})

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "symlink", refuse)
    desk.fetch()
    desk.fetch()

    assert content == desk.found()
    assert 1 == len(desk.hub.requests("content"))
    assert desk.ask(lambda hub: hub.is_here(NAME, "main"))


def test_search_and_offers(desk: Desk) -> None:
    desk.hub.repository("own/a-GGUF", {"a-Q4_0.gguf": gguf(900), "a-Q8_0.gguf": gguf(2000)}, downloads=50)
    desk.hub.repository("own/b-GGUF", {"b.gguf": gguf(900)}, downloads=900, is_gated=True, token="t")

    hits = desk.ask(lambda hub: hub.search("gguf", 10))
    offers = desk.ask(lambda hub: hub.offers("own/a-GGUF", "main"))

    assert [("own/b-GGUF", 900, True), ("own/a-GGUF", 50, False)] == [
        (hit.id, hit.n_downloads, hit.is_gated) for hit in hits
    ]
    assert 1748779200.0 == hits[0].updated_at
    assert 1 == len(desk.ask(lambda hub: hub.search("gguf", 1)))
    assert ["own/a-GGUF:Q4_0", "own/a-GGUF:Q8_0"] == models(offers)
    assert [900, 2000] == [each.size_bytes for each in offers]

    desk.fetch("own/a-GGUF:Q8_0")

    assert [False, True] == [each.is_here for each in desk.ask(lambda hub: hub.offers("own/a-GGUF", "main"))]


def test_several_quantisations_are_named(desk: Desk) -> None:
    desk.hub.repository(NAME, {"a-Q4_0.gguf": gguf(900), "a-Q8_0.gguf": gguf(2000)})

    failure = desk.failure()

    assert isinstance(failure, RemoteRefused)
    assert f"{NAME}:Q4_0, {NAME}:Q8_0" in failure.message


def models(offers: Iterable[Any]) -> list[str]:
    return [each.model for each in offers]


def test_a_cache_that_cannot_be_written_is_said_in_one_sentence(desk: Desk, tmp_path: Path) -> None:
    desk.hub.repository(NAME, {MODEL: gguf()})
    (tmp_path / "hub").write_text("a file in the way")

    failure = desk.failure()

    assert "cannot be written" in failure.message
    assert "HF_HUB_CACHE" in failure.hint


def test_a_broken_endpoint_is_refused(desk: Desk) -> None:
    desk.environ["HF_ENDPOINT"] = "http://example.com"

    assert "HF_ENDPOINT" in desk.failure().message


def test_another_download_of_the_same_file_is_waited_for_and_can_be_left(desk: Desk) -> None:
    desk.hub.repository(NAME, {MODEL: gguf()})
    desk.hub.script("content", MODEL, {"hold": True})
    doings: list[str] = []

    async def waiting() -> None:
        hub, waits = desk.adapter(), asyncio.Event()
        loop = asyncio.get_running_loop()

        def tell(_: object, doing: str) -> None:
            doings.append(doing)
            if doing.startswith("waiting"):
                loop.call_soon_threadsafe(waits.set)

        first = asyncio.create_task(hub.fetch(desk.job(), desk.told.progress, desk.told.allow))
        await asyncio.to_thread(desk.hub.wait, "content", MODEL, requests=1)
        second = asyncio.create_task(hub.fetch(desk.job(), tell, desk.told.allow))
        await asyncio.wait_for(waits.wait(), GUARD_S)
        second.cancel()
        with suppress(asyncio.CancelledError):
            await second
        desk.hub.release()
        await asyncio.wait_for(first, GUARD_S)

    asyncio.run(waiting())

    assert ["checking", "waiting: another program fetches it"] == doings
    assert 1 == len(desk.hub.requests("content"))


def test_over_tls_too_a_cancel_ends_it_and_the_rest_comes_later(
    certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_proxies(monkeypatch)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    content, has_come = gguf(200_000), threading.Event()

    def serve(asked: Asked) -> Reply:
        first = int(asked.headers.get("range", "bytes=0-")[6:-1])
        if first:
            where = {"Content-Range": f"bytes {first}-{len(content) - 1}/{len(content)}", "ETag": '"one"'}
            return Reply(206, where, content[first:])
        return Reply(200, {"ETag": '"one"'}, stalled(), len(content))

    def stalled() -> Iterator[bytes]:
        yield content[:150_000]
        web.ended.wait()

    def allow(n_bytes: int) -> float:
        written.append(n_bytes)
        if sum(written) >= 150_000:
            has_come.set()
        return 0.0

    written: list[int] = []
    job = Job(1, JobKind.HUB, NAME, THIS_MACHINE, commit="0" * 40,
              files=(FilePart(MODEL, len(content), sha256(content)),))  # fmt: skip

    async def both() -> None:
        endpoint = f"https://localhost:{web.port}"
        hub = Hub({"HF_ENDPOINT": endpoint, "HF_HUB_CACHE": str(tmp_path / "hub"), "HOME": str(tmp_path)})
        task = asyncio.create_task(hub.fetch(job, lambda *_: None, allow))
        await asyncio.to_thread(has_come.wait, GUARD_S)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert [] == hub_threads()
        await hub.fetch(job, lambda *_: None, allow)
        assert await hub.is_here(NAME, "main")

    with secure(certificate, serve) as web:
        asyncio.run(both())

    assert len(content) == sum(written)


def test_a_model_comes_through_a_proxy_which_learns_no_token(
    desk: Desk, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = gguf(300_000)
    desk.hub.repository(NAME, {MODEL: content}, lfs_from=10**9, token="hf_secret")

    def serve(asked: Asked) -> Reply:
        """The hub, which has small files itself, as https has it."""
        headers: dict[str, str] = {
            name: value for name, value in asked.headers.items() if name in ("authorization", "range")
        }
        told = httpx.get(desk.hub.url + asked.path, headers=headers, trust_env=False)
        kept = {name: value for name, value in told.headers.items() if name in HUB_FIELDS}
        return Reply(told.status_code, kept, told.content)

    without_proxies(monkeypatch)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with secure(certificate, serve) as web:
        tunnel = Tunnel(web.port)
        tunnel.start()
        monkeypatch.setenv("https_proxy", f"http://{tunnel.url}")
        desk.environ |= {"HF_ENDPOINT": "https://models.example", "HF_TOKEN": "hf_secret"}
        desk.fetch(f"{NAME}:q4_k_m")
        tunnel.stop()

    assert content == desk.found()
    assert {"CONNECT models.example:443 HTTP/1.0"} == {head.splitlines()[0] for head in tunnel.heads}
    assert "hf_secret" not in "".join(tunnel.heads)
