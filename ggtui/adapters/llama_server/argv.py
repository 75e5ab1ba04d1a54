"""From a launch plan to llama-server's flags: pure, so that every choice can be tested without a process."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ggtui.core.deployment.shares import MachineShare
    from ggtui.core.models import AdapterFile, LaunchOptions, LaunchPlan

HOST: Final = "127.0.0.1"
VERBOSE: Final = "4"
"""The log level at which the engine tells what it allocates."""

DISPENSABLE: Final = ("--cors-origins", "--no-ui", "--offline", "--metrics", "-kvu", "-no-kvu")
"""Flags that older builds do not know and that a launch can do without."""

KEEP_APART: Final = ("--cache-ram", "0", "--no-cache-prompt")
"""What a server with adapters cannot do without: its prompt caches do not tell adapters apart.

A request with a whole `lora` list may switch `cache_prompt` on again: a slot forgets its prompt when that
list changes. Paths that take no list, such as `/v1/messages`, would go on with what an adapter has computed,
and leave the mixture to the requests after them.
"""


def server_flags(
    plan: LaunchPlan, port: str, key_file: Path | None, without: frozenset[str] = frozenset()
) -> tuple[str, ...]:
    """The flags of one launch, the program's own name not among them.

    port: as text, so that a command for people can say PORT.
    key_file: the file that holds the launch's key; None leaves the flag out.
    without: DISPENSABLE flags that this build refused.
    """
    spec, options = plan.spec, plan.spec.options
    groups = [
        ("-m", str(spec.path)),
        ("--host", HOST),
        ("--port", port),
        ("--alias", spec.public_id),
        ("-c", str(total_cells(plan))),
        ("-np", str(options.n_parallel)),
        ("-kvu" if options.kv_unified else "-no-kvu",),
        ("-ctk", str(options.cache_type_k)),
        ("-ctv", str(options.cache_type_v)),
        *_chosen(options),
        *_shared(plan.share, options),
        *((("-lv", VERBOSE),) if plan.is_verbose else ()),
        *((("--api-key-file", str(key_file)),) if key_file is not None else ()),
        ("--cors-origins", "localhost"),
        ("--no-ui",),
        ("--offline",),
        ("--metrics",),
        *((("--mmproj", str(spec.projector)),) if spec.projector and options.projector else ()),
        *_task(spec.capabilities),
    ]
    flags = [word for group in groups if group[0] not in without for word in group]
    # The last word counts: further arguments must not switch a cache on again that mixes adapters up.
    return (*flags, *_lora(options.adapters), *options.extra_args, *(KEEP_APART if options.adapters else ()))


def total_cells(plan: LaunchPlan) -> int:
    """Tokens for `-c`: llama-server divides them among the slots unless the pool is shared."""
    options = plan.spec.options
    return plan.n_ctx if options.kv_unified else plan.n_ctx * options.n_parallel


def _lora(adapters: Sequence[AdapterFile]) -> tuple[str, ...]:
    """The files in their order, as one row of comma-separated values."""
    return ("--lora", ",".join(_field(str(each.path)) for each in adapters)) if adapters else ()


def _field(path: str) -> str:
    """A path that the engine reads back unchanged. Source: llama.cpp common/arg.cpp, parse_csv_row."""
    return '"' + path.replace('"', '""') + '"' if "," in path or '"' in path else path


def _chosen(options: LaunchOptions) -> Iterator[tuple[str, ...]]:
    """What a person chose; everything else is left to the engine."""
    if options.n_gpu_layers is not None:
        yield "-ngl", str(options.n_gpu_layers)
    if options.flash_attn is not None:
        yield "-fa", "on" if options.flash_attn else "off"
    if options.n_threads is not None:
        yield "-t", str(options.n_threads)
    if options.template is not None and os.path.isabs(options.template):
        yield "--chat-template-file", options.template
    elif options.template is not None:
        # With --jinja, the default, a built-in name would be taken for the text of a template.
        yield "--no-jinja", "--chat-template", options.template


def _shared(share: MachineShare, options: LaunchOptions) -> Iterator[tuple[str, ...]]:
    """What a server may use of the machine beside the devices that its environment names."""
    if share.devices == ():
        yield "--device", "none"
    if share.n_threads is not None and options.n_threads is None:
        yield "-t", str(share.n_threads)


def _task(capabilities: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """An embedding or rerank server answers chat with 500, so these flags are for models that cannot chat."""
    if "chat" in capabilities:
        return
    if "rerank" in capabilities:
        yield ("--rerank",)
    elif "embedding" in capabilities:
        yield ("--embedding",)
