"""How full the memory is: one block by device, told apart by shape, and the last minute of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from textwrap import wrap
from typing import TYPE_CHECKING

from textual.containers import VerticalScroll
from textual.content import Content
from textual.reactive import var

from ggtui.core.forecast import PoolKind
from ggtui.core.ports.gpu import MemoryReading
from ggtui.core.units import GIB, gib, used_of_total
from ggtui.tui.format import Part, fit_line, lines, memory_bar, percent, sparkline
from ggtui.tui.widgets.text_block import TextBlock

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from ggtui.core.ports.gpu import GpuSample
    from ggtui.tui.glyphs import Glyphs

MANY = 3
"""With more devices than this each has one line."""


@dataclass(frozen=True, slots=True)
class GpuView:
    """What the pane shows."""

    memory: MemoryReading = field(default_factory=MemoryReading)
    pool: PoolKind = PoolKind.RAM
    now: tuple[int, int, int] = (0, 0, 0)
    """Bytes of the pool: total, ours, others."""
    after: tuple[int, int] | None = None
    """Bytes of the pool once the model under the cursor answers: that model, everything else."""
    pids: tuple[int, ...] = ()
    """Our servers."""
    history: tuple[int, ...] = ()
    """Used bytes of the pool at 1 Hz, oldest first."""


class GpuPane(VerticalScroll, can_focus=True):
    """Devices, bars, legend; a sparkline when tall."""

    view: var[GpuView] = var(GpuView())
    """The state to show."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="gpu", classes="pane")
        self._glyphs = glyphs
        self.border_title = "3 GPU"

    def compose(self) -> ComposeResult:
        """One block of text."""
        yield TextBlock(id="gpu-text")

    def on_resize(self) -> None:
        """Text follows the size."""
        self._draw()

    def watch_view(self) -> None:
        """Follow the memory and the forecast."""
        self._draw()

    @property
    def text(self) -> str:
        """What is shown, as plain text."""
        return self.query_one(TextBlock).shown.plain

    def _draw(self) -> None:
        if not self.is_mounted or not self.size.width:
            return
        is_tall = self.content_size.height >= 9
        rows = gpu_lines(self.view, self.scrollable_content_region.width, self._glyphs, is_tall=is_tall)
        block = self.query_one(TextBlock)
        block.show(lines(rows), layout=len(rows) != len(block.shown.plain.splitlines()))


def gpu_lines(view: GpuView, width: int, glyphs: Glyphs, *, is_tall: bool = False) -> list[Content]:
    """The pane's lines, each at most `width` cells."""
    memory = view.memory
    if not (memory.gpus or memory.gpu_problem or memory.ram_total_bytes):
        return [fit_line([(glyphs.twin("reading…"), "$quiet")], width, glyphs)]
    rows = _device_rows(view, width, glyphs, is_tall=is_tall)
    is_one_pool = len(view.memory.gpus) <= 1 or view.pool is PoolKind.RAM
    if is_one_pool:
        rows += _pool_rows(view, width, glyphs)
    rows.append(_legend(view, width, glyphs))
    if is_tall and view.history:
        rows += _history_rows(view, width, glyphs)
    return rows


def _device_rows(view: GpuView, width: int, glyphs: Glyphs, *, is_tall: bool) -> list[Content]:
    gpus = view.memory.gpus
    if not gpus:
        texts = _no_gpu(view, width if is_tall else 0)
        return [fit_line([(glyphs.twin(text), "$quiet")], width, glyphs) for text in texts]
    if len(gpus) > MANY:
        return [_device_line(gpu, view, width, glyphs) for gpu in gpus]
    rows = []
    for gpu in gpus:
        rows.append(_device_head(gpu, width, glyphs))
        if len(gpus) > 1 and gpu.problem is None:
            rows.append(_device_bar(gpu, view, width, glyphs))
    return rows


