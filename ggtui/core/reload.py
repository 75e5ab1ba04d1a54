"""What a reload of the configuration changed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReloadReport:
    """Names of settings, as the configuration file has them."""

    changed: tuple[str, ...] = ()
    """In force now."""
    at_next_start: tuple[str, ...] = ()
    """Different from what runs; they count from the next start of ggtui."""

    @property
    def words(self) -> str:
        """The report in one line."""
        parts = []
        if self.changed:
            parts.append(f"changed: {', '.join(self.changed)}")
        if self.at_next_start:
            parts.append(f"at the next start: {', '.join(self.at_next_start)}")
        return "; ".join(parts) or "nothing changed"
