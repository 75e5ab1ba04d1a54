"""What `ggtui show` tells of the names that lead to a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.names_json import aliases_by_id, endpoint_document
from ggtui.core.routing.endpoints import EndpointStatus

if TYPE_CHECKING:
    from ggtui.cli.shelf import Shelf
    from ggtui.core.routing.endpoints import ModelEndpoint


def name_facts(shelf: Shelf, public_id: str) -> list[tuple[str, str]]:
    """Lines about one model: what it is called by, what it applies; none about what there is not."""
    endpoints = shelf.endpoints_of(public_id)
    aliases = aliases_by_id(shelf.router.registry.all_endpoints, shelf.names)
    own = [_led_to(alias, each) for each in endpoints for alias in aliases.get(each.id, ())]
    defaults = [str(each.id) for each in endpoints if each.is_default]
    switched_off = [str(each.id) for each in endpoints if each.status is EndpointStatus.DISABLED]
    facts = [
        ("aliases", ", ".join(own)),
        ("adapters", ", ".join(_with_adapter(each) for each in endpoints if each.adapter is not None)),
        ("default", f"{', '.join(defaults)} serves requests that name no model" if defaults else ""),
        ("switched off", ", ".join(switched_off)),
    ]
    return [(name, words) for name, words in facts if words]


def name_documents(shelf: Shelf, public_id: str) -> dict[str, object]:
    """The same in plain JSON values: the endpoints of one model, each with its aliases."""
    aliases = aliases_by_id(shelf.router.registry.all_endpoints, shelf.names)
    endpoints = shelf.endpoints_of(public_id)
    return {"endpoints": [endpoint_document(each, aliases.get(each.id, ())) for each in endpoints]}


def _led_to(alias: str, endpoint: ModelEndpoint) -> str:
    """An alias, and what it adds to the model."""
    return alias if endpoint.adapter is None else f"{alias} ({endpoint.adapter})"


def _with_adapter(endpoint: ModelEndpoint) -> str:
    """`code 0.8`, `both (code + chat)`, or what is wrong with it."""
    parts = endpoint.stack.adapters
    if endpoint.status is EndpointStatus.ERROR:
        return f"{endpoint.adapter} ({endpoint.why.removeprefix(f'adapter {endpoint.adapter}: ')})"
    if [each.name for each in parts] == [endpoint.adapter]:
        return f"{endpoint.adapter} {parts[0].weight:g}"
    return f"{endpoint.adapter} ({' + '.join(each.name for each in parts)})"
