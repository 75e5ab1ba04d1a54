"""A probe that reads what it was told."""

from __future__ import annotations

from dataclasses import dataclass, field

from ggtui.core.ports.gpu import MemoryReading


@dataclass(slots=True)
class MemoryProbe:
    """Gives `reading`, which may be set at any time."""

    reading: MemoryReading = field(default_factory=MemoryReading)
    asked_pids: list[frozenset[int]] = field(default_factory=list)
    """What each sample asked for, oldest first."""
    is_closed: bool = False

    async def sample(self, pids: frozenset[int] = frozenset()) -> MemoryReading:
        """The reading as it is set now."""
        self.asked_pids.append(pids)
        return self.reading

    async def close(self) -> None:
        """Remember that it was closed."""
        self.is_closed = True
