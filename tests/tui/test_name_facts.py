"""What model info says of the names of a model."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from ggtui.core.routing.adapters import AdapterRef
from ggtui.tui.name_facts import MOST_ENDPOINTS, endpoints_of, name_facts
from tests.tui.fake_engine import full
from tests.tui.fake_names import adapted, named
from tests.tui.stage import on_stage

PHI = "phi-4-mini"


def test_a_model_that_nobody_named_has_nothing_to_tell() -> None:
    assert () == name_facts(named(full()), PHI)


def test_aliases_the_default_and_being_off_are_told() -> None:
    state = named(full(), default=PHI, aliases={"b": PHI, "a": PHI, "x": "gone"}, disabled=frozenset({PHI}))

    assert (
        ("status", "switched off: it serves nobody; N and then space switches it on"),
        ("default", "requests that name no model go to it"),
        ("aliases", "a, b"),
    ) == name_facts(state, PHI)


def test_adapters_are_told_with_weights_and_problems() -> None:
    both = (AdapterRef("code", 0.6), AdapterRef("chat", 0.4))
    told = replace(
        full(), names=replace(full().names, aliases={"gpt-code": f"{PHI}:code"}, default=f"{PHI}:code")
    )
    state = adapted(
        told, PHI, {"code": 0.8, "chat": 1.0}, {"both": both}, {"chat": "its file does not exist"}
    )

    assert (
        ("default", f"requests that name no model go to {PHI}:code"),
        ("aliases", "gpt-code (for code)"),
        ("adapters", "chat 1.00: its file does not exist"),
        ("", "code 0.80"),
        ("", "both = code 0.60 + chat 0.40"),
    ) == name_facts(state, PHI)


def test_a_long_list_is_cut_and_counted() -> None:
    state = adapted(full(), PHI, {f"a{place:02}": 1.0 for place in range(12)})

    assert ("", f"and {12 - MOST_ENDPOINTS} more") == name_facts(state, PHI)[-1]
    assert 13 == len(endpoints_of(state, PHI))


def test_model_info_shows_them_and_follows() -> None:
    state = named(full(), aliases={"gpt-4": PHI})

    async def run() -> None:
        async with on_stage(state, size=(100, 40)) as stage:
            await stage.put_cursor_on(PHI)
            await stage.press("i")
            assert "aliases         gpt-4\n" in "\n".join(
                line.strip("│ ") for line in stage.text.splitlines()
            )
            await stage.publish(adapted(state, PHI, {"code": 0.8}))
            assert "adapters        code 0.80" in stage.text

    asyncio.run(run())
