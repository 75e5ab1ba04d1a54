"""A log of the verbose level, shown as at the normal one."""

from __future__ import annotations

import pytest

from ggtui.core.log_levels import LogLevels, is_secret

SHOWN = (
    "0.00.007.595 I srv    load_model: loading model '/m/a.gguf'",
    "0.00.060.976 I srv  llama_server: model loaded",
    "0.01.529.488 I slot launch_slot_: id  3 | task 0 | processing task, is_child = 0",
    "0.01.529.350 I slot get_availabl: id  3 | task -1 | selected slot by LRU, t_last = -1",
    "0.01.623.211 W slot   operator(): id  3 | task 113 | need to evaluate at least 1 token",
    "0.01.625.398 I slot      release: id  3 | task 113 | stop processing: n_tokens = 34, truncated = 0",
    "0.00.012.300 E llama_model_load: error loading model: unknown architecture",
    "terminate called after throwing an instance of 'std::bad_alloc'",
    "/src/ggml.c:1: GGML_ASSERT(false) failed",
    "",
)
HIDDEN = (
    "0.00.012.339 I load_tensors:   CPU_Mapped model buffer size =     1.45 MiB",
    "0.00.012.339 D load_tensors: layer 0 assigned to device CPU",
    "0.00.010.912 I common_params_fit_impl: will leave 22000 >= 1024 MiB of system memory",
    "0.01.623.012 I slot get_availabl: id  1 | task -1 |  - skipping, slot is empty",
    "0.01.623.022 I srv  get_availabl: updating prompt cache",
    "0.01.623.101 I srv        update:  - cache state: 2 prompts, 0.057 MiB (limits: 8192.000 MiB)",
    "0.01.623.209 I slot   operator(): id  3 | task 113 | new prompt, n_ctx_slot = 4096, n_keep = 0",
    "0.01.625.421 I srv  update_slots: all slots are idle",
)


@pytest.mark.parametrize("line", SHOWN)
def test_what_people_see(line: str) -> None:
    assert LogLevels().is_shown(line)


@pytest.mark.parametrize("line", HIDDEN)
def test_what_only_the_verbose_level_has(line: str) -> None:
    assert not LogLevels().is_shown(line)


def test_further_lines_go_with_the_one_before() -> None:
    log = (
        "0.01.623.187 I slot launch_slot_: id  3 | task -1 | sampler params: ",
        "\trepeat_last_n = 64",
        "    top_k = 40",
        "0.00.050.000 I srv          init: init: chat template, example_format: '<|im_start|>user",
        "Hello",
        "",
        "<|im_end|>'",
        "Hello",
        "0.00.060.976 I srv  llama_server: model loaded",
        "\tand more of it",
    )
    levels = LogLevels()

    assert [False] * 7 + [True] * 3 == [levels.is_shown(line) for line in log]


def test_an_error_ends_what_was_hidden() -> None:
    levels = LogLevels()
    levels.is_shown("0.01.623.187 I slot launch_slot_: id  3 | task -1 | sampler params: ")

    assert levels.is_shown("CUDA error: out of memory")


def test_a_part_of_a_key_is_a_secret() -> None:
    assert is_secret("0.00.001.000 I srv          init: api_keys: ****89ab")
    assert not is_secret("0.00.001.000 I srv          init: prompt cache is enabled")
