"""When two names mean the same model of a backend: the one place that knows how each type spells them."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from ggtui.core.backends.backend import BackendType

_HOME: Final = "registry.ollama.ai"
_NAMESPACE: Final = "library"
_TAG: Final = "latest"
_GEMINI_PREFIX: Final = "models/"


def canonical(type: BackendType, name: str) -> str:
    """The spelling by which names are compared; a tag is added where it is left out, and never dropped.

    Ollama: `llama3`, `library/llama3` and `registry.ollama.ai/library/llama3` are `llama3:latest`.
    Gemini: `models/gemini-2.5-pro` is `gemini-2.5-pro`. Everything else is as it is written.
    """
    if type is BackendType.OLLAMA:
        return _of_ollama(name)
    if type is BackendType.GEMINI:
        return name.removeprefix(_GEMINI_PREFIX)
    return name


def is_same(type: BackendType, one: str, other: str) -> bool:
    """True when a backend of this type gives the same model for both."""
    return identity(type, one) == identity(type, other)


@lru_cache(maxsize=4096)
def identity(type: BackendType, name: str) -> str:
    """What is equal for all names of one model of such a backend. Ollama does not look at the case."""
    spelled = canonical(type, name)
    return spelled.lower() if type is BackendType.OLLAMA else spelled


def spellings(type: BackendType, name: str) -> tuple[str, ...]:
    """What clients may call it: the name as written, then the canonical spelling where it is another."""
    return tuple(dict.fromkeys((name, canonical(type, name))))


def _of_ollama(name: str) -> str:
    path, slash, last = name.rpartition("/")
    if last and ":" not in last and "@" not in last:
        last = f"{last}:{_TAG}"
    parts = [each for each in path.split("/") if slash]
    if len(parts) > 1 and parts[0].lower() == _HOME:
        parts = parts[1:]
    if len(parts) == 1 and parts[0].lower() == _NAMESPACE:
        parts = []
    return "/".join([*parts, last])
