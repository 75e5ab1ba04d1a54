"""Where a key comes from, and the key itself in a form that no log and no dump shows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Secret:
    """A text that is shown nowhere by itself: who needs it asks for it by name."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __deepcopy__(self, _memo: object) -> Secret:
        return self  # a dump of a configuration copies it, and so holds no text either

    def __reduce__(self) -> str:
        raise TypeError("a secret is not written down")


class SecretSource(StrEnum):
    """Where a key is read from."""

    ENV = "env"
    FILE = "file"
    KEYRING = "keyring"
    INLINE = "inline"
    """It stands in the configuration itself, which is warned of."""


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Names a key without holding it, unless it is written in the configuration."""

    source: SecretSource
    name: str = ""
    """Of the variable, the file or the entry in the keyring; empty for inline."""
    value: Secret | None = None
    """Only for inline."""

    def __post_init__(self) -> None:
        """Raises: ValueError, with a text that never repeats what was given: it may be the key itself."""
        is_inline = self.source is SecretSource.INLINE
        if is_inline and (self.name or self.value is None or not self.value.reveal()):
            raise ValueError("an inline key needs a value and no name")
        if not is_inline and (self.value is not None or not self.name):
            raise ValueError(f"a key from {self.source} needs a name and no value")
        if self.source is SecretSource.ENV and not (self.name.isascii() and self.name.isidentifier()):
            raise ValueError("a key from env needs the name of an environment variable")

    @property
    def described(self) -> str:
        """Where the key comes from, in words."""
        return {
            SecretSource.ENV: f"environment variable {self.name}",
            SecretSource.FILE: f"file {self.name}",
            SecretSource.KEYRING: f"entry {self.name} of the keyring",
            SecretSource.INLINE: "the configuration itself",
        }[self.source]
