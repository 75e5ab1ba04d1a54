"""The LoRA files of each model, from what its settings name to what its server loads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from ggtui.core.models import AdapterFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ggtui.core.model_settings import ModelSettings
    from ggtui.core.models import AdapterSummary
    from ggtui.core.ports.catalog import ModelStorePort
    from ggtui.core.routing.adapters import AttachedAdapter


@dataclass(frozen=True, slots=True)
class ModelAdapter:
    """An adapter of a model, and the file behind it."""

    setting: AttachedAdapter
    file: AdapterFile | None
    """None when it cannot be used."""
    problem: str = ""
    """Why not, one sentence."""


async def adapters_by_model(
    settings: Mapping[str, ModelSettings],
    store: ModelStorePort,
    architectures: Mapping[str, str] | None = None,
) -> dict[str, tuple[ModelAdapter, ...]]:
    """The adapters of every model that has any, by public id, in the order of their settings.

    architectures: of the models, by public id. A server refuses to start with an adapter for another one.
    Raises: StoreUnavailable.
    """
    known = architectures or {}
    attached = {name: own.adapters for name, own in settings.items() if own.adapters}
    paths = sorted({each.path for those in attached.values() for each in those if _is_path(each)})
    at = dict(zip(paths, await store.adapters_at(paths), strict=True)) if paths else {}
    found = store.report().adapters
    return {
        name: tuple(
            _usable(each, [at[each.path]] if _is_path(each) else _called(each, found), known.get(name, ""))
            for each in those
        )
        for name, those in attached.items()
    }


def files_of(adapters: Iterable[ModelAdapter]) -> tuple[AdapterFile, ...]:
    """What a server loads: those that can be used."""
    return tuple(each.file for each in adapters if each.file is not None)


def _is_path(adapter: AttachedAdapter) -> bool:
    return PurePath(adapter.path).is_absolute()


def _called(adapter: AttachedAdapter, found: Sequence[AdapterSummary]) -> list[AdapterSummary]:
    name = adapter.path or adapter.name
    return [each for each in found if name in (each.name, each.path.stem)]


def _usable(adapter: AttachedAdapter, meant: Sequence[AdapterSummary], architecture: str) -> ModelAdapter:
    if not meant:
        return ModelAdapter(adapter, None, f"no LoRA file is called {adapter.path or adapter.name}")
    if len(meant) > 1:
        places = " and ".join(str(each.path) for each in meant[:3])
        return ModelAdapter(adapter, None, f"several LoRA files have that name: {places}")
    file = meant[0]
    if file.problem is not None:
        return ModelAdapter(adapter, None, file.problem)
    if architecture and file.architecture not in ("", architecture):
        return ModelAdapter(adapter, None, f"it is made for {file.architecture}, the model is {architecture}")
    return ModelAdapter(adapter, AdapterFile(adapter.name, file.path, file.size_bytes, file.tensor_bytes))
