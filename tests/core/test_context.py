"""One rule for the context of a request."""

from __future__ import annotations

import pytest

from ggtui.core.context import (
    AUTO_CTX,
    ContextChoice,
    ContextRule,
    advised_context,
    choose_context,
    parse_num_ctx,
)
from ggtui.core.errors import InvalidRequest


@pytest.mark.parametrize(("value", "expected"), [(None, None), (1, 1), (4096, 4096), (2**31 - 1, 2**31 - 1)])
def test_num_ctx_that_is_taken(value: object, expected: int | None) -> None:
    assert expected == parse_num_ctx(value)


@pytest.mark.parametrize("value", [0, -1, 2**31, 10**30, 1.5, "4096", True, [], {}])
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


@pytest.mark.parametrize(
    ("n_ctx_train", "room", "expected"),
    [
        (131_072, 40_000, 32_768),
        (131_072, 20_000, 16_384),
        (131_072, 5_000, 4_096),
        (131_072, 100, 4_096),
        (20_000, 40_000, 20_000),
        (2_048, 40_000, 2_048),
        (None, 10_000, 8_192),
    ],
)
def test_the_advised_context_is_the_largest_round_one_that_fits(
    n_ctx_train: int | None, room: int, expected: int
) -> None:
    assert expected == advised_context(n_ctx_train, lambda n_ctx: n_ctx <= room)


def test_without_a_fixed_default_the_advised_context_counts() -> None:
    assert ContextChoice(16_384, ContextRule.FITS) == choose_context(None, None, AUTO_CTX, 131_072, 16_384)
    assert ContextChoice(4_096, ContextRule.FITS) == choose_context(None, None, AUTO_CTX, 131_072, None)
    assert ContextChoice(512, ContextRule.GLOBAL) == choose_context(None, None, 512, 131_072, 16_384)
    assert ContextChoice(1_024, ContextRule.MODEL) == choose_context(None, 1_024, AUTO_CTX, 131_072, 16_384)
