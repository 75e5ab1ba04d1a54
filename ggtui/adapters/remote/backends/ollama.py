"""Ollama: its list, what is in memory, and what it tells of each model, asked once for each digest."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from ggtui.adapters.remote.backends import reading
from ggtui.adapters.remote.backends.lists import among_declared, found_rows
from ggtui.core.backends.observed import ModelDetails, PulledModel
from ggtui.core.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ggtui.adapters.remote.backends.question import Questions

MOST_SHOWN: Final = 32
"""Models that one look asks for; the next look goes on with others."""
MOST_FAILURES: Final = 3
MOST_KEPT: Final = 4096
_NUM_CTX: Final = re.compile(r"^num_ctx\s+(\d{1,10})\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Shown:
    """What is told of one model."""

    context_length: int = 0
    """What the model was made with, or what its own parameters set; 0 where neither is told."""
    capabilities: tuple[str, ...] = ()


class KeptShown:
    """What was told of models, by where they are and by digest: the same digest is the same model."""

    def __init__(self) -> None:
        self._shown: dict[tuple[str, str], Shown] = {}
        self._lock = threading.Lock()

    def get(self, place: str, model: PulledModel) -> Shown | None:
        """What is known of a model; None when it was not asked yet."""
        with self._lock:
            return self._shown.get((place, _identity(model)))

    def keep(self, place: str, model: PulledModel, shown: Shown) -> None:
        """Know it from now on; the oldest is forgotten when there are too many."""
        with self._lock:
            self._shown[place, _identity(model)] = shown
            while len(self._shown) > MOST_KEPT:
                del self._shown[next(iter(self._shown))]


def of_ollama(questions: Questions, kept: KeptShown) -> tuple[PulledModel, ...]:
    """What it has pulled. Raises: BackendError."""
    document = questions.get(questions.place.below_root("/api/tags"))
    models = reading.each_once(_of_row(row) for row in found_rows(questions, document, "models"))
    _show(questions, models, kept)
    loaded = _loaded(questions)
    place = questions.place.base.url
    return tuple(_whole(each, kept.get(place, each), loaded) for each in models)


def _of_row(row: dict[str, Any]) -> PulledModel:
    details = reading.inner(row, "details")
    return PulledModel(
        reading.name_of(row, "name", "model"),
        reading.name_of(row, "model", "name"),
        modified_at=reading.moment(row, "modified_at"),
        size_bytes=reading.natural(row, "size"),
        digest=reading.digest(row),
        details=ModelDetails(
            parent_model=reading.word(details, "parent_model"),
            format=reading.word(details, "format"),
            family=reading.word(details, "family"),
            families=reading.words(details, "families"),
            parameter_size=reading.word(details, "parameter_size"),
            quantization_level=reading.word(details, "quantization_level"),
        ),
    )


def _identity(model: PulledModel) -> str:
    return model.digest or f"{model.name} {model.size_bytes} {model.modified_at}"


def _show(questions: Questions, models: Sequence[PulledModel], kept: KeptShown) -> None:
    """Ask for those that are not known yet, the declared ones first. What fails is asked the next time."""
    place = questions.place.base.url
    unknown = [each for each in models if kept.get(place, each) is None]
    is_declared = among_declared(questions.backend)
    unknown.sort(key=lambda each: not is_declared(each.name))
    n_failures = 0
    # The list is what counts: the rest of the time is for what is asked after this.
    reserve_s = questions.limit.time_s / 4
    for model in unknown[:MOST_SHOWN]:
        if n_failures == MOST_FAILURES or questions.limit.left_s < reserve_s:
            break
        try:
            kept.keep(place, model, _asked(questions, model))
        except BackendError:
            n_failures += 1


def _asked(questions: Questions, model: PulledModel) -> Shown:
    body = {"model": model.model or model.name}
    told = questions.document("POST", questions.place.below_root("/api/show"), body)
    row = told if isinstance(told, dict) else {}
    info = reading.inner(row, "model_info")
    parameters = row.get("parameters")
    match = _NUM_CTX.search(parameters[:65536]) if isinstance(parameters, str) else None
    trained = reading.natural(info, f"{reading.word(info, 'general.architecture')}.context_length")
    return Shown(int(match[1]) if match else trained, reading.words(row, "capabilities"))


def _loaded(questions: Questions) -> dict[str, int] | None:
    """Names of the models in memory, each with its context there; None when it is not told."""
    try:
        document = questions.get(questions.place.below_root("/api/ps"))
        found = found_rows(questions, document, "models")
    except BackendError:
        return None
    return {reading.name_of(row, "name", "model"): reading.natural(row, "context_length") for row in found}


def _whole(model: PulledModel, shown: Shown | None, loaded: dict[str, int] | None) -> PulledModel:
    """The model with all that is told of it. In memory it has the context that it was loaded with."""
    shown = shown or Shown()
    can = shown.capabilities
    return replace(
        model,
        context_length=(loaded or {}).get(model.name, 0) or shown.context_length,
        can_chat="completion" in can,
        can_embed="embedding" in can,
        can_prompt="completion" in can,
        can_stream="completion" in can,
        is_loaded=None if loaded is None else model.name in loaded,
    )
