"""A request tells through which ggtui it came, and none serves what it asked for itself."""

from __future__ import annotations

import pytest

from ggtui.core.errors import RequestLoop
from ggtui.core.hops import ME, MOST, check_no_loop, come_through, onward

ONE, OTHER = "ggtui-0123456789abcdef", "ggtui-fedcba9876543210"


def via(*values: str) -> list[tuple[bytes, bytes]]:
    return [(b"accept", b"*/*"), *((b"via", each.encode()) for each in values)]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([], ()),
        (via(""), ()),
        (via("1.1 proxy.example (squid)", "1.0 fred, HTTP/1.1 GWA"), ()),
        (via(f"1.1 {ONE}"), (ONE,)),
        (via(f"1.0 fred, 1.1 {ONE} (a comment)", f"1.1 {OTHER}"), (ONE, OTHER)),
        (via(f"1.1 {ONE}0", f"1.1 {ONE.upper()}", "1.1 ggtui-\r\nx: y"), ()),
    ],
)
def test_only_a_ggtui_counts(fields: list[tuple[bytes, bytes]], expected: tuple[str, ...]) -> None:
    assert expected == come_through(fields)


def test_who_is_asked_next_learns_of_all_in_their_order() -> None:
    assert f"1.1 {ME}" == onward()
    assert f"1.1 {ONE}, 1.1 {OTHER}, 1.1 {ME}" == onward(via(f"1.1 {ONE}", f"1.1 fred, 1.1 {OTHER}"))


def test_what_comes_back_is_refused_and_so_is_what_never_ends() -> None:
    check_no_loop(via(*[f"1.1 {ONE}"] * MOST))
    with pytest.raises(RequestLoop):
        check_no_loop(via(f"1.1 {ONE}, 1.1 {ME}"))
    with pytest.raises(RequestLoop):
        check_no_loop(via(*[f"1.1 {ONE}"] * (MOST + 1)))
