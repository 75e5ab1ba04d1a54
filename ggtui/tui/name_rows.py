"""What clients can ask for, as rows: every endpoint, and each name that leads nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from ggtui.core.names_json import aliases_by_id
from ggtui.core.routing.endpoints import EndpointStatus
from ggtui.tui.glyphs import ENDPOINTS
from ggtui.tui.reasons import READ_ONLY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ggtui.core.routing.endpoints import ModelEndpoint
    from ggtui.core.snapshot import EngineSnapshot

NO_NAME = "(no name)"
"""What requests that name no model ask for."""


class Kind(StrEnum):
    """What a row is about."""

    ENDPOINT = "endpoint"
    ALIAS = "alias"
    """An alias that leads to no endpoint, or that an id of the same text hides."""
    DEFAULT = "default"
    """A default that does not exist."""
    SWITCHED_OFF = "switched off"
    """An id that is switched off and does not exist."""


@dataclass(frozen=True, slots=True)
class NameRow:
    """One line of the list of names."""

    kind: Kind
    name: str
    """The id of the endpoint, or the alias."""
    endpoint: ModelEndpoint | None = None
    aliases: tuple[str, ...] = ()
    """Those that lead to it; of an alias that leads nowhere, itself."""
    target: str = ""
    """Where an alias was meant to lead."""
    why: str = ""
    """Why it serves nobody, one sentence; empty when it does."""

    @property
    def key(self) -> str:
        """Which row it is."""
        return f"{self.kind} {self.name}"

    @property
    def is_heading(self) -> bool:
        """The cursor stands on every row."""
        return False

    @property
    def is_default(self) -> bool:
        """True when requests that name no model are meant to be served by it."""
        return self.kind is Kind.DEFAULT or (self.endpoint is not None and self.endpoint.is_default)

    @property
    def is_off(self) -> bool:
        """True when a person switched it off."""
        if self.endpoint is None:
            return self.kind is Kind.SWITCHED_OFF
        return self.endpoint.status is EndpointStatus.DISABLED

    @property
    def answers_to(self) -> tuple[str, ...]:
        """What reaches it beside its id."""
        return ((NO_NAME,) if self.is_default else ()) + self.aliases


def key_of(endpoint_id: str) -> str:
    """The key of the row of an endpoint."""
    return NameRow(Kind.ENDPOINT, endpoint_id).key


def name_rows(snapshot: EngineSnapshot, words: str = "") -> tuple[NameRow, ...]:
    """What leads nowhere first, then every endpoint by id; of those the ones that hold every word."""
    aliases = aliases_by_id(snapshot.endpoints, snapshot.names)
    rows = [*_loose_rows(snapshot), *(_row(each, aliases.get(each.id, ())) for each in snapshot.endpoints)]
    wanted = words.lower().split()
    return tuple(row for row in rows if _holds(row, wanted)) if wanted else tuple(rows)


def _row(endpoint: ModelEndpoint, aliases: Iterable[str]) -> NameRow:
    why = "it is switched off; space switches it on"
    if endpoint.status is not EndpointStatus.DISABLED:
        why = endpoint.why
    return NameRow(Kind.ENDPOINT, str(endpoint.id), endpoint, tuple(aliases), why=why)


def _loose_rows(snapshot: EngineSnapshot) -> list[NameRow]:
    """Names that a person gave and that lead nowhere now."""
    ids, names = {str(each.id) for each in snapshot.endpoints}, snapshot.names
    rows = []
    if names.default and names.default not in ids:
        why = "the default does not exist: requests that name no model are refused"
        rows.append(NameRow(Kind.DEFAULT, names.default, why=why))
    for alias, target in sorted(names.aliases.items()):
        if alias in ids:
            why = "an endpoint has this very id: the alias never counts"
            rows.append(NameRow(Kind.ALIAS, alias, None, (alias,), target, why))
        elif target not in ids:
            why = f"{target} does not exist: who asks for {alias} is refused"
            rows.append(NameRow(Kind.ALIAS, alias, None, (alias,), target, why))
    gone = "it is switched off, and does not exist"
    return [*rows, *(NameRow(Kind.SWITCHED_OFF, name, why=gone) for name in sorted(names.disabled - ids))]


def _holds(row: NameRow, wanted: Iterable[str]) -> bool:
    status = status_of(row)[1]
    shown = row.endpoint.display_name if row.endpoint is not None else ""
    text = " ".join((row.name, shown, row.target, status, *row.answers_to)).lower()
    return all(word in text for word in wanted)


def status_of(row: NameRow) -> tuple[EndpointStatus, str, str]:
    """Status, its word, its colour."""
    if row.endpoint is None:
        look = ENDPOINTS[EndpointStatus.ERROR]
        return EndpointStatus.ERROR, str(row.kind) if row.kind is not Kind.SWITCHED_OFF else "off", look.style
    look = ENDPOINTS[row.endpoint.status]
    return row.endpoint.status, look.word, look.style


def why_not(row: NameRow | None, binding_id: str, *, is_read_only: bool) -> str | None:
    """Why this key can do nothing to this row; empty when it can, None for a key of another place."""
    if binding_id not in ("alias", "unalias", "make-default", "switch", "show-model"):
        return None
    if row is None:
        return "no name under the cursor"
    if binding_id == "show-model":
        return "" if row.endpoint is not None else f"{row.name} is no model"
    if is_read_only:
        return READ_ONLY
    return _why_not_change(row, binding_id)


def _why_not_change(row: NameRow, binding_id: str) -> str:
    if binding_id == "unalias":
        return "" if row.aliases else f"{row.name} has no alias"
    can = {
        "alias": row.endpoint is not None,
        "make-default": row.endpoint is not None or row.kind is Kind.DEFAULT,
        "switch": row.endpoint is not None or row.kind is Kind.SWITCHED_OFF,
    }
    return "" if can[binding_id] else f"there is no endpoint {row.target or row.name}"


def summary(snapshot: EngineSnapshot, n_shown: int, words: str) -> str:
    """`41 endpoints · 3 aliases`, for the lower edge of the frame."""
    count = len(snapshot.endpoints)
    noun = "endpoint" if count == 1 else "endpoints"
    n_aliases = len(snapshot.names.aliases)
    aliases = f" · {n_aliases} alias{'es' * (n_aliases != 1)}" if n_aliases else ""
    shown = f"{n_shown} of " if words else ""
    return f"{shown}{count} {noun}{aliases}"
