"""models.toml: one table per model, named by its public id; every mistake named with table and key."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from ggtui.config import adapter_tables, kinds
from ggtui.config.kinds import Misfit
from ggtui.config.settings import LARGEST_CTX
from ggtui.config.toml_file import parsed, read_text, value_of
from ggtui.core.errors import ConfigInvalid
from ggtui.core.model_settings import ModelSettings
from ggtui.core.nearness import near_names

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ggtui.config.kinds import Kind

KEYS: Final[Mapping[str, Kind]] = {
    "ctx": kinds.whole(1, LARGEST_CTX),
    "slots": kinds.whole(1, 1_024),
    "kv_unified": kinds.SWITCH,
    "cache_type_k": kinds.KV_TYPE,
    "cache_type_v": kinds.KV_TYPE,
    "gpu_layers": kinds.or_word_auto(kinds.whole(0, 10_000)),
    "flash_attn": kinds.or_word_auto(kinds.SWITCH),
    "threads": kinds.or_word_auto(kinds.whole(1, 4_096)),
    "projector": kinds.SWITCH,
    "template": kinds.TEXT,
    "adapters": adapter_tables.ADAPTERS,
    "stacks": adapter_tables.STACKS,
    "extra_args": kinds.WORDS,
    "keep_alive": kinds.KEEP_ALIVE,
    "pinned": kinds.SWITCH,
}
"""What a model's table may hold; the keys are the fields of ModelSettings."""


def read_models(file: Path) -> dict[str, ModelSettings]:
    """The settings in this file, by public id; none when there is no file.

    Raises: ConfigInvalid, which names file, line or table, and key.
    """
    return models_in(read_text(file), file) if os.path.lexists(file) else {}


def models_in(text: str, file: Path) -> dict[str, ModelSettings]:
    """The settings in this text of the file. Raises: ConfigInvalid."""
    return {name: _table(file, name, value) for name, value in parsed(text, file).items()}


def checked(values: Mapping[str, object], folder: Path, place: str = "") -> ModelSettings:
    """These values as settings, None for not set; they are all that the model has.

    place: what a message begins with, such as the file and the table.
    Raises: ConfigInvalid, which names the key, for a value of its own or one that does not go with others.
    """
    own = ModelSettings(**_each_checked(values, folder, place))
    try:
        adapter_tables.check_together(own.adapters or (), own.stacks or ())
    except Misfit as misfit:
        key = misfit.where.partition("[")[0]
        raise ConfigInvalid(f"{place}{misfit.where}: {misfit.words}", hint=misfit.hint, param=key) from None
    return own


def checked_changes(values: Mapping[str, object], folder: Path) -> dict[str, Any]:
    """Changes to what a model has: each value by itself as it is kept then, None for one that is removed.

    Adapters and stacks are lists of tables as in the file, or the values that were read from it.
    Raises: ConfigInvalid, which names the key.
    """
    return _each_checked(values, folder, "")


def _each_checked(values: Mapping[str, object], folder: Path, place: str) -> dict[str, Any]:
    """Each by its kind; a relative path counts from the folder."""
    read: dict[str, Any] = {key: _value(place, key, raw) for key, raw in values.items()}
    if read.get("template") is not None:
        read["template"] = _template(place, read["template"], folder)
    if read.get("adapters") is not None:
        read["adapters"] = adapter_tables.anchored(read["adapters"], folder)
    return read


def _table(file: Path, name: str, values: object) -> ModelSettings:
    if not isinstance(values, dict):
        hint = 'begin with the model\'s name: ["PUBLIC-ID"]'
        raise ConfigInvalid(f"{file}: {name} stands outside the table of a model", hint=hint, param=name)
    inner = next((key for key, value in values.items() if isinstance(value, dict)), None)
    if inner is not None and inner not in KEYS:
        # TOML reads [llama-3.2] as a table within a table.
        hint = f'put the name of a model in quotes: ["{name}.{inner}"]'
        raise ConfigInvalid(f"{file}: [{name}.{inner}] is no table of a model", hint=hint, param=name)
    return checked(values, file.parent, f'{file}: ["{name}"] ')


def _value(place: str, key: str, raw: object) -> object:
    kind = KEYS.get(key)
    if kind is None:
        nearest = near_names(key, list(KEYS), limit=1)
        hint = f"did you mean {nearest[0]}?" if nearest else f"the keys are {', '.join(KEYS)}"
        raise ConfigInvalid(f"{place}has no key {key}" if place else f"no key {key}", hint=hint, param=key)
    return None if raw is None else value_of(kind, raw, f"{place}{key}", key)


def _template(place: str, text: str, folder: Path) -> str:
    """A path is told from a built-in name by its separator or its ending."""
    if not text.strip():
        raise ConfigInvalid(f"{place}template must name a template or a file", param="template")
    if os.sep not in text and not text.endswith((".jinja", ".jinja2", ".j2")):
        return text.strip()
    return os.path.normpath(folder / os.path.expanduser(text))
