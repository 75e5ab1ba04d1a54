"""llama-server's flags, and what each one sets in xllamacpp's CommonParams."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Flag:
    """One setting: which values are taken and where they go."""

    names: tuple[str, ...]
    apply: Callable[[Any, Any, str], None]
    """Called with (xllamacpp, CommonParams, value); the value is empty for a switch.

    Raises: ValueError with llama-server's text, AttributeError for what this wheel lacks.
    """
    takes_value: bool = True


def _set(owner: Any, attribute: str, value: Any) -> None:
    """Assign only what exists: an extension class takes no new names, a plain one would take any."""
    getattr(owner, attribute)
    setattr(owner, attribute, value)


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("stoi") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError("stof") from None


def _text(attribute: str) -> Callable[[Any, Any, str], None]:
    return lambda _x, params, value: _set(params, attribute, value)


def _int(attribute: str) -> Callable[[Any, Any, str], None]:
    return lambda _x, params, value: _set(params, attribute, _integer(value))


def _float(attribute: str) -> Callable[[Any, Any, str], None]:
    return lambda _x, params, value: _set(params, attribute, _number(value))


def _switch(attribute: str, value: bool) -> Callable[[Any, Any, str], None]:
    return lambda _x, params, _value: _set(params, attribute, value)


def _nothing(_x: Any, _params: Any, _value: str) -> None:
    """A flag about how llama-server writes its log; this engine's log is plain already."""


def _on_off(value: str) -> bool:
    if value in ("on", "off"):
        return value == "on"
    raise ValueError(f"error: unknown value '{value}'")


def _member(xllamacpp: Any, enum: str, prefix: str, value: str, problem: str) -> Any:
    try:
        return getattr(getattr(xllamacpp, enum), prefix + value.upper())
    except AttributeError:
        raise ValueError(f"{problem}: {value}") from None


def _cache_type(attribute: str) -> Callable[[Any, Any, str], None]:
    def assign(xllamacpp: Any, params: Any, value: str) -> None:
        kind = _member(xllamacpp, "ggml_type", "GGML_TYPE_", value, "Unsupported cache type")
        _set(params, attribute, kind)

    return assign


def _flash_attention(xllamacpp: Any, params: Any, value: str) -> None:
    names = {
        "on": "ENABLED",
        "1": "ENABLED",
        "off": "DISABLED",
        "0": "DISABLED",
        "auto": "AUTO",
        "-1": "AUTO",
    }
    if value not in names:
        raise ValueError(f"error: unknown value for --flash-attn: '{value}'")
    params.flash_attn_type = getattr(xllamacpp.llama_flash_attn_type, f"LLAMA_FLASH_ATTN_TYPE_{names[value]}")


def _pooling(xllamacpp: Any, params: Any, value: str) -> None:
    params.pooling_type = _member(
        xllamacpp, "llama_pooling_type", "LLAMA_POOLING_TYPE_", value, "invalid value"
    )


def _rerank(xllamacpp: Any, params: Any, _value: str) -> None:
    params.embedding = True
    _pooling(xllamacpp, params, "rank")


def _load_mode(xllamacpp: Any, params: Any, value: str) -> None:
    name = {"dio": "DIRECT_IO", "mmap+mlock": "MMAP_MLOCK"}.get(value, value)
    params.load_mode = _member(xllamacpp, "llama_load_mode", "LLAMA_LOAD_MODE_", name, "invalid value")


def _gpu_layers(_x: Any, params: Any, value: str) -> None:
    params.n_gpu_layers = {"auto": -1, "all": -2}.get(value) or _integer(value)


def _model(_x: Any, params: Any, value: str) -> None:
    params.model.path = value


def _projector(_x: Any, params: Any, value: str) -> None:
    params.mmproj.path = value


def _host(_x: Any, params: Any, value: str) -> None:
    params.hostnames = [value]


def _alias(_x: Any, params: Any, value: str) -> None:
    params.model_alias = {name for name in value.split(",") if name}


def _key(_x: Any, params: Any, value: str) -> None:
    params.api_keys = [*params.api_keys, value]


def _key_file(_x: Any, params: Any, value: str) -> None:
    try:
        with open(value, encoding="utf-8") as lines:
            keys = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    except OSError:
        raise ValueError(f"error: failed to open file '{value}'") from None
    params.api_keys = [*params.api_keys, *keys]


def _template_file(_x: Any, params: Any, value: str) -> None:
    try:
        with open(value, encoding="utf-8") as file:
            _set(params, "chat_template", file.read())
    except (OSError, UnicodeDecodeError):
        raise ValueError(f"error: failed to open file '{value}'") from None


def _origins(_x: Any, params: Any, value: str) -> None:
    _set(params, "cors_origins", value)
    params.cors_origins_explicit = True


def _threads(group: str) -> Callable[[Any, Any, str], None]:
    def assign(_x: Any, params: Any, value: str) -> None:
        wanted = _integer(value)
        getattr(params, group).n_threads = wanted if wanted > 0 else os.cpu_count() or 1

    return assign


def row_fields(row: str) -> list[str]:
    """The fields of a row of comma-separated values, as llama-server reads one.

    A field that begins with a quote may hold commas, and doubled quotes for single ones; in a field that
    begins otherwise a quote is like any letter. Source: llama.cpp common/arg.cpp, parse_csv_row.
    """
    fields, field, is_quoted, at = [], "", False, 0
    while at < len(row):
        letter = row[at]
        if letter == '"' and is_quoted and row.startswith('"', at + 1):
            field, at = field + letter, at + 1
        elif letter == '"' and (is_quoted or not field):
            is_quoted = not is_quoted
        elif letter == "," and not is_quoted:
            fields.append(field)
            field = ""
        else:
            field += letter
        at += 1
    return [*fields, field]


