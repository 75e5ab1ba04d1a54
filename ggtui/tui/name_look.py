"""How the rows of the list of names are drawn, and what is said below about one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

from ggtui.core.units import tokens
from ggtui.tui.format import cut
from ggtui.tui.name_rows import Kind, status_of

if TYPE_CHECKING:
    from ggtui.core.routing.adapters import AdapterStack
    from ggtui.tui.format import Part
    from ggtui.tui.glyphs import Glyphs
    from ggtui.tui.name_rows import NameRow

SIGNS, STATUS, CTX = 5, 9, 7
"""Cells of a column, the gap after it counted."""
NARROW = 58
"""Cells below which a row has neither context nor aliases."""
MOST_OF_NAME = 48
NOWHERE = "leads nowhere"


def _widths(width: int) -> tuple[int, int]:
    """Cells of the name and of what follows the context."""
    if width < NARROW:
        return max(12, width - SIGNS - STATUS), 0
    rest = width - SIGNS - STATUS - CTX
    name = min(MOST_OF_NAME, max(20, rest * 11 // 20))
    return name, rest - name


def heads(width: int) -> list[Part]:
    """The column heads over the rows."""
    name, rest = _widths(width)
    cells = [" " * SIGNS, set_cell_size("Name", name), set_cell_size("Status", STATUS)]
    if rest:
        cells += [set_cell_size("Ctx", CTX), "Answers also to"]
    return [("".join(cells), "$quiet")]


def row_parts(row: NameRow, width: int, glyphs: Glyphs) -> list[Part]:
    """A row in so many cells: sign, default mark, name, status in a word, context, other names or why."""
    name, rest = _widths(width)
    status, word, style = status_of(row)
    mark = glyphs.twin("» ") if row.is_default else "  "
    shown = f"{row.name} {glyphs.arrow} {row.target}" if row.target else row.name
    parts: list[Part] = [
        (f" {glyphs.endpoint(status)} ", style),
        (mark, "$primary bold"),
        (_field(shown, name, glyphs), "$quiet" if row.is_off else ""),
        (_field(word, STATUS, glyphs), style),
    ]
    if rest:
        n_ctx = None if row.endpoint is None else row.endpoint.max_context_length
        parts += [_field(glyphs.twin(tokens(n_ctx)), CTX, glyphs), _last(row, rest, glyphs)]
    return parts


def _last(row: NameRow, width: int, glyphs: Glyphs) -> Part:
    """The other names, or why it serves nobody where nobody asks for it by another."""
    if row.endpoint is None or (row.why and not row.answers_to and not row.is_off):
        is_short = cell_len(row.why) > width and row.endpoint is None
        return cut(glyphs.twin(NOWHERE if is_short else row.why), width, glyphs), "$error"
    return cut(", ".join(row.answers_to), width, glyphs), "$primary"


def _field(text: str, width: int, glyphs: Glyphs) -> str:
    return set_cell_size(cut(text, width - 1, glyphs), width)


def stack_words(stack: AdapterStack) -> str:
    """`code 0.80 + chat 0.50`."""
    return " + ".join(f"{each.name} {each.weight:.2f}" for each in stack.adapters)


def about(row: NameRow, glyphs: Glyphs) -> list[list[Part]]:
    """More about the row under the cursor, in three lines."""
    status, word, style = status_of(row)
    first: list[Part] = [(f"{glyphs.endpoint(status)} {word}  ", style), (row.name, "bold")]
    if row.why:
        first.append(f"  {glyphs.twin(row.why)}")
    if row.endpoint is None:
        return [first, [(_cure(row), "$quiet")], []]
    named = ", ".join(row.answers_to) or "nothing else; a gives it an alias"
    stack = row.endpoint.stack
    made = f"{row.endpoint.base_model} with {stack_words(stack)}" if stack else "the model alone"
    can = ", ".join(row.endpoint.capabilities) or "–"
    facts = f"  ctx {tokens(row.endpoint.max_context_length)}  can {can}"
    return [
        first,
        [("answers to  ", "$quiet"), named],
        [("is  ", "$quiet"), made, (glyphs.twin(facts), "$quiet")],
    ]


def _cure(row: NameRow) -> str:
    if row.kind is Kind.ALIAS:
        return "BkSp takes the alias away"
    return "m says that there is no default" if row.kind is Kind.DEFAULT else "space forgets it"
