"""Gemini: the pages of its list, and what it tells of each declared model."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from ggtui.adapters.remote.backends import reading
from ggtui.adapters.remote.backends.lists import among_declared, check_declared, found_rows
from ggtui.core.backends.backend import BackendType
from ggtui.core.backends.names import canonical
from ggtui.core.backends.observed import PulledModel
from ggtui.core.errors import BackendError

if TYPE_CHECKING:
    from ggtui.adapters.remote.backends.question import Questions

PAGE: Final = 1000
MOST_PAGES: Final = 20
MOST_DETAILS: Final = 32
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def of_gemini(questions: Questions) -> tuple[PulledModel, ...]:
    """Its models, without the prefix of their names. Raises: BackendError."""
    models = reading.each_once(_of_row(row) for row in _all_rows(questions))
    check_declared(questions.backend, models, "Gemini")
    is_declared = among_declared(questions.backend)
    wanted = [each for each in models if is_declared(each.name)]
    told = {each.name: _detail(questions, each) for each in wanted[:MOST_DETAILS]}
    return tuple(told.get(each.name, each) for each in models)


def _all_rows(questions: Questions) -> list[dict[str, Any]]:
    """The rows of all pages. Raises: BackendError."""
    found: list[dict[str, Any]] = []
    token = ""
    for _ in range(MOST_PAGES):
        query = f"pageSize={PAGE}" + (f"&pageToken={quote(token, safe='')}" if token else "")
        document = questions.get(questions.place.below_version("/models", query))
        found += found_rows(questions, document, "models")
        token = _next_page(document)
        if not token:
            return found
        if len(found) > reading.MOST_MODELS:
            break
    raise questions.garbage("its list of models has no end")


def _next_page(document: object) -> str:
    token = document.get("nextPageToken") if isinstance(document, dict) else None
    return token if isinstance(token, str) and len(token) <= 4096 else ""


def _detail(questions: Questions, listed: PulledModel) -> PulledModel:
    """The same model as it is told when it is asked for by its name. Raises: BackendError."""
    if _NAME.fullmatch(listed.name) is None:
        return listed
    try:
        document = questions.get(questions.place.below_version(f"/models/{listed.name}"))
    except BackendError as error:
        raise reading.failure(f"Failed to fetch model info: {error.detail}") from None
    told = _of_row(document if isinstance(document, dict) else {})
    return replace(told, name=listed.name, context_length=told.context_length or listed.context_length)


def _of_row(row: dict[str, Any]) -> PulledModel:
    methods = reading.words(row, "supportedGenerationMethods")
    can_generate = "generateContent" in methods
    return PulledModel(
        canonical(BackendType.GEMINI, reading.name_of(row, "name")),
        context_length=reading.natural(row, "inputTokenLimit"),
        can_chat=can_generate,
        can_embed="embedContent" in methods,
        can_prompt=can_generate,
        can_stream=can_generate,
    )
