"""What may be an alias or lead somewhere."""

from __future__ import annotations

import pytest

from ggtui.core.errors import ConfigInvalid
from ggtui.core.routing.name_settings import alias_problem, check_alias, check_target, is_endpoint_name


@pytest.mark.parametrize(
    ("alias", "problem"),
    [
        ("gpt-4", ""),
        ("4o", ""),
        ("a" * 512, ""),
        ("", "is empty"),
        (" ", "is empty"),
        ("a" * 513, "is longer than 512 characters"),
        ("a\x00", "has control characters"),
        ("a\nb", "has control characters"),
        ("42", "is all digits, which name a model by its number"),
        ("٤٢", "is all digits, which name a model by its number"),
    ],
)
def test_why_a_text_is_no_alias(alias: str, problem: str) -> None:
    assert problem == alias_problem(alias)


@pytest.mark.parametrize("text", ["", " ", "a" * 513, "a\x1b[0m", None, 5, ["a"]])
def test_what_cannot_be_an_id(text: object) -> None:
    assert not is_endpoint_name(text)
    assert is_endpoint_name("42")


def test_a_check_names_what_is_wrong_without_its_control_characters() -> None:
    with pytest.raises(ConfigInvalid) as alias:
        check_alias("a\x1b[31m\n", "m")
    with pytest.raises(ConfigInvalid) as target:
        check_alias("a", "x\x07")

    assert ("the alias 'a' has control characters", "alias") == (alias.value.detail, alias.value.param)
    assert ("'x' cannot be the id of an endpoint", "endpoint") == (target.value.detail, target.value.param)
    check_alias("a", "b")
    check_target("b")
