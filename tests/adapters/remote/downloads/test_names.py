"""Names from outside: what is taken, and what never becomes a path."""

from __future__ import annotations

import pytest

from ggtui.adapters.remote.downloads.names import Wanted, check_path, check_revision, is_commit, is_sha256
from ggtui.core.errors import RemoteRefused


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("o/r", Wanted("o/r")),
        ("hf:o/r", Wanted("o/r")),
        ("o/r:Q4_K_M", Wanted("o/r", "Q4_K_M")),
        ("o/r-GGUF:UD-Q4_K_XL", Wanted("o/r-GGUF", "UD-Q4_K_XL")),
        ("o/r/m.gguf", Wanted("o/r", path="m.gguf")),
        ("o/r/d/a b.GGUF", Wanted("o/r", path="d/a b.GGUF")),
        ("o/r.gguf", Wanted("o/r.gguf")),
    ],
)
def test_what_a_person_may_write(text: str, wanted: Wanted) -> None:
    assert wanted == Wanted.parse(text)


@pytest.mark.parametrize(
    "text",
    ["", "o", "o/", "/r", "o/r:", "o/r/", "o/r/m.bin", "o/r/../m.gguf", "o/r/./m.gguf", "o/r//m.gguf",
     "../r", "o/..", "o/r--s", "o--p/r", "o/r:../x", "o/r/m\x00.gguf", "o/r/m\n.gguf", "o/r/a\\m.gguf",
     "o/r/a\u2044m.gguf", "o/r/a\uff0fm.gguf", "o/r/c:m.gguf", "o/r/\u202em.gguf",
     "o/r/" + "m" * 600 + ".gguf", "o/r/" + "m" * 250 + ".gguf", "o/r/.. /m.gguf", "o/r/\ud800.gguf", "https://hub/o/r"],
)  # fmt: skip
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(RemoteRefused) as caught:
        Wanted.parse(text)
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("path", ["m.gguf", "d/e/m.gguf", "a b@c+d.gguf", "é.gguf", "..m.gguf"])
def test_sound_paths(path: str) -> None:
    check_path(path)


@pytest.mark.parametrize("revision", ["main", "v1.0", "refs/pr/1", "a" * 40])
def test_sound_revisions(revision: str) -> None:
    check_revision(revision)


@pytest.mark.parametrize(
    "revision", ["", "..", "a/../b", "/a", "a/", "a b", "a\x00", "x.lock", "a" * 201, "~"]
)
def test_no_revisions(revision: str) -> None:
    with pytest.raises(RemoteRefused):
        check_revision(revision)


def test_digests() -> None:
    assert is_commit("0" * 40)
    assert is_sha256("f" * 64)
    assert not any(map(is_commit, ["0" * 39, "g" * 40, "0" * 64, "0" * 40 + "\n"]))
    assert not any(map(is_sha256, ["0" * 63, "F" * 64, "sha256:" + "0" * 64, "../" + "0" * 61]))
