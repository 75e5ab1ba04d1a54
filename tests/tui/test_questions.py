"""What is asked before something is lost."""

from __future__ import annotations

from ggtui.core.state import TargetState
from ggtui.tui.questions import STOP, STOP_NOW, before_stop
from ggtui.tui.screens.choice import NO
from tests.tui.fake_engine import target


def test_stopping_asks_whether_to_wait() -> None:
    question = before_stop(target(in_flight=2))

    assert question is not None
    assert [NO, STOP, STOP_NOW] == [answer.id for answer in question.answers]


def test_what_stops_already_can_only_be_cut_off() -> None:
    question = before_stop(target(state=TargetState.DRAINING, in_flight=1))

    assert question is not None
    assert [NO, STOP_NOW] == [answer.id for answer in question.answers]
    assert "1 request in flight" in question.text


def test_nothing_in_flight_asks_nothing() -> None:
    assert before_stop(target()) is None
