"""The line that is the reason to open ggtui: what a load would take, and the slider that changes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.containers import Vertical
from textual.content import Content
from textual.reactive import var

from ggtui.core.forecast import Forecast, Verdict
from ggtui.core.memory.pool import PoolKind
from ggtui.core.units import gib, tokens, used_of_total
from ggtui.tui.format import Part, cut, fit_line, memory_bar, percent
from ggtui.tui.glyphs import VERDICTS, Glyphs
from ggtui.tui.widgets.context_slider import ContextSlider, Track
from ggtui.tui.widgets.text_block import TextBlock

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from ggtui.tui.outlook import Outlook

NARROW = 56
"""Cells below which the line is a shorter one."""
LONGEST_TRACK = 48
SHORTEST_TRACK = 8
ENOUGH_NAME = 24
"""Cells a long name keeps when what follows the verdict needs room."""
SHORTEST_PART = 14
"""A part that is cut to less says nothing."""


class ForecastPane(Vertical):
    """Two lines; five in a frame when there is room."""

    outlook: var[Outlook | None] = var(None)
    """The model under the cursor at its chosen context; None without a model."""
    now: var[tuple[int, int, int]] = var((0, 0, 0))
    """Bytes of the pool now: total, ours, others."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="forecast")
        self._glyphs = glyphs
        self.border_title = "Before you load"

    def compose(self) -> ComposeResult:
        """The line, the slider, and what only the frame shows."""
        yield TextBlock(id="forecast-line")
        yield ContextSlider(id="forecast-slider")
        yield TextBlock(id="forecast-now", classes="framed")
        yield TextBlock(id="forecast-after", classes="framed")
        yield TextBlock(id="forecast-frees", classes="framed")

    def on_resize(self) -> None:
        """Text follows the width."""
        self._draw()

    def watch_outlook(self) -> None:
        """Follow the cursor and the slider."""
        self._draw()

    def watch_now(self) -> None:
        """Follow the memory."""
        self._draw()

    @property
    def text(self) -> str:
        """The first line, as plain text."""
        return self.query_one("#forecast-line", TextBlock).shown.plain

    def _draw(self) -> None:
        if not self.is_mounted or not self.size.width:
            return
        width = self.content_size.width
        is_framed = self.content_size.height >= 4
        line, slider = self.query_one("#forecast-line", TextBlock), self.query_one(ContextSlider)
        if self.outlook is None:
            line.show(Content.assemble(("no model under the cursor", "$quiet")))
            slider.place(None, 0, 0)
            slider.show(Content(""))
            return
        if width < NARROW:
            line.show(tiny_line(self.outlook, width, self._glyphs))
        else:
            line.show(forecast_line(self.outlook, width, self._glyphs, is_framed=is_framed))
        content, start, track_width = slider_line(self.outlook, width, self._glyphs, is_framed=is_framed)
        slider.place(_track(self.outlook), start, track_width)
        slider.show(content)
        if is_framed:
            self._draw_bars(self.outlook, width)

    def _draw_bars(self, outlook: Outlook, width: int) -> None:
        total, ours, others = self.now
        forecast = outlook.forecast
        now = bar_line("now  ", total, ours, others, _now_parts(ours, others), width, self._glyphs)
        self.query_one("#forecast-now", TextBlock).show(now)
        after = Content("")
        if forecast is not None:
            held = max(0, forecast.after_bytes - forecast.model_bytes)
            parts = _after_parts(forecast)
            after = bar_line("after", total, forecast.model_bytes, held, parts, width, self._glyphs)
        self.query_one("#forecast-after", TextBlock).show(after)
        self.query_one("#forecast-frees", TextBlock).show(frees_line(outlook, width, self._glyphs))


def forecast_line(outlook: Outlook, width: int, glyphs: Glyphs, *, is_framed: bool = False) -> Content:
    """`load X  ctx 32k → 20.2/24.0G  ✓ fits  …` in at most `width` cells; the name is shortened first."""
    name = outlook.summary.public_id
    if outlook.forecast is None:
        reason = outlook.summary.problem or "the file cannot be used"
        return fit_line([(name, "bold"), (f" cannot be loaded: {reason}", "$error")], width, glyphs)
    if outlook.is_loaded_as_chosen:
        return _loaded_line(outlook, width, glyphs)
    verb, middle, tail = _parts(outlook, glyphs, is_framed=is_framed)
    room = width - cell_len(verb) - _cells(middle)
    name = cut(name, max(6, min(room, max(ENOUGH_NAME, room - _cells(tail)))), glyphs)
    tail = _what_fits(tail, room - cell_len(name), glyphs)
    return fit_line([verb, (name, "bold"), *middle, *tail], width, glyphs)


