"""The `lora` list of a request: how much of each adapter that its server carries is applied to the answer.

The list is always whole, one entry for each adapter: llama-server takes an empty one for its own scales, and
forgets what a slot has computed only when the list of the request differs from that of the one before.
Source: tools/server/server-context.cpp at 0.94, launch_slot_with_task.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ggtui.core.errors import EndpointNotReady, InvalidRequest
from ggtui.core.routing.adapters import BASE_ALONE, WEIGHT_RULE, is_weight

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ggtui.core.routing.adapters import AdapterStack
    from ggtui.core.routing.endpoints import ModelEndpoint

MAX_ENTRIES: Final = 256
MAX_SCALE: Final = 100.0
"""An answer is noise long before; beyond it the engine's numbers overflow."""
_FORM: Final = 'an entry of lora is {"id": number, "scale": number} or {"name": text, "weight": number}'
_OPENING: Final = re.compile(rb"[ \t\r\n]*\{[ \t\r\n]*")


class AdapterNotCarried(Exception):
    """The server was started without an adapter that the request applies: it was attached since."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True, slots=True)
class OwnEntry:
    """What a client itself wants of one adapter."""

    adapter: int | str
    """The engine's number, or the name."""
    scale: float


@dataclass(frozen=True, slots=True)
class AdapterWish:
    """What a request applies: what its name says, or the client's own list."""

    stack: AdapterStack = BASE_ALONE
    own: tuple[OwnEntry, ...] = ()
    shut: tuple[ModelEndpoint, ...] = ()
    """Endpoints of adapters that serve nobody now: a number in the client's list may mean them."""

    def scales(self, carried: Sequence[str]) -> tuple[float, ...]:
        """The scale of each adapter that a server carries, in their order.

        Raises: AdapterNotCarried; InvalidRequest for a number of the client that no adapter has,
        EndpointNotReady for one of an adapter that serves nobody.
        """
        missing = self.stack.missing(carried)
        if missing is not None:
            raise AdapterNotCarried(missing)
        scales = list(self.stack.scales(carried))
        for entry in self.own:
            place = _place_of(entry.adapter, carried)
            scales[place] = entry.scale
            if entry.scale:
                self._check_open(carried[place])
        return tuple(scales)

    def _check_open(self, name: str) -> None:
        endpoint = next((each for each in self.shut if each.adapter == name), None)
        if endpoint is not None:
            raise EndpointNotReady(endpoint.id, endpoint.status, hint=endpoint.why)


NOTHING: Final = AdapterWish()


def own_entries(value: object) -> tuple[OwnEntry, ...] | None:
    """The client's own `lora` member; None for null, which says nothing, and nothing for the model alone.

    Raises: InvalidRequest.
    """
    if value is None:
        return None
    if not isinstance(value, list):
        raise InvalidRequest(f"lora must be a list; {_FORM}", param="lora")
    if len(value) > MAX_ENTRIES:
        raise InvalidRequest(f"lora has more than {MAX_ENTRIES} entries", param="lora")
    entries = tuple(_own_entry(each) for each in value)
    if len({entry.adapter for entry in entries}) < len(entries):
        raise InvalidRequest("lora names an adapter twice", param="lora")
    return entries


def _own_entry(value: Any) -> OwnEntry:
    keys = set(value) if isinstance(value, dict) else set()
    if keys == {"id", "scale"}:
        number, scale = value["id"], value["scale"]
        if isinstance(number, bool) or not isinstance(number, int):
            raise InvalidRequest("id in lora must be a whole number", param="lora")
        if isinstance(scale, bool) or not isinstance(scale, (int, float)) or not abs(scale) <= MAX_SCALE:
            raise InvalidRequest(
                f"scale in lora must be a number from -{MAX_SCALE:g} to {MAX_SCALE:g}", param="lora"
            )
        return OwnEntry(number, float(scale))
    if keys == {"name", "weight"}:
        name, weight = value["name"], value["weight"]
        if not isinstance(name, str):
            raise InvalidRequest("name in lora must be a text", param="lora")
        if not is_weight(weight):
            raise InvalidRequest(f"weight in lora must be {WEIGHT_RULE}", param="lora")
        return OwnEntry(name, float(weight))
    raise InvalidRequest(_FORM, param="lora")


def _place_of(adapter: int | str, carried: Sequence[str]) -> int:
    if isinstance(adapter, str):
        if adapter not in carried:
            raise AdapterNotCarried(adapter)
        return carried.index(adapter)
    if not 0 <= adapter < len(carried):
        has = ", ".join(f"{number} is {name}" for number, name in enumerate(carried))
        raise InvalidRequest(
            f"lora names the adapter {adapter}, " + (f"but {has}" if has else "but the model has none"),
            param="lora",
        )
    return adapter


def opened(body: bytes | bytearray, scales: tuple[float, ...]) -> tuple[bytes, memoryview]:
    """A JSON object with the whole list at its start, in two pieces: a new start and the old rest.

    The body stays as it is, and none of it is copied.
    """
    opening = _OPENING.match(body)
    rest = memoryview(body)[opening.end() if opening is not None else 0 :]
    start = _start(scales)
    return (start if rest[:1].tobytes() == b"}" else start + b","), rest


@lru_cache(maxsize=64)
def _start(scales: tuple[float, ...]) -> bytes:
    # A server with adapters reuses a prompt only when the request says so: see KEEP_APART in the launcher's
    # flags. A `cache_prompt` of the client comes behind this one, and the last one counts.
    entries = [{"id": number, "scale": scale} for number, scale in enumerate(scales)]
    return b'{"lora":' + msgspec.json.encode(entries) + b',"cache_prompt":true'
