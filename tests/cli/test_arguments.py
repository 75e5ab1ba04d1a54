"""Flags before and after the subcommand mean the same."""

from __future__ import annotations

import pytest

from ggtui.cli.arguments import COMMANDS, flags_of, parse
from ggtui.config.settings import SETTINGS
from ggtui.core.models import KvType


@pytest.mark.parametrize("argv", [["--json", "--port", "81", "ps"], ["ps", "--json", "--port", "81"]])
def test_shared_flags_count_in_both_places(argv: list[str]) -> None:
    parsed = parse(argv)

    assert ("ps", True, "81") == (parsed.command, parsed.json, parsed.port)


def test_the_later_place_wins() -> None:
    assert "2" == parse(["--port", "1", "ps", "--port", "2"]).port


def test_without_flags_no_setting_is_given() -> None:
    assert {None} == set(flags_of(parse([])).values())


def test_every_setting_flag_reaches_its_field() -> None:
    argv = ["--models-dir", "a", "--models-dir", "b", "--host", "h", "--port", "1", "--ctx", "2"]
    argv += ["--llama-server", "s", "--data-dir", "d", "--strategy", "memory"]

    flags = flags_of(parse([*argv, "--read-only", "--ascii", "--no-mouse", "--no-stores"]))

    expected = {
        "models_dirs": ["a", "b"], "host": "h", "port": "1", "n_ctx": "2", "llama_server": "s",
        "strategy": "memory", "data_dir": "d", "read_only": True, "ascii": True, "mouse": False,
        "stores": (),
    }  # fmt: skip
    assert expected == flags


def test_proxy_only_belongs_to_the_screen_and_the_demo() -> None:
    assert [True, True, True, False] == [
        parse(argv).proxy_only
        for argv in (["--proxy-only"], ["demo", "--proxy-only"], ["--proxy-only", "demo"], ["demo"])
    ]


@pytest.mark.parametrize(
    "argv",
    [["nope"], ["load"], ["--por", "1"], ["ps", "x"], ["logs", "-n", "-1"], ["load", "m", "--timeout", "0"]],
)
def test_a_mistake_ends_with_two(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        parse(argv)

    assert 2 == left.value.code
    assert "" == capsys.readouterr().out


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    for name, words in COMMANDS.items():
        with pytest.raises(SystemExit) as left:
            parse([name, "--help"])

        assert 0 == left.value.code
        assert words in capsys.readouterr().out.replace("\n", " ")


def test_every_setting_with_a_flag_can_be_given_by_it() -> None:
    fields = {setting.field for setting in SETTINGS if setting.flag}

    assert fields == set(flags_of(parse([])))


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["load", "m", "--timeout", "soon"], "must be seconds above 0, at most a day, not 'soon'"),
        (["load", "m", "--timeout", "0"], "must be seconds above 0, at most a day, not '0'"),
        (["logs", "-n", "many"], "must be a whole number from 0 to 999999, not 'many'"),
        (["completion", "tcsh"], "must be bash, zsh or fish, not 'tcsh'"),
    ],
)
def test_a_wrong_value_is_told_with_the_right_ones(
    argv: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(argv)

    assert 2 == ended.value.code
    assert capsys.readouterr().err.endswith(f": {words}\n")


@pytest.mark.parametrize(
    "flags", [("--parallel", "0"), ("--parallel", "257"), ("--ctk", "q9"), ("--ctv", ""), ("--ngl", "-1")]
)
def test_an_estimate_of_a_launch_that_cannot_be_is_a_mistake(flags: tuple[str, str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(["estimate", "a", *flags])

    assert 2 == caught.value.code


def test_an_estimate_names_another_launch() -> None:
    own = parse(["estimate", "a", "--parallel", "2", "--ctk", "q8_0", "--ngl", "20"])

    assert (2, KvType.Q8_0, None, 20) == (own.parallel, own.ctk, own.ctv, own.ngl)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["lora", "attach", "--name", "c", "m", "f"], ["attach", "m", "f"]),
        (["lora", "--weight", "0.5", "attach", "m", "--json", "f"], ["attach", "m", "f"]),
        (["lora", "m"], ["m"]),
        (["lora"], []),
        (["lora", "weight", "m", "c", "-1"], ["weight", "m", "c", "-1"]),
    ],
)
def test_flags_may_stand_between_the_words_of_a_command(argv: list[str], words: list[str]) -> None:
    assert words == parse(argv).words


def test_an_alias_and_where_it_leads_may_stand_apart() -> None:
    own = parse(["--json", "alias", "gpt-4", "--ascii", "m"])

    assert ("gpt-4", "m", True, True) == (own.alias, own.endpoint, own.json, own.ascii)
