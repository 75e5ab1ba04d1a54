"""What is wrong with the backends, models and groups that a person declares, each with its place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ggtui.core.backends.backend import THIS_MACHINE
from ggtui.core.backends.names import canonical
from ggtui.core.deployment.runtimes import is_url
from ggtui.core.nearness import near_names
from ggtui.core.routing.name_settings import is_endpoint_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ggtui.core.backends.backend import Backend, Declared, DeclaredModel

BACKEND: Final = "backend"
MODEL: Final = "model"
GROUP: Final = "group"

_PART: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}"
_REPOSITORY: Final = re.compile(rf"{_PART}/{_PART}(?::{_PART}|(?:/[^/:\\]+)+\.gguf)?", re.IGNORECASE)
REPOSITORY_FORM: Final = "OWNER/REPO, OWNER/REPO:QUANT or OWNER/REPO/FILE.gguf"
_LONGEST_URL: Final = 2048


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that must be put right."""

    table: str
    """`backend`, `model` or `group`."""
    index: int
    """Which of that list, from 0."""
    field: str
    """The key; `models[1].name` for the second model of a backend."""
    text: str
    """What follows the field in a sentence. It repeats no URL, which may hold a key."""
    hint: str = ""


def problems(declared: Declared, known_groups: Iterable[str] | None = None) -> list[Problem]:
    """Everything that is wrong, by table and in order; nothing when it can be worked with.

    known_groups: those that may be named; None for the declared ones.
    """
    groups = {each.name for each in declared.groups} if known_groups is None else set(known_groups)
    backends = [(BACKEND, index, _of_backend(each, groups)) for index, each in enumerate(declared.backends)]
    models = [(MODEL, index, _of_model(each, groups)) for index, each in enumerate(declared.models)]
    named = [(GROUP, index, _of_name(each.name, GROUP)) for index, each in enumerate(declared.groups)]
    found = [
        Problem(table, index, *told) for table, index, own in (*backends, *models, *named) for told in own
    ]
    names = ["" if each.name == each.repository else each.name for each in declared.models]
    return [
        *found,
        *_repeated(BACKEND, "name", [each.name for each in declared.backends]),
        *_repeated(MODEL, "name", names),
        *_repeated(MODEL, "repository", [each.repository for each in declared.models]),
        *_repeated(GROUP, "name", [each.name for each in declared.groups]),
    ]


def url_problem(url: str) -> tuple[str, str]:
    """Why this cannot be the base URL of a backend, and a hint; both empty when it can."""
    if not is_url(url) or len(url) > _LONGEST_URL or any(sign.isspace() for sign in url):
        return "must be an http or https URL", "such as http://192.168.1.9:8000"
    if "@" in urlsplit(url).netloc:
        return "must hold no user and no password", "a key is named by api_key"
    if "?" in url or "#" in url:
        return "must end before any ? or #", "a key is named by api_key"
    return "", ""


def is_repository(text: str) -> bool:
    """True for OWNER/REPO, OWNER/REPO:QUANT and OWNER/REPO/FILE.gguf."""
    return _REPOSITORY.fullmatch(text) is not None and ".." not in text and text.isprintable()


def _of_backend(backend: Backend, groups: set[str]) -> Iterator[tuple[str, str, str]]:
    yield from _of_name(backend.name, BACKEND)
    if backend.name == THIS_MACHINE:
        yield "name", f"'{THIS_MACHINE}' is this machine itself", "choose another name"
    words, hint = url_problem(backend.base_url) if backend.base_url else ("", "")
    if words:
        yield "base_url", words, hint
    elif not backend.base_url and not backend.type.has_home:
        yield "base_url", f"is needed where type is {backend.type}", "such as http://192.168.1.9:8000"
    yield from _of_groups(backend.groups, groups)
    names = [canonical(backend.type, each.name) for each in backend.models]
    for index, model in enumerate(backend.models):
        within = f"models[{index}]"
        for field, words, hint in (*_of_model_name(model.name), *_of_groups(model.groups, groups)):
            yield f"{within}.{field}", words, hint
        if names[index] and names[index] in names[:index]:
            yield within, f"duplicate model name '{names[index]}'", ""


def _of_model(model: DeclaredModel, groups: set[str]) -> Iterator[tuple[str, str, str]]:
    if model.repository and not is_repository(model.repository):
        yield "repository", f"must be {REPOSITORY_FORM}", ""
    if model.name or not model.repository:
        yield from _of_model_name(model.name)
    yield from _of_groups(model.groups, groups)
    if not model.repository and not model.groups:
        hint = "repository brings it onto this disk; groups name the backends that should have it"
        yield "groups", "is needed where there is no repository", hint


def _of_name(name: str, what: str) -> Iterator[tuple[str, str, str]]:
    if not name.strip():
        yield "name", f"{what} name must not be empty", ""


def _of_model_name(name: str) -> Iterator[tuple[str, str, str]]:
    if not name.strip():
        yield "name", "model name must not be empty", ""
    elif not is_endpoint_name(name):
        yield "name", "cannot be what clients ask for", ""
    elif name.isdigit():
        yield "name", "model name must not be a number: numbers are those of the catalog", ""


def _of_groups(named: Iterable[str], known: set[str]) -> Iterator[tuple[str, str, str]]:
    for name in dict.fromkeys(named):
        if name not in known:
            yield "groups", f"unknown group '{name}'", group_hint(name, known)


def group_hint(name: str, known: Iterable[str]) -> str:
    """What may have been meant by a group that does not exist, or how to declare it."""
    nearest = near_names(name, sorted(each for each in known if each), limit=1)
    return f"did you mean {nearest[0]}?" if nearest else f'declare it: [[{GROUP}]] with name = "{name}"'


def _repeated(table: str, field: str, values: Sequence[str]) -> Iterator[Problem]:
    """Names are exact; the hub does not look at the case of a repository."""
    keys = [each.casefold() if field == "repository" else each for each in values]
    words = f"{table} {field}" if field == "name" else field
    for index, value in enumerate(values):
        if value and keys[index] in keys[:index]:
            yield Problem(table, index, field, f"duplicate {words} '{value}'")
