"""The line about adapters keeps to its room and never loses the one that keys change."""

from __future__ import annotations

import pytest

from ggtui.core.routing.adapters import AdapterRef
from ggtui.tui.glyphs import ASCII, UNICODE
from ggtui.tui.panes.lora_line import lora_line

TWO = (AdapterRef("code", 0.8), AdapterRef("chat", 1.0))
MANY = tuple(AdapterRef(f"adapter-{place}", 0.05 * place) for place in range(12))


def text(adapters: tuple[AdapterRef, ...], chosen: str = "", width: int = 36) -> str:
    parts = lora_line(adapters, chosen, width, UNICODE)
    return "".join(part if isinstance(part, str) else part[0] for part in parts).rstrip()


def test_two_fit_the_narrow_pane() -> None:
    assert "lora  code 0.80  chat 1.00" == text(TWO)


def test_the_chosen_one_is_marked() -> None:
    assert "lora  code 0.80 ▸chat 1.00" == text(TWO, "chat")
    assert ("▸chat 1.00", "bold $primary") in lora_line(TWO, "chat", 36, UNICODE)
    assert (">chat 1.00", "bold $primary") in lora_line(TWO, "chat", 36, ASCII)


def test_those_without_room_are_counted() -> None:
    assert "lora  adapter-0 0.00 +11" == text(MANY, width=30)


@pytest.mark.parametrize("width", [25, 30, 36, 44, 60])
@pytest.mark.parametrize("place", range(12))
def test_the_chosen_one_is_always_in_view(width: int, place: int) -> None:
    shown = text(MANY, f"adapter-{place}", width)

    assert f"▸adapter-{place} {0.05 * place:.2f}" in shown
    assert len(shown) <= width


def test_a_long_name_is_cut_and_its_weight_is_not() -> None:
    shown = text((AdapterRef("a" * 64, 0.35), *TWO), "a" * 64)

    assert "… 0.35" in shown
    assert len(shown) <= 36
