"""Adapters of a fresh server: what it carries is checked, and a failure names the one that caused it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ggtui.adapters.llama_server import lora
from ggtui.adapters.llama_server.failures import start_failure
from ggtui.core.errors import LaunchRejected, OutOfMemory, SpawnFailed, SpawnReason
from ggtui.core.models import AdapterFile, LaunchOptions, LaunchPlan, ModelLaunchSpec
from tests import models
from tests.contracts.launching import RecordingListener, Rig, using

WRONG_SHAPE = "tensor 'blk.0.attn_q.weight' has incorrect shape (hint: maybe wrong base model?)"


def plan(*extra: str, folder: Path = Path("/l"), names: tuple[str, ...] = ("code", "chat")) -> LaunchPlan:
    files = tuple(AdapterFile(name, folder / f"it's {name}.gguf") for name in names)
    options = LaunchOptions(adapters=files, extra_args=extra)
    return LaunchPlan(ModelLaunchSpec(1, "qwen", Path("/m/q.gguf"), options=options), 512)


def in_words(log: list[str], launch: LaunchPlan) -> SpawnFailed:
    return lora.in_words(start_failure(1, log, log), log, launch)


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (WRONG_SHAPE, WRONG_SHAPE),
        ("model arch and LoRA arch mismatch", "model arch and LoRA arch mismatch"),
        # Older builds tell the path, which nobody needs who knows the adapter's name.
        (
            "failed to load lora adapter file from /l/it's chat.gguf",
            "failed to load lora adapter file from it's chat.gguf",
        ),
    ],
)
def test_the_adapter_that_could_not_be_loaded_is_named(reason: str, told: str) -> None:
    log = [
        "0.00.010.886 I llama_adapter_lora_init_impl: loaded 8 tensors from lora file",
        f"0.00.011.475 E llama_adapter_lora_init: failed to apply lora adapter: {reason}",
        "0.00.011.497 E cmn  common_init_: failed to load lora adapter '/l/it's chat.gguf'",
        "0.00.011.954 E srv  llama_server: exiting due to model loading error",
    ]
    failure = in_words(log, plan())

    assert isinstance(failure, LaunchRejected)
    assert f"the adapter chat cannot be loaded: {told}" == failure.cause
    assert "detach it: ggtui lora detach qwen chat" == failure.hint
    assert (SpawnReason.BAD_ARGUMENT, 1, tuple(log)) == (failure.reason, failure.exit_code, failure.log_tail)


def test_a_file_that_is_no_model_is_not_taken_for_the_models_own() -> None:
    log = [
        "0.00.011.521 E gguf_init_from_reader: invalid magic characters: '<htm', expected 'GGUF'",
        "E llama_adapter_lora_init: failed to apply lora adapter: failed to load lora adapter from file",
        "E common_init_: failed to load lora adapter '/l/it's code.gguf'",
    ]

    assert SpawnReason.BAD_MODEL_FILE == start_failure(1, log, log).reason
    assert in_words(log, plan()).cause.startswith("the adapter code cannot be loaded: ")


def test_another_failure_stays_what_it_is() -> None:
    memory = [
        "E x: failed to apply lora adapter: failed to allocate buffer for lora adapter",
        "failed to load lora adapter '/l/it's code.gguf'",
    ]
    stranger = ["E x: failed to load lora adapter '/elsewhere/own.gguf'"]

    assert isinstance(in_words(memory, plan()), OutOfMemory)
    assert start_failure(1, stranger, stranger).cause == in_words(stranger, plan()).cause
    assert "invalid argument: --zzz" in in_words(["error: invalid argument: --zzz"], plan()).cause


@pytest.mark.parametrize("flag", ["--cache-ram", "--no-cache-prompt"])
def test_a_build_that_cannot_keep_adapters_apart_is_too_old(flag: str) -> None:
    log = [f"error: invalid argument: {flag}"]

    assert in_words(log, plan()).cause.startswith("this llama-server is too old to keep adapters apart")
    assert in_words(log, plan(names=())).cause.startswith("an argument was refused")


@pytest.mark.parametrize("flag", ["--lora", "--lora-scaled", "--lora_scaled"])
def test_further_arguments_load_no_adapters_beside_the_attached_ones(flag: str, tmp_path: Path) -> None:
    launch = plan(flag, "/own.gguf", folder=tmp_path)
    for each in launch.spec.options.adapters:
        each.path.write_bytes(b"")
    refusal = lora.refusal(launch)
    spec = launch.spec

    assert refusal is not None
    assert "attach them all: ggtui lora attach qwen FILE" == refusal.hint
    none = replace(spec, options=replace(spec.options, adapters=()))
    assert lora.refusal(replace(launch, spec=none)) is None


OTHERS = "the server does not carry the adapters it was given: code, chat in this order; it tells of"
FAULTS = {
    "lost": f"{OTHERS} 1",
    "reversed": f"{OTHERS} 2",
    "silent": f"{OTHERS} 0",
    "stuck": "the server goes on applying adapters that no request names",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_server_that_is_wrong_of_its_adapters_is_not_ready(fault: str, tmp_path: Path) -> None:
    model = models.tiny_model(tmp_path / "tiny.gguf")
    files = tuple(AdapterFile(name, tmp_path / f"{name}.gguf") for name in ("code", "chat"))
    for each in files:
        each.path.write_bytes(b"GGUF")

    async def test(rig: Rig) -> None:
        listener = RecordingListener()
        chosen = LaunchOptions(adapters=files, extra_args=("--fake-lora", fault))
        with pytest.raises(SpawnFailed) as failure:
            await rig.launcher.launch(rig.plan(options=chosen), listener)

        assert FAULTS[fault] == failure.value.cause
        assert failure.value.log_tail
        assert 1 == len(listener.pids)

    using("fake", tmp_path, model, test)


@pytest.mark.parametrize("flag", ["cache-ram", "no-cache-prompt"])
def test_an_old_build_is_not_tried_without_the_flags_that_keep_adapters_apart(
    flag: str, tmp_path: Path
) -> None:
    model = models.tiny_model(tmp_path / "tiny.gguf")
    adapter = AdapterFile("code", models.write_lora(tmp_path / "code.gguf"))

    async def test(rig: Rig) -> None:
        listener = RecordingListener()
        refused = ("--fake-unknown", "no-ui", "--fake-unknown", flag)
        chosen = LaunchOptions(adapters=(adapter,), extra_args=refused)
        with pytest.raises(LaunchRejected, match=f"too old to keep adapters apart: .*--{flag}"):
            await rig.launcher.launch(rig.plan(options=chosen), listener)

        assert 2 == len(listener.pids)

    using("fake", tmp_path, model, test)