def _what_fits(parts: list[Part], room: int, glyphs: Glyphs) -> list[Part]:
    """Whole parts as long as they fit, and the beginning of a long one."""
    kept: list[Part] = []
    for part in parts:
        text, style = (part, "") if isinstance(part, str) else part
        if cell_len(text) > room >= SHORTEST_PART:
            text = cut(text, room, glyphs)
        if cell_len(text) <= room:
            kept.append((text, style))
            room -= cell_len(text)
    return kept


def _parts(outlook: Outlook, glyphs: Glyphs, *, is_framed: bool) -> tuple[str, list[Part], list[Part]]:
    forecast, target = outlook.forecast, outlook.target
    assert forecast is not None
    ctx = f"ctx {tokens(outlook.n_ctx)}"
    verb = "load "
    tail: list[Part] = []
    if target is not None and target.n_ctx == outlook.n_ctx and not outlook.has_other_options:
        verb = f"{target.state} "
    elif target is not None:
        verb = "reload "
        if target.n_ctx != outlook.n_ctx:
            ctx = f"ctx {tokens(target.n_ctx)} {glyphs.arrow} {tokens(outlook.n_ctx)}"
        tail.append("  restarts it")
    sign = glyphs.approx if forecast.verdict is Verdict.GUESS else ""
    figure = sign + used_of_total(forecast.after_bytes, forecast.total_bytes or None)
    pool = "RAM " if forecast.pool is PoolKind.RAM else ""
    devices = f" on {forecast.n_devices} GPUs" if forecast.n_devices > 1 else ""
    middle: list[Part] = [
        f"  {ctx} {glyphs.arrow} {pool}{figure}{devices}  ",
        (glyphs.verdict(forecast.verdict), VERDICTS[forecast.verdict].style),
    ]
    if outlook.in_flight:
        tail.insert(0, (f"  {outlook.in_flight} in flight", "$warning"))
    tail = _reasons(forecast) + tail
    if is_framed:
        tail.append(f"  {_spare(forecast)}")
    elif forecast.frees:
        tail.append((f"  frees {', '.join(forecast.frees)}", "$quiet"))
    if forecast.pool is PoolKind.RAM and forecast.verdict is Verdict.FITS:
        tail.append("  CPU only")
    return verb, middle, tail


def _reasons(forecast: Forecast) -> list[Part]:
    if forecast.refusal:
        return [f"  {forecast.refusal}"]
    if forecast.verdict is Verdict.PART and forecast.n_layers_on_gpu is not None:
        return [f"  {forecast.n_layers_on_gpu} of {forecast.n_layers} layers on GPU"]
    if forecast.verdict is Verdict.NO:
        where = "more than GPU and RAM hold" if forecast.pool is PoolKind.GPU else "more than RAM holds"
        return [f"  {where}"]
    if forecast.verdict is Verdict.GUESS:
        return ["  cache not modelled"]
    return []


def _loaded_line(outlook: Outlook, width: int, glyphs: Glyphs) -> Content:
    target = outlook.target
    assert target is not None
    rest = f"  ctx {tokens(target.n_ctx)}"
    held = target.load.actual_bytes if target.load is not None else target.memory_bytes
    if held is not None:
        rest += f"  {gib(held)}"
    if target.predicted_bytes is not None:
        rest += f"  predicted {gib(target.predicted_bytes)}"
    name = cut(outlook.summary.public_id, max(6, width - 7 - cell_len(rest)), glyphs)
    return fit_line([("loaded ", "$success"), (name, "bold"), rest], width, glyphs)


