"""Every promise of the launcher port, on the in-memory launcher and on each engine of this machine."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from ggtui.adapters.llama_server import loopback
from ggtui.adapters.llama_server.launcher import free_port
from ggtui.adapters.memory.launcher import MemoryLauncher, Script
from ggtui.core.engine_metrics import read_series
from ggtui.core.errors import LaunchRejected, ModelFileNotFound, SpawnFailed, SpawnReason
from ggtui.core.models import LaunchOptions
from tests import models
from tests.contracts.launching import (
    ENGINES,
    EVERY,
    PROCESSES,
    RecordingListener,
    Rig,
    engine_choice,
    survivors,
    using,
    wait_for_none,
)

if TYPE_CHECKING:
    from ggtui.core.ports.launcher import ServerProcess

PROGRAMS = Path(__file__).parents[1] / "programs"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return models.tiny_model(tmp_path / "models" / "tiny.gguf")


@EVERY
def test_a_launched_server_is_ready_and_tells_what_it_can(kind: str, tmp_path: Path, model: Path) -> None:
    async def test(rig: Rig) -> None:
        listener = RecordingListener()
        server: ServerProcess = await rig.launcher.launch(rig.plan(), listener)
        target = server.target

        assert (7, "tiny", 512, 4) == (
            target.model_id,
            target.model_name,
            target.effective_ctx,
            target.n_slots,
        )
        assert f"http://127.0.0.1:{target.port}" == target.base_url
        assert ([target.pid], [target.port]) == (listener.pids, listener.ports)
        assert server.argv == listener.argv
        assert target.api_key
        assert target.api_key not in " ".join(server.argv)
        assert target.api_key not in repr(target)
        assert 1.0 == listener.values[-1]
        assert any("loading model" in line for line in listener.lines)
        if kind != "memory":
            assert 200 == (await loopback.get(target.port, "/props", target.api_key))[0]
            assert 401 == (await loopback.get(target.port, "/props"))[0]
        await server.stop(5)

    using(kind, tmp_path, model, test)


@PROCESSES
def test_a_server_tells_its_numbers_to_who_has_its_key(kind: str, tmp_path: Path, model: Path) -> None:
    async def test(rig: Rig) -> None:
        server = await rig.launcher.launch(rig.plan(), RecordingListener())
        target = server.target
        status, body = await loopback.get(target.port, "/metrics", target.api_key)
        refused, _ = await loopback.get(target.port, "/metrics")
        await server.stop(5)

        assert (200, 401) == (status, refused)
        series = read_series(body)
        assert series is not None
        assert {(): "0"} == series["llamacpp:tokens_predicted_total"].samples
        assert "gauge" == series["llamacpp:requests_processing"].kind

    using(kind, tmp_path, model, test)


@PROCESSES
@pytest.mark.parametrize("kv_unified", [True, False])
def test_each_slot_gets_the_context_of_the_plan(
    kind: str, kv_unified: bool, tmp_path: Path, model: Path
) -> None:
    async def test(rig: Rig) -> None:
        options = LaunchOptions(n_parallel=2, kv_unified=kv_unified)
        server = await rig.launcher.launch(rig.plan(options=options, n_ctx=768), RecordingListener())
        await server.stop(5)

        assert (768, 2) == (server.target.effective_ctx, server.target.n_slots)

    using(kind, tmp_path, model, test)


@EVERY
def test_the_command_for_people_holds_no_secret_and_no_port(kind: str, tmp_path: Path, model: Path) -> None:
    async def test(rig: Rig) -> None:
        command = rig.launcher.command(rig.plan())

        assert "PORT" == command[command.index("--port") + 1]
        assert str(model) in command
        assert "--api-key-file" not in command

    using(kind, tmp_path, model, test)


@EVERY
def test_the_engine_is_known(kind: str, tmp_path: Path, model: Path) -> None:
    async def test(rig: Rig) -> None:
        info = await rig.launcher.engine()

        assert info.is_usable
        assert ("embedded" if kind == "embedded" else "llama-server") == info.kind
        assert info.version
        assert info is await rig.launcher.engine()

    using(kind, tmp_path, model, test)


@EVERY
def test_stop_may_be_called_twice_and_after_the_end(kind: str, tmp_path: Path, model: Path) -> None:
    async def test(rig: Rig) -> None:
        server = await rig.launcher.launch(rig.plan(), RecordingListener())
        waiting = asyncio.gather(server.wait_exit(), server.wait_exit())
        reports = [
            *await asyncio.gather(server.stop(5), server.stop(5)),
            await server.stop(5),
            *await waiting,
        ]

        assert [True] * 5 == [report.was_asked for report in reports]
        assert 1 == len(set(reports))
        assert is_dead(server.target.pid)

    using(kind, tmp_path, model, test)


@EVERY
def test_an_end_that_nobody_asked_for_is_noticed(kind: str, tmp_path: Path, model: Path) -> None:
    async def test(rig: Rig) -> None:
        server = await rig.launcher.launch(rig.plan(), RecordingListener())
        waiting = asyncio.ensure_future(server.wait_exit())
        await asyncio.sleep(0)
        end_from_outside(rig, server)
        report = await waiting

        assert (-9, False) == (report.code, report.was_asked)
        assert "killed (out of memory?)" == report.cause
        assert report == await server.stop(5)

    using(kind, tmp_path, model, test)


def end_from_outside(rig: Rig, server: Any) -> None:
    if isinstance(rig.launcher, MemoryLauncher):
        rig.launcher.crash("tiny", -9, "killed (out of memory?)")
    else:
        os.kill(server.target.pid, signal.SIGKILL)


@EVERY
def test_a_known_problem_is_refused_without_a_launch(kind: str, tmp_path: Path, model: Path) -> None:
    async def test(rig: Rig) -> None:
        listener = RecordingListener()
        with pytest.raises(LaunchRejected, match="cut short") as refusal:
            await rig.launcher.launch(rig.plan(problem="cut short"), listener)

        assert SpawnReason.BAD_MODEL_FILE == refusal.value.reason
        assert [] == listener.pids

    using(kind, tmp_path, model, test)


@EVERY
def test_a_load_that_is_cancelled_leaves_no_process(kind: str, tmp_path: Path, model: Path) -> None:
    async def test(rig: Rig) -> None:
        if isinstance(rig.launcher, MemoryLauncher):
            rig.launcher.script("tiny", Script(hangs=True))
        listener = RecordingListener()
        plan = rig.plan(*(("--fake-hang", "--fake-grandchild") if kind == "fake" else ()))
        launching = asyncio.ensure_future(rig.launcher.launch(plan, listener))
        await (listener.loading_event if kind == "fake" else listener.spawned_event).wait()
        launching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await launching

        assert is_dead(listener.pids[0])

    using(kind, tmp_path, model, test)


@PROCESSES
def test_a_missing_file_starts_nothing(kind: str, tmp_path: Path, model: Path) -> None:
    async def test(rig: Rig) -> None:
        listener = RecordingListener()
        with pytest.raises(ModelFileNotFound):
            await rig.launcher.launch(rig.plan(path=tmp_path / "gone.gguf"), listener)

        assert [] == listener.pids

    using(kind, tmp_path, model, test)


@PROCESSES
def test_an_unknown_flag_is_named(kind: str, tmp_path: Path, model: Path) -> None:
    extra = ("--zzz",) if kind != "fake" else ("--fake-crash-at-start", "error: invalid argument: --zzz")

    async def test(rig: Rig) -> None:
        with pytest.raises(LaunchRejected, match="invalid argument: --zzz") as refusal:
            await rig.launcher.launch(rig.plan(*extra), RecordingListener())

        assert (SpawnReason.BAD_ARGUMENT, 1) == (refusal.value.reason, refusal.value.exit_code)

    using(kind, tmp_path, model, test)


BROKEN_FILES = {
    "corrupt": (models.corrupt_model, SpawnReason.BAD_MODEL_FILE, "failed to read key-value pairs"),
    "truncated": (models.truncated_model, SpawnReason.BAD_MODEL_FILE, "not within the file bounds"),
    "alien": (models.wrong_architecture_model, SpawnReason.UNSUPPORTED_ARCH, "architecture: 'zzz'"),
    "empty": (models.zero_byte_model, SpawnReason.BAD_MODEL_FILE, "failed to read magic"),
    "html": (models.html_model, SpawnReason.BAD_MODEL_FILE, "invalid magic characters: '<htm'"),
    "aborting": (models.aborting_model, SpawnReason.ENGINE_ABORT, "GGML_ASSERT"),
}


@ENGINES
@pytest.mark.parametrize("fault", BROKEN_FILES)
def test_a_broken_file_is_refused_in_the_engines_own_words(
    kind: str, fault: str, tmp_path: Path, model: Path
) -> None:
    write, reason, words = BROKEN_FILES[fault]
    broken = write(tmp_path / "models" / f"{fault}.gguf")

    async def test(rig: Rig) -> None:
        listener = RecordingListener()
        with pytest.raises(LaunchRejected, match=words) as refusal:
            await rig.launcher.launch(rig.plan(path=broken), listener)

        assert reason == refusal.value.reason
        assert str(broken.parent) not in refusal.value.message
        assert refusal.value.log_tail
        assert is_dead(listener.pids[0])

    using(kind, tmp_path, model, test)


@PROCESSES
def test_a_port_that_somebody_took_is_passed_over(kind: str, tmp_path: Path, model: Path) -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        ports = iter([squatter.getsockname()[1], free_port()])

        async def test(rig: Rig) -> None:
            listener = RecordingListener()
            server = await rig.launcher.launch(rig.plan(), listener)
            await server.stop(5)

            assert 2 == len(listener.ports)
            assert listener.ports[1] == server.target.port

        using(kind, tmp_path, model, test, lambda: next(ports))


@PROCESSES
def test_a_port_that_stays_taken_is_given_up(kind: str, tmp_path: Path, model: Path) -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        port: int = squatter.getsockname()[1]

        async def test(rig: Rig) -> None:
            listener = RecordingListener()
            with pytest.raises(SpawnFailed) as failure:
                await rig.launcher.launch(rig.plan(), listener)

            assert SpawnReason.PORT_IN_USE == failure.value.reason
            assert [port] * 3 == listener.ports

        using(kind, tmp_path, model, test, lambda: port)


@PROCESSES
def test_a_server_that_does_not_react_is_ended_by_force(kind: str, tmp_path: Path, model: Path) -> None:
    extra = ("--fake-ignore-term", "--fake-grandchild") if kind == "fake" else ()

    async def test(rig: Rig) -> None:
        server = await rig.launcher.launch(rig.plan(*extra), RecordingListener())
        if kind != "fake":
            os.kill(server.target.pid, signal.SIGSTOP)
        report = await server.stop(0.05)

        assert report.was_asked
        assert report.code in {-signal.SIGKILL, -signal.SIGTERM}
        assert is_dead(server.target.pid)

    using(kind, tmp_path, model, test)


@PROCESSES
def test_nothing_survives_when_ggtui_is_killed(kind: str, tmp_path: Path, model: Path) -> None:
    extra = ("--fake-ignore-term", "--fake-grandchild") if kind == "fake" else ()
    program = [sys.executable, str(PROGRAMS / "hold_server.py"), engine_choice(kind), str(model)]
    environment = os.environ | {"PYTHONPATH": str(PROGRAMS.parents[1])}
    with subprocess.Popen(
        [*program, str(tmp_path), *extra], stdout=subprocess.PIPE, text=True, env=environment
    ) as holder:
        assert holder.stdout is not None
        instance, pid = holder.stdout.readline().split()
        before = survivors(instance)
        holder.kill()

    assert int(pid) in before
    assert (2 if kind == "fake" else 1) == len(before)
    assert [] == wait_for_none(instance)


def is_dead(pid: int | None) -> bool:
    """True when the process is reaped and what is left of its group is dead."""
    assert pid is not None
    if psutil.pid_exists(pid):
        return False
    return not [
        member
        for member in psutil.process_iter(["status"])
        if member.info["status"] != psutil.STATUS_ZOMBIE and group_of(member.pid) == pid
    ]


def group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except OSError:
        return None
