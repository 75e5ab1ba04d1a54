"""The lines of the memory pane: devices and main memory in every state a machine can be in."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from textual.content import Content

from ggtui.core.units import GIB, duration, gib, used_of_total
from ggtui.tui.format import Part, cut, fit_line, sparkline
from ggtui.tui.memory_stack import Stack, stack_bar

if TYPE_CHECKING:
    from ggtui.core.ports.gpu import GpuSample
    from ggtui.tui.glyphs import Glyphs
    from ggtui.tui.panes.gpu_view import GpuView

TALL = 9
"""From so many lines on there is room for words and graphs."""

MANY = 3
"""With more devices than this each has one line, whatever the height."""

GRAPH_ROWS = 3
SHORT_HISTORY_S = 60


def gpu_lines(view: GpuView, width: int, glyphs: Glyphs, *, height: int = 5) -> list[Content]:
    """The pane's lines, each at most `width` cells; what matters most comes first, the rest scrolls.

    height: lines that are seen at once.
    """
    memory = view.memory
    if not (memory.gpus or memory.gpu_problem or memory.ram_total_bytes):
        return [fit_line([(glyphs.twin("reading…"), "$quiet")], width, glyphs)]
    rows = _on_gpus(view, width, glyphs, height) if view.is_on_gpus else _in_ram(view, width, glyphs, height)
    if height >= TALL and view.history:
        rows += _graphs(view, width, glyphs, height - len(rows))
    return rows


def _on_gpus(view: GpuView, width: int, glyphs: Glyphs, height: int) -> list[Content]:
    gpus = view.memory.gpus
    if len(gpus) == 1:
        rows = [_head(gpus[0], width, glyphs), *_pool_bars(view, width, glyphs)]
    elif len(gpus) <= MANY and 2 * len(gpus) < height:
        rows = [row for gpu in gpus for row in _block(gpu, view, width, glyphs)]
    else:
        rows = _many(view, width, glyphs, height)
    rows += _legend(view, width, glyphs, is_tall=height >= TALL)
    return rows + _notices(view, width, glyphs)


def _in_ram(view: GpuView, width: int, glyphs: Glyphs, height: int) -> list[Content]:
    """Main memory is the pool: why, then all that is known of it."""
    is_tall = height >= TALL
    memory = view.memory
    rows = _reason(view, width, glyphs, is_tall=is_tall)
    is_idle = view.absence is not None or not memory.gpus
    if is_tall or not is_idle:
        rows += [_line(gpu, view, width, glyphs) for gpu in memory.gpus]
    used = memory.ram_total_bytes - memory.ram_available_bytes
    ram = used_of_total(used, memory.ram_total_bytes) if memory.ram_total_bytes else "–"
    limit = " container limit" if memory.ram_limit_bytes is not None else ""
    rows.append(_quiet(f"{'CPU only, ' if is_idle else ''}RAM {ram}{limit}", width, glyphs))
    rows += _pool_bars(view, width, glyphs) if view.now[0] else []
    rows += _legend(view, width, glyphs, is_tall=is_tall)
    return rows + [_quiet(text, width, glyphs) for text in _ram_facts(view, width)]


def _reason(view: GpuView, width: int, glyphs: Glyphs, *, is_tall: bool) -> list[Content]:
    reason = (view.absence.line if view.absence else view.memory.gpu_problem) or ""
    if not reason and view.memory.gpus:
        return []
    reason = (reason or "No GPU found").rstrip(".")
    reason = reason[:1].upper() + reason[1:]
    hint = view.absence.hint if view.absence else view.memory.gpu_hint
    if not is_tall:
        return [fit_line([(glyphs.twin(reason), "$warning")], width, glyphs)]
    texts = [(line, "$warning") for line in wrap(reason, width)]
    texts += [(line, "$quiet") for line in wrap(hint, width)]
    return [fit_line([(glyphs.twin(text), style)], width, glyphs) for text, style in texts]


def _ram_facts(view: GpuView, width: int) -> list[str]:
    """Mapped weights, swap and processor: what the bars do not tell."""
    memory = view.memory
    parts = [memory.process_memory[pid] for pid in view.pids if pid in memory.process_memory]
    facts = []
    if parts:
        own, mapped = sum(each.anonymous_bytes for each in parts), sum(each.file_bytes for each in parts)
        facts.append(f"ours: {gib(own)} own, {gib(mapped)} mapped files")
    if memory.swap_total_bytes:
        facts.append(f"swap {used_of_total(memory.swap_used_bytes, memory.swap_total_bytes)}")
    cpu = memory.cpu
    if cpu.model:
        facts.append(cpu.model)
        facts += wrap(f"{cpu.n_cores or '?'} cores, {' '.join(cpu.features)}".rstrip(", "), width)
    return facts


def _name(gpu: GpuSample) -> str:
    name = gpu.name.removeprefix("NVIDIA ").removeprefix("GeForce ")
    return f"{name}, in RAM" if gpu.is_unified else name


def _broken(gpu: GpuSample) -> str:
    """What is shown in place of figures."""
    return f"lost ({gpu.problem})" if gpu.is_lost else f"no figures ({gpu.problem})"


def _head(gpu: GpuSample, width: int, glyphs: Glyphs) -> Content:
    if gpu.problem is not None:
        text = glyphs.twin(f"GPU {gpu.index}: {_broken(gpu)}")
        return fit_line([(text, "$error")], width, glyphs)
    facts = glyphs.twin(_facts(gpu))
    room = max(4, width - len(facts) - 3)
    name = cut(_name(gpu), room, glyphs)
    return fit_line([(f"{gpu.index} ", "$quiet"), f"{name:<{room}} ", facts], width, glyphs)


def _facts(gpu: GpuSample) -> str:
    if gpu.age_s:
        return f"{duration(gpu.age_s)} old"
    if gpu.is_hidden:
        return "hidden"
    util = "–" if gpu.utilisation_percent is None else f"{gpu.utilisation_percent}%"
    heat = "–" if gpu.temperature_c is None else f"{gpu.temperature_c}°C"
    power = "–" if gpu.power_w is None else f"{gpu.power_w:.0f}W"
    return f"util {util:<3}  {heat}  {power}"


def _block(gpu: GpuSample, view: GpuView, width: int, glyphs: Glyphs) -> list[Content]:
    """A line of words and a bar; only words for a device without figures."""
    head = _head(gpu, width, glyphs)
    return [head] if gpu.problem is not None else [head, _bar("", view.device(gpu), width, glyphs)]


def _line(gpu: GpuSample, view: GpuView, width: int, glyphs: Glyphs) -> Content:
    if gpu.problem is not None:
        return _head(gpu, width, glyphs)
    return _bar(f"{gpu.index} ", view.device(gpu), width, glyphs)


def _many(view: GpuView, width: int, glyphs: Glyphs, height: int) -> list[Content]:
    """The pool, then a line per device; two devices to a line where that is what makes them seen at once."""
    gpus = view.memory.gpus
    rows = [_bar("all ", view.pool_change(), width, glyphs)]
    if height >= TALL:
        rows.insert(0, _quiet(_together(gpus), width, glyphs))
    if len(gpus) + len(rows) <= height:
        return rows + [_line(gpu, view, width, glyphs) for gpu in gpus]
    half = (width - 2) // 2
    for left, right in zip(gpus[::2], (*gpus[1::2], None), strict=False):
        cells = _cell(left, view, half, glyphs)
        if right is not None:
            cells = Content.assemble(cells, "  ", _cell(right, view, half, glyphs))
        rows.append(cells)
    return rows


def _together(gpus: tuple[GpuSample, ...]) -> str:
    """Names, range of heat and sum of power, as far as they are told."""
    names = {_name(gpu) for gpu in gpus}
    heats = [gpu.temperature_c for gpu in gpus if gpu.temperature_c is not None]
    powers = [gpu.power_w for gpu in gpus if gpu.power_w is not None]
    words = [f"{len(gpus)} GPUs" + (f", {names.pop()}" if len(names) == 1 else "")]
    words += [f"{min(heats)}-{max(heats)}°C"] if heats else []
    words += [f"{sum(powers):.0f}W"] if powers else []
    return "  ".join(words)


def _cell(gpu: GpuSample, view: GpuView, width: int, glyphs: Glyphs) -> Content:
    """A device in half a line: number, bar, share; one without figures says so in words."""
    label, stack = f"{gpu.index} ", view.device(gpu)
    if gpu.problem is not None:
        text = cut(f"{label}{'lost' if gpu.is_lost else 'no figures'}", width, glyphs)
        return Content.assemble((f"{text:<{width}}", "$error"))
    shown = stack.share()
    bar = stack_bar(width - len(label) - 5, stack, glyphs)
    return Content.assemble((label, "$quiet"), bar, glyphs.twin(f"{shown:>5}"))


def _bar(label: str, stack: Stack, width: int, glyphs: Glyphs, figures_width: int = 0) -> Content:
    figures = glyphs.twin(f"  {stack.figures().rjust(figures_width)}")
    bar = stack_bar(max(4, width - len(label) - len(figures)), stack, glyphs)
    return Content.assemble((label, "$quiet"), bar, figures)


def _pool_bars(view: GpuView, width: int, glyphs: Glyphs) -> list[Content]:
    gpus = view.memory.gpus
    now, after = view.pool_now(), view.pool_after()
    if len(gpus) == 1 and gpus[0].used_bytes is None and gpus[0].problem is None and view.is_on_gpus:
        return [_bar("", view.device(gpus[0]), width, glyphs)]
    if after is None:
        return [_bar("", now, width, glyphs)]
    longest = max(len(now.figures()), len(after.total_figures()))
    later = Content.assemble(
        ("after ", "$quiet"),
        stack_bar(max(4, width - 6 - 2 - longest), after, glyphs),
        f"  {after.total_figures():>{longest}}",
    )
    return [_bar("now   ", now, width, glyphs, longest), later]


def _legend(view: GpuView, width: int, glyphs: Glyphs, *, is_tall: bool) -> list[Content]:
    total, ours, others = view.now
    parts: list[Part] = [
        (glyphs.ours, "$ours"),
        f" ggtui {_g(ours)} ",
        (glyphs.others, "$others"),
        f" other {_g(others)} ",
        (glyphs.free, "$quiet"),
        f" free {_g(max(0, total - ours - others))}",
    ]
    rows = [fit_line(parts, width, glyphs)]
    more: list[Part] = []
    adds = view.after[0] if view.after is not None else view.pool_change().adds
    if adds and (view.after is not None or len(view.memory.gpus) > 1):
        more += [(glyphs.adds, "$secondary"), f" adds {_g(adds)} "]
    if view.reserve_bytes:
        more += [(glyphs.margin, "$quiet"), f" margin {_g(view.reserve_bytes)}"]
    return [*rows, fit_line(more, width, glyphs)] if is_tall and more else rows


def _notices(view: GpuView, width: int, glyphs: Glyphs) -> list[Content]:
    """What is wrong beside the figures: in view on a tall pane, else a scroll away."""
    texts = [view.memory.gpu_problem] if view.memory.gpu_problem else []
    gpus = view.memory.gpus
    texts += [gpu.process_problem for gpu in gpus[:1] if gpu.process_problem]
    if any(gpu.is_unified for gpu in gpus):
        used = view.memory.ram_total_bytes - view.memory.ram_available_bytes
        texts.append(f"it is a part of RAM, {used_of_total(used, view.memory.ram_total_bytes)}")
    return [_quiet(line, width, glyphs) for text in texts for line in wrap(text, width)]


def _graphs(view: GpuView, width: int, glyphs: Glyphs, room: int) -> list[Content]:
    """The last minutes: of the pool, or of each device where all of them have room."""
    by_device = view.gpu_history if view.is_on_gpus and len(view.memory.gpus) > 1 else ()
    seconds = max(len(view.history), *(len(each) for each in by_device)) if by_device else len(view.history)
    last = f"last {seconds} s" if seconds <= SHORT_HISTORY_S else f"last {duration(seconds)}"
    has_own = view.is_on_gpus and not all(gpu.is_unified for gpu in view.memory.gpus)
    kind = "VRAM" if has_own else "RAM"
    if by_device and len(by_device) + 2 <= room:
        rows = [Content(""), _quiet(f"{kind} by GPU, {last}", width, glyphs)]
        return rows + [
            Content.assemble((f"{gpu.index} ", "$quiet"), (_graph(each, gpu, width - 2, glyphs), "$ours"))
            for gpu, each in zip(view.memory.gpus, by_device, strict=False)
        ]
    graph = sparkline(view.history, view.now[0], width, GRAPH_ROWS, glyphs)
    title = _quiet(f"{kind}, {last}", width, glyphs)
    return [Content(""), title, *(Content.assemble((row, "$ours")) for row in graph)]


def _graph(values: tuple[int, ...], gpu: GpuSample, width: int, glyphs: Glyphs) -> str:
    top = gpu.total_bytes or max(values, default=0)
    return sparkline(values, top, width, 1, glyphs)[0]


def _quiet(text: str, width: int, glyphs: Glyphs) -> Content:
    return fit_line([(glyphs.twin(text), "$quiet")], width, glyphs)


def _g(n_bytes: int) -> str:
    return f"{n_bytes / GIB:.1f}" if n_bytes >= GIB // 10 or n_bytes == 0 else gib(n_bytes)
