"""What is wrong with declared backends, models and groups."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ggtui.core.backends.backend import Backend, BackendType, Declared, DeclaredModel, Group
from ggtui.core.backends.problems import Problem, is_repository, problems, url_problem

BOX = Backend("box", BackendType.VLLM, "http://box:8000", models=(DeclaredModel("m"),))


def _told(declared: Declared) -> list[tuple[str, int, str, str]]:
    return [(each.table, each.index, each.field, each.text) for each in problems(declared)]


def test_what_can_be_worked_with_has_none() -> None:
    declared = Declared(
        (replace(BOX, groups=("a",)), Backend("home", BackendType.OPENAI), Backend("g", BackendType.GEMINI)),
        (DeclaredModel("m", groups=("a",)), DeclaredModel("o/r:Q8_0", "o/r:Q8_0")),
        (Group("a"),),
    )

    assert [] == problems(declared)
    assert [] == problems(Declared())


@pytest.mark.parametrize(
    ("backend", "field", "text"),
    [
        (replace(BOX, name=" "), "name", "backend name must not be empty"),
        (replace(BOX, name="local"), "name", "'local' is this machine itself"),
        (replace(BOX, base_url=""), "base_url", "is needed where type is vllm"),
        (replace(BOX, base_url="ftp://x"), "base_url", "must be an http or https URL"),
        (replace(BOX, groups=("x", "x")), "groups", "unknown group 'x'"),
        (replace(BOX, models=(DeclaredModel(""),)), "models[0].name", "model name must not be empty"),
        (
            replace(BOX, models=(DeclaredModel("7"),)),
            "models[0].name",
            "model name must not be a number: numbers are those of the catalog",
        ),
        (replace(BOX, models=(DeclaredModel("m", groups=("x",)),)), "models[0].groups", "unknown group 'x'"),
        (replace(BOX, models=(*BOX.models, *BOX.models)), "models[1]", "duplicate model name 'm'"),
        (
            Backend(
                "o",
                BackendType.OLLAMA,
                "http://o",
                models=(DeclaredModel("llama3"), DeclaredModel("library/llama3")),
            ),
            "models[1]",
            "duplicate model name 'llama3:latest'",
        ),
    ],
)
def test_a_backend_tells_what_must_be_put_right(backend: Backend, field: str, text: str) -> None:
    assert [("backend", 0, field, text)] == _told(Declared((backend,)))


@pytest.mark.parametrize(
    ("model", "field", "text"),
    [
        (DeclaredModel("", groups=("a",)), "name", "model name must not be empty"),
        (DeclaredModel("m"), "groups", "is needed where there is no repository"),
        (DeclaredModel("m", groups=("b",)), "groups", "unknown group 'b'"),
        (
            DeclaredModel("m", "no-repository"),
            "repository",
            "must be OWNER/REPO, OWNER/REPO:QUANT or OWNER/REPO/FILE.gguf",
        ),
    ],
)
def test_a_model_tells_what_must_be_put_right(model: DeclaredModel, field: str, text: str) -> None:
    assert [("model", 0, field, text)] == _told(Declared((), (model,), (Group("a"),)))


def test_names_stand_once() -> None:
    models = (
        DeclaredModel("m", "o/r"),
        DeclaredModel("m", "o/r2"),
        DeclaredModel("O/R", "O/R"),
        DeclaredModel("", "o/r3"),
        DeclaredModel("", "o/r4"),
    )
    declared = Declared((BOX, BOX), models, (Group("a"), Group(""), Group("a")))

    assert [
        ("group", 1, "name", "group name must not be empty"),
        ("backend", 1, "name", "duplicate backend name 'box'"),
        ("model", 1, "name", "duplicate model name 'm'"),
        ("model", 2, "repository", "duplicate repository 'O/R'"),
        ("group", 2, "name", "duplicate group name 'a'"),
    ] == _told(declared)


def test_an_unknown_group_may_be_meant_as_another_or_be_declared() -> None:
    backend = replace(BOX, groups=("chta",))

    (near,) = problems(Declared((backend,), (), (Group("chat"),)))
    (far,) = problems(Declared((backend,)))
    assert ("did you mean chat?", 'declare it: [[group]] with name = "chta"') == (near.hint, far.hint)
    assert [] == problems(Declared((backend,)), ["chta"])


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:8000", ""),
        ("https://api.openai.com/v1", ""),
        ("http://[::1]:11434", ""),
        ("box:8000", "must be an http or https URL"),
        ("http://", "must be an http or https URL"),
        ("http://box:99999", "must be an http or https URL"),
        ("http://b ox", "must be an http or https URL"),
        ("http://b..x:8000", "must be an http or https URL"),
        ("http://" + "b" * 64 + ".example", "must be an http or https URL"),
        ("http://bücher.example", ""),
        ("file:///etc/passwd", "must be an http or https URL"),
        ("http://" + "a" * 3000, "must be an http or https URL"),
        ("http://me:hunter2@box", "must hold no user and no password"),
        ("http://hunter2@box", "must hold no user and no password"),
        ("https://box/v1?key=hunter2", "must end before any ? or #"),
        ("https://box/#hunter2", "must end before any ? or #"),
    ],
)
def test_a_base_url_is_of_the_web_and_holds_no_secret(url: str, words: str) -> None:
    told, hint = url_problem(url)

    assert words == told
    assert bool(words) == bool(hint)
    assert "hunter2" not in told + hint


@given(st.text(max_size=40))
def test_any_text_is_judged_as_a_base_url(text: str) -> None:
    words, _ = url_problem(text)

    assert words or text.lower().startswith("http")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("unsloth/Qwen3-8B-GGUF", True),
        ("unsloth/Qwen3-8B-GGUF:Q4_K_M", True),
        ("unsloth/Qwen3-8B-GGUF/sub dir/Qwen3-8B-Q4_K_M.gguf", True),
        ("Qwen3-8B-GGUF", False),
        ("a/b/c", False),
        ("a/b:", False),
        ("a/../b", False),
        ("a/b/../c.gguf", False),
        ("/a/b", False),
        ("hf:a/b", False),
        ("a/b\\c.gguf", False),
        ("a/b/c\n.gguf", False),
        ("", False),
    ],
)
def test_a_repository_has_an_owner_and_a_name(text: str, expected: bool) -> None:
    assert expected is is_repository(text)


def test_a_problem_has_its_place() -> None:
    (found,) = problems(Declared((BOX, replace(BOX, name="two", base_url=""))))

    hint = "such as http://192.168.1.9:8000"
    assert Problem("backend", 1, "base_url", "is needed where type is vllm", hint) == found
