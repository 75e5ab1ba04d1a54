"""What `[names]` and `[aliases]` of the configuration file may hold."""

from __future__ import annotations

from typing import Final

from ggtui.config.kinds import Kind, Misfit, shown
from ggtui.core.routing.name_settings import Unnamed, alias_problem, is_endpoint_name

_AN_ID: Final = "the id of a model or another endpoint"


def _id(raw: object) -> str:
    if not isinstance(raw, str) or not is_endpoint_name(raw):
        raise ValueError
    return raw


def _default(raw: object) -> str:
    return "" if raw == "" else _id(raw)


def _disabled(raw: object) -> frozenset[str]:
    if not isinstance(raw, (list, tuple)):
        raise ValueError
    return frozenset(_id(each) for each in raw)


def _aliases(raw: object) -> dict[str, str]:
    if not isinstance(raw, dict):
        raise ValueError
    return {alias: _target(alias, target) for alias, target in raw.items()}


def _target(alias: str, target: object) -> str:
    quoted = repr(alias if len(alias) <= 60 else f"{alias[:59]}…")
    problem = alias_problem(alias)
    if problem:
        raise Misfit(f" {quoted}", problem, "an alias is what clients ask for in place of an id")
    try:
        return _id(target)
    except ValueError:
        # TOML reads gpt-4.1 = "x" as a table called gpt-4.
        inner = next(iter(target), "") if isinstance(target, dict) else ""
        hint = f'put a name with a dot in quotes: "{alias}.{inner}"' if inner else ""
        raise Misfit(f" {quoted}", f"must be {_AN_ID}, not {shown(target)}", hint) from None


DEFAULT: Final = Kind(_AN_ID, _default, _default)
UNNAMED: Final = Kind("one of " + ", ".join(Unnamed), lambda raw: Unnamed(str(raw)), Unnamed)
DISABLED: Final = Kind("a list of ids", _disabled, _disabled)
ALIASES: Final = Kind('a table such as { "gpt-4" = "ID" }', _aliases, _aliases)
