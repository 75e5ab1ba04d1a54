"""Keys of backends: what of them a person may see."""

from __future__ import annotations

import pytest

from ggtui.core.deployment.secret import Secret
from ggtui.services.backends.keys import ending_of


@pytest.mark.parametrize(
    ("key", "expected"), [("a" * 8 + "wxyz", "wxyz"), ("a" * 7 + "wxyz", ""), ("", ""), (None, "")]
)
def test_only_a_long_key_shows_its_end(key: str | None, expected: str) -> None:
    assert expected == ending_of(None if key is None else Secret(key))
