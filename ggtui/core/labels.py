"""What a person calls a model: a name of their own, tags, a favourite's mark."""

from __future__ import annotations

from dataclasses import dataclass

from ggtui.core.errors import InvalidRequest
from ggtui.core.text import plain

LONGEST_NAME = 80
LONGEST_TAG = 32
MOST_TAGS = 16


@dataclass(frozen=True, slots=True)
class Labels:
    """What was given to one model. All text is plain."""

    name: str = ""
    """Shown in place of the file's own name; empty when none was given."""
    tags: tuple[str, ...] = ()
    """Single words in lower case, each once, in the order in which they were given."""
    is_favourite: bool = False


UNLABELLED = Labels()


@dataclass(frozen=True, slots=True)
class LabelChange:
    """What becomes different; None leaves a thing as it is. Made by `label_change`, which checks it."""

    name: str | None = None
    """Empty takes the given name away."""
    tags: tuple[str, ...] | None = None
    """All tags, in place of those there are."""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    is_favourite: bool | None = None

    @property
    def is_nothing(self) -> bool:
        """True when nothing would become different."""
        return self == LabelChange()

    def applied_to(self, labels: Labels) -> Labels:
        """The labels after the change. Raises: InvalidRequest for too many tags."""
        tags = labels.tags if self.tags is None else self.tags
        kept = tuple(dict.fromkeys(tag for tag in (*tags, *self.added) if tag not in self.removed))
        if len(kept) > MOST_TAGS:
            raise InvalidRequest(f"a model has at most {MOST_TAGS} tags", param="tags")
        name = labels.name if self.name is None else self.name
        is_favourite = labels.is_favourite if self.is_favourite is None else self.is_favourite
        return Labels(name, kept, is_favourite)


def label_change(
    *,
    name: str | None = None,
    tags: tuple[str, ...] | None = None,
    added: tuple[str, ...] = (),
    removed: tuple[str, ...] = (),
    is_favourite: bool | None = None,
) -> LabelChange:
    """A change whose texts may come from anywhere.

    Raises: InvalidRequest for a name or a tag that is too long or cannot be shown.
    """
    return LabelChange(
        name=None if name is None else _name(name),
        tags=None if tags is None else tuple(map(tag_of, tags)),
        added=tuple(map(tag_of, added)),
        removed=tuple(map(tag_of, removed)),
        is_favourite=is_favourite,
    )


def typed_tags(text: str) -> tuple[str, ...]:
    """The words of a line such as `coding, #vision`; not checked yet."""
    return tuple(text.replace(",", " ").split())


def tag_of(text: str) -> str:
    """The tag that a person means by `#Coding`. Raises: InvalidRequest."""
    tag = plain(text, LONGEST_TAG * 4).lstrip("#").lower()
    if not tag or len(tag) > LONGEST_TAG or any(sign.isspace() or sign in "#," for sign in tag):
        raise InvalidRequest(f"a tag is one word of at most {LONGEST_TAG} characters", param="tags")
    return tag


def _name(text: str) -> str:
    name = plain(text, LONGEST_NAME * 4)
    if len(name) > LONGEST_NAME:
        raise InvalidRequest(f"a name has at most {LONGEST_NAME} characters", param="name")
    if text.strip() and not name:
        raise InvalidRequest("the name has no character that can be shown", param="name")
    return name
