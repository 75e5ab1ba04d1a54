"""Which LoRA files a server loads, and why others are left out."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from ggtui.adapters.memory.catalog import MemoryCatalog
from ggtui.core.model_settings import ModelSettings
from ggtui.core.models import AdapterFile, AdapterSummary
from ggtui.core.routing.adapters import AttachedAdapter
from ggtui.services.adapters import ModelAdapter, adapters_by_model, files_of

CODE = AdapterSummary("Code LoRA", "llama", 700, Path("/loras/code.gguf"))
CHAT = AdapterSummary("chat", "llama", 300, Path("/loras/chat-v2.gguf"))
TWIN = AdapterSummary("chat", "llama", 300, Path("/other/chat.gguf"))


async def _resolved(*attached: AttachedAdapter, architecture: str = "llama") -> tuple[ModelAdapter, ...]:
    """These adapters of one model, beside the files above."""
    store = MemoryCatalog()
    store.adapters = {str(each.path): each for each in (CODE, CHAT)}
    await store.refresh()
    settings = {"alpha": ModelSettings(adapters=attached), "beta": ModelSettings(slots=2)}
    found = await adapters_by_model(settings, store, {"alpha": architecture})
    assert ["alpha"] == list(found)
    return found["alpha"]


@pytest.mark.parametrize(
    ("adapter", "path"),
    [
        (AttachedAdapter("a", "/loras/code.gguf"), CODE.path),
        (AttachedAdapter("a", "Code LoRA"), CODE.path),
        (AttachedAdapter("a", "code"), CODE.path),
        (AttachedAdapter("chat"), CHAT.path),
        (AttachedAdapter("chat-v2"), CHAT.path),
    ],
)
def test_a_file_is_named_by_path_by_its_name_or_by_that_of_its_file(
    adapter: AttachedAdapter, path: Path
) -> None:
    (found,) = asyncio.run(_resolved(adapter))

    assert ("", adapter) == (found.problem, found.setting)
    assert found.file is not None
    assert (adapter.name, path) == (found.file.name, found.file.path)
    assert found.file.size_bytes in (300, 700)


@pytest.mark.parametrize(
    ("adapter", "problem"),
    [
        (AttachedAdapter("a", "/loras/none.gguf"), "its file does not exist"),
        (AttachedAdapter("a", "nobody"), "no LoRA file is called nobody"),
        (AttachedAdapter("nobody"), "no LoRA file is called nobody"),
        # A name is no part of a path, whatever its file is called.
        (AttachedAdapter("a", "Code"), "no LoRA file is called Code"),
    ],
)
def test_what_cannot_be_found_is_left_out_with_a_reason(adapter: AttachedAdapter, problem: str) -> None:
    (found,) = asyncio.run(_resolved(adapter))

    assert (None, problem) == (found.file, found.problem)


def test_an_adapter_for_another_architecture_keeps_no_model_from_starting() -> None:
    code = AttachedAdapter("code", "/loras/code.gguf")
    (found,) = asyncio.run(_resolved(code, architecture="qwen2"))
    (unknown,) = asyncio.run(_resolved(code, architecture=""))

    assert (None, "it is made for llama, the model is qwen2") == (found.file, found.problem)
    assert unknown.file is not None


def test_a_name_of_two_files_is_refused_with_both() -> None:
    async def resolved() -> ModelAdapter:
        store = MemoryCatalog()
        store.adapters = {str(each.path): each for each in (CHAT, TWIN)}
        await store.refresh()
        settings = {"alpha": ModelSettings(adapters=(AttachedAdapter("chat"),))}
        return (await adapters_by_model(settings, store))["alpha"][0]

    problem = asyncio.run(resolved()).problem

    assert "several LoRA files have that name: /loras/chat-v2.gguf and /other/chat.gguf" == problem


def test_a_broken_file_says_why() -> None:
    async def resolved() -> ModelAdapter:
        store = MemoryCatalog()
        store.adapters = {"/loras/code.gguf": replace(CODE, problem="it is cut short")}
        settings = {"alpha": ModelSettings(adapters=(AttachedAdapter("code", "/loras/code.gguf"),))}
        return (await adapters_by_model(settings, store))["alpha"][0]

    assert "it is cut short" == asyncio.run(resolved()).problem


def test_a_server_loads_those_that_can_be_used_in_their_order() -> None:
    attached = (
        AttachedAdapter("b", "/loras/chat-v2.gguf"),
        AttachedAdapter("gone", "/loras/gone.gguf"),
        AttachedAdapter("a", "/loras/code.gguf"),
    )

    assert (AdapterFile("b", CHAT.path, 300), AdapterFile("a", CODE.path, 700)) == files_of(
        asyncio.run(_resolved(*attached))
    )
