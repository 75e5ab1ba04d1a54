"""What the launcher does beyond the port's promises."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from ggtui.adapters.llama_server import loopback
from ggtui.adapters.llama_server.launcher import LlamaServerLauncher, free_port
from ggtui.core.deployment.shares import Device, MachineShare
from ggtui.core.errors import LaunchRejected, ServerMissing, SpawnFailed, SpawnReason, StartTimedOut
from tests import models
from tests.contracts.launching import FAKE, RecordingListener, Rig, build_launcher, run, survivors

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

LOOPS = pytest.mark.parametrize("on_uvloop", [True, False], ids=["uvloop", "asyncio"])


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return models.tiny_model(tmp_path / "models" / "tiny.gguf")


def using_fake(
    folder: Path,
    model: Path,
    test: Callable[[Rig], Awaitable[None]],
    choose_port: Callable[[], int] = free_port,
    on_uvloop: bool = True,
) -> None:
    async def work() -> None:
        launcher = build_launcher("fake", folder, choose_port)
        try:
            await test(Rig("fake", launcher, model))
        finally:
            left = survivors(launcher.instance)
            await launcher.close()

        assert [] == left

    run(work(), on_uvloop=on_uvloop)


async def failure_of(rig: Rig, *extra: str, **plan: Any) -> Any:
    with pytest.raises((SpawnFailed, StartTimedOut)) as caught:
        await rig.launcher.launch(rig.plan(*extra, **plan), RecordingListener())
    return caught.value


@LOOPS
def test_load_and_stop_on_both_loops(on_uvloop: bool, tmp_path: Path, model: Path) -> None:
    async def test(rig: Rig) -> None:
        listener = RecordingListener()
        server = await rig.launcher.launch(rig.plan("--fake-load-s", "0.1"), listener)
        report = await server.stop(5)

        assert (0, True) == (report.code, report.was_asked)
        assert [tenth / 10 for tenth in range(11)] == listener.values

    using_fake(tmp_path, model, test, on_uvloop=on_uvloop)


def test_flags_that_an_old_build_refuses_are_left_out_from_then_on(tmp_path: Path, model: Path) -> None:
    refused = [word for name in ("cors-origins", "no-ui", "metrics") for word in ("--fake-unknown", name)]

    async def test(rig: Rig) -> None:
        first, second = RecordingListener(), RecordingListener()
        for listener in (first, second):
            server = await rig.launcher.launch(rig.plan(*refused), listener)
            await server.stop(5)

        assert (4, 1) == (len(first.pids), len(second.pids))
        assert not {"--cors-origins", "localhost", "--no-ui", "--metrics"} & set(server.argv)

    using_fake(tmp_path, model, test)


def test_a_build_without_push_lines_is_found_by_health_and_stopped_by_signal(
    tmp_path: Path, model: Path
) -> None:
    async def test(rig: Rig) -> None:
        server = await rig.launcher.launch(rig.plan("--fake-no-push"), RecordingListener())
        report = await server.stop(20)

        assert (-15, True) == (report.code, report.was_asked)

    using_fake(tmp_path, model, test)


def test_a_load_without_progress_is_given_up(tmp_path: Path, model: Path) -> None:
    async def test(rig: Rig) -> None:
        failure = await failure_of(rig, "--fake-hang", stall_timeout_s=1.0)

        assert isinstance(failure, StartTimedOut)
        assert SpawnReason.TIMEOUT == failure.reason
        assert any("loading model" in line for line in failure.log_tail)

    using_fake(tmp_path, model, test)


def test_progress_restarts_the_stall_limit(tmp_path: Path, model: Path) -> None:
    async def test(rig: Rig) -> None:
        plan = rig.plan("--fake-load-s", "1.5", stall_timeout_s=0.6)
        server = await rig.launcher.launch(plan, RecordingListener())
        await server.stop(5)

    using_fake(tmp_path, model, test)


def test_a_server_that_claims_a_port_it_does_not_hold_is_refused(tmp_path: Path, model: Path) -> None:
    async def test(rig: Rig) -> None:
        assert SpawnReason.PORT_IN_USE == (await failure_of(rig, "--fake-claim-ready")).reason

    using_fake(tmp_path, model, test)


class Stranger:
    """Answers 200 to everything on a port, and counts."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        """End it."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self.requests.append(connection.recv(4096))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


@pytest.fixture
def stranger() -> Iterator[Stranger]:
    there = Stranger()
    yield there
    there.close()


