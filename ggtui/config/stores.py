"""Where the stores of other programs lie, by their own variables and settings, in the order they look."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ggtui.config.plain_file import read_plain
from ggtui.core.stores import StoreKind, StoreRoot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

OLLAMA_SERVICE = Path("/usr/share/ollama/.ollama/models")
"""Where Ollama keeps its models when it runs as a service of the system."""
LARGEST_SETTINGS = 1 << 20
"""Bytes of another program's settings that are read."""


def store_roots(stores: Iterable[str], environ: Mapping[str, str]) -> tuple[StoreRoot, ...]:
    """Every place of these stores, each path once; whether it exists is for others to see.

    A path with characters that cannot be shown is left out: no person chose it.
    """
    home = Path(environ.get("HOME") or Path.home())
    found: dict[Path, StoreRoot] = {}
    for store in map(StoreKind, stores):
        for path in _PLACES[store](environ, home):
            if path.is_absolute() and str(path).isprintable():
                found.setdefault(path, StoreRoot(store, path))
    return tuple(found.values())


def _named(environ: Mapping[str, str], home: Path, name: str, *inside: str) -> Iterator[Path]:
    """The folder that a variable names, when it is set."""
    text = environ.get(name, "").strip()
    if not text:
        return
    path = home / text[2:] if text.startswith("~/") else Path(text)
    yield path.joinpath(*inside)


def _hub(environ: Mapping[str, str], home: Path) -> Iterator[Path]:
    yield from _named(environ, home, "HF_HUB_CACHE")
    yield from _named(environ, home, "HUGGINGFACE_HUB_CACHE")
    yield from _named(environ, home, "HF_HOME", "hub")
    yield from _named(environ, home, "XDG_CACHE_HOME", "huggingface", "hub")
    yield home / ".cache/huggingface/hub"


def _llama_cpp(environ: Mapping[str, str], home: Path) -> Iterator[Path]:
    """Newer builds download into the hub's cache, older ones into a flat folder of their own."""
    yield from _named(environ, home, "LLAMA_CACHE")
    yield from _hub(environ, home)
    yield from _named(environ, home, "XDG_CACHE_HOME", "llama.cpp")
    yield home / ("Library/Caches/llama.cpp" if sys.platform == "darwin" else ".cache/llama.cpp")


def _lm_studio(_: Mapping[str, str], home: Path) -> Iterator[Path]:
    for folder in (home / ".lmstudio", home / ".cache/lm-studio"):
        chosen = _downloads_folder(folder / "settings.json")
        if chosen is not None:
            yield chosen
    yield home / ".lmstudio/models"
    yield home / ".cache/lm-studio/models"


def _downloads_folder(settings: Path) -> Path | None:
    """What a person chose in LM Studio; None when its settings do not tell."""
    try:
        document = json.loads(read_plain(settings, LARGEST_SETTINGS))
    except (OSError, ValueError, RecursionError):
        return None
    chosen = document.get("downloadsFolder") if isinstance(document, dict) else None
    return Path(chosen) if isinstance(chosen, str) else None


def _ollama(environ: Mapping[str, str], home: Path) -> Iterator[Path]:
    yield from _named(environ, home, "OLLAMA_MODELS")
    yield home / ".ollama/models"
    if sys.platform.startswith("linux"):
        yield OLLAMA_SERVICE


_PLACES = {
    StoreKind.HUGGING_FACE: _hub,
    StoreKind.LLAMA_CPP: _llama_cpp,
    StoreKind.LM_STUDIO: _lm_studio,
    StoreKind.OLLAMA: _ollama,
}
