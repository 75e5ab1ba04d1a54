"""llama-server that somebody else started, with one model or as a router of several.

Which models it can embed with is not told by any of its answers, and is not found out by trying: a server
for embeddings answers a chat with an error, and the other way about.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ggtui.adapters.remote.backends import reading
from ggtui.adapters.remote.backends.lists import by_all_names, found_rows
from ggtui.core.backends.observed import ModelDetails, PulledModel
from ggtui.core.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ggtui.adapters.remote.backends.question import Questions

_LOADED: Final = frozenset(("loaded", "sleeping"))
_NOT_HERE: Final = frozenset(("downloading",))
"""States of a router's model in which nobody can ask for it, and nobody can have it loaded."""


def of_llama_server(questions: Questions) -> tuple[PulledModel, ...]:
    """Its model, also by those of its other names that are declared. Raises: BackendError."""
    document = questions.get(questions.place.below_version("/models"))
    props = _props(questions)
    n_ctx = reading.natural(reading.inner(props, "default_generation_settings"), "n_ctx")
    is_sleeping = props.get("is_sleeping")
    return reading.each_once(
        replace(
            each,
            context_length=each.context_length or n_ctx,
            is_loaded=not is_sleeping if isinstance(is_sleeping, bool) else None,
        )
        for row in found_rows(questions, document, "data")
        for each in _models(questions, row)
    )


def of_llama_router(questions: Questions) -> tuple[PulledModel, ...]:
    """The models that it would load when they are asked for. Raises: BackendError."""
    document = questions.get(questions.place.below_root("/models"))
    return reading.each_once(
        replace(each, is_loaded=_state(row) in _LOADED if _state(row) else None)
        for row in found_rows(questions, document, "data")
        if _state(row) not in _NOT_HERE
        for each in _models(questions, row)
    )


def _props(questions: Questions) -> dict[str, Any]:
    """What it tells of itself; empty when it does not: the list alone is enough to be served."""
    try:
        document = questions.get(questions.place.below_root("/props"))
    except BackendError:
        return {}
    return document if isinstance(document, dict) else {}


def _state(row: dict[str, Any]) -> str:
    return reading.word(reading.inner(row, "status"), "value")


def _models(questions: Questions, row: dict[str, Any]) -> Iterator[PulledModel]:
    meta = reading.inner(row, "meta")
    model = PulledModel(
        reading.name_of(row, "id"),
        size_bytes=reading.natural(meta, "size"),
        details=ModelDetails(format="gguf", quantization_level=reading.word(meta, "ftype")),
        context_length=reading.natural(meta, "n_ctx"),
    )
    return by_all_names(questions.backend, model, row)
