"""Backends that list their models in OpenAI's form: vLLM, providers, and ggtui itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ggtui.adapters.remote.backends import reading
from ggtui.core.backends.names import is_same
from ggtui.core.backends.observed import ModelDetails, PulledModel
from ggtui.core.text import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ggtui.adapters.remote.backends.question import Questions
    from ggtui.core.backends.backend import Backend

NO_MODELS: Final = "No models found in response"
_CONTEXT: Final = ("max_model_len", "context_length", "context_window", "max_context_length")
"""What servers call it that tell it at all."""
_MOST_NAMES: Final = 8


def of_vllm(questions: Questions) -> tuple[PulledModel, ...]:
    """It serves what it was started with. What its models can do is not told. Raises: BackendError."""
    models = _listed(questions, _of_vllm)
    if not models:
        raise reading.failure(NO_MODELS)
    return models


def of_openai(questions: Questions) -> tuple[PulledModel, ...]:
    """Any server that speaks as OpenAI's does. Raises: BackendError."""
    models = _listed(questions, _of_openai)
    check_declared(questions.backend, models, "OpenAI")
    return models


def of_ggtui(questions: Questions) -> tuple[PulledModel, ...]:
    """Another ggtui: what it has, with its context. Raises: BackendError."""
    return _listed(questions, _of_ggtui)


def check_declared(backend: Backend, models: Sequence[PulledModel], api: str) -> None:
    """Raises: BackendError when models are declared and the provider has none of them."""
    declared = [each.name for each in backend.models]
    there = [each.name for each in models]
    if declared and not any(is_same(backend.type, one, other) for one in declared for other in there):
        raise reading.failure(
            f"None of the declared models are available in the {api} API: "
            f"declared models: {listed(declared, _MOST_NAMES)}; "
            f"available models: {listed(there, _MOST_NAMES) or 'none'}"
        )


def found_rows(questions: Questions, document: object, *members: str) -> list[dict[str, Any]]:
    """The rows of a listing. Raises: BackendError."""
    try:
        return reading.rows(document, *members)
    except ValueError as error:
        raise questions.garbage(str(error)) from None


def _listed(questions: Questions, read: Callable[[dict[str, Any]], PulledModel]) -> tuple[PulledModel, ...]:
    document = questions.get(questions.place.below_version("/models"))
    return reading.each_once(read(row) for row in found_rows(questions, document, "data"))


def _of_vllm(row: dict[str, Any]) -> PulledModel:
    # `created` is the moment of the answer there, and says nothing of the model.
    return PulledModel(reading.name_of(row, "id"), context_length=reading.natural(row, *_CONTEXT))


def _of_openai(row: dict[str, Any]) -> PulledModel:
    return PulledModel(
        reading.name_of(row, "id"),
        modified_at=reading.moment(row, "created"),
        context_length=reading.natural(row, *_CONTEXT),
    )


def _of_ggtui(row: dict[str, Any]) -> PulledModel:
    meta = reading.inner(row, "meta")
    can = set(reading.words(row, "capabilities"))
    is_running = row.get("is_running")
    # A model without a chat template of its own is served chats too, by the engine's common one.
    can_chat = not can.isdisjoint(("chat", "completion"))
    return PulledModel(
        reading.name_of(row, "id"),
        size_bytes=reading.natural(meta, "size"),
        details=ModelDetails(
            family=reading.word(meta, "architecture"), quantization_level=reading.word(meta, "quantisation")
        ),
        context_length=reading.natural(row, "context_window", "max_context_window"),
        can_chat=can_chat,
        can_embed="embedding" in can,
        can_prompt=can_chat,
        can_stream=can_chat,
        is_loaded=is_running if isinstance(is_running, bool) else None,
    )