def test_a_stranger_that_answers_gets_no_key(tmp_path: Path, model: Path, stranger: Stranger) -> None:
    async def test(rig: Rig) -> None:
        failure = await failure_of(rig, "--fake-hang-unbound", stall_timeout_s=0.5)

        assert isinstance(failure, StartTimedOut)

    using_fake(tmp_path, model, test, lambda: stranger.port)

    assert stranger.requests
    assert all(request.startswith(b"GET /health ") for request in stranger.requests)
    assert not any(b"Authorization" in request for request in stranger.requests)


def test_a_crash_while_answering_is_noticed(tmp_path: Path, model: Path) -> None:
    async def test(rig: Rig) -> None:
        plan = rig.plan("--fake-crash-after", "3", "--fake-rc", "139")
        server = await rig.launcher.launch(plan, RecordingListener())
        target = server.target
        reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
        body = b'{"stream":true}'
        writer.write(
            f"POST /v1/chat/completions HTTP/1.1\r\nAuthorization: Bearer {target.api_key}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        answer = await reader.read(-1)
        writer.close()
        report = await server.wait_exit()

        assert (139, False) == (report.code, report.was_asked)
        assert "ended with status 139" == report.cause
        assert 3 == answer.count(b"data: ")

    using_fake(tmp_path, model, test)


def test_a_flood_in_the_load_reaches_the_file_and_no_control_character_the_listener(
    tmp_path: Path, model: Path
) -> None:
    async def test(rig: Rig) -> None:
        listener = RecordingListener()
        plan = rig.plan("--fake-flood", "5000000", "--fake-long-line", "1000000")
        server = await rig.launcher.launch(plan, listener)
        await server.stop(5)

        assert 30_000 < len(listener.lines)
        assert not any("\x1b" in line or len(line) > 2000 for line in listener.lines)

    using_fake(tmp_path, model, test)

    log = tmp_path / "log" / "tiny.log"
    assert 0o600 == log.stat().st_mode & 0o777
    assert 3_000_000 < log.stat().st_size
    assert b"\x1b" not in log.read_bytes()


def test_the_key_lies_in_a_private_file_while_the_server_lives(tmp_path: Path, model: Path) -> None:
    async def test(rig: Rig) -> None:
        server = await rig.launcher.launch(rig.plan(), RecordingListener())
        (key_file,) = (tmp_path / "run").iterdir()

        assert 0o700 == key_file.parent.stat().st_mode & 0o777
        assert 0o600 == key_file.stat().st_mode & 0o777
        assert server.target.api_key == key_file.read_text().strip()
        assert 401 == (await loopback.get(server.target.port, "/props", "wrong"))[0]

        await server.stop(5)

        assert not key_file.exists()

    using_fake(tmp_path, model, test)


def test_a_reason_that_a_fast_end_swallowed_is_asked_for_again(tmp_path: Path, model: Path) -> None:
    async def test(rig: Rig) -> None:
        listener = RecordingListener()
        with pytest.raises(SpawnFailed) as caught:
            await rig.launcher.launch(rig.plan("--fake-crash-at-start", "strange"), listener)

        assert SpawnReason.UNKNOWN == caught.value.reason
        assert 3 == len(listener.pids)

    using_fake(tmp_path, model, test)


def test_a_known_refusal_is_not_repeated(tmp_path: Path, model: Path) -> None:
    async def test(rig: Rig) -> None:
        listener = RecordingListener()
        with pytest.raises(LaunchRejected):
            await rig.launcher.launch(rig.plan("--fake-crash-at-start", "failed to read magic"), listener)

        assert 1 == len(listener.pids)

    using_fake(tmp_path, model, test)


def test_a_fifo_is_refused_before_anybody_opens_it(tmp_path: Path, model: Path) -> None:
    fifo = tmp_path / "models" / "pipe.gguf"
    os.mkfifo(fifo)

    async def test(rig: Rig) -> None:
        failure = await failure_of(rig, path=fifo)

        assert SpawnReason.BAD_MODEL_FILE == failure.reason

    using_fake(tmp_path, model, test)


def test_without_an_engine_the_launch_says_what_was_looked_at(tmp_path: Path, model: Path) -> None:
    async def work() -> None:
        launcher = LlamaServerLauncher(str(tmp_path / "gone"), os.environ, tmp_path / "run", tmp_path / "log")
        with pytest.raises(ServerMissing, match="does not exist"):
            await launcher.launch(Rig("fake", launcher, model).plan(), RecordingListener())
        assert "llama-server" == launcher.command(Rig("fake", launcher, model).plan())[0]
        await launcher.close()

    run(work())


def test_a_program_that_vanished_is_missing(tmp_path: Path, model: Path) -> None:
    program = tmp_path / "llama-server"
    program.write_bytes(FAKE.read_bytes())
    program.chmod(0o755)

    async def work() -> None:
        launcher = LlamaServerLauncher(str(program), os.environ, tmp_path / "run", tmp_path / "log")
        program.unlink()
        with pytest.raises(ServerMissing, match="does not exist"):
            await launcher.launch(Rig("fake", launcher, model).plan(), RecordingListener())
        await launcher.close()

    run(work())

    assert [] == list((tmp_path / "run").iterdir())


def test_the_guard_holds_the_only_other_end(tmp_path: Path, model: Path) -> None:
    async def test(rig: Rig) -> None:
        server = await rig.launcher.launch(rig.plan(), RecordingListener())
        folder = f"/proc/{server.target.pid}/fd"
        names = [os.readlink(f"{folder}/{number}") for number in os.listdir(folder)]
        await server.stop(5)

        assert 3 == sum(name.startswith("pipe:") for name in names)

    using_fake(tmp_path, model, test)


def test_keys_of_a_killed_ggtui_are_removed_before_the_first_launch(tmp_path: Path, model: Path) -> None:
    stale, other = tmp_path / "run" / "0123456789abcdef.key", tmp_path / "run" / "notes.txt"
    stale.parent.mkdir()
    stale.touch()
    other.touch()

    async def test(rig: Rig) -> None:
        assert stale.exists()

        server = await rig.launcher.launch(rig.plan(), RecordingListener())

        assert not stale.exists()
        assert 1 == len(list(stale.parent.glob("*.key")))

        stale.touch()
        again = await rig.launcher.launch(rig.plan(), RecordingListener())

        assert stale.exists()

        await server.stop(5)
        await again.stop(5)

    using_fake(tmp_path, model, test)

    assert other.exists()


def test_an_argument_that_no_program_can_be_given_is_refused(tmp_path: Path, model: Path) -> None:
    async def test(rig: Rig) -> None:
        failure = await failure_of(rig, "a\0b")

        assert SpawnReason.BAD_ARGUMENT == failure.reason

    using_fake(tmp_path, model, test)

    assert [] == list((tmp_path / "run").iterdir())


def test_work_behind_a_wrapper_script_is_seen(tmp_path: Path, model: Path) -> None:
    wrapper = tmp_path / "wrapper"
    wrapper.write_text(f'#!/bin/sh\n{FAKE} "$@" <&0 &\nwait\n')
    wrapper.chmod(0o755)

    async def work() -> None:
        launcher = LlamaServerLauncher(str(wrapper), os.environ, tmp_path / "run", tmp_path / "log")
        rig = Rig("fake", launcher, model)
        server = await launcher.launch(rig.plan("--fake-no-push", "--fake-token-s", "0"), RecordingListener())
        before = server.activity()
        while server.activity() == before:
            assert 200 == (await loopback.get(server.target.port, "/health"))[0]
        await server.stop(5)

        assert server.activity() is None

        await launcher.close()

    run(work())


def test_closing_ends_a_look_at_an_engine_that_hangs(tmp_path: Path) -> None:
    program = tmp_path / "llama-server"
    program.write_text("#!/bin/sh\nsleep 600\n")
    program.chmod(0o755)

    async def work() -> None:
        launcher = LlamaServerLauncher(str(program), os.environ, tmp_path / "run", tmp_path / "log")
        look = asyncio.ensure_future(launcher.engine())
        while not survivors(launcher.instance):  # noqa: ASYNC110 - nothing tells that it was started
            await asyncio.sleep(0.005)
        await launcher.close()
        await asyncio.gather(look, return_exceptions=True)
        while survivors(launcher.instance):  # noqa: ASYNC110 - a killed process is gone a moment later
            await asyncio.sleep(0.005)

    run(work())


def test_two_replicas_see_devices_of_their_own(tmp_path: Path, model: Path) -> None:
    async def test(rig: Rig) -> None:
        seen, pids = [], []
        for replica in range(2):
            share = MachineShare((Device("CUDA", f"GPU-{replica}"),))
            plan = replace(rig.plan(), replica=replica, share=share)
            server = await rig.launcher.launch(plan, RecordingListener())
            seen.append(psutil.Process(server.target.pid).environ()["CUDA_VISIBLE_DEVICES"])
            pids.append(server.target.pid)
            await server.stop(5)

        assert ["GPU-0", "GPU-1"] == seen
        assert 2 == len(set(pids))

    using_fake(tmp_path, model, test)

    assert {"tiny.log", "tiny.replica-2.log"} == {each.name for each in tmp_path.rglob("tiny*.log")}
