"""Backends that list their models in OpenAI's form: vLLM, providers, and ggtui itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ggtui.adapters.remote.backends import reading
from ggtui.core.backends.backend import BackendType
from ggtui.core.backends.names import canonical
from ggtui.core.backends.observed import ModelDetails, PulledModel
from ggtui.core.text import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

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
    """Another ggtui: what it has, with its context, also by declared aliases. Raises: BackendError."""
    document = questions.get(questions.place.below_version("/models"))
    return reading.each_once(
        each
        for row in found_rows(questions, document, "data")
        for each in by_all_names(questions.backend, _of_ggtui(row), row)
    )


def check_declared(backend: Backend, models: Sequence[PulledModel], api: str) -> None:
    """Raises: BackendError when models are declared and the provider has none of them."""
    is_declared = among_declared(backend)
    declared, there = ([each.name for each in some] for some in (backend.models, models))
    if declared and not any(is_declared(each) for each in there):
        raise reading.failure(
            f"None of the declared models are available in the {api} API: "
            f"declared models: {listed(declared, _MOST_NAMES)}; "
            f"available models: {listed(there, _MOST_NAMES) or 'none'}"
        )


def among_declared(backend: Backend) -> Callable[[str], bool]:
    """Tells of a name whether it means one of the declared models; see `is_same`, which is for two names."""

    def spelled(name: str) -> str:
        name = canonical(backend.type, name)
        return name.lower() if backend.type is BackendType.OLLAMA else name

    declared = {spelled(each.name) for each in backend.models}
    return lambda name: spelled(name) in declared


def by_all_names(backend: Backend, model: PulledModel, row: dict[str, Any]) -> Iterator[PulledModel]:
    """The model by its name, and by each of its other names that is declared."""
    if not model.name:
        return
    yield model
    aliases = row.get("aliases")
    others = {each for each in aliases if isinstance(each, str)} if isinstance(aliases, list) else set()
    for declared in backend.models:
        if declared.name in others:
            yield replace(model, name=declared.name, model=model.name)


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
