"""What there is to know of the names of one model: aliases, the default, adapters, whether it is off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.names_json import aliases_by_id
from ggtui.core.routing.endpoints import EndpointStatus
from ggtui.tui.name_look import stack_words

if TYPE_CHECKING:
    from ggtui.core.routing.endpoints import ModelEndpoint
    from ggtui.core.snapshot import EngineSnapshot

MOST_ENDPOINTS = 8


def endpoints_of(snapshot: EngineSnapshot, public_id: str) -> tuple[ModelEndpoint, ...]:
    """What clients can ask for that this model serves: itself, its adapters, its stacks; by id."""
    return tuple(each for each in snapshot.endpoints if each.base_model == public_id)


def name_facts(snapshot: EngineSnapshot, public_id: str) -> tuple[tuple[str, str], ...]:
    """Name and value, by line; what there is nothing to say of is left out."""
    own = endpoints_of(snapshot, public_id)
    aliases = aliases_by_id(own, snapshot.names)
    alone = next((each for each in own if each.id == public_id), None)
    found = [
        ("status", _status(alone)),
        ("default", _default(own)),
        ("aliases", ", ".join(_aliases(own, aliases, public_id))),
        *(("adapters" if not place else "", words) for place, words in enumerate(_adapters(own))),
    ]
    return tuple(fact for fact in found if fact[1])


def _status(alone: ModelEndpoint | None) -> str:
    is_off = alone is not None and alone.status is EndpointStatus.DISABLED
    return "switched off: it serves nobody; N and then space switches it on" if is_off else ""


def _default(own: tuple[ModelEndpoint, ...]) -> str:
    default = next((each for each in own if each.is_default), None)
    if default is None:
        return ""
    return f"requests that name no model go to {default.id if default.adapter else 'it'}"


def _aliases(own: tuple[ModelEndpoint, ...], aliases: dict[str, list[str]], public_id: str) -> list[str]:
    """`gpt-4`, and `gpt-code (for code)` where it leads to an adapter."""
    return [
        alias if each.id == public_id else f"{alias} (for {each.adapter})"
        for each in own
        for alias in aliases.get(each.id, ())
    ]


def _adapters(own: tuple[ModelEndpoint, ...]) -> list[str]:
    """`code 0.80`, or why one cannot be used."""
    shown = sorted((each for each in own if each.adapter is not None), key=lambda each: len(each.stack) > 1)
    lines = [_adapter_words(each) for each in shown[:MOST_ENDPOINTS]]
    return [*lines, f"and {len(shown) - MOST_ENDPOINTS} more"] if len(shown) > MOST_ENDPOINTS else lines


def _adapter_words(endpoint: ModelEndpoint) -> str:
    names = [each.name for each in endpoint.stack.adapters]
    applied = stack_words(endpoint.stack)
    words = applied if names == [endpoint.adapter] else f"{endpoint.adapter} = {applied}"
    if endpoint.status is EndpointStatus.DISABLED:
        return f"{words}: switched off"
    why = endpoint.why.removeprefix(f"adapter {endpoint.adapter}: ")
    return f"{words}: {why}" if why else words
