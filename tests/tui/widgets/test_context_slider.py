"""The slider's track: where the thumb stands and what a click means."""

from __future__ import annotations

from ggtui.tui.glyphs import ASCII, UNICODE
from ggtui.tui.widgets.context_slider import Track

K = 1024


def drawn(track: Track, width: int = 31) -> str:
    return "".join(text for text, _ in track.draw(width, UNICODE))


def test_thumb_before_the_limit() -> None:
    expected = "━" * 21 + "●" + "━" * 5 + "╎" + "─" * 3

    assert expected == drawn(Track(32 * K, 128 * K, 73 * K))


def test_thumb_past_the_limit_is_the_verdict_changing() -> None:
    text = drawn(Track(96 * K, 128 * K, 32 * K))

    assert text.index("╎") < text.index("●")
    assert "━" not in text[text.index("╎") :]


def test_nothing_fits() -> None:
    assert "━" not in drawn(Track(4 * K, 128 * K, None))


def test_everything_fits_needs_no_mark() -> None:
    assert "╎" not in drawn(Track(4 * K, 8 * K, 8 * K))


def test_a_model_with_one_stop() -> None:
    assert drawn(Track(512, 512, 512), 5).startswith("●")


def test_a_click_sets_the_nearest_stop() -> None:
    track = Track(4 * K, 128 * K, 64 * K)

    assert [K, 128 * K] == [track.stop_at(0, 31), track.stop_at(30, 31)]
    assert 32 * K == track.stop_at(track.cell(32 * K, 31), 31)


def test_ascii_twin() -> None:
    text = "".join(text for text, _ in Track(4 * K, 128 * K, 64 * K).draw(31, ASCII))

    assert set("=O|-") == set(text)
