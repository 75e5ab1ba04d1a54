"""`ggtui names`: what clients can ask for, whether it serves, and the other names that lead to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ggtui.cli.exits import ExitCode
from ggtui.cli.names_desk import names_desk
from ggtui.core.names_json import weights_text
from ggtui.core.units import tokens

if TYPE_CHECKING:
    from ggtui.cli.call import Call

HEAD = ("ENDPOINT", "STATUS", "DEFAULT", "CTX", "APPLIES", "ALIASES")
RIGHT = frozenset({3})
READY = "ready"


def run(call: Call) -> ExitCode:
    """Print the endpoints."""
    document = names_desk(call.config).endpoints()
    if call.out.is_json:
        call.out.document(document)
        return ExitCode.DONE
    endpoints = document["endpoints"]
    shown = [each for each in endpoints if call.arguments.all or each["status"] == READY]
    call.out.table(HEAD, [_row(each) for each in shown], RIGHT)
    for remark in _remarks(document, shown):
        call.out.say(remark)
    return ExitCode.DONE


def _row(endpoint: dict[str, Any]) -> tuple[str, ...]:
    return (
        endpoint["id"],
        endpoint["status"],
        "default" if endpoint["is_default"] else "–",
        tokens(endpoint["context_window"]),
        weights_text(endpoint["adapters"]) or "–",
        ", ".join(endpoint["aliases"]) or "–",
    )


def _remarks(document: dict[str, Any], shown: list[dict[str, Any]]) -> list[str]:
    """What a person should know beside the rows, a line each."""
    endpoints = document["endpoints"]
    known = {each["id"] for each in endpoints}
    remarks = [f"{each['id']}: {each['why']}" for each in shown if each["why"]]
    if hidden := len(endpoints) - len(shown):
        remarks.append(f"{hidden} not ready; ggtui names --all shows them, and why")
    if not endpoints:
        remarks.append("no models; ggtui ls says where they are looked for")
    if document["default"] and document["default"] not in known:
        remarks.append(f"the default, {document['default']}, does not exist")
    lost = [f"{alias} leads to {to}" for alias, to in document["aliases"].items() if to not in known]
    remarks += [f"the alias {each}, which does not exist" for each in lost]
    shadowed = [alias for alias in document["aliases"] if alias in known]
    return remarks + [f"the alias {each} never counts: it is the id of an endpoint" for each in shadowed]
