"""One rule for the context of a request."""

from __future__ import annotations

import pytest

from ggtui.core.context import ContextChoice, ContextRule, choose_context, parse_num_ctx
from ggtui.core.errors import InvalidRequest


@pytest.mark.parametrize(("value", "expected"), [(None, None), (1, 1), (4096, 4096)])
def test_num_ctx_that_is_taken(value: object, expected: int | None) -> None:
    assert expected == parse_num_ctx(value)


@pytest.mark.parametrize("value", [0, -1, 1.5, "4096", True, [], {}])
def test_num_ctx_that_is_refused(value: object) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_num_ctx(value)

    assert "num_ctx" == caught.value.param
    assert 400 == caught.value.suggested_status_code


@pytest.mark.parametrize(
    ("requested", "chosen", "trained", "expected"),
    [
        (2048, 8192, 32768, ContextChoice(2048, ContextRule.REQUEST)),
        (65536, None, 32768, ContextChoice(32768, ContextRule.REQUEST)),
        (None, 8192, 32768, ContextChoice(8192, ContextRule.MODEL)),
        (None, None, 32768, ContextChoice(4096, ContextRule.GLOBAL)),
        (None, None, 2048, ContextChoice(2048, ContextRule.GLOBAL)),
        (999_999, None, None, ContextChoice(999_999, ContextRule.REQUEST)),
    ],
)
def test_the_first_that_chooses_wins_and_all_are_clamped(
    requested: int | None, chosen: int | None, trained: int | None, expected: ContextChoice
) -> None:
    assert expected == choose_context(requested, chosen, 4096, trained)
