"""LoRA adapters and stacks as a person writes them in models.toml, and every mistake in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ggtui.config.adapter_tables import ADAPTERS, STACKS, anchored
from ggtui.config.model_file import checked, checked_changes, models_in
from ggtui.core.errors import ConfigInvalid
from ggtui.core.model_settings import ModelSettings, plain_value
from ggtui.core.routing.adapters import NAME_RULE, AdapterRef, AdapterStack, AttachedAdapter, NamedStack

if TYPE_CHECKING:
    from pathlib import Path

BOTH = '{ name = "both", adapters = [{ name = "code", weight = 0.8 }, { name = "chat", weight = 0.5 }] }'


def read(folder: Path, text: str) -> ModelSettings:
    return models_in(f'["qwen"]\n{text}\n', folder / "models.toml")["qwen"]


def test_adapters_and_stacks_arrive_as_values_in_their_order(tmp_path: Path) -> None:
    own = read(
        tmp_path,
        'adapters = [{ name = "code", path = "code.gguf", weight = 0.8 }, { name = "chat" }]\n'
        f'stacks = [{BOTH}, {{ name = "one", adapters = [{{ name = "chat" }}], normalise = true }}]',
    )
    parts = AdapterStack((AdapterRef("code", 0.8), AdapterRef("chat", 0.5)))

    assert (AttachedAdapter("code", f"{tmp_path}/code.gguf", 0.8), AttachedAdapter("chat")) == own.adapters
    assert (NamedStack("both", parts), NamedStack("one", AdapterStack().add("chat"), True)) == own.stacks


def test_they_may_be_written_as_tables_of_their_own(tmp_path: Path) -> None:
    own = read(tmp_path, 'ctx = 1\n[["qwen".adapters]]\nname = "code"\nweight = 1')

    assert (AttachedAdapter("code", weight=1.0),) == own.adapters


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("code.gguf", "FOLDER/code.gguf"),
        ("Code.GGUF", "FOLDER/Code.GGUF"),
        ("loras/code", "FOLDER/loras/code"),
        ("../code.gguf", "ABOVE/code.gguf"),
        ("/abs/x.gguf", "/abs/x.gguf"),
        ("~/x.gguf", "HOME/x.gguf"),
        ("~nobody-by-this-name/x.gguf", "FOLDER/~nobody-by-this-name/x.gguf"),
        ("found-lora", "found-lora"),
        (" ", ""),
    ],
)
def test_a_path_is_a_file_by_its_separator_or_ending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, expected: str
) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    folder = tmp_path / "here"
    for short, long in (("FOLDER", str(folder)), ("ABOVE", str(tmp_path)), ("HOME", "/home/somebody")):
        expected = expected.replace(short, long)

    assert (AttachedAdapter("a", expected),) == checked(
        {"adapters": [{"name": "a", "path": path}]}, folder
    ).adapters


WEIGHT = "must be a number from 0 to 1"
SHARED = "adapters and stacks of a model share their names"
PARTS = 'a list such as [{ name = "code", weight = 0.8 }, { name = "chat" }]'
LISTED = 'a list such as [{ name = "code", path = "code.gguf" }]'
OF_A_PATH = "must be the path of a LoRA file or the name of one that was found"
A = 'adapters = [{ name = "a" }]\n'


def stack(parts: str) -> str:
    return f'stacks = [{{ name = "s", adapters = {parts} }}]'


@pytest.mark.parametrize(
    ("text", "detail", "hint"),
    [
        (
            'adapters = [{ name = "a" }, { name = "b", weight = 1.5 }]',
            f"adapters[1].weight {WEIGHT}, not 1.5",
            "",
        ),
        ('adapters = [{ name = "a", weight = true }]', f"adapters[0].weight {WEIGHT}, not True", ""),
        ('adapters = [{ name = "a", weight = nan }]', f"adapters[0].weight {WEIGHT}, not nan", ""),
        ('adapters = [{ name = "a", wieght = 1 }]', "adapters[0] has no key wieght", "did you mean weight?"),
        (
            'adapters = [{ name = "a", zzz = 1 }]',
            "adapters[0] has no key zzz",
            "the keys are name, path, weight",
        ),
        ('adapters = [{ path = "a.gguf" }]', "adapters[0] has no name", f"name is {NAME_RULE}"),
        ('adapters = [{ name = "a:b" }]', f"adapters[0].name must be {NAME_RULE}, not 'a:b'", ""),
        ('adapters = ["a"]', "adapters[0] must be a table with a name, not 'a'", ""),
        ('adapters = "a"', f"adapters must be {LISTED}, not 'a'", ""),
        (
            'adapters = [{ name = "a", path = "x\\u001b" }]',
            f"adapters[0].path {OF_A_PATH}, not 'x\\x1b'",
            "",
        ),
        ('adapters = [{ name = "a" }, { name = "a" }]', "adapters[1].name: a is in use already", SHARED),
        (
            'adapters = [{ name = "s" }]\n' + stack('[{ name = "s" }]'),
            "stacks[0].name: s is in use already",
            SHARED,
        ),
        (
            f'adapters = [{{ name = "code" }}]\nstacks = [{BOTH}]',
            "stacks[0].adapters[1].name: chat is no adapter of the model",
            "the adapters are code",
        ),
        (
            f"stacks = [{BOTH}]",
            "stacks[0].adapters[0].name: code is no adapter of the model",
            "the model has no adapters",
        ),
        (
            A + stack('[{ name = "a" }, { name = "a" }]'),
            "stacks[0].adapters[1].name: a is in this stack already",
            "",
        ),
        (stack("[]"), f"stacks[0].adapters must be {PARTS}, not []", ""),
        ('stacks = [{ name = "s" }]', "stacks[0] has no adapters", f"adapters is {PARTS}"),
        (stack('[{ name = "a", weight = -1 }]'), f"stacks[0].adapters[0].weight {WEIGHT}, not -1", ""),
        (
            stack('[{ name = "a", path = "x" }]'),
            "stacks[0].adapters[0] has no key path",
            "the keys are name, weight",
        ),
        (
            stack('[{ name = "a" }], normalize = true'),
            "stacks[0] has no key normalize",
            "did you mean normalise?",
        ),
        (
            stack('[{ name = "a" }], normalise = 1'),
            "stacks[0].normalise must be true or false, not 1",
            "",
        ),
    ],
)
def test_a_mistake_names_file_table_and_field(tmp_path: Path, text: str, detail: str, hint: str) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        read(tmp_path, text)

    assert (f'{tmp_path / "models.toml"}: ["qwen"] {detail}', hint) == (
        caught.value.detail,
        caught.value.hint,
    )
    assert detail[:6] == str(caught.value.param)[:6]


def test_a_change_of_one_key_needs_not_the_other(tmp_path: Path) -> None:
    stacks = [{"name": "s", "adapters": [{"name": "elsewhere"}]}]
    changes = checked_changes({"stacks": stacks, "adapters": None}, tmp_path)

    assert {"stacks": (NamedStack("s", AdapterStack().add("elsewhere")),), "adapters": None} == changes
    with pytest.raises(ConfigInvalid):
        checked({"stacks": stacks, "adapters": None}, tmp_path)


def test_a_number_too_long_for_a_float_is_no_weight(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="must be a number from 0 to 1, not a int"):
        checked_changes({"adapters": [{"name": "a", "weight": 10**400}]}, tmp_path)


names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,8}", fullmatch=True)
weights = st.floats(0, 1)
refs = st.lists(st.builds(AdapterRef, names, weights), min_size=1, max_size=3).map(tuple)
attached = st.builds(AttachedAdapter, names, st.sampled_from(["", "/l/a.gguf", "found"]), weights)
stacks = st.builds(NamedStack, names, st.builds(AdapterStack, refs), st.booleans())


@given(st.lists(attached, max_size=4), st.lists(stacks, max_size=4))
def test_values_and_their_plain_tables_read_alike(
    adapters: list[AttachedAdapter], named: list[NamedStack]
) -> None:
    for kind, value in ((ADAPTERS, tuple(adapters)), (STACKS, tuple(named))):
        assert value == kind.read(value, is_text=False)
        assert value == kind.read(plain_value(value), is_text=False)


def test_an_absolute_path_stays(tmp_path: Path) -> None:
    once = anchored((AttachedAdapter("a", "x.gguf"),), tmp_path)

    assert once == anchored(once, tmp_path / "other")
