"""The keys of `[[backend]]`, `[[model]]` and `[[group]]`, and what each may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ggtui.config.kinds import Misfit, shown
from ggtui.config.kinds import whole as whole_number
from ggtui.config.settings import LARGEST_CTX
from ggtui.config.table_kinds import SECRET, TEXT, TEXTS, file_kind, hidden_keys_of, keys_of, word_of
from ggtui.core.backends.backend import BackendType, Capability
from ggtui.core.backends.problems import REPOSITORY_FORM
from ggtui.core.deployment.deployment import ChoicePolicy
from ggtui.core.nearness import near_names
from ggtui.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ggtui.config.table_reader import Key

_SPELLINGS: Final = {each.replace("_", ""): each for each in BackendType}


def _type(raw: object) -> BackendType:
    """Dashes, underscores and upper case do not count, as in the names of runtimes."""
    if not isinstance(raw, str):
        raise Misfit("", f"must be one of {', '.join(BackendType)}, not {shown(raw)}")
    name = raw.strip().lower().replace("-", "").replace("_", "")
    if name in _SPELLINGS:
        return _SPELLINGS[name]
    nearest = near_names(raw, list(BackendType), limit=1)
    hint = f"did you mean {nearest[0]}?" if nearest else f"the types are {', '.join(BackendType)}"
    raise Misfit("", f"Unsupported backend type: {plain(raw, 60)}", hint)


def _capabilities(raw: object) -> frozenset[Capability]:
    if not isinstance(raw, list):
        raise ValueError
    return frozenset(Capability(each) for each in raw)


def _list(raw: object) -> tuple[object, ...]:
    if not isinstance(raw, list):
        raise ValueError
    return tuple(raw)


_CAPABILITIES: Final = file_kind(f"a list of {', '.join(Capability)}", _capabilities)
_MODELS: Final = file_kind('a list such as ["qwen3", { name = "embedder", context_length = 8192 }]', _list)
_REPOSITORY: Final = file_kind(REPOSITORY_FORM, TEXT.of_value)

_OF_MODEL: Final[Mapping[str, Key]] = {
    **keys_of(TEXTS, "groups"),
    **keys_of(_CAPABILITIES, "capabilities"),
    **keys_of(whole_number(1, LARGEST_CTX), "context_length"),
}

BACKEND_KEYS: Final[Mapping[str, Key]] = {
    **keys_of(TEXT, "name"),
    **keys_of(file_kind("", _type), "type"),
    **hidden_keys_of(TEXT, "base_url"),
    **hidden_keys_of(SECRET, "api_key"),
    **keys_of(TEXTS, "groups"),
    **keys_of(_MODELS, "models"),
}
"""What a `[[backend]]` may hold; the keys are the fields of Backend."""

BACKEND_MODEL_KEYS: Final[Mapping[str, Key]] = {**keys_of(TEXT, "name"), **_OF_MODEL}
"""What one of its models may hold that is more than a name."""

MODEL_KEYS: Final[Mapping[str, Key]] = {
    **keys_of(TEXT, "name"),
    **keys_of(_REPOSITORY, "repository"),
    **_OF_MODEL,
}
"""What a `[[model]]` may hold; the keys are the fields of DeclaredModel."""

GROUP_KEYS: Final[Mapping[str, Key]] = {**keys_of(TEXT, "name"), **keys_of(word_of(ChoicePolicy), "policy")}
"""What a `[[group]]` may hold; the keys are the fields of Group."""
