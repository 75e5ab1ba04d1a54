"""`[[deployment]]` of the configuration file: every table read to its end, every mistake with its place."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ggtui.config import adapter_tables
from ggtui.config.backend_tables import NO_BACKENDS
from ggtui.config.deployment_kinds import KEYS
from ggtui.config.kinds import Misfit
from ggtui.config.mistakes import FileMistake
from ggtui.config.table_kinds import anchored_key
from ggtui.config.table_places import key_line, table_lines
from ggtui.config.table_reader import TableReader, called
from ggtui.core.backends.problems import group_hint
from ggtui.core.backends.serving import declared_names
from ggtui.core.deployment.deployment import ApiKind, Deployment, RuntimeConfig
from ggtui.core.deployment.problems import problems
from ggtui.core.nearness import near_names

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from ggtui.config.backend_tables import ReadBackends

TABLE: Final = "deployment"
HEADER: Final = f"[[{TABLE}]]"

_RESTS_ON: Final = {"runtime": "runtime_config", "serving.on_capacity_exhausted": "fallback"}
"""Keys that a rule about another one looks at too: it says nothing where they could not be read."""


@dataclass(frozen=True, slots=True)
class ReadDeployments:
    """What was read. Where there are mistakes, the values beside them are defaults."""

    deployments: tuple[Deployment, ...]
    mistakes: tuple[FileMistake, ...]
    lines: tuple[int | None, ...] = ()
    """Of the tables, in their order; only looked for when somebody needs them."""


def read_deployments(
    raw: object,
    text: str,
    folder: Path,
    is_local: Callable[[str], bool] | None = None,
    backends: ReadBackends = NO_BACKENDS,
) -> ReadDeployments:
    """The deployments of a file, and all that is wrong with them, in their order.

    raw: what TOML made of the tables. text: the file they stand in. folder: paths count from there.
    is_local: whether a model is of this machine; None where that is not known yet. backends: what the same
    file says of them.
    """
    if not isinstance(raw, list) or not all(isinstance(each, dict) for each in raw):
        hint = f"begin each with a line {HEADER}"
        line = key_line(text, "", TABLE)
        return ReadDeployments((), (FileMistake(line, f"{TABLE} must be a list of tables", hint, TABLE),))
    found: list[tuple[int, str, str, str]] = []
    deployments = []
    for index, table in enumerate(raw):
        reader = TableReader()
        deployments.append(_deployment(table, folder, reader))
        found += [(index, *mistake) for mistake in reader.mistakes]
    found += _beyond(found, deployments, is_local, backends)
    return _placed(deployments, found, text)


def _deployment(table: Mapping[str, object], folder: Path, reader: TableReader) -> Deployment:
    values = reader.table("", table, KEYS)
    deployment = Deployment(**{"name": "", "model": ""} | values)
    try:
        adapter_tables.check_together(deployment.adapters, ())
    except Misfit as misfit:
        reader.told(misfit.where, misfit.words, misfit.hint)
    for field, words in _of_azure(deployment.runtime_config):
        reader.told(field, words)
    return replace(
        deployment,
        model=_model(deployment.model, folder),
        adapters=adapter_tables.anchored(deployment.adapters, folder),
        runtime_config=replace(
            deployment.runtime_config, api_key=anchored_key(deployment.runtime_config.api_key, folder)
        ),
    )


def _of_azure(config: RuntimeConfig) -> Iterator[tuple[str, str]]:
    if config.kind is not ApiKind.AZURE or config.endpoint:
        return
    for key in ("resource", "deployment", "api_version"):
        if not getattr(config, key):
            yield f"runtime_config.{key}", "is needed where kind is azure"


def _model(model: str, folder: Path) -> str:
    """A path is made whole where it can be no other name: by its beginning, or as the file is there."""
    is_path = model.startswith(("/", "~", "./", "../"))
    path = os.path.normpath(folder / os.path.expanduser(model))
    return path if is_path or (model and os.path.isfile(path)) else model


def _beyond(
    found: Iterable[tuple[int, str, str, str]],
    deployments: list[Deployment],
    is_local: Callable[[str], bool] | None,
    backends: ReadBackends,
) -> list[tuple[int, str, str, str]]:
    """What the rules of deployments say, where all that a rule looks at could be read."""
    unread: dict[int, list[str]] = {}
    for index, field, _, _ in found:
        unread.setdefault(index, []).append(field.partition("[")[0])
    groups = backends.groups
    if groups is None:  # what cannot be told is not judged
        groups = frozenset(group for each in deployments for group in each.groups)
    names = [each.name for each in deployments]
    return [
        (each.index, each.field, each.text, _hint(each.text, names, groups))
        for each in problems(
            deployments,
            known_groups=groups,
            is_local=is_local,
            backend_models=declared_names(backends.declared),
        )
        if not _is_moot(each.field, unread.get(each.index, ()))
    ]


def _is_moot(field: str, unread: Iterable[str]) -> bool:
    """True when a rule about this key looks at one that could not be read."""
    own = f"{field}."
    return any(own.startswith(f"{each}.") or each.startswith(_RESTS_ON.get(field, own)) for each in unread)


def _hint(text: str, names: list[str], groups: Collection[str]) -> str:
    """For a fallback or a group that does not exist, what may have been meant."""
    if text.startswith("unknown group '"):
        return group_hint(text.split("'", 1)[1].removesuffix("'"), groups)
    if not text.startswith("unknown fallback '"):
        return ""
    nearest = near_names(text.split("'", 1)[1].removesuffix("'"), [each for each in names if each], limit=1)
    return f"did you mean {nearest[0]}?" if nearest else "a fallback is the name of another deployment"


def _placed(
    deployments: list[Deployment], found: list[tuple[int, str, str, str]], text: str
) -> ReadDeployments:
    has_default = any(each.default for each in deployments)
    lines = table_lines(text, TABLE, len(deployments)) if found or has_default else ()
    names = [called(each.name, index) for index, each in enumerate(deployments)]
    mistakes = tuple(
        FileMistake(
            lines[index], f"deployment {names[index]}: {field}: {words}", hint, field, TABLE, names[index]
        )
        for index, field, words, hint in sorted(found, key=lambda each: each[0])
    )
    return ReadDeployments(tuple(deployments), mistakes, lines)
