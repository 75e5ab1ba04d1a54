"""Names from the command line: kept in config.toml, or asked from the running ggtui."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ggtui.core.names_json import endpoints_document
from ggtui.core.routing.adapters import AdapterRef, AdapterStack
from ggtui.core.routing.endpoints import EndpointStatus, ModelEndpoint, ModelId
from ggtui.core.routing.name_settings import NameSettings, Unnamed

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine
    from tests.cli.stub_instance import StubInstance

ALPHA = ModelEndpoint(ModelId("alpha-f32"), "alpha-f32", max_context_length=8192, is_default=True)
CODE = ModelEndpoint(
    ModelId("alpha-f32:code"),
    "alpha-f32",
    adapter="code",
    max_context_length=8192,
    stack=AdapterStack((AdapterRef("code", 0.8),)),
)
BETA = replace(
    ModelEndpoint(ModelId("beta-f32"), "beta-f32"), status=EndpointStatus.ERROR, why="it is cut short"
)
NAMES = NameSettings(
    default="alpha-f32", aliases={"gpt-4": "alpha-f32", "gone": "removed", "beta-f32": "alpha-f32"}
)
TOLD: dict[str, Any] = endpoints_document((ALPHA, CODE, BETA), NAMES)


def _kept(cli: CommandLine) -> dict[str, Any]:
    """What config.toml has."""
    return tomllib.loads((cli.folder / "config.toml").read_text())


# Without a running ggtui


def test_names_lists_what_is_there_without_a_running_ggtui(cli: CommandLine) -> None:
    cli("alias", "gpt-4", "alpha-f32")
    cli("default", "beta-f32")
    cli("disable", "alpha-f32")
    ready, everything = cli("names", "--ctx", "2048"), cli("names", "--all")

    assert [["beta-f32", "ready", "default", "2k", "–", "–"]] == [
        line.split() for line in ready.out.splitlines()[1:]
    ]
    assert "1 not ready; ggtui names --all shows them, and why\n" == ready.err
    assert ["alpha-f32", "disabled", "–"] == everything.out.splitlines()[1].split()[:3]
    assert "gpt-4" == everything.out.splitlines()[1].split()[-1]
    assert "alpha-f32: it is switched off; ggtui enable alpha-f32 switches it on\n" == everything.err


def test_the_context_without_a_choice_is_what_the_memory_holds(cli: CommandLine) -> None:
    endpoints = cli("names", "--json").document["endpoints"]

    assert [("alpha-f32", 4096), ("beta-f32", 4096)] == [
        (each["id"], each["context_window"]) for each in endpoints
    ]


def test_an_alias_is_kept_told_and_removed(cli: CommandLine) -> None:
    made = cli("alias", "gpt-4", "1")
    cli("alias", "mine", "gpt-4")

    assert (0, "gpt-4 leads to alpha-f32\n") == (made.code, made.out)
    assert {"gpt-4": "alpha-f32", "mine": "alpha-f32"} == _kept(cli)["aliases"]
    assert ["gpt-4", "alpha-f32"] == cli("alias", "gpt-4").out.splitlines()[1].split()
    assert ["gpt-4", "mine"] == [line.split()[0] for line in cli("alias").out.splitlines()[1:]]
    assert {"schema": 1, "aliases": _kept(cli)["aliases"]} == cli("alias", "--json").document
    assert "gpt-4 is removed\n" == cli("alias", "gpt-4", "--remove").out
    assert {"mine": "alpha-f32"} == _kept(cli)["aliases"]
    removed = cli("alias", "mine", "--remove", "--json")
    assert {"schema": 1, "aliases": {}} == removed.document


def test_an_alias_that_leads_nowhere_says_so(cli: CommandLine) -> None:
    with (cli.folder / "config.toml").open("a") as stream:
        stream.write('[aliases]\ngone = "removed"\n')

    assert "gone: removed does not exist\n" == cli("alias").err
    assert "the alias leads to removed, which does not exist" in cli("show", "gone").err


def test_the_default_is_chosen_told_and_taken_back(cli: CommandLine) -> None:
    assert "no default: a request that names no model is refused\n" == cli("default").err
    assert "alpha-f32\n" == cli("default", "alpha-f32").out
    assert "alpha-f32" == _kept(cli)["names"]["default"]
    assert {"schema": 1, "default": "alpha-f32", "unnamed": "default"} == cli("default", "--json").document
    assert "" == cli("default", "--none").out
    assert "names" not in _kept(cli)
    with (cli.folder / "config.toml").open("a") as stream:
        stream.write('[names]\nunnamed = "running"\n')
    assert "gets the one that became ready last" in cli("default").err


def test_an_endpoint_is_switched_off_and_on(cli: CommandLine) -> None:
    off = cli("disable", "alpha-f32")

    assert (0, "alpha-f32 is switched off\n", "") == (off.code, off.out, off.err)
    assert ["alpha-f32"] == _kept(cli)["names"]["disabled"]
    assert "disabled" == cli("disable", "alpha-f32", "--json").document["status"]
    assert "alpha-f32 is switched on\n" == cli("enable", "alpha-f32").out
    assert "names" not in _kept(cli)


def test_what_has_gone_can_still_be_switched_on(cli: CommandLine) -> None:
    cli("disable", "alpha-f32")
    (cli.models_dir / "alpha.gguf").unlink()
    answer = cli("enable", "alpha-f32")

    assert (0, "alpha-f32 does not exist\n") == (answer.code, answer.err)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("alias", "42", "alpha-f32"), 2, "all digits"),
        (("alias", "beta-f32", "alpha-f32"), 2, "beta-f32 is the id of an endpoint"),
        (("alias", "gpt-4", "alpha"), 1, "did you mean alpha-f32?"),
        (("alias", "gpt-4", "zzz"), 1, "ggtui names --all lists what there is"),
        (("alias", "gpt-4"), 1, "Alias not found: gpt-4"),
        (("alias", "gpt-4", "--remove"), 1, "Alias not found: gpt-4"),
        (("alias", "--remove"), 2, "ggtui alias NAME --remove"),
        (("alias", "gpt-4", "alpha-f32", "--remove"), 2, "ggtui alias NAME --remove"),
        (("alias", "gpt-4", "alpha-f32", "--read-only"), 2, "--read-only"),
        (("default", "zzz"), 1, "model 'zzz' not found"),
        (("default", "alpha-f32", "--none"), 2, "not both"),
        (("disable", "zzz"), 1, "model 'zzz' not found"),
        (("enable", "zzz"), 1, "model 'zzz' not found"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(
    cli: CommandLine, arguments: tuple[str, ...], code: int, words: str
) -> None:
    before = _kept(cli)
    answer = cli(*arguments)

    assert (code, "") == (answer.code, answer.out)
    assert words in answer.err
    assert before == _kept(cli)


def test_a_failure_is_said_once_and_whole_as_json(cli: CommandLine) -> None:
    assert "ggtui: model 'zzz' not found\n" == cli("default", "zzz").err.splitlines(keepends=True)[0]
    assert "Model not found" == cli("default", "zzz", "--json").document["error"]["title"]


# With a running ggtui


def test_names_of_a_running_ggtui_are_printed_with_what_is_wrong(
    cli: CommandLine, stub: StubInstance
) -> None:
    stub.answer("/ggtui/endpoints", TOLD)
    answer, everything = cli("names"), cli("names", "--all")

    assert [
        ["alpha-f32", "ready", "default", "8k", "–", "gpt-4"],
        ["alpha-f32:code", "ready", "–", "8k", "code", "0.8", "–"],
    ] == [line.split() for line in answer.out.splitlines()[1:]]
    assert [
        "1 not ready; ggtui names --all shows them, and why",
        "the alias gone leads to removed, which does not exist",
        "the alias beta-f32 never counts: it is the id of an endpoint",
    ] == answer.err.splitlines()
    assert "beta-f32: it is cut short" == everything.err.splitlines()[0]
    assert TOLD == cli("names", "--json").document


def test_a_default_that_has_gone_and_no_models_at_all_are_told(cli: CommandLine, stub: StubInstance) -> None:
    stub.answer("/ggtui/endpoints", endpoints_document((), NameSettings(default="away")))

    assert [
        "no models; ggtui ls says where they are looked for",
        "the default, away, does not exist",
    ] == cli("names").err.splitlines()


@pytest.mark.parametrize(
    ("arguments", "path", "wish", "told", "out"),
    [
        (
            ("alias", "gpt-4", "1"),
            "/ggtui/aliases",
            {"alias": "gpt-4", "endpoint": "1"},
            {"schema": 1, "aliases": {"gpt-4": "alpha-f32"}},
            "gpt-4 leads to alpha-f32\n",
        ),
        (
            ("alias", "gpt-4", "--remove"),
            "/ggtui/aliases",
            {"alias": "gpt-4", "endpoint": None},
            {"schema": 1, "aliases": {}},
            "gpt-4 is removed\n",
        ),
        (
            ("default", "gpt-4"),
            "/ggtui/default",
            {"endpoint": "gpt-4"},
            {"schema": 1, "default": "alpha-f32", "unnamed": "default"},
            "alpha-f32\n",
        ),
        (
            ("default", "--none"),
            "/ggtui/default",
            {"endpoint": None},
            {"schema": 1, "default": None, "unnamed": "default"},
            "",
        ),
        (
            ("disable", "gpt-4"),
            "/ggtui/endpoints",
            {"endpoint": "gpt-4", "enabled": False},
            {"schema": 1, "endpoint": "alpha-f32", "enabled": False, "status": "disabled", "why": "off"},
            "alpha-f32 is switched off\n",
        ),
        (
            ("enable", "beta-f32"),
            "/ggtui/endpoints",
            {"endpoint": "beta-f32", "enabled": True},
            {"schema": 1, "endpoint": "beta-f32", "enabled": True, "status": "error", "why": "cut"},
            "beta-f32 is switched on\n",
        ),
    ],
)
def test_a_running_ggtui_changes_its_own_names(
    cli: CommandLine,
    stub: StubInstance,
    arguments: tuple[str, ...],
    path: str,
    wish: dict[str, object],
    told: dict[str, object],
    out: str,
) -> None:
    before = _kept(cli)
    stub.answer("/ggtui/endpoints", TOLD)
    stub.answer(path, {**TOLD, **told})
    answer = cli(*arguments)

    assert (0, out) == (answer.code, answer.out)
    assert ("POST", path, wish) == stub.asked[-1]
    assert before == _kept(cli)


def test_what_a_running_ggtui_refuses_ends_as_without_one(cli: CommandLine, stub: StubInstance) -> None:
    error = {"message": "the alias '42' is all digits", "code": "invalid_configuration", "hint": "no"}
    stub.answer("/ggtui/aliases", {"error": error}, status=400)
    answer = cli("alias", "42", "alpha-f32")

    assert (2, "") == (answer.code, answer.out)
    assert ["ggtui: Configuration is not valid: the alias '42' is all digits", "  no"] == (
        answer.err.splitlines()
    )


def test_without_a_default_what_runs_may_serve(cli: CommandLine, stub: StubInstance) -> None:
    stub.answer("/ggtui/endpoints", endpoints_document((ALPHA,), NameSettings(unnamed=Unnamed.RUNNING)))

    assert "gets the one that became ready last" in cli("default").err
