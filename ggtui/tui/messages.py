"""What arrives from the engine, as messages to the App. A burst of snapshots collapses to the newest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from ggtui.core.snapshot import EngineSnapshot, FailureNote, LogBatch


class SnapshotArrived(Message):
    """The engine's state changed."""

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
