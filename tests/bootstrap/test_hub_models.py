"""Headers of models on a hub of our own, a real process: what is told is what the files on a disk tell."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.remote.budget import Budget
from ggtui.bootstrap import hub_models
from ggtui.bootstrap.hub_models import HubModels
from ggtui.cli.model_file import summary_of_file
from ggtui.core.downloads.jobs import FilePart
from ggtui.core.errors import HeaderUnreadable, RemoteRefused
from ggtui.core.ports.downloads import Offer
from ggtui.core.units import MIB
from tests.hub import FakeHub, serving_hub
from tests.vocabulary import shards_of_model, vocabulary_model

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ggtui.core.models import ModelSummary

REPOSITORY = "acme/Tiny-GGUF"
PAGE = b"<!doctype html><title>Sign in</title>" * 20


@pytest.fixture(scope="module")
def hub() -> Iterator[FakeHub]:
    with serving_hub() as found:
        yield found


def _offer(files: Mapping[str, bytes], model: str = f"{REPOSITORY}:Q4_0") -> Offer:
    parts = tuple(FilePart(path, len(content)) for path, content in files.items())
    return Offer(model, "Q4_0", "", parts)


def _told(hub: FakeHub, tmp_path: Path, offer: Offer) -> ModelSummary:
    return asyncio.run(HubModels(hub.environ(tmp_path / "cache")).summary(offer))


def test_a_model_is_told_as_on_a_disk_and_only_its_header_is_read(hub: FakeHub, tmp_path: Path) -> None:
    content = vocabulary_model(n_tokens=100) + bytes(40 * MIB)
    hub.repository(REPOSITORY, {"tiny-Q4_0.gguf": content})
    (tmp_path / "tiny-Q4_0.gguf").write_bytes(content)

    told = _told(hub, tmp_path, _offer({"tiny-Q4_0.gguf": content}))

    assert summary_of_file(str(tmp_path / "tiny-Q4_0.gguf")) == told
    assert hub.n_sent("tiny-Q4_0.gguf") < 8 * MIB


def test_shards_count_together_and_a_projector_is_no_part_of_the_model(hub: FakeHub, tmp_path: Path) -> None:
    shards = shards_of_model(3)
    files = {f"tiny-Q4_0-0000{n}-of-00003.gguf": shard for n, shard in enumerate(shards, 1)}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    hub.repository(REPOSITORY, files | {"mmproj-F16.gguf": vocabulary_model(n_tokens=10)})
    offer = _offer(files | {"mmproj-F16.gguf": vocabulary_model(n_tokens=10)})

    told = _told(hub, tmp_path, offer)

    assert summary_of_file(str(tmp_path / next(iter(files)))) == told
    assert sum(map(len, files.values())) == told.size_bytes
    assert "mmproj-F16.gguf" not in [each["path"] for each in hub.requests("resolve")]


def test_the_vocabulary_of_a_repository_is_read_once(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    budgets: list[Budget] = []

    def noted(time_s: float, n_bytes: int) -> Budget:
        budgets.append(Budget(time_s, n_bytes))
        return budgets[-1]

    monkeypatch.setattr(hub_models, "Budget", noted)
    files = {f"v-{name}.gguf": vocabulary_model(is_quantised=True, name=name) for name in ("Q4_0", "Q8_0")}
    hub.repository(REPOSITORY, files)

    async def run() -> list[ModelSummary]:
        models = HubModels(hub.environ(tmp_path / "cache"))
        return [await models.summary(_offer({path: content})) for path, content in files.items()]

    told = asyncio.run(run())

    assert [None, None] == [each.problem for each in told]
    first, second = (budget.spent_bytes for budget in budgets)
    assert 2 * second < first


def test_what_is_no_model_is_told_as_a_problem_and_what_is_missing_as_a_refusal(
    hub: FakeHub, tmp_path: Path
) -> None:
    hub.repository(REPOSITORY, {"page-Q4_0.gguf": PAGE})

    assert _told(hub, tmp_path, _offer({"page-Q4_0.gguf": PAGE})).problem is not None
    with pytest.raises(RemoteRefused):
        _told(hub, tmp_path, _offer({"gone-Q4_0.gguf": b"x"}))
    with pytest.raises(HeaderUnreadable):
        _told(hub, tmp_path, _offer({}))


def test_a_hub_that_shall_be_left_alone_is(hub: FakeHub, tmp_path: Path) -> None:
    models = HubModels(hub.environ(tmp_path / "cache", HF_HUB_OFFLINE="1"))
    before = len(hub.requests())

    with pytest.raises(RemoteRefused, match="HF_HUB_OFFLINE"):
        asyncio.run(models.summary(_offer({"a-Q4_0.gguf": b"x"})))
    assert before == len(hub.requests())


def test_who_leaves_does_not_wait_for_a_silent_server(hub: FakeHub, tmp_path: Path) -> None:
    content = vocabulary_model(n_tokens=100)
    hub.repository(REPOSITORY, {"slow-Q4_0.gguf": content})
    hub.script("content", "slow-Q4_0.gguf", {"hold": True})

    async def run() -> None:
        models = HubModels(hub.environ(tmp_path / "cache"))
        task = asyncio.create_task(models.summary(_offer({"slow-Q4_0.gguf": content})))
        await asyncio.to_thread(hub.wait, "content", "slow-Q4_0.gguf", requests=1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        hub.release()
        told = await models.summary(_offer({"slow-Q4_0.gguf": content}))

        assert None is told.problem

    asyncio.run(run())


def test_the_commit_of_the_offer_is_what_is_read(hub: FakeHub, tmp_path: Path) -> None:
    content = vocabulary_model(n_tokens=100)
    hub.repository(REPOSITORY, {"c-Q4_0.gguf": content}, revisions=["old"])
    offer = replace(_offer({"c-Q4_0.gguf": content}), commit="old")

    assert None is _told(hub, tmp_path, offer).problem
    targets = [each["target"] for each in hub.requests("resolve", "c-Q4_0.gguf")]
    assert all("/resolve/old/" in each for each in targets)
