"""llama-server's flags become settings of the wheel."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from ggtui.engine.command_line import BadArgument, apply, parse
from ggtui.engine.flags import row_fields

if TYPE_CHECKING:
    from pathlib import Path

xllamacpp = pytest.importorskip("xllamacpp", reason="the embedded engine (xllamacpp) is not installed")


def settings(*arguments: str) -> Any:
    params = xllamacpp.CommonParams()
    apply(parse(arguments), xllamacpp, params)
    return params


def test_the_flags_of_a_launch_arrive(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("# a comment\nfirst\n\nsecond\n")
    params = settings(
        *("-m", "/m/x.gguf", "--host", "127.0.0.1", "--port", "5500", "-a", "one,two", "-c", "2048"),
        *("-np", "3", "-kvu", "-ngl", "7", "-ctk", "q8_0", "-ctv", "f16", "-fa", "on", "-t", "5"),
        *("--api-key-file", str(keys), "--cors-origins", "localhost", "--no-ui", "--offline", "--metrics"),
        *("--no-slots", "--no-warmup", "-lv", "4", "--log-colors", "off", "--lora", "/l/a,/l/b"),
    )

    assert ("/m/x.gguf", ["127.0.0.1"], 5500) == (params.model.path, params.hostnames, params.port)
    assert {"one", "two"} == params.model_alias
    assert (2048, 3, True, 7, 5) == (
        params.n_ctx,
        params.n_parallel,
        params.kv_unified,
        params.n_gpu_layers,
        params.cpuparams.n_threads,
    )
    assert (xllamacpp.ggml_type.GGML_TYPE_Q8_0, xllamacpp.ggml_type.GGML_TYPE_F16) == (
        params.cache_type_k,
        params.cache_type_v,
    )
    assert xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_ENABLED == params.flash_attn_type
    assert ["first", "second"] == params.api_keys
    assert ("localhost", True) == (params.cors_origins, params.cors_origins_explicit)
    assert (False, True, True, False, False, 4) == (
        params.ui,
        params.offline,
        params.endpoint_metrics,
        params.endpoint_slots,
        params.warmup,
        params.verbosity,
    )
    assert ["/l/a", "/l/b"] == [adapter.path for adapter in params.lora_adapters]


def test_the_caches_of_a_server_with_adapters_can_be_switched_off() -> None:
    params = settings("-cram", "512", "--cache-prompt", "--cache-ram", "0", "--no-cache-prompt")

    assert (0, False) == (params.cache_ram_mib, params.cache_prompt)


@pytest.mark.parametrize(
    ("row", "fields"),
    [
        ("/l/a", ["/l/a"]),
        ("/l/a,/l/b c", ["/l/a", "/l/b c"]),
        ('"/l/a, b",/l/c', ["/l/a, b", "/l/c"]),
        ('"/l/the ""a"", b"', ['/l/the "a", b']),
        ('/l/the "a",/l/b', ['/l/the "a"', "/l/b"]),
        ('"/l/a"b,/l/c', ["/l/ab", "/l/c"]),
        (",", ["", ""]),
    ],
)
def test_a_row_of_files_is_split_as_llama_server_splits_it(row: str, fields: list[str]) -> None:
    assert fields == row_fields(row)
    assert fields == [adapter.path for adapter in settings("--lora", row).lora_adapters]


def test_a_template_is_text_or_the_content_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "t.jinja").write_text("{{ messages }}\n")
    from_file = settings("--chat-template-file", str(tmp_path / "t.jinja"))
    built_in = settings("--no-jinja", "--chat-template", "llama2")

    assert ("{{ messages }}\n", True) == (from_file.chat_template, from_file.use_jinja)
    assert ("llama2", False) == (built_in.chat_template, built_in.use_jinja)


def test_the_defaults_are_those_of_llama_server() -> None:
    assert (4, True) == (settings().n_parallel, settings().kv_unified)
    assert (2, False) == (settings("-np", "2").n_parallel, settings("-np", "2").kv_unified)


@pytest.mark.parametrize(
    ("flags", "embedding", "pooling"),
    [
        (["--embedding"], True, "UNSPECIFIED"),
        (["--rerank"], True, "RANK"),
        (["--embedding", "--pooling", "cls"], True, "CLS"),
        ([], False, "UNSPECIFIED"),
    ],
)
def test_embedding_and_rerank(flags: list[str], embedding: bool, pooling: str) -> None:
    params = settings(*flags)
    kind = getattr(xllamacpp.llama_pooling_type, f"LLAMA_POOLING_TYPE_{pooling}")

    assert (embedding, kind) == (params.embedding, params.pooling_type)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--zzz"], "error: invalid argument: --zzz"),
        (["-c"], 'error while handling argument "-c": expected value for argument'),
        (["-c", "many"], 'error while handling argument "-c": stoi'),
        (["-ctk", "q99"], 'error while handling argument "-ctk": Unsupported cache type: q99'),
        (["-fa", "maybe"], 'error while handling argument "-fa": error: unknown value for'),
        (["--api-key-file", "/nowhere"], "failed to open file '/nowhere'"),
        (["--chat-template-file", "/nowhere"], "failed to open file '/nowhere'"),
    ],
)
def test_mistakes_are_told_in_the_words_of_llama_server(arguments: list[str], words: str) -> None:
    with pytest.raises(BadArgument) as caught:
        settings(*arguments)

    assert words in str(caught.value)


def test_a_setting_that_the_wheel_lacks_is_named() -> None:
    with pytest.raises(BadArgument, match='"--offline": this xllamacpp has no such setting'):
        apply(parse(["--offline"]), xllamacpp, SimpleNamespace())


@pytest.mark.parametrize("flag", ["--version", "--list-devices", "--help"])
def test_questions_are_told_apart(flag: str) -> None:
    assert flag == parse(["-c", "1", flag]).question
    assert "" == parse(["-c", "1"]).question
