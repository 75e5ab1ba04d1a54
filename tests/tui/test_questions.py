"""What is asked before something is lost."""

from __future__ import annotations

from ggtui.core.models import KvType, LaunchOptions
from ggtui.core.state import TargetState
from ggtui.tui.desk import Desk
from ggtui.tui.questions import LARGEST, LOAD, PART, STOP, STOP_NOW, before_load, before_stop
from ggtui.tui.screens.choice import NO, Question
from tests.tui.fake_engine import full, target


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


def fit_question(public_id: str, n_ctx: int, options: LaunchOptions | None = None) -> Question:
    """What is asked before this load, on one free GPU."""
    desk = Desk()
    desk.apply(full())
    status = desk.by_name(public_id)
    assert status is not None
    question = before_load(desk.outlook(status, n_ctx, options))
    assert question is not None
    return question


def test_what_fits_in_part_offers_the_layers_and_says_that_they_are_kept() -> None:
    question = fit_question("llama-3.3-70b-instruct", 8192)

    assert [NO, PART] == [answer.id for answer in question.answers]
    assert "Load partly, 58 of 80 layers on GPU" == question.answers[-1].label
    assert "keeps the number of layers" in question.text


def test_a_context_that_fits_is_offered_before_a_load_in_part() -> None:
    question = fit_question("gemma-3-27b-it", 131072)

    assert [NO, LARGEST, PART] == [answer.id for answer in question.answers]
    assert question.answers[1].label.startswith("Use ")
    assert question.answers[1].label.endswith(", which fits")


def test_what_fits_nowhere_can_only_be_tried() -> None:
    question = fit_question("deepseek-r1-671b", 4096)

    assert [NO, LOAD] == [answer.id for answer in question.answers]


def test_a_launch_that_the_engine_refuses_says_why() -> None:
    refused = LaunchOptions(cache_type_v=KvType.Q8_0, flash_attn=False)

    assert "a V cache of q8_0 needs flash attention" in fit_question("gemma-3-27b-it", 4096, refused).text
