"""The screen of names, typed as a person would."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ggtui.core.errors import StoreUnavailable
from ggtui.tui.screens.alias import AliasScreen
from ggtui.tui.screens.choice import ChoiceScreen
from ggtui.tui.screens.main import MainScreen
from ggtui.tui.screens.names import NamesScreen
from tests.tui.fake_engine import full, model
from tests.tui.fake_names import adapted, named
from tests.tui.stage import on_stage

if TYPE_CHECKING:
    from tests.tui.stage import Stage

GEMMA, PHI = "gemma-3-27b-it", "phi-4-mini"
ALIASES = {"gpt-4": GEMMA, "gpt-4o": GEMMA, "old": "gone-7b"}


def asked(stage: Stage, what: str) -> list[tuple[object, ...]]:
    return [call[1:] for call in stage.calls if call[0] == what]


def screen(stage: Stage) -> NamesScreen:
    assert isinstance(stage.app.screen, NamesScreen)
    return stage.app.screen


def here(stage: Stage) -> str:
    row = screen(stage).row
    return row.name if row is not None else ""


@pytest.mark.parametrize("keys", [("N",), ("i", "N")])
def test_n_opens_the_names_at_the_model_under_the_cursor(keys: tuple[str, ...]) -> None:
    async def run() -> None:
        async with on_stage(named(full(), aliases=ALIASES)) as stage:
            await stage.put_cursor_on(GEMMA)
            await stage.press(*keys)
            assert GEMMA == here(stage)
            assert f"✓ ready  {GEMMA}" in stage.text
            assert "answers to  gpt-4, gpt-4o" in stage.text
            await stage.press("escape")
            assert not isinstance(stage.app.screen, NamesScreen)

    asyncio.run(run())


def test_an_alias_is_typed_and_shown() -> None:
    async def run() -> None:
        async with on_stage(named(full(), aliases={"claude": GEMMA})) as stage:
            await stage.put_cursor_on(PHI)
            await stage.press("N", "a", *"claude", "enter")
            await stage.until(lambda: "claude" in stage.said)

            assert [("claude", PHI)] == asked(stage, "set_alias")
            assert f"claude leads to {PHI} now, no longer to {GEMMA}" == stage.said
            assert "answers to  claude" in stage.text

    asyncio.run(run())


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("42", "the alias is all digits"),
        (" ", "the alias is empty"),
        (GEMMA, f"{GEMMA} is an id itself"),
    ],
)
def test_what_cannot_be_an_alias_says_why(typed: str, expected: str) -> None:
    async def run() -> None:
        async with on_stage(named(full())) as stage:
            await stage.put_cursor_on(PHI)
            await stage.press("N", "a", *("space" if sign == " " else sign for sign in typed), "enter")

            assert isinstance(stage.app.screen, AliasScreen)
            assert expected in stage.text
            assert [] == asked(stage, "set_alias")

    asyncio.run(run())


@pytest.mark.parametrize("key", ["backspace", "delete"])
def test_of_several_aliases_one_is_chosen_and_no_has_the_focus(key: str) -> None:
    async def run() -> None:
        async with on_stage(named(full(), aliases=ALIASES)) as stage:
            await stage.put_cursor_on(GEMMA)
            await stage.press("N", key)
            assert isinstance(stage.app.screen, ChoiceScreen)
            await stage.press("enter")
            assert [] == asked(stage, "set_alias")
            await stage.press(key, "down", "down", "enter")

            assert [("gpt-4o", None)] == asked(stage, "set_alias")
            assert "answers to  gpt-4\n" in f"{stage.text}\n"

    asyncio.run(run())


def test_an_alias_that_leads_nowhere_is_shown_and_can_go() -> None:
    async def run() -> None:
        async with on_stage(named(full(), aliases=ALIASES), size=(140, 40)) as stage:
            await stage.press("N", "g")
            assert "old" == here(stage)
            assert "gone-7b does not exist: who asks for old is refused" in stage.text
            await stage.press("backspace", "down", "enter")

            assert [("old", None)] == asked(stage, "set_alias")
            assert "gone-7b" not in stage.text

    asyncio.run(run())


def test_m_makes_the_default_and_again_none() -> None:
    async def run() -> None:
        async with on_stage(named(full())) as stage:
            await stage.put_cursor_on(PHI)
            await stage.press("N", "m")
            assert "✓ » phi-4-mini" in stage.text
            await stage.until(lambda: f"requests that name no model go to {PHI} now" == stage.said)
            await stage.press("m")
            assert "»" not in stage.text
            assert [(PHI,), (None,)] == asked(stage, "set_default")

    asyncio.run(run())


def test_space_switches_off_and_on() -> None:
    async def run() -> None:
        async with on_stage(named(full())) as stage:
            await stage.put_cursor_on(PHI)
            await stage.press("N", "space")
            assert f"○ off  {PHI}  it is switched off; space switches it on" in stage.text
            await stage.press("space")
            assert f"✓ ready  {PHI}" in stage.text
            assert [(PHI, False), (PHI, True)] == asked(stage, "set_enabled")

    asyncio.run(run())


def test_the_filter_composes_with_changes_and_esc_clears_it_first() -> None:
    async def run() -> None:
        async with on_stage(named(full(), aliases=ALIASES)) as stage:
            await stage.put_cursor_on(GEMMA)
            await stage.press("N", "slash", *"gpt", "enter")
            assert [GEMMA] == [row.name for row in screen(stage).list.entries]
            assert "1 of 10 endpoints" in stage.text
            await stage.press("space")
            assert [(GEMMA, False)] == asked(stage, "set_enabled")
            await stage.press("slash", *"xyz", "enter")
            assert '0 of 10 match "gptxyz"' in stage.text
            await stage.press("escape")
            assert 11 == len(screen(stage).list.entries)
            assert GEMMA == here(stage)
            await stage.press("escape")
            assert isinstance(stage.app.screen, MainScreen)

    asyncio.run(run())


def test_enter_leads_to_the_model_in_the_catalog() -> None:
    async def run() -> None:
        async with on_stage(adapted(named(full()), PHI, {"code": 0.8})) as stage:
            await stage.press("N", "slash", *"mini:code", "enter", "enter")

            assert isinstance(stage.app.screen, MainScreen)
            assert stage.app.desk.selected is not None
            assert PHI == stage.app.desk.selected.summary.public_id

    asyncio.run(run())


@pytest.mark.parametrize("key", ["a", "backspace", "m", "space"])
def test_a_read_only_ggtui_says_so_and_changes_nothing(key: str) -> None:
    async def run() -> None:
        async with on_stage(named(full(is_read_only=True), aliases=ALIASES)) as stage:
            await stage.put_cursor_on(GEMMA)
            await stage.press("N", key)

            assert "this ggtui is read-only" == stage.said
            assert [] == stage.calls
            assert isinstance(stage.app.screen, NamesScreen)

    asyncio.run(run())


def test_a_key_that_does_nothing_to_a_row_says_why() -> None:
    async def run() -> None:
        async with on_stage(named(full())) as stage:
            await stage.put_cursor_on(PHI)
            await stage.press("N", "backspace")

            assert f"{PHI} has no alias" == stage.said
            assert f"{PHI} has no alias" == stage.app.why_not("unalias")
            assert "" == stage.app.why_not("alias")

    asyncio.run(run())


def test_a_refused_change_is_told_and_leaves_the_list() -> None:
    async def run() -> None:
        async with on_stage(named(full())) as stage:
            await stage.put_cursor_on(PHI)
            await stage.press("N")
            stage.engine.control.failure = StoreUnavailable("config.toml cannot be written")
            await stage.press("m")
            await stage.until(lambda: bool(stage.said))

            assert "config.toml cannot be written" in stage.said
            assert "»" not in stage.text

    asyncio.run(run())


def test_the_cursor_stays_when_models_come() -> None:
    async def run() -> None:
        async with on_stage(named(full())) as stage:
            await stage.put_cursor_on(PHI)
            await stage.press("N")
            more = replace(full().models[0], summary=model(99, "aaa-first", 1.0))
            await stage.publish(named(full(models=(more, *full().models))))

            assert PHI == here(stage)
            assert "11 endpoints" in stage.text

    asyncio.run(run())


def test_the_name_under_the_cursor_is_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []

    async def run() -> None:
        async with on_stage(adapted(named(full()), PHI, {"code": 0.8})) as stage:
            monkeypatch.setattr(stage.app.intents, "copy", lambda text, what: copied.append(text))
            await stage.put_cursor_on(PHI)
            await stage.press("N", "j", "y", "escape", "Y")
            assert f"name {PHI}:code" in stage.text
            names = [each.label for each in stage.app.screen.question.answers]  # type: ignore[attr-defined]
            await stage.press(*["down"] * names.index(f"name {PHI}:code"), "enter")

    asyncio.run(run())

    assert [f"{PHI}:code", f"{PHI}:code"] == copied


def test_without_a_model_the_list_says_so() -> None:
    async def run() -> None:
        async with on_stage(full(models=())) as stage:
            await stage.press("N")

            assert "no model yet, so there is nothing to ask for" in stage.text
            await stage.press("a", "enter", "backspace")
            assert "no name under the cursor" == stage.said

    asyncio.run(run())
