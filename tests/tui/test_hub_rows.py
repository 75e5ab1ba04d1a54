"""What the hub has, as rows: repositories, and quantisations with their verdicts as they come."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.cells import cell_len

from ggtui.core.downloads.jobs import JobState
from ggtui.core.forecast import Verdict
from ggtui.tui.desk import Desk
from ggtui.tui.format import Part, fit_line
from ggtui.tui.glyphs import ASCII, UNICODE
from ggtui.tui.hub_rows import (
    HitRow,
    OfferRow,
    Reading,
    hit_about,
    hit_heads,
    hit_parts,
    offer_about,
    offer_heads,
    offer_parts,
    offers_summary,
)
from ggtui.tui.hub_verdicts import forecast_of_offer
from tests.tui.fake_engine import full, model
from tests.tui.fake_fetching import HITS, OFFERS, jobs, offer

DESK = Desk()
DESK.apply(full())
SMALL, LARGE = model(0, "small", 5.0), model(0, "large", 132.8)
WIDTHS = [37, 57, 58, 77, 97, 137]


def _text(parts: list[Part]) -> str:
    return "".join(part if isinstance(part, str) else part[0] for part in parts)


def _read(row: OfferRow, n_ctx: int | None = None) -> OfferRow:
    assert row.summary is not None
    return replace(row, reading=Reading.DONE, ahead=forecast_of_offer(DESK, row.summary, n_ctx))


FITS = _read(OfferRow(OFFERS[1], summary=SMALL))
TOO_LARGE = _read(OfferRow(OFFERS[4], summary=LARGE))
UNREAD = OfferRow(OFFERS[2])
FAILED = OfferRow(OFFERS[5], Reading.FAILED, why="cdn.example does not answer; try again")
EVERY = (
    FITS,
    TOO_LARGE,
    UNREAD,
    FAILED,
    replace(UNREAD, reading=Reading.NOW),
    replace(FITS, offer=OFFERS[0]),
    *(replace(FITS, job=job) for job in jobs()),
)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("is_ascii", [False, True])
def test_rows_keep_their_columns_and_their_width(width: int, is_ascii: bool) -> None:
    signs = ASCII if is_ascii else UNICODE
    head = _text(offer_heads(width))

    assert cell_len(head) <= width
    for row in EVERY:
        shown = _text(offer_parts(row, width, signs))
        assert cell_len(shown) <= width
        assert row.offer.label[:8] == shown[3:11].strip()
        fit = shown[head.index("Fit") :]
        assert fit.startswith(("✓", "✗", "?", "reading", "ok", "no", " ")) or not fit


@pytest.mark.parametrize("width", WIDTHS)
def test_repositories_keep_their_columns_and_say_when_they_are_gated(width: int) -> None:
    rows = [_text(hit_parts(HitRow(hit), width, UNICODE)) for hit in HITS]

    assert max(map(cell_len, rows)) <= width
    assert cell_len(_text(hit_heads(width))) <= width
    assert ["   ", "   ", " ! "] == [row[:3] for row in rows]
    if width > 57:
        assert [False, False, True] == [row.endswith("gated") for row in rows]
    assert "HF_TOKEN" in _text(hit_about(HitRow(HITS[2]), UNICODE)[2])
    assert "1.2M downloads  890 likes  updated 2025-04-18" in _text(hit_about(HitRow(HITS[0]), UNICODE)[0])


def test_a_verdict_is_that_of_the_one_forecast() -> None:
    assert FITS.ahead is not None
    assert TOO_LARGE.ahead is not None
    assert (Verdict.FITS, Verdict.NO) == (FITS.ahead.verdict, TOO_LARGE.ahead.verdict)
    assert FITS.ahead == DESK.forecast_at(SMALL, 4096)
    shown = _text(offer_parts(FITS, 77, UNICODE))
    assert ("5.0G" in shown, "4k" in shown, "✓ fits" in shown) == (True, True, True)
    assert "✗ no" in _text(offer_parts(TOO_LARGE, 77, UNICODE))


def test_another_context_is_another_forecast_clamped_to_what_the_model_was_trained_for() -> None:
    wide = forecast_of_offer(DESK, SMALL, 65536)
    most = forecast_of_offer(DESK, model(0, "short", 5.0, n_ctx_train=8192), 65536)

    assert wide is not None
    assert most is not None
    assert FITS.ahead is not None
    assert (65536, 8192) == (wide.n_ctx, most.n_ctx)
    assert wide.after_bytes > FITS.ahead.after_bytes


def test_where_nothing_is_chosen_a_model_gets_what_fits() -> None:
    desk = Desk()
    desk.apply(full(default_n_ctx=0))
    ahead = forecast_of_offer(desk, SMALL, None)

    assert ahead is not None
    assert 32768 == ahead.n_ctx


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (UNREAD, ""),
        (replace(UNREAD, reading=Reading.NOW), "reading…"),
        (FAILED, "?"),
        (replace(UNREAD, reading=Reading.DONE), "?"),
    ],
)
def test_before_there_is_a_verdict_it_says_how_far_the_reading_is(row: OfferRow, words: str) -> None:
    shown = _text(offer_parts(row, 77, UNICODE))
    at = _text(offer_heads(77)).index("Fit")

    assert words == shown[at : at + 10].strip()


@pytest.mark.parametrize(
    ("row", "word", "enter"),
    [
        (FITS, "", "enter downloads it"),
        (replace(FITS, offer=OFFERS[0]), "here", "it is on this disk already"),
        (replace(FITS, job=jobs()[0]), "running 62%", "it is being fetched; v shows all downloads"),
        (replace(FITS, job=jobs()[2]), "waiting", "it is being fetched; v shows all downloads"),
        (replace(FITS, job=jobs()[4]), "paused", "enter goes on with it"),
        (replace(FITS, job=jobs()[5]), "failed", "enter goes on with it"),
        (replace(FITS, job=replace(jobs()[0], state=JobState.DONE)), "done", "enter downloads it"),
    ],
)
def test_a_row_says_what_is_here_and_what_enter_does(row: OfferRow, word: str, enter: str) -> None:
    assert _text(offer_parts(row, 97, UNICODE)).rstrip().endswith(word)
    assert enter == _text(offer_about(row, UNICODE)[2])


def test_below_stand_the_verdict_in_words_and_the_files() -> None:
    assert "unsloth/Qwen3-8B-GGUF:Q4_K_M  fits" == _text(offer_about(FITS, UNICODE)[0])
    assert "fetches  1 file, 5.0G: Qwen3-8B-Q4_K_M-0.gguf" == _text(offer_about(FITS, UNICODE)[1])
    assert "cdn.example does not answer; try again" in _text(offer_about(FAILED, UNICODE)[0])
    assert "fetches  4 files, 133G" in _text(offer_about(TOO_LARGE, UNICODE)[1])


def test_the_edge_counts_what_is_read_and_names_the_largest_that_fits() -> None:
    larger = _read(OfferRow(offer("Q6_K", 6.6), summary=model(0, "q6", 6.6)))

    assert "3 quantisations · 2 of 3 headers read · largest that fits: Q4_K_M" == offers_summary(
        (FITS, TOO_LARGE, UNREAD)
    )
    assert "2 quantisations · largest that fits: Q6_K" == offers_summary((FITS, larger))
    assert ("1 quantisation", "") == (offers_summary((FAILED,)), offers_summary(()))


def test_ascii_has_a_twin_of_every_sign() -> None:
    for row in EVERY:
        told = [offer_parts(row, 137, ASCII), *offer_about(row, ASCII)]
        assert all(fit_line(parts, 137, ASCII).plain.isascii() for parts in told)
    for hit in HITS:
        told = [hit_parts(HitRow(hit), 137, ASCII), *hit_about(HitRow(hit), ASCII)]
        assert all(fit_line(parts, 137, ASCII).plain.isascii() for parts in told)
