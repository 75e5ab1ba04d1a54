"""How many connections are let in."""

from __future__ import annotations

import os

import pytest

from ggtui.proxy.descriptors import connection_cap


@pytest.mark.skipif(os.name != "posix", reason="RLIMIT_NOFILE")
def test_the_cap_leaves_descriptors_for_the_rest() -> None:
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)

    assert 100 == connection_cap(100)
    assert connection_cap(10**9) <= max(8, soft // 2)