def _no_gpu(view: GpuView, wrap_width: int) -> list[str]:
    reason = (view.memory.gpu_problem or "No GPU found").rstrip(".")
    total = view.memory.ram_total_bytes
    ram = used_of_total(total - view.memory.ram_available_bytes, total) if total else "–"
    reason = reason[:1].upper() + reason[1:]
    return [*(wrap(reason, wrap_width) if wrap_width else [reason]), f"CPU only, RAM {ram}"]


def _device_head(gpu: GpuSample, width: int, glyphs: Glyphs) -> Content:
    if gpu.problem is not None:
        return fit_line([(f"GPU {gpu.index}: lost ({gpu.problem})", "$error")], width, glyphs)
    name = gpu.name.removeprefix("NVIDIA ").removeprefix("GeForce ")
    util = "–" if gpu.utilisation_percent is None else f"{gpu.utilisation_percent}%"
    heat = "–" if gpu.temperature_c is None else f"{gpu.temperature_c}°C"
    power = "–" if gpu.power_w is None else f"{gpu.power_w:.0f}W"
    facts = glyphs.twin(f"util {util:<3}  {heat}  {power}")
    room = max(4, width - len(facts) - 3)
    return fit_line([(f"{gpu.index} ", "$quiet"), f"{name[:room]:<{room}} ", facts], width, glyphs)


def _device_split(gpu: GpuSample, view: GpuView) -> tuple[int, int, int]:
    ours = sum(gpu.process_bytes.get(pid, 0) for pid in view.pids)
    used = gpu.used_bytes or 0
    return gpu.total_bytes or 0, min(ours, used), max(0, used - ours)


def _device_bar(gpu: GpuSample, view: GpuView, width: int, glyphs: Glyphs) -> Content:
    return _bar_row("", _device_split(gpu, view), width, glyphs)


def _device_line(gpu: GpuSample, view: GpuView, width: int, glyphs: Glyphs) -> Content:
    if gpu.problem is not None:
        return _device_head(gpu, width, glyphs)
    return _bar_row(f"{gpu.index} ", _device_split(gpu, view), width, glyphs)


def _figures(split: tuple[int, int, int]) -> str:
    total, ours, others = split
    if not total:
        return "–"
    return f"{used_of_total(ours + others, total)} {percent(ours + others, total)}"


def _bar_row(
    label: str, split: tuple[int, int, int], width: int, glyphs: Glyphs, figures_width: int = 0
) -> Content:
    total, ours, others = split
    figures = f"  {_figures(split).rjust(figures_width)}"
    n_cells = max(4, width - len(label) - len(figures))
    bar = memory_bar(n_cells, total, ours, others, glyphs)
    return Content.assemble((label, "$quiet"), bar, glyphs.twin(figures))


def _pool_rows(view: GpuView, width: int, glyphs: Glyphs) -> list[Content]:
    if view.after is None:
        return [_bar_row("", view.now, width, glyphs)]
    after = (view.now[0], *view.after)
    longest = max(len(_figures(view.now)), len(_figures(after)))
    return [
        _bar_row("now   ", view.now, width, glyphs, longest),
        _bar_row("after ", after, width, glyphs, longest),
    ]


def _legend(view: GpuView, width: int, glyphs: Glyphs) -> Content:
    total, ours, others = view.now
    free = max(0, total - ours - others)
    parts: list[Part] = [
        (glyphs.ours, "$ours"),
        f" ggtui {_g(ours)} ",
        (glyphs.others, "$others"),
        f" other {_g(others)} ",
        (glyphs.free, "$quiet"),
        f" free {_g(free)}",
    ]
    return fit_line(parts, width, glyphs)


def _history_rows(view: GpuView, width: int, glyphs: Glyphs) -> list[Content]:
    values = view.history[-60:]
    kind = "VRAM" if view.pool is PoolKind.GPU else "RAM"
    graph = sparkline(values, view.now[0], width, 3, glyphs)
    title = Content.assemble((f"{kind}, last {len(values)} s", "$quiet"))
    return [Content(""), title, *(Content.assemble((row, "$ours")) for row in graph)]


def _g(n_bytes: int) -> str:
    return f"{n_bytes / GIB:.1f}" if n_bytes >= GIB // 10 or n_bytes == 0 else gib(n_bytes)
