"""`ggtui validate FILE`: everything that is wrong in a configuration file, or what its tables mean."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ggtui.adapters.gguf.catalog import GgufCatalog
from ggtui.cli.arguments import flags_of
from ggtui.cli.declared_words import backend_lines, backend_warnings, declared_document, through_backends
from ggtui.cli.deployment_words import rules_of
from ggtui.cli.exits import ExitCode
from ggtui.cli.surroundings import look
from ggtui.config.load import key_warnings, load, sharing_warnings
from ggtui.config.mistakes import FileMistake
from ggtui.config.settings import DEPLOYMENTS
from ggtui.config.toml_file import read_to_the_end
from ggtui.core.backends.serving import declared_names
from ggtui.core.deployment.runtimes import can_serve
from ggtui.core.errors import CatalogFailure, ConfigInvalid
from ggtui.core.naming import slug

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ggtui.cli.call import Call
    from ggtui.config.schema import Config
    from ggtui.core.backends.backend import Declared
    from ggtui.core.deployment.deployment import Deployment

SCHEMA: Final = 1


def run(call: Call) -> ExitCode:
    """Print what is wrong, exit code 2, or what was read. Starts nothing and writes nothing to the file."""
    file = Path(call.arguments.file).expanduser().absolute()
    config, found = _read(file, flags_of(call.arguments))
    known = None if config is None else _stored_names(config)
    is_local = _judge(known)
    mistakes = _mistakes(file, is_local) or found
    if mistakes or config is None:
        _print_mistakes(call, file, mistakes)
        return ExitCode.USAGE
    _print(call, file, config, is_local, known)
    return ExitCode.DONE


def _read(file: Path, flags: Mapping[str, object]) -> tuple[Config | None, list[FileMistake]]:
    """The settings by this file; None with the first mistake, also of a file that it names.

    Of the environment counts where models are looked for and known: other values there are no part of it.
    """
    kept = ("GGTUI_DATA_DIR", "GGTUI_MODELS_DIRS", "GGTUI_STORES")
    environ = {
        name: value for name, value in os.environ.items() if name in kept or not name.startswith("GGTUI_")
    }
    try:
        return load(flags, environ, file), []
    except ConfigInvalid as failure:
        return None, [_mistake(file, failure)]


def _mistakes(file: Path, is_local: Callable[[str], bool] | None) -> list[FileMistake]:
    try:
        found = read_to_the_end(file, is_local).mistakes
        return sorted(map(_with_hint, found), key=lambda each: each.line or 0)
    except ConfigInvalid as failure:
        return [_mistake(file, failure)]


def _with_hint(mistake: FileMistake) -> FileMistake:
    if mistake.field != "runtime" or mistake.hint:
        return mistake
    return replace(mistake, hint="a model of this machine has to be known first: ggtui ls looks for them")


def _mistake(file: Path, failure: ConfigInvalid) -> FileMistake:
    """A failure whose text begins with this file, maybe with a line of it, or with another place."""
    own = re.fullmatch(rf"{re.escape(str(file))}(?:, line (\d+))?: (.*)", failure.detail, re.DOTALL)
    line, words = (own[1], own[2]) if own else (None, failure.detail)
    return FileMistake(int(line) if line else None, words, failure.hint, failure.param or "")


def _stored_names(config: Config) -> frozenset[str] | None:
    """Ids and numbers of the models as they were last seen; looks into no folder. None for never."""
    if not config.database.is_file():
        return None

    async def names() -> frozenset[str]:
        store = GgufCatalog(config.database, config.models_dirs, config.options, config.stores)
        try:
            models = await store.list_models()
            return frozenset(name for each in models for name in (each.public_id, str(each.id)))
        finally:
            await store.close()

    try:
        return look(names())
    except CatalogFailure:
        return None


def _judge(known: frozenset[str] | None) -> Callable[[str], bool] | None:
    """Whether a model is of this machine; None where no list of models can tell that it is not."""
    if known is None:
        return None
    return lambda model: model in known or _is_file(model)


def _is_file(model: str) -> bool:
    return os.path.isabs(model) and os.path.isfile(model)


def _print_mistakes(call: Call, file: Path, mistakes: list[FileMistake]) -> None:
    if call.out.is_json:
        problems = [
            {
                "line": each.line,
                "table": each.table or None,
                "name": each.name.strip("'") or None,
                "deployment": each.name.strip("'") if each.table == DEPLOYMENTS.table else None,
                "field": each.field or None,
                "text": each.words,
                "hint": each.hint or None,
            }
            for each in mistakes
        ]
        call.out.document({**_head(file, is_valid=False), "problems": problems})
        return
    for each in mistakes:
        call.out.line(_line(file, each))
        if each.hint:
            call.out.line(f"  {each.hint}")
    call.out.say(f"{len(mistakes)} {'problem' if len(mistakes) == 1 else 'problems'}")


def _line(file: Path, mistake: FileMistake) -> str:
    if mistake.line is not None:
        return f"{file}:{mistake.line}: {mistake.words}"
    # one of a file that goes with this one begins with its own path
    return mistake.words if mistake.words.startswith(os.sep) else f"{file}: {mistake.words}"


def _print(
    call: Call,
    file: Path,
    config: Config,
    is_local: Callable[[str], bool] | None,
    known: frozenset[str] | None,
) -> None:
    rows = [_row(each, is_local, config.declared) for each in config.deployments]
    declared = config.declared
    warnings = [
        *key_warnings(config.deployments, declared),
        *sharing_warnings(config),
        *_guesses(config, known),
        *_missing(config, known),
        *backend_warnings(declared),
    ]
    if call.out.is_json:
        document = {**_head(file, is_valid=True), "deployments": rows, **declared_document(declared)}
        call.out.document({**document, "warnings": warnings})
        return
    n = len(rows)
    call.out.line(f"{file} is valid: {n or 'no'} {'deployment' if n == 1 else 'deployments'}")
    for row in rows:
        call.out.line(f"{row['name']}: {row['runtime']}, {row['why_runtime']}; model {row['model']}")
        for rule in row["rules"]:
            call.out.line(f"  {rule}")
    for line in backend_lines(declared):
        call.out.line(line)
    for words in warnings:
        call.out.say(f"warning: {words}")


def _row(each: Deployment, is_local: Callable[[str], bool] | None, declared: Declared) -> dict[str, Any]:
    kind, why = each.choose_runtime(is_local=(is_local or _is_file)(each.model))
    return {
        "name": each.name,
        "model": each.model,
        "runtime": str(kind),
        "why_runtime": why,
        "rules": [*through_backends(declared, each, kind), *rules_of(each, kind)],
    }


def _guesses(config: Config, known: frozenset[str] | None) -> list[str]:
    """What could not be judged, as no list of models is stored here."""
    of_backends = declared_names(config.declared)
    return [
        f"deployment '{each.name}': whether {each.model} is a model of this machine is not known: "
        "ggtui ls looks into the folders"
        for each in config.deployments
        if known is None
        and each.model not in of_backends
        and not can_serve(each.choose_runtime(is_local=_is_file(each.model))[0], each.runtime_config.endpoint)
    ]


def _missing(config: Config, known: frozenset[str] | None) -> list[str]:
    """Models that are to be started here and that the list does not have; a file may be there by now."""
    of_backends = declared_names(config.declared)
    return [
        f"deployment '{each.name}': no model {each.model} was in the catalog when it was last seen"
        for each in config.deployments
        if known is not None
        and each.model not in of_backends
        and each.choose_runtime(is_local=each.model in known)[0].is_local
        and not (each.model in known or any(name.startswith(slug(Path(each.model).name)) for name in known))
    ]


def _head(file: Path, *, is_valid: bool) -> Mapping[str, object]:
    return {"schema": SCHEMA, "file": str(file), "valid": is_valid}
