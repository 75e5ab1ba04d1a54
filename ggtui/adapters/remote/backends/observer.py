"""The BackendObserverPort: each backend is asked in a thread of its own, which ends when nobody waits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from ggtui.adapters.remote.backends.gemini import of_gemini
from ggtui.adapters.remote.backends.limit import Limit
from ggtui.adapters.remote.backends.lists import of_ggtui, of_openai, of_vllm
from ggtui.adapters.remote.backends.llama import of_llama_router, of_llama_server
from ggtui.adapters.remote.backends.ollama import KeptShown, of_ollama
from ggtui.adapters.remote.backends.question import Questions
from ggtui.adapters.remote.backends.reading import failure
from ggtui.adapters.remote.backends.words import without, words_of
from ggtui.adapters.remote.downloads.stopping import Threads
from ggtui.core.backends.backend import BackendType
from ggtui.core.errors import BackendError, RemoteFailure
from ggtui.core.units import MIB

if TYPE_CHECKING:
    from ggtui.adapters.remote.downloads.stopping import Stop
    from ggtui.core.backends.backend import Backend
    from ggtui.core.backends.observed import PulledModel
    from ggtui.core.deployment.secret import Secret

LIMIT_S: Final = 5.0
LIMIT_OF_LIST_S: Final = 10.0
"""For those that are far, and for ggtui, whose first answer waits until it has seen its folders."""
MOST_BYTES: Final = 32 * MIB
"""Of all answers in one look."""
GRACE_S: Final = 0.5
"""What is waited beyond the limit for a thread that can end by itself; the look-up of a name cannot."""


class BackendObserver:
    """See BackendObserverPort."""

    def __init__(self, limit_s: float | None = None) -> None:
        """limit_s: how long each look may last; None for the limits by type."""
        self._limit_s = limit_s
        self._threads = Threads()
        self._shown = KeptShown()

    async def observe(self, backend: Backend, key: Secret | None) -> tuple[PulledModel, ...]:
        """See BackendObserverPort. backend: with all models that it should have."""
        limit_s = self._limit_s or _limit_s(backend.type)
        no_answer = words_of(backend.type).no_answer
        try:
            async with asyncio.timeout(limit_s + GRACE_S):
                return await self._threads.carry(lambda stop: self._look(backend, key, stop, limit_s))
        except TimeoutError:
            raise failure(no_answer.format(f"no whole answer within {limit_s:g} s")) from None
        except RemoteFailure as error:
            raise failure(no_answer.format(error.detail)) from None

    async def close(self) -> None:
        """See BackendObserverPort."""
        await self._threads.close()

    def _look(
        self, backend: Backend, key: Secret | None, stop: Stop, limit_s: float
    ) -> tuple[PulledModel, ...]:
        questions = Questions(backend, key, Limit(stop, limit_s, MOST_BYTES))
        try:
            models = self._models(backend, questions)
        except BackendError as error:
            raise failure(without(error.detail, key)) from None
        return tuple(each for each in models if not _tells(each, key))

    def _models(self, backend: Backend, questions: Questions) -> tuple[PulledModel, ...]:
        match backend.type:
            case BackendType.OLLAMA:
                return of_ollama(questions, self._shown)
            case BackendType.VLLM:
                return of_vllm(questions)
            case BackendType.OPENAI:
                return of_openai(questions)
            case BackendType.GEMINI:
                return of_gemini(questions)
            case BackendType.LLAMA_SERVER:
                return of_llama_server(questions)
            case BackendType.LLAMA_ROUTER:
                return of_llama_router(questions)
            case BackendType.GGTUI:
                return of_ggtui(questions)
        raise failure(f"Unsupported backend type: {backend.type}")


def _tells(model: PulledModel, key: Secret | None) -> bool:
    """True for a model that has the key in one of its texts: what is observed is shown to many."""
    texts = (model.name, model.model, model.details)
    return key is not None and bool(key.reveal()) and key.reveal() in str(texts)


def _limit_s(type: BackendType) -> float:
    is_slow = type.is_remote_list or type is BackendType.GGTUI
    return LIMIT_OF_LIST_S if is_slow else LIMIT_S
