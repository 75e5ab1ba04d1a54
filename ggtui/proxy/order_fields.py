"""What the fields of an order to ggtui may hold, and which of them name files of the owner's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

from ggtui.core.errors import InvalidRequest
from ggtui.proxy.body import check_name

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")
_TEMPLATE_NAME = re.compile(r"[a-z0-9_-]+(\.[0-9]+)?")
_LOOKS_LIKE_A_PATH = re.compile(r"[~.]|.*[/\\]|.*\.gguf\s*$", re.IGNORECASE | re.DOTALL)
_EXPECTED = {str: "a text", bool: "true or false"}
_MOST_WORDS = 256


def model_of(document: Mapping[str, Any]) -> str:
    """The model that is named, by any of its names or by its number."""
    model = document.get("model")
    if isinstance(model, int) and not isinstance(model, bool):
        model = str(model)
    if not isinstance(model, str) or not model:
        raise InvalidRequest("model must name a model", param="model")
    check_name(model)
    return model


def name_of(document: Mapping[str, Any], key: str) -> str:
    """A name that must be there."""
    name = optional(document, key, str)
    if not name:
        raise InvalidRequest(f"{key} must be a name", param=key)
    check_name(name)
    return name


def name_or_null(document: Mapping[str, Any], key: str, meaning: str) -> str | None:
    """A name, or null, which must be written. meaning: what null does."""
    if key not in document:
        raise InvalidRequest(f"{key} is missing; null {meaning}", param=key)
    return None if document[key] is None else name_of(document, key)


def switch_of(document: Mapping[str, Any], key: str, default: bool | None = None) -> bool:
    """True or false; the default where it is not given. None: it must be given."""
    value = document.get(key, default)
    if not isinstance(value, bool):
        raise InvalidRequest(f"{key} must be true or false", param=key)
    return value


def whole_of(document: Mapping[str, Any], key: str) -> int:
    """A whole number, 0 or more, that must be there."""
    value = document.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 53:
        raise InvalidRequest(f"{key} must be a whole number, 0 or more", param=key)
    return value


def optional(document: Mapping[str, Any], key: str, kind: type[T]) -> T | None:
    """A value of this kind; None for absent and for null."""
    value = document.get(key)
    if value is not None and not isinstance(value, kind):
        raise InvalidRequest(f"{key} must be {_EXPECTED[kind]}", param=key)
    return value


def words_of(document: Mapping[str, Any], key: str) -> tuple[str, ...] | None:
    """A list of texts, cut where nobody can mean more; None for absent and for null."""
    value = document.get(key)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise InvalidRequest(f"{key} must be a list of texts", param=key)
    return tuple(value[:_MOST_WORDS])


def refuse_files(changes: Mapping[str, Any]) -> None:
    """A client of this door is not the owner of the files that llama-server could read and write for it."""
    if changes.get("extra_args") is not None:
        raise InvalidRequest("extra_args can only be set in models.toml or on the screen", param="extra_args")
    template = changes.get("template")
    if isinstance(template, str) and _TEMPLATE_NAME.fullmatch(template) is None:
        raise InvalidRequest(
            "template takes the name of a built-in one here; a file can only be set in models.toml",
            param="template",
        )
    adapters = changes.get("adapters")
    for each in adapters if isinstance(adapters, list) else []:
        path = each.get("path") if isinstance(each, dict) else None
        if isinstance(path, str):
            refuse_path(path, "adapters")


def refuse_path(lora: str, param: str) -> None:
    """A LoRA file that was found is named by its name."""
    if _LOOKS_LIKE_A_PATH.match(lora):
        raise InvalidRequest(
            f"{param} takes the name of a LoRA file that was found; a path can only be attached "
            "on the machine itself: ggtui lora attach, or models.toml",
            param=param,
        )
