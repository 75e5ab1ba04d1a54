"""What should be on each backend."""

from __future__ import annotations

from dataclasses import replace

from ggtui.core.backends.backend import (
    Backend,
    BackendType,
    Capability,
    Declared,
    DeclaredModel,
    Group,
)
from ggtui.core.backends.wanted import asked, on_this_disk, wanted

CHAT = frozenset({Capability.CHAT})
LLAMA = DeclaredModel("llama3", groups=("a",))
QWEN = DeclaredModel("qwen3", groups=("b", "a"))
ON_DISK = DeclaredModel("mine", "org/repo:Q4_K_M", groups=("a",))
OWN = DeclaredModel("own")
BOX = Backend("box", BackendType.OLLAMA, "http://box", groups=("a",), models=(OWN,))
ALONE = Backend("alone", BackendType.VLLM, "http://alone", models=(OWN,))
GROUPS = (Group("a"), Group("b"))


def _names(declared: Declared, backend: Backend) -> list[str]:
    return [each.name for each in wanted(declared, backend)]


def test_without_groups_a_backend_should_have_its_own_models() -> None:
    declared = Declared((BOX, ALONE), (LLAMA, ON_DISK))

    assert (BOX, ALONE) == asked(declared)
    assert ["own"] == _names(declared, BOX)


def test_with_groups_also_those_that_share_one() -> None:
    declared = Declared((BOX, ALONE), (LLAMA, QWEN, DeclaredModel("nowhere"), ON_DISK), GROUPS)

    assert ["own", "llama3", "qwen3"] == _names(declared, BOX)
    assert ["llama3", "qwen3"] == _names(declared, replace(BOX, models=()))
    assert ["qwen3"] == _names(declared, replace(BOX, models=(), groups=("b",)))


def test_a_backend_without_a_group_is_not_asked_where_groups_count() -> None:
    declared = Declared((BOX, ALONE), (LLAMA,), GROUPS)

    assert (BOX,) == asked(declared)
    assert [] == _names(declared, ALONE)


def test_a_model_of_a_backend_has_its_groups_unless_it_has_some_of_its_own() -> None:
    strange = DeclaredModel("strange", groups=("b",))
    declared = Declared((replace(BOX, models=(OWN, strange)),), (), GROUPS)

    (found,) = wanted(declared, declared.backends[0])
    assert ("own", ("a",)) == (found.name, found.groups)


def test_what_shares_two_groups_is_there_once() -> None:
    both = replace(BOX, groups=("a", "b"), models=())
    (found,) = wanted(Declared((both,), (QWEN,), GROUPS), both)

    assert ("b", "a") == found.groups


def test_a_model_that_is_declared_twice_is_one_and_its_own_words_go_first() -> None:
    own = DeclaredModel("llama3:latest", context_length=4096)
    box = replace(BOX, models=(own,))
    common = replace(LLAMA, capabilities=CHAT, context_length=8192)

    assert (DeclaredModel("llama3:latest", "", ("a",), CHAT, 4096),) == wanted(
        Declared((box,), (common,), GROUPS), box
    )


def test_tags_keep_models_apart() -> None:
    box = replace(BOX, models=(DeclaredModel("qwen:0.5b"), DeclaredModel("qwen:7b"), DeclaredModel("qwen")))

    assert ["qwen:0.5b", "qwen:7b", "qwen"] == _names(Declared((box,)), box)


def test_a_repository_is_for_this_disk_alone() -> None:
    declared = Declared((BOX,), (LLAMA, ON_DISK), GROUPS)

    assert (ON_DISK,) == on_this_disk(declared)
    assert "mine" not in _names(declared, BOX)
