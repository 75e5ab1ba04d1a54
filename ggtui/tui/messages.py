"""What arrives from the engine, and what several places of the screen want, as messages to the App."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from ggtui.core.snapshot import EngineSnapshot, FailureNote, LogBatch


class SnapshotArrived(Message):
    """The engine's state changed. A burst of them collapses to the newest."""

    def __init__(self, snapshot: EngineSnapshot) -> None:
        super().__init__()
        self.snapshot = snapshot

    def can_replace(self, message: Message) -> bool:
        """Only the newest state matters."""
        return type(message) is type(self)


class LogsArrived(Message):
    """New lines of one server."""

    def __init__(self, batch: LogBatch) -> None:
        super().__init__()
        self.batch = batch


class WeightWanted(Message):
    """More or less of a LoRA adapter, for the requests that follow."""

    def __init__(self, model: str, adapter: str, step: int, exact: float | None = None) -> None:
        """model: public id. step: one up (1) or down (-1). exact: this weight instead, 0 to 1."""
        super().__init__()
        self.model = model
        self.adapter = adapter
        self.step = step
        self.exact = exact


class EngineFailed(Message):
    """The engine could not start."""

    def __init__(self, note: FailureNote) -> None:
        super().__init__()
        self.note = note


class CallAnswered(Message):
    """Something asked of the engine was done, and there is something to say about it."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.words = words


class CallFailed(Message):
    """Something asked of the engine was refused or failed."""

    def __init__(self, note: FailureNote, about: str = "") -> None:
        """about: public id of the model it was asked for; empty for none."""
        super().__init__()
        self.note = note
        self.about = about
