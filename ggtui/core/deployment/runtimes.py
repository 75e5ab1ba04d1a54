"""What serves a deployment: the kinds of runtime, their spellings, and which one a model's name suggests."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit


class RuntimeKind(StrEnum):
    """What serves a deployment."""

    LLAMA_SERVER = "llama_server"
    """A model of the catalog or a GGUF file, served by this machine."""
    OPEN_AI = "open_ai"
    ANTHROPIC = "anthropic"
    GEMINI = "gemini"
    LITE_LLM = "lite_llm"
    MISTRAL_RS = "mistral_rs"
    VLLM = "vllm"
    TENSOR_RT = "tensor_rt"
    ORT = "ort"
    CANDLE = "candle"
    CUDARC = "cudarc"
    PYTHON = "python"
    CUSTOM = "custom"

    @property
    def is_remote(self) -> bool:
        """True for the providers that are known by name."""
        return self in REMOTE

    @property
    def is_local(self) -> bool:
        """True for what ggtui starts itself; every other kind is asked over the network."""
        return self is RuntimeKind.LLAMA_SERVER


REMOTE: Final = frozenset(
    {RuntimeKind.OPEN_AI, RuntimeKind.ANTHROPIC, RuntimeKind.GEMINI, RuntimeKind.LITE_LLM}
)
WITHOUT_ENGINE: Final = frozenset(RuntimeKind) - REMOTE - {RuntimeKind.LLAMA_SERVER}
"""Kinds that ggtui can neither start nor find: they need the URL of a server that speaks as OpenAI's does."""

_WITH_ARGUMENT: Final = (RuntimeKind.PYTHON, RuntimeKind.CUSTOM)
"""Also written as `python(x)` and `custom(x)`."""

_PREFIXES: Final[tuple[tuple[RuntimeKind, tuple[str, ...]], ...]] = (
    (RuntimeKind.OPEN_AI, ("gpt-4", "gpt-3.5", "o1-", "o3-", "chatgpt-")),
    (RuntimeKind.ANTHROPIC, ("claude-", "anthropic/")),
    (RuntimeKind.GEMINI, ("gemini-", "google/gemini")),
)


def _folded(text: str) -> str:
    return text.lower().replace("_", "").replace("-", "")


_BY_SPELLING: Final = {_folded(kind): kind for kind in RuntimeKind}


def parse_runtime(text: str) -> RuntimeKind:
    """The kind that is meant: upper case, dashes and underscores do not count, so `openai` is `open_ai`.

    Raises: ValueError, with a text that lists the kinds.
    """
    name, parenthesis, rest = text.strip().partition("(")
    kind = _BY_SPELLING.get(_folded(name))
    if kind is None or (parenthesis and not (kind in _WITH_ARGUMENT and rest.endswith(")"))):
        raise ValueError(f"runtime must be one of {', '.join(RuntimeKind)}")
    return kind


def infer_runtime(model: str) -> RuntimeKind:
    """What the name of a model suggests when nothing else is known; the first rule that matches counts."""
    name = model.lower()
    for kind, prefixes in _PREFIXES:
        if name.startswith(prefixes):
            return kind
    if "via-litellm" in name or name.startswith("litellm/"):
        return RuntimeKind.LITE_LLM
    return RuntimeKind.MISTRAL_RS if "mistral" in name else RuntimeKind.VLLM


@lru_cache(maxsize=256)
def choose_runtime(
    explicit: RuntimeKind | None, of_config: RuntimeKind | None, model: str, *, is_local: bool
) -> tuple[RuntimeKind, str]:
    """The kind that serves a deployment, and why, as half a sentence for a person.

    explicit: the `runtime` of the deployment. of_config: the kind in its `runtime_config`.
    is_local: the model is in the catalog, or its name is a path that exists.
    """
    if explicit is not None:
        return explicit, "it is set as runtime"
    if of_config is not None:
        return of_config, "its runtime_config is for this"
    guess = infer_runtime(model)
    if is_local or model.lower().endswith(".gguf"):
        return RuntimeKind.LLAMA_SERVER, f"the model is on this machine{_in_place_of(guess)}"
    if guess is RuntimeKind.VLLM:
        return guess, "the name of the model suggests nothing else"
    return guess, f"the name of the model is like those of {guess}"


def _in_place_of(guess: RuntimeKind) -> str:
    is_by_name = guess is not RuntimeKind.VLLM
    return f", though its name is like those of {guess}" if is_by_name else ""


def can_serve(kind: RuntimeKind, endpoint: str) -> bool:
    """True when this kind has an engine, or `endpoint` is the URL of a server that stands in for one."""
    return kind not in WITHOUT_ENGINE or is_url(endpoint)


def is_url(text: str) -> bool:
    """True for an http or https URL with a host."""
    try:
        parts = urlsplit(text)
        has_host = bool((parts.hostname or "").encode("idna"))  # a name that nobody can ask for is no host
        return parts.scheme in ("http", "https") and has_host and parts.port != 0
    except ValueError:
        return False
