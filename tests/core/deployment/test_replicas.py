"""Which of several servers a request goes to."""

from __future__ import annotations

import pytest

from ggtui.core.deployment.replicas import Replica, ReplicaState, least_loaded

SERVING = ReplicaState.SERVING


@pytest.mark.parametrize(
    ("replicas", "expected"),
    [
        ([], None),
        ([Replica(0), Replica(1, ReplicaState.DRAINING), Replica(2, ReplicaState.FAILED)], None),
        ([Replica(1, SERVING), Replica(0, SERVING)], 0),
        ([Replica(0, SERVING, 2, 4), Replica(1, SERVING, 2, 8)], 1),
        ([Replica(0, SERVING, 2), Replica(1, SERVING, 1)], 1),
        ([Replica(0, ReplicaState.PENDING, 0, 4), Replica(1, SERVING, 4, 4)], 1),
    ],
)
def test_the_least_loaded_that_serves(replicas: list[Replica], expected: int | None) -> None:
    found = least_loaded(replicas)

    assert expected == (found.index if found is not None else None)
