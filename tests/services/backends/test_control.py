"""What a person may order of backends: look, close the difference, delete one model by its name."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from ggtui.core.backends.rows import RowState
from ggtui.core.deployment.secret import Secret
from ggtui.core.errors import BackendError, BackendNotFound, InvalidRequest, ReadOnly
from ggtui.services.backends.control import BackendsControl
from ggtui.services.backends.loop import OLD_S
from tests.services.backends.rig import KEY, Rig, declared, looping, ollama, run, settled, vllm

if TYPE_CHECKING:
    from collections.abc import Callable

    from ggtui.core.backends.backend import Backend


@dataclass
class ScriptedPuller:
    """The PullerPort, as far as a person's order to delete needs it."""

    rig: Rig
    deleted: list[tuple[str, Secret | None, str]] = field(default_factory=list)
    failure: str = ""

    async def pull(
        self,
        backend: Backend,
        key: Secret | None,
        model: str,
        progress: Callable[[str, str, int, int], None],
    ) -> None:
        raise AssertionError("nothing is pulled here")

    async def delete(self, backend: Backend, key: Secret | None, model: str) -> None:
        if self.failure:
            raise BackendError(self.failure)
        self.deleted.append((backend.name, key, model))
        left = (each for each in self.rig.observer.has[backend.name] if each != model)
        self.rig.observer.has[backend.name] = tuple(left)

    async def close(self) -> None:
        pass


@dataclass
class Desk:
    """A control over a pond with one model that is declared and one that is not."""

    is_read_only: bool = False

    def __post_init__(self) -> None:
        pond = ollama("pond", "llama3", "missing", api_key=KEY)
        self.rig = Rig(declared(pond, vllm("box")), interval_s=600)
        self.rig.observer.has = {"pond": ("llama3:latest", "other:7b"), "box": ("qwen",)}
        self.puller = ScriptedPuller(self.rig)
        self.control = BackendsControl(
            self.rig.book, self.rig.loop, self.puller, is_read_only=self.is_read_only
        )

    def states(self) -> list[RowState]:
        return [row.state for row in self.control.rows]


def test_a_cycle_by_hand_queues_what_is_missing_and_a_dry_run_does_not() -> None:
    async def scenario() -> None:
        desk = Desk()
        async with looping(desk.rig):
            desk.rig.downloads.jobs = ()
            desk.rig.downloads.added.clear()
            desk.rig.observer.has["pond"] = ("llama3:latest",)
            rows = await desk.control.reconcile(is_dry_run=True)

            assert [RowState.IN_SYNC, RowState.MISSING, RowState.EXTRA] == [row.state for row in rows]
            assert [] == desk.rig.downloads.added

            rows = await desk.control.reconcile()

            assert [RowState.IN_SYNC, RowState.DOWNLOADING, RowState.EXTRA] == [row.state for row in rows]
            assert [("pond", "missing", False)] == desk.rig.downloads.added

    run(scenario())


def test_who_watches_sees_a_cycle_by_hand_while_it_runs() -> None:
    async def scenario() -> None:
        desk = Desk()
        async with looping(desk.rig):
            desk.rig.observer.silent = {"box": asyncio.Event()}
            n_changes = desk.rig.n_changes
            cycle = asyncio.ensure_future(desk.control.reconcile())
            await settled()

            assert (n_changes + 1, True) == (desk.rig.n_changes, desk.rig.book.is_reconciling)

            desk.rig.observer.silent["box"].set()
            await cycle

            assert (n_changes + 2, False) == (desk.rig.n_changes, desk.rig.book.is_reconciling)

    run(scenario())


def test_an_undeclared_model_is_deleted_by_its_name_and_seen_to_have_gone() -> None:
    async def scenario() -> None:
        desk = Desk()
        async with looping(desk.rig):
            assert RowState.EXTRA in desk.states()

            await desk.control.prune("pond", "other:7b")
            await settled()

            assert [("pond", Secret("first"), "other:7b")] == desk.puller.deleted
            assert ("pond", "other:7b") not in desk.rig.rows()

    run(scenario())


@pytest.mark.parametrize(
    ("backend", "model", "words"),
    [
        ("pond", "llama3:latest", "no undeclared model"),
        ("pond", "llama3", "no undeclared model"),
        ("pond", "other", "no undeclared model"),
        ("box", "qwen", "can delete nothing on a backend of type vllm"),
        ("gone", "qwen", "no backend 'gone' is declared"),
    ],
)
def test_nothing_else_is_deleted(backend: str, model: str, words: str) -> None:
    async def scenario() -> None:
        desk = Desk()
        async with looping(desk.rig):
            with pytest.raises((InvalidRequest, BackendNotFound), match=words):
                await desk.control.prune(backend, model)

            assert [] == desk.puller.deleted

    run(scenario())


def test_what_a_backend_refuses_to_delete_is_told() -> None:
    async def scenario() -> None:
        desk = Desk()
        desk.puller.failure = "permission denied"
        async with looping(desk.rig):
            with pytest.raises(BackendError, match="permission denied"):
                await desk.control.prune("pond", "other:7b")

    run(scenario())


def test_read_only_looks_and_changes_nothing() -> None:
    async def scenario() -> None:
        desk = Desk(is_read_only=True)
        async with looping(desk.rig):
            with pytest.raises(ReadOnly):
                await desk.control.reconcile()
            with pytest.raises(ReadOnly):
                await desk.control.prune("pond", "other:7b")

            assert 4 == len(await desk.control.reconcile(is_dry_run=True))
            assert [] == desk.puller.deleted

    run(scenario())


def test_who_reads_what_is_old_has_a_cycle_begin() -> None:
    async def scenario() -> None:
        desk = Desk()
        async with looping(desk.rig):
            desk.rig.clock.advance(OLD_S + 1)

            assert ["pond", "box"] == [each.name for each in desk.control.states]

            await settled()

            assert 2 == desk.rig.n_cycles

    run(scenario())


def test_without_a_book_nothing_is_declared() -> None:
    async def scenario() -> None:
        control = BackendsControl()

        assert ((), (), ()) == (control.states, control.rows, await control.reconcile())
        with pytest.raises(BackendNotFound):
            await control.prune("pond", "llama3")

    run(scenario())