def tiny_line(outlook: Outlook, width: int, glyphs: Glyphs) -> Content:
    """The same in about 40 cells: name, context, verdict."""
    if outlook.forecast is None or outlook.is_loaded_as_chosen:
        return forecast_line(outlook, width, glyphs)
    look = VERDICTS[outlook.forecast.verdict]
    verdict = glyphs.verdict(outlook.forecast.verdict)
    rest = f" {tokens(outlook.n_ctx)} "
    name = cut(outlook.summary.public_id, max(6, width - cell_len(rest) - cell_len(verdict)), glyphs)
    return fit_line([(name, "bold"), rest, (verdict, look.style)], width, glyphs)


def slider_line(
    outlook: Outlook, width: int, glyphs: Glyphs, *, is_framed: bool = False
) -> tuple[Content, int, int]:
    """The slider's line, and the start and the width of its track in cells."""
    forecast = outlook.forecast
    if forecast is None:
        return Content(""), 0, 0
    track = _track(outlook)
    low, high = track.ends()
    head, foot = f"[ {low} ", f" {high} ]"
    if width < NARROW:
        pool = used_of_total(forecast.after_bytes, forecast.total_bytes or None)
        head, foot, after = "[", "]", f" {pool}"
    else:
        after = "  " + "  ".join(_slider_facts(forecast, is_framed=is_framed))
    room = width - cell_len(head) - cell_len(foot) - cell_len(after)
    n_cells = max(SHORTEST_TRACK, min(LONGEST_TRACK, room))
    parts: list[Part] = [head, *track.draw(n_cells, glyphs), foot, (after, "$quiet")]
    return fit_line(parts, width, glyphs), cell_len(head), n_cells


def _slider_facts(forecast: Forecast, *, is_framed: bool) -> list[str]:
    facts = [_limit(forecast.largest_ctx)]
    if not is_framed:
        facts += [f"kv {gib(forecast.kv_bytes)}", _spare(forecast)]
    return facts


def _spare(forecast: Forecast) -> str:
    spare = forecast.spare_bytes
    return f"spare {gib(spare)}" if spare >= 0 else f"short {gib(-spare)}"


def _limit(largest: int | None) -> str:
    if largest is None:
        return "no context fits"
    return f"fits to {tokens(largest // 1024 * 1024 if largest > 1024 else largest)}"


def bar_line(
    label: str, total: int, ours: int, others: int, facts: str, width: int, glyphs: Glyphs
) -> Content:
    """`now  ███▒░  21.7/24.0G 90%  …` in at most `width` cells."""
    figures = f"  {used_of_total(ours + others, total or None)}  {percent(ours + others, total or None)}"
    n_cells = max(8, min(28, width - len(label) - 2 - cell_len(figures)))
    bar = memory_bar(n_cells, total, ours, others, glyphs)
    head = Content.assemble(f"{label}  ", bar, figures)
    left = width - head.cell_length
    return Content.assemble(head, (cut(f"   {facts}", left, glyphs), "$quiet"))


def frees_line(outlook: Outlook, width: int, glyphs: Glyphs) -> Content:
    """What the load would stop, and whether enter asks first."""
    forecast = outlook.forecast
    if forecast is None or not (forecast.frees or outlook.target):
        return Content.assemble(("nothing has to be freed", "$quiet"))
    if outlook.is_loaded_as_chosen:
        return Content.assemble(("this is what runs", "$quiet"))
    names = ", ".join(forecast.frees) or outlook.summary.public_id
    verb = "frees" if forecast.frees else "restarts"
    asks = ""
    for words in (": asks", ": enter asks first"):
        longer = f" ({outlook.in_flight} in flight{words})"
        if outlook.in_flight and (not asks or cell_len(f"{verb} {names}{longer}") <= width):
            asks = longer
    return fit_line([f"{verb} {names}", (asks, "$warning")], width, glyphs)


def _now_parts(ours: int, others: int) -> str:
    return f"ggtui {gib(ours)}  other {gib(others)}"


def _after_parts(forecast: Forecast) -> str:
    compute = forecast.compute_bytes + forecast.output_bytes
    return f"weights {gib(forecast.weights_bytes)}  kv {gib(forecast.kv_bytes)}  comp {gib(compute)}"


def _track(outlook: Outlook) -> Track:
    forecast = outlook.forecast
    largest = None if forecast is None else forecast.largest_ctx
    return Track(outlook.n_ctx, outlook.summary.n_ctx_train, largest)


def _cells(parts: list[Part]) -> int:
    return sum(cell_len(part if isinstance(part, str) else part[0]) for part in parts)
