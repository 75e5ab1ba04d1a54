"""Help: the keys of the focused part, then all of them from the one table, then the words of the field."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.content import Content

from ggtui.tui.format import Part, lines
from ggtui.tui.keys import TABLE, Key, Where, bindings
from ggtui.tui.screens.reader import Page, ReaderScreen
from ggtui.tui.widgets.filter_bar import FilterBar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.binding import BindingType
    from textual.widget import Widget

    from ggtui.tui.glyphs import Glyphs

WORDS: tuple[tuple[str, str], ...] = (
    ("ctx", "context: how many tokens one conversation may use"),
    ("KV", "key-value cache: memory of the context, grows with ctx"),
    ("VRAM", "memory of the GPU"),
    ("ngl", "how many layers of the model are on the GPU"),
    ("pp, tg", "tokens per second: reading the prompt, writing the answer"),
    ("quant", "how the weights are packed; fewer bits, smaller file"),
    ("slots", "conversations a server answers at once"),
    ("LoRA", "an adapter of weights: who asks for model:name gets the model with it"),
    ("weight", "0 to 1; it goes with each request, so what is cached of earlier ones stays right"),
    ("alias", "another name that leads to an endpoint"),
    ("»", "in the list of names: serves requests that name no model"),
    (
        "breaker",
        "leaves a server alone that failed in a row; after a while one request tries it",
    ),
    ("backend", "a server that others run: it is asked what it has, and requests can go there"),
    ("drift", "what is declared is not what is there; what is extra is shown and never deleted by itself"),
    ("hub", "where models are downloaded from, Hugging Face unless HF_ENDPOINT says otherwise"),
    ("gated", "its owner lets in whom he wants, and the hub wants a token: HF_TOKEN"),
    ("fits", "everything fits into the memory, some of it left free"),
    ("part", "some layers go to main memory: works, slower"),
    ("◆", "beside the state: pinned; once loaded it never makes way for another model"),
    ("★", "beside the state: a favourite; a filter of * shows them all, #word those with a tag"),
    ("▸", "in the first column: marked"),
    ("≥", "at least: how long the requests of other models take, nobody knows"),
    ("guess", "this kind of model is not modelled exactly"),
)

CURES: tuple[tuple[str, str], ...] = (
    ("on the CPU", "pip install 'ggtui[engine]', then start ggtui again"),
    ("with a GPU", "install llama.cpp and have llama-server in the PATH, or: ggtui --llama-server PATH"),
    ("to check", "ggtui doctor"),
)

SIGNS = 18
"""Cells of the left column."""

SIZES: tuple[tuple[str, str], ...] = (
    ("under 60 columns", "only status, catalog and forecast"),
    ("60 to 99 columns", "Running and GPU below; no docked logs"),
    ("100 and more", "Running and GPU at the side"),
    ("under 100 columns", "those who wait in one line; W lists them"),
    ("under 20 rows", "Running and GPU hidden; z, 2 and 3 show them"),
    ("30 and more", "logs docked when also wide; graph of the memory"),
)


class HelpScreen(ReaderScreen):
    """`/` filters the lines as you type."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(Where.LISTS, only=("filter",)),
        *bindings(Where.DIALOG, only=("close",)),
    ]

    def __init__(
        self, glyphs: Glyphs, place: Where, engine_problem: str = "", absent: frozenset[str] = frozenset()
    ) -> None:
        """engine_problem: why nothing can be loaded; empty when something can.

        absent: ids of keys to leave out.
        """
        super().__init__("Help", glyphs)
        self._place = place
        self._engine_problem = engine_problem
        self._table = tuple(key for key in TABLE if key.id not in absent)
        self._words = ""

    def parts(self) -> Iterable[Widget]:
        """A filter over the page."""
        return (FilterBar("words to find", id="help-filter"), *super().parts())

    def action_filter(self) -> None:
        """Type to find."""
        self.query_one(FilterBar).open()

    @on(FilterBar.Typed)
    def find(self, typed: FilterBar.Typed) -> None:
        """Keep the lines that hold the words."""
        self._words = typed.words.lower()
        self.draw()

    @on(FilterBar.Left)
    def read_on(self) -> None:
        """Typing is over."""
        self.query_one(Page).focus()

    def text(self) -> Content:
        """Sections; those without a match are left out."""
        here = [key for key in self._table if key.where is self._place]
        rest = [key for key in self._table if key.where is not self._place]
        missing = [("", " ".join(self._engine_problem.split())), *CURES] if self._engine_problem else []
        rows = [
            *self._section("No engine: models cannot be loaded", missing),
            *self._section(f"Keys in {self._place}", [_key_line(key) for key in here]),
            *self._section("All other keys", [_key_line(key, with_place=True) for key in rest]),
            *self._section("What a size hides", SIZES),
            *self._section("Words", WORDS),
        ]
        return lines(rows) if rows else Content(f'nothing matches "{self._words}"')

    def _section(self, title: str, entries: Iterable[tuple[str, str]]) -> list[Content]:
        kept = [entry for entry in entries if self._words in f"{entry[0]} {entry[1]}".lower()]
        if not kept:
            return []
        heading: Part = (title, "$primary bold")
        return [
            Content.assemble(heading),
            *(row for entry in kept for row in self._lines(*entry)),
            Content(""),
        ]

    def _lines(self, sign: str, words: str) -> list[Content]:
        column = SIGNS if self.text_width > 2 * SIGNS else 0
        first, *more = wrap(self.glyphs.twin(words), self.text_width - column) or [""]
        sign = self.glyphs.twin(sign)
        head = f"{sign:<{column}}" if column else f"{sign}  "[: len(sign) + 2 * bool(sign)]
        return [Content.assemble((head, "bold"), first), *(Content(f"{'':<{column}}{line}") for line in more)]


def _key_line(key: Key, *, with_place: bool = False) -> tuple[str, str]:
    return key.shown, f"{key.words} ({key.where})" if with_place else key.words
