"""What the launcher port promises of LoRA adapters, on the in-memory launcher and on each engine here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.gguf.adapter_files import adapter_at
from ggtui.adapters.llama_server import loopback
from ggtui.core.errors import LaunchRejected, SpawnReason
from ggtui.core.forecast import forecast
from ggtui.core.memory.log_lines import LoadLog
from ggtui.core.memory.pool import MemoryPool, PoolKind
from ggtui.core.models import AdapterFile, LaunchOptions, ModelSummary
from ggtui.core.units import GIB, MIB
from tests import models
from tests.contracts.launching import ENGINES, EVERY, PROCESSES, RecordingListener, using

if TYPE_CHECKING:
    from pathlib import Path

    from ggtui.core.models import RunningTarget
    from ggtui.core.ports.launcher import ServerProcess
    from tests.contracts.launching import Rig

SHARED = "hello world yes no " * 8
BASE, FIRST, SECOND, BOTH = (0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (0.5, 0.5)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return models.tiny_model(tmp_path / "models" / "tiny.gguf")


@pytest.fixture
def adapters(tmp_path: Path) -> tuple[AdapterFile, ...]:
    """Two that fit, one of them in a file whose name a row of comma-separated values has to quote."""
    plain = models.write_lora(tmp_path / "loras" / "code.gguf", 1)
    odd = models.write_lora(tmp_path / "loras" / 'my "chat", second.gguf', 2)
    return AdapterFile("code", plain), AdapterFile("chat", odd)


async def launched(
    rig: Rig, adapters: tuple[AdapterFile, ...], *extra: str, listener: RecordingListener | None = None
) -> ServerProcess:
    # With flash attention an answer depends a little on where in the cache its slot lies.
    chosen = LaunchOptions(adapters=adapters, extra_args=extra, flash_attn=False)
    plan = rig.plan(options=chosen)
    server: ServerProcess = await rig.launcher.launch(plan, listener or RecordingListener())
    return server


async def answer(target: RunningTarget, scales: tuple[float, ...] | None, **more: object) -> str:
    """The greedy answer with these scales in the request; None sends no list at all."""
    body: dict[str, object] = {
        "prompt": SHARED,
        "n_predict": 16,
        "temperature": 0,
        "grammar": "root ::= [a-z ]+",
        **more,
    }
    if scales is not None:
        body["lora"] = [{"id": at, "scale": scale} for at, scale in enumerate(scales)]
    status, told = await loopback.post(target.port, "/completion", body, target.api_key, 20)

    assert 200 == status, told
    return str(json.loads(told)["content"])


@EVERY
def test_a_target_names_its_adapters_in_order(
    kind: str, tmp_path: Path, model: Path, adapters: tuple[AdapterFile, ...]
) -> None:
    async def test(rig: Rig) -> None:
        server = await launched(rig, adapters)

        assert ("code", "chat") == server.target.adapters
        assert "--lora" in server.argv
        await server.stop(5)

    using(kind, tmp_path, model, test)


@PROCESSES
def test_a_ready_server_carries_them_and_applies_none(
    kind: str, tmp_path: Path, model: Path, adapters: tuple[AdapterFile, ...]
) -> None:
    async def test(rig: Rig) -> None:
        server = await launched(rig, adapters)
        target = server.target
        status, body = await loopback.get(target.port, "/lora-adapters", target.api_key)
        await server.stop(5)

        assert 200 == status
        assert [(str(each.path), 0.0) for each in adapters] == [
            (each["path"], each["scale"]) for each in json.loads(body)
        ]

    using(kind, tmp_path, model, test)


@ENGINES
def test_a_request_chooses_and_the_model_alone_stays_what_it_is(
    kind: str, tmp_path: Path, model: Path, adapters: tuple[AdapterFile, ...]
) -> None:
    async def test(rig: Rig) -> None:
        alone = await launched(rig, ())
        plain = await answer(alone.target, None)
        await alone.stop(5)
        server = await launched(rig, adapters)
        target = server.target
        first = {scales: await answer(target, scales) for scales in (BASE, FIRST, SECOND, BOTH)}
        again = {scales: await answer(target, scales) for scales in (BOTH, BASE, SECOND, FIRST)}
        await server.stop(5)

        assert plain == first[BASE]
        assert 4 == len(set(first.values()))
        assert first == again

    using(kind, tmp_path, model, test)


@ENGINES
def test_further_arguments_switch_no_cache_on_that_mixes_adapters(
    kind: str, tmp_path: Path, model: Path, adapters: tuple[AdapterFile, ...]
) -> None:
    async def test(rig: Rig) -> None:
        listener = RecordingListener()
        caching = ("--cache-ram", "4096", "--cache-prompt", "-np", "1")
        server = await launched(rig, adapters, *caching, listener=listener)
        target = server.target
        fresh = await answer(target, None)
        changed = await answer(target, FIRST, cache_prompt=True)
        after, then = await answer(target, None), await answer(target, BASE, cache_prompt=True)
        await server.stop(5)

        assert any("prompt cache is disabled" in line for line in listener.verbose_lines)
        assert changed != fresh
        assert [fresh, fresh] == [after, then]

    using(kind, tmp_path, model, test)


@PROCESSES
def test_an_adapter_for_another_model_is_named_with_the_engines_reason(
    kind: str, tmp_path: Path, model: Path, adapters: tuple[AdapterFile, ...]
) -> None:
    wide = models.write_lora(tmp_path / "loras" / "wide.gguf", n_in=96)
    extra = ("--fake-bad-lora", "wide.gguf") if kind == "fake" else ()

    async def test(rig: Rig) -> None:
        with pytest.raises(LaunchRejected) as refusal:
            await launched(rig, (*adapters, AdapterFile("wide", wide)), *extra)

        reason = "tensor 'blk.0.attn_q.weight' has incorrect shape (hint: maybe wrong base model?)"
        assert f"the adapter wide cannot be loaded: {reason}" == refusal.value.cause
        assert "detach it: ggtui lora detach tiny wide" == refusal.value.hint
        assert (SpawnReason.BAD_ARGUMENT, 1) == (refusal.value.reason, refusal.value.exit_code)

    using(kind, tmp_path, model, test)


@PROCESSES
def test_an_adapter_whose_file_is_gone_starts_nothing(
    kind: str, tmp_path: Path, model: Path, adapters: tuple[AdapterFile, ...]
) -> None:
    adapters[1].path.unlink()

    async def test(rig: Rig) -> None:
        listener = RecordingListener()
        with pytest.raises(LaunchRejected) as refusal:
            await rig.launcher.launch(rig.plan(options=LaunchOptions(adapters=adapters)), listener)

        assert [] == listener.pids
        assert 'the file of the adapter chat is gone: my "chat", second.gguf' == refusal.value.cause
        assert "detach it: ggtui lora detach tiny chat" == refusal.value.hint

    using(kind, tmp_path, model, test)


@ENGINES
def test_the_forecast_of_adapters_is_what_the_engine_allocates(
    kind: str, tmp_path: Path, model: Path, adapters: tuple[AdapterFile, ...]
) -> None:
    large = tmp_path / "large.gguf"
    models.write_lora(large, rank=200, parts=("attn_q", "attn_k", "attn_v", "attn_output"))
    known = AdapterFile("large", large, large.stat().st_size, adapter_at(str(large)).tensor_bytes)
    summary = ModelSummary(7, "tiny", "tiny", "llama", model.stat().st_size)

    async def test(rig: Rig) -> None:
        listener = RecordingListener()
        server = await launched(rig, (known,), listener=listener)
        await server.stop(5)
        log = LoadLog()
        for line in listener.verbose_lines:
            log.hear(line)
        ahead = forecast(
            summary, 512, LaunchOptions(adapters=(known,)), MemoryPool(PoolKind.RAM, 64 * GIB, 0, GIB)
        )

        assert ahead is not None
        assert known.tensor_bytes == 2 * 4 * 2 * 200 * 64 * 4
        told = sum(share.adapters_bytes for share in log.shares())
        assert abs(told - ahead.beside_bytes) <= 0.01 * MIB

    using(kind, tmp_path, model, test)
