"""A plan becomes flags."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ggtui.adapters.llama_server.argv import KEEP_APART, server_flags, total_cells
from ggtui.core.deployment.shares import Device, MachineShare
from ggtui.core.models import AdapterFile, KvType, LaunchOptions, LaunchPlan, ModelLaunchSpec


def plan(*capabilities: str, n_ctx: int = 2048, **options: object) -> LaunchPlan:
    chosen = LaunchOptions(**options)  # type: ignore[arg-type]
    spec = ModelLaunchSpec(
        1, "qwen", Path("/m/q.gguf"), capabilities=capabilities or ("chat",), options=chosen
    )
    return LaunchPlan(spec, n_ctx)


def test_every_launch_names_address_slots_and_context() -> None:
    expected = (
        *("-m", "/m/q.gguf", "--host", "127.0.0.1", "--port", "5500", "--alias", "qwen"),
        *("-c", "2048", "-np", "4", "-kvu", "-ctk", "f16", "-ctv", "f16"),
        *("-lv", "4", "--api-key-file", "/run/k", "--cors-origins", "localhost", "--no-ui", "--offline"),
        "--metrics",
    )

    assert expected == server_flags(plan(), "5500", Path("/run/k"))


@pytest.mark.parametrize(("kv_unified", "cells"), [(True, 2048), (False, 6144)])
def test_a_split_pool_needs_the_context_once_per_slot(kv_unified: bool, cells: int) -> None:
    assert cells == total_cells(plan(n_parallel=3, kv_unified=kv_unified))


def test_only_chosen_options_are_passed() -> None:
    flags = server_flags(
        plan(n_gpu_layers=0, flash_attn=False, n_threads=6, cache_type_k=KvType.Q8_0), "1", None
    )

    assert "-ngl 0 -fa off -t 6" in " ".join(flags)
    assert "-ctk q8_0" in " ".join(flags)
    assert "--api-key-file" not in flags


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("/t/own.jinja", "--chat-template-file /t/own.jinja"),
        # llama-server takes a built-in name for the text of a template as long as jinja is on.
        ("llama2", "--no-jinja --chat-template llama2"),
    ],
)
def test_a_template_is_passed_as_llama_server_expects_it(template: str, expected: str) -> None:
    assert expected in " ".join(server_flags(plan(template=template), "1", None))
    assert "template" not in " ".join(server_flags(plan(), "1", None))


@pytest.mark.parametrize(
    ("capabilities", "flag"),
    [(("embedding",), "--embedding"), (("rerank", "embedding"), "--rerank"), (("chat", "embedding"), None)],
)
def test_a_model_that_cannot_chat_is_started_for_what_it_can(
    capabilities: tuple[str, ...], flag: str | None
) -> None:
    flags = server_flags(plan(*capabilities), "1", None)

    assert ([flag] if flag else []) == [name for name in flags if name in {"--embedding", "--rerank"}]


def test_extra_arguments_come_last_and_refused_flags_go() -> None:
    flags = server_flags(plan(extra_args=("-b", "64")), "1", None, frozenset({"--cors-origins", "-kvu"}))

    assert ("-b", "64") == flags[-2:]
    assert not {"--cors-origins", "localhost", "-kvu"} & set(flags)


def test_adapters_are_one_row_in_their_order_and_no_cache_is_left_to_mix_them() -> None:
    files = ("/l/b.gguf", "/l/a, b.gguf", '/l/the "a".gguf', "/l/c d.gguf")
    adapters = tuple(AdapterFile(str(at), Path(path)) for at, path in enumerate(files))
    flags = server_flags(plan(adapters=adapters, extra_args=("-cram", "512")), "1", None)

    row = '/l/b.gguf,"/l/a, b.gguf","/l/the ""a"".gguf",/l/c d.gguf'
    assert row == flags[flags.index("--lora") + 1]
    assert ("-cram", "512", *KEEP_APART) == flags[-5:]


def test_a_model_without_adapters_keeps_its_caches() -> None:
    assert not {"--lora", *KEEP_APART} & set(server_flags(plan(), "1", None))


def test_a_vision_projector_is_launched_with_its_model_unless_that_is_turned_off() -> None:
    def flags(*, projector: bool) -> tuple[str, ...]:
        launch = plan(projector=projector)
        spec = replace(launch.spec, projector=Path("/m/mmproj.gguf"))
        return server_flags(replace(launch, spec=spec), "1", None)

    with_it = flags(projector=True)

    assert "/m/mmproj.gguf" == with_it[with_it.index("--mmproj") + 1]
    assert "--mmproj" not in flags(projector=False)


@pytest.mark.parametrize(
    ("share", "n_threads", "expected"),
    [
        (MachineShare(), None, ()),
        (MachineShare(None, 3), None, ("-t", "3")),
        (MachineShare(None, 3), 6, ("-t", "6")),
        (MachineShare((), 3), None, ("--device", "none", "-t", "3")),
        (MachineShare((Device("CUDA", "GPU-0"),)), None, ()),
    ],
)
def test_a_replica_takes_its_share_of_the_machine(
    share: MachineShare, n_threads: int | None, expected: tuple[str, ...]
) -> None:
    common = server_flags(plan(), "1", None)
    flags = server_flags(replace(plan(n_threads=n_threads), share=share), "1", None)

    assert expected == tuple(word for word in flags if word not in common)
