"""What scripts learn of what was served."""

from __future__ import annotations

import pytest

from ggtui.core.history import Generation
from ggtui.core.snapshot import EngineSnapshot
from tests.proxy.rig import Answer, FakeControl, door, run

GENERATIONS = tuple(
    Generation(number, f"model-{number}", "/models/a.gguf", 4096, 1000.0 + number, "loaded by a person")
    for number in range(40, 8, -1)
)
STATE = EngineSnapshot(3, history=GENERATIONS)


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", list(range(40, 8, -1))),
        ("?n=2", [40, 39]),
        ("?n=0", []),
        ("?n=1000", list(range(40, 8, -1))),
    ],
)
def test_the_newest_come_first_and_no_more_than_are_shown(query: str, numbers: list[int]) -> None:
    async def check() -> None:
        async with door(control=FakeControl(STATE)) as proxy:
            told = Answer.parse(await proxy.ask(proxy.get(f"/ggtui/history{query}"))).json

            assert 1 == told["schema"]
            assert numbers == [each["generation"] for each in told["generations"]]

    run(check())


@pytest.mark.parametrize("n", ["-1", "many", "1.5", "9999999", "%D9%A1"])
def test_another_n_is_refused(n: str) -> None:
    async def check() -> None:
        async with door(control=FakeControl(STATE)) as proxy:
            answer = Answer.parse(await proxy.ask(proxy.get(f"/ggtui/history?n={n}")))

            assert (400, "n") == (answer.status, answer.json["error"]["param"])

    run(check())
