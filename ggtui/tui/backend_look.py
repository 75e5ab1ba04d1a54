"""How backends and their models are drawn, and what is said below about one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

from ggtui.core.backends.rows import RowState
from ggtui.core.text import listed
from ggtui.core.units import duration, gib, rate, tokens
from ggtui.tui.backend_rows import age_text, counts_text
from ggtui.tui.format import cut, percent

if TYPE_CHECKING:
    from ggtui.core.backends.observed import PulledModel
    from ggtui.core.backends.rows import Row
    from ggtui.tui.backend_rows import BackendRow
    from ggtui.tui.format import Part
    from ggtui.tui.glyphs import Glyphs

SIGN, INDENT, STATE, SIZE, CTX = 3, 2, 13, 8, 7
"""Cells of a column, the gap after it counted."""
NARROW, WIDE = 58, 110
"""Cells below which a row has name and state only, and from which a backend's age and speed stand in it."""
LEAST_NAME, MOST_NAME = 14, 44
MOST_LISTED = 4
"""Models of a backend that are named before the rest is counted."""


def _widths(width: int) -> tuple[int, int]:
    """Cells of the name, and of what follows the context."""
    if width < NARROW:
        return max(LEAST_NAME, width - SIGN - STATE), 0
    rest = width - SIGN - STATE - SIZE - CTX
    name = min(MOST_NAME, max(20, rest // 2))
    return name, rest - name


def heads(width: int) -> list[Part]:
    """The column heads over the rows."""
    name, rest = _widths(width)
    cells = [" " * SIGN, set_cell_size("Backend, its models", name), set_cell_size("State", STATE)]
    if rest:
        cells += [set_cell_size("Size", SIZE), set_cell_size("Ctx", CTX), "What"]
    return [("".join(cells), "$quiet")]


def row_parts(row: BackendRow, width: int, glyphs: Glyphs) -> list[Part]:
    """A row in so many cells: sign, name, state in a word, then what there is to know."""
    name, rest = _widths(width)
    look = row.look
    sign: Part = (f" {glyphs.look(look)} ", look.style)
    if row.row is None:
        parts: list[Part] = [sign, (_field(row.title, name, glyphs), "bold"), _state(row, glyphs)]
        return [*parts, *_backend_parts(row, width, glyphs)] if rest else parts
    shown = " " * INDENT + row.model
    style = "$quiet" if row.row.state is RowState.EXTRA else ""
    parts = [sign, (_field(shown, name, glyphs), style), _state(row, glyphs)]
    if not rest:
        return parts
    size, n_ctx = _size(row), row.pulled.context_length if row.pulled is not None else 0
    parts += [
        _field(gib(size) if size else "", SIZE, glyphs),
        _field(tokens(n_ctx) if n_ctx else "", CTX, glyphs),
        _what(row, rest, glyphs),
    ]
    return parts


def _state(row: BackendRow, glyphs: Glyphs) -> Part:
    return _field(row.look.word, STATE, glyphs), row.look.style


def _backend_parts(row: BackendRow, width: int, glyphs: Glyphs) -> list[Part]:
    """Type, address, and where there is room how fast and how old; of one in error the error."""
    state = row.state
    if state is None:
        return [("models that should lie on this disk", "$quiet")]
    kind = f"{state.backend.type}  "
    if state.error:
        return [(kind, "$quiet"), (glyphs.twin(_one_line(state.error)), "$error")]
    parts: list[Part] = [(kind, "$quiet"), _address(row)]
    if width >= WIDE:
        told = f"  {_latency(row)}  seen {age_text(row)}" if state.last_seen is not None else ""
        parts.append((glyphs.twin(told), "$quiet"))
    return parts


def _address(row: BackendRow) -> str:
    if row.state is None:
        return ""
    return row.state.backend.base_url or f"the home of {row.state.backend.type}"


def _latency(row: BackendRow) -> str:
    latency_s = None if row.state is None else row.state.latency_s
    return "–" if latency_s is None else f"{latency_s * 1000:.0f} ms"


def _size(row: BackendRow) -> int:
    """Bytes; 0 where nobody knows."""
    assert row.row is not None
    return (row.pulled.size_bytes if row.pulled is not None else 0) or row.row.total_bytes


def _what(row: BackendRow, width: int, glyphs: Glyphs) -> Part:
    """How far a download is, why it is not as declared, else what it can do."""
    assert row.row is not None
    if row.row.state is RowState.DOWNLOADING:
        return cut(glyphs.twin(_progress(row)), width, glyphs), "$primary"
    if row.row.state is RowState.EXTRA:
        return cut(glyphs.twin(_abilities(row.pulled) or "not declared"), width, glyphs), "$quiet"
    why = _one_line(row.row.why)
    if why:
        style = {RowState.ERROR: "$error", RowState.PAUSED: "$quiet"}.get(row.row.state, "$warning")
        return cut(glyphs.twin(why), width, glyphs), style
    return cut(glyphs.twin(_abilities(row.pulled)), width, glyphs), "$quiet"


def _progress(row: BackendRow) -> str:
    """`41%  12 MB/s  3m05s left`; what it waits for when it does not run."""
    assert row.row is not None
    told = [_share(row.row)]
    job = row.job
    if job is not None and job.rate is not None:
        told.append(rate(job.rate))
    if job is not None and job.left_s is not None:
        told.append(f"{duration(job.left_s)} left")
    if len(told) == 1 and job is not None:
        told.append(_one_line(job.why) or job.status or "waits for its turn")
    return "  ".join(told)


def _share(row: Row) -> str:
    return percent(row.completed_bytes, row.total_bytes)


def _abilities(pulled: PulledModel | None) -> str:
    """`chat prompt stream`; empty where nothing is told."""
    if pulled is None:
        return ""
    told = {
        "chat": pulled.can_chat,
        "embed": pulled.can_embed,
        "prompt": pulled.can_prompt,
        "stream": pulled.can_stream,
        "loaded": bool(pulled.is_loaded),
    }
    return " ".join(word for word, can in told.items() if can)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _field(text: str, width: int, glyphs: Glyphs) -> str:
    return set_cell_size(cut(glyphs.twin(text), width - 1, glyphs), width)


# Lines below the list


def about(row: BackendRow, width: int, glyphs: Glyphs) -> list[list[Part]]:
    """More about the row under the cursor, in three lines.

    The name, which the row has, goes where the reason beside it would not have room.
    """
    lines = _about_backend(row) if row.row is None else _about_model(row, row.row)
    look = row.look
    sign = [(f"{glyphs.look(look)} {look.word}  ", look.style)] if look.word else []
    reason = _twins(lines[0], glyphs)
    first: list[Part] = [*sign, (row.name, "bold"), *(["  ", *reason] if reason else [])]
    if reason and cell_len("".join(map(_text, first))) > width:
        first = [*sign, *reason]
    return [first, *(_twins(line, glyphs) for line in lines[1:])]


def _text(part: Part) -> str:
    return part if isinstance(part, str) else part[0]


def _twins(parts: list[Part], glyphs: Glyphs) -> list[Part]:
    return [glyphs.twin(part) if isinstance(part, str) else (glyphs.twin(part[0]), part[1]) for part in parts]


def _about_backend(row: BackendRow) -> list[list[Part]]:
    state = row.state
    models = _models(row)
    if state is None:
        return [["models with a repository in the configuration"], models]
    seen: list[Part] = [
        ("last well  ", "$quiet"),
        age_text(row),
        ("  answered in  ", "$quiet"),
        _latency(row),
    ]
    if state.error:
        where: list[Part] = [("  at  ", "$quiet"), _address(row)]
        return [[(_one_line(state.error), "$error")], [*seen, *where], models]
    key = f"  key …{state.key_ending}" if state.key_ending else ""
    return [[f"{state.backend.type} at {_address(row)}", (key, "$quiet")], seen, models]


def _models(row: BackendRow) -> list[Part]:
    """How its models stand; which are wanted where nobody can know that."""
    if row.counts or row.state is None or not row.state.models:
        return [("models  ", "$quiet"), counts_text(row.counts) or "none"]
    return [("wanted there  ", "$quiet"), listed(row.state.models, MOST_LISTED)]


def _about_model(row: BackendRow, of: Row) -> list[list[Part]]:
    why: list[Part] = [_one_line(of.why)] if of.why else []
    where: list[Part] = [("on  ", "$quiet"), row.title]
    if of.state is RowState.DOWNLOADING:
        where += [("  download  ", "$quiet"), _progress(row)]
    if facts := _facts(row.pulled):
        where += [("  is  ", "$quiet"), facts]
    return [why, where, [(_cure(row, of), "$quiet")]]


def _facts(pulled: PulledModel | None) -> str:
    if pulled is None:
        return ""
    details = pulled.details
    told = [details.family, details.parameter_size, details.quantization_level]
    told += [f"ctx {tokens(pulled.context_length)}"] * bool(pulled.context_length)
    told += [gib(pulled.size_bytes)] * bool(pulled.size_bytes)
    told.append(_abilities(pulled))
    return "  ".join(each for each in told if each)


def _cure(row: BackendRow, of: Row) -> str:
    """Which key does something, or what the person can do."""
    match of.state:
        case RowState.PAUSED:
            return "space fetches it; v shows all downloads"
        case RowState.DOWNLOADING:
            return "space pauses it: what is there already is kept; v shows all downloads"
        case RowState.ERROR if of.job is not None:
            return "space tries again; v shows all downloads"
        case RowState.MISSING if row.can_pull or row.state is None:
            return "it is fetched as soon as its turn comes; enter looks now"
        case RowState.MISSING:
            return f"no request for it goes to {row.title} until it is there"
        case RowState.EXTRA if row.can_pull:
            return "it gets no request, and is never deleted by itself; D deletes it there"
        case RowState.EXTRA:
            return f"it gets no request; to use it, add it to the models of {row.title}"
        case RowState.DRIFTED:
            return "declare what it has, or let the backend serve what is declared"
        case _:
            return ""
