"""A person's file after ggtui wrote into it: comments, order and all other tables as they were."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ggtui.adapters.settings_file.edit import edited

TEXT = """\
# my models
["first"]  # the fast one
# more would not fit
ctx = 1024 # tried
extra_args = [ # two of them
  "--mlock",
]

# the large one
["second.5"]
slots = 2

# end
"""


def test_a_changed_value_keeps_its_comment_and_a_new_key_stands_beside_the_others() -> None:
    changed = TEXT.replace("ctx = 1024 #", "ctx = 2048 #")
    expected = changed.replace("\n# the large", "slots = 3\n\n# the large")

    assert expected == edited(TEXT, "first", {"ctx": 2048, "slots": 3})


def test_a_removed_key_takes_only_its_line() -> None:
    assert TEXT.replace("ctx = 1024 # tried\n", "") == edited(TEXT, "first", {"ctx": None, "threads": None})


def test_a_new_model_is_added_at_the_end() -> None:
    expected = TEXT + '\n[third]\nextra_args = ["-a", "b\\"c"]\n'

    assert expected == edited(TEXT, "third", {"extra_args": ("-a", 'b"c'), "ctx": None})


def test_an_emptied_table_goes_unless_somebody_commented_it() -> None:
    assert "[b]\nctx = 1\n" == edited("[a]\nctx = 2\n[b]\nctx = 1\n", "a", {"ctx": None})
    assert "[a] # mine\n[b]\nctx = 1\n" == edited("[a] # mine\nctx = 2\n[b]\nctx = 1\n", "a", {"ctx": None})


def test_a_new_file_says_what_it_is() -> None:
    text = edited("", "m", {"ctx": 1})

    assert text.startswith("# Settings of single models")
    assert {"m": {"ctx": 1}} == tomllib.loads(text)
    assert "" == edited("", "m", {"ctx": None})


@pytest.mark.parametrize(
    "text",
    [
        "m = {ctx = 1}\n[n]\nslots = 2\n",
        "m.ctx = 1\nn.slots = 2\n",
        "[m]\nctx = 1\n[n]\nslots = 2",
        '["m"]\nctx=1',
    ],
)
@pytest.mark.parametrize("changes", [{"threads": 3}, {"ctx": 7, "slots": 1}, {"ctx": None}])
def test_other_ways_to_write_a_table_are_edited_too(text: str, changes: dict[str, Any]) -> None:
    before = tomllib.loads(text)
    own = {key: value for key, value in (before["m"] | changes).items() if value is not None}
    after = tomllib.loads(edited(text, "m", changes))

    assert {**before, "m": own} == {"m": {}, **after}


KEYS = st.sampled_from(["ctx", "slots", "threads"])
CHANGES = st.dictionaries(KEYS, st.one_of(st.none(), st.integers(1, 9)), min_size=1)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(["first", "second.5", "third"]), CHANGES), max_size=6))
def test_any_run_of_changes_loses_no_comment_and_no_value(steps: list[tuple[str, dict[str, Any]]]) -> None:
    text, expected = TEXT, tomllib.loads(TEXT)
    for name, changes in steps:
        text = edited(text, name, changes)
        own = expected.setdefault(name, {}) | changes
        expected[name] = {key: value for key, value in own.items() if value is not None}

    found = tomllib.loads(text)
    assert {name: own for name, own in expected.items() if own} == {n: o for n, o in found.items() if o}
    for comment in ("# my models", "# the fast one", "# more would not fit", "# two of them", "# end"):
        assert 1 == text.count(comment)
    # What stands before a table's header still does.
    assert "# the large one\n" in text
    if expected["second.5"]:
        assert '# the large one\n["second.5"]' in text
