"""Hyper-parameters of real models, as their publishers give them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.golden.header_file import Keys


def published(architecture: str) -> Iterator[tuple[str, Keys]]:
    """(name, keys) of each real model of this architecture."""
    yield from ()
