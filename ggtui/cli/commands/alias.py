"""`ggtui alias`: other names for endpoints, in config.toml; needs no running ggtui."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ggtui.cli.exits import ExitCode, WrongUse
from ggtui.cli.names_desk import names_desk
from ggtui.core.errors import Failure

if TYPE_CHECKING:
    from ggtui.cli.call import Call
    from ggtui.cli.names_desk import NamesDesk

HEAD = ("ALIAS", "LEADS TO")


class AliasNotFound(Failure):
    """No alias has this name."""

    title = "Alias not found"


def run(call: Call) -> ExitCode:
    """Change one, or print what there is."""
    desk, alias, target = names_desk(call.config), call.arguments.alias, call.arguments.endpoint
    if call.arguments.remove:
        return _remove(call, desk, alias, target)
    if target is None:
        return _print(call, desk.endpoints(), alias)
    document = desk.set_alias(alias, target)
    if call.out.is_json:
        call.out.document(document)
    else:
        call.out.line(f"{alias} leads to {document['aliases'][alias]}")
    return ExitCode.DONE


def _remove(call: Call, desk: NamesDesk, alias: str | None, target: str | None) -> ExitCode:
    if alias is None or target is not None:
        raise WrongUse("--remove takes the alias alone", hint="ggtui alias NAME --remove")
    _check_known(desk.endpoints(), alias)
    document = desk.set_alias(alias, None)
    if call.out.is_json:
        call.out.document(document)
    else:
        call.out.line(f"{alias} is removed")
    return ExitCode.DONE


def _print(call: Call, document: dict[str, Any], alias: str | None) -> ExitCode:
    if alias is not None:
        _check_known(document, alias)
    aliases = {name: to for name, to in document["aliases"].items() if alias in (None, name)}
    if call.out.is_json:
        call.out.document({"schema": 1, "aliases": aliases})
        return ExitCode.DONE
    known = {each["id"] for each in document["endpoints"]}
    call.out.table(HEAD, list(aliases.items()), frozenset())
    for name, target in aliases.items():
        if target not in known:
            call.out.say(f"{name}: {target} does not exist")
    if not aliases:
        call.out.say("no aliases; ggtui alias NAME ENDPOINT makes one")
    return ExitCode.DONE


def _check_known(document: dict[str, Any], alias: str) -> None:
    if alias not in document["aliases"]:
        raise AliasNotFound(alias, hint="ggtui alias lists them; ggtui alias NAME ENDPOINT makes one")