def _lora(xllamacpp: Any, params: Any, value: str) -> None:
    for path in row_fields(value):
        adapter = xllamacpp.CommonAdapterLoraInfo()
        adapter.path, adapter.scale = path, 1.0
        params.lora_adapters = [*params.lora_adapters, adapter]


def _fit(_x: Any, params: Any, value: str) -> None:
    params.fit_params = _on_off(value)


QUESTIONS: Final = {
    "--version": "--version",
    "--list-devices": "--list-devices",
    "-h": "--help",
    "--help": "--help",
    "--usage": "--help",
}
"""Flags that ask something and end the program."""

FLAGS: Final = (
    Flag(("--model", "-m"), _model),
    Flag(("--mmproj", "-mm"), _projector),
    Flag(("--host",), _host),
    Flag(("--port",), _int("port")),
    Flag(("--alias", "-a"), _alias),
    Flag(("--api-key",), _key),
    Flag(("--api-key-file",), _key_file),
    Flag(("--api-prefix",), _text("api_prefix")),
    Flag(("--cors-origins",), _origins),
    Flag(("--ctx-size", "-c"), _int("n_ctx")),
    Flag(("--parallel", "-np"), _int("n_parallel")),
    Flag(("--kv-unified", "-kvu"), _switch("kv_unified", True), takes_value=False),
    Flag(("--no-kv-unified", "-no-kvu"), _switch("kv_unified", False), takes_value=False),
    Flag(("--gpu-layers", "--n-gpu-layers", "-ngl"), _gpu_layers),
    Flag(("--main-gpu", "-mg"), _int("main_gpu")),
    Flag(("--cache-type-k", "-ctk"), _cache_type("cache_type_k")),
    Flag(("--cache-type-v", "-ctv"), _cache_type("cache_type_v")),
    Flag(("--flash-attn", "-fa"), _flash_attention),
    Flag(("--batch-size", "-b"), _int("n_batch")),
    Flag(("--ubatch-size", "-ub"), _int("n_ubatch")),
    Flag(("--swa-full",), _switch("swa_full", True), takes_value=False),
    Flag(("--no-kv-offload", "-nkvo"), _switch("no_kv_offload", True), takes_value=False),
    Flag(("--load-mode", "-lm"), _load_mode),
    Flag(("--fit", "-fit"), _fit),
    Flag(("--fit-ctx", "-fitc"), _int("fit_params_min_ctx")),
    Flag(("--threads", "-t"), _threads("cpuparams")),
    Flag(("--threads-batch", "-tb"), _threads("cpuparams_batch")),
    Flag(("--threads-http",), _int("n_threads_http")),
    Flag(("--rope-freq-base",), _float("rope_freq_base")),
    Flag(("--rope-freq-scale",), _float("rope_freq_scale")),
    Flag(("--cache-ram", "-cram"), _int("cache_ram_mib")),
    Flag(("--cache-reuse",), _int("n_cache_reuse")),
    Flag(("--cache-prompt",), _switch("cache_prompt", True), takes_value=False),
    Flag(("--no-cache-prompt",), _switch("cache_prompt", False), takes_value=False),
    Flag(("--lora",), _lora),
    Flag(("--lora-init-without-apply",), _switch("lora_init_without_apply", True), takes_value=False),
    Flag(("--embedding", "--embeddings"), _switch("embedding", True), takes_value=False),
    Flag(("--rerank", "--reranking"), _rerank, takes_value=False),
    Flag(("--pooling",), _pooling),
    Flag(("--jinja",), _switch("use_jinja", True), takes_value=False),
    Flag(("--no-jinja",), _switch("use_jinja", False), takes_value=False),
    Flag(("--chat-template",), _text("chat_template")),
    Flag(("--chat-template-file",), _template_file),
    Flag(("--ui", "--webui"), _switch("ui", True), takes_value=False),
    Flag(("--no-ui", "--no-webui"), _switch("ui", False), takes_value=False),
    Flag(("--offline",), _switch("offline", True), takes_value=False),
    Flag(("--slots",), _switch("endpoint_slots", True), takes_value=False),
    Flag(("--no-slots",), _switch("endpoint_slots", False), takes_value=False),
    Flag(("--slot-save-path",), _text("slot_save_path")),
    Flag(("--metrics",), _switch("endpoint_metrics", True), takes_value=False),
    Flag(("--props",), _switch("endpoint_props", True), takes_value=False),
    Flag(("--sleep-idle-seconds",), _int("sleep_idle_seconds")),
    Flag(("--timeout", "-to"), _int("timeout_read")),
    Flag(("--sse-ping-interval",), _int("sse_ping_interval")),
    Flag(("--warmup",), _switch("warmup", True), takes_value=False),
    Flag(("--no-warmup",), _switch("warmup", False), takes_value=False),
    Flag(("--verbosity", "--log-verbosity", "-lv"), _int("verbosity")),
    Flag(("--log-colors",), _nothing),
    Flag(("--log-prefix",), _nothing, takes_value=False),
    Flag(("--log-timestamps",), _nothing, takes_value=False),
)
"""What this engine takes; the first name is the long one."""
