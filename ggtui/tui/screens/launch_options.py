"""Launch options: what a model is started with, what each change would lead to, and the exact command."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Button

from ggtui.core.model_settings import LABELS
from ggtui.tui.format import lines
from ggtui.tui.keys import Where, bindings
from ggtui.tui.launch_fields import OPTION_KEYS, around, stepped, text_of, typed, typing_of
from ggtui.tui.launch_words import confidence_line, devices_line, heading
from ggtui.tui.panes.forecast import NARROW, forecast_line, slider_line, tiny_line
from ggtui.tui.screens.room import Room
from ggtui.tui.widgets.option_row import OptionLook, OptionRow
from ggtui.tui.widgets.text_block import TextBlock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.widget import Widget

    from ggtui.core.model_settings import Value
    from ggtui.tui.glyphs import Glyphs
    from ggtui.tui.launch_draft import Draft
    from ggtui.tui.outlook import Outlook

BUTTONS: Final = (("save", "Save"), ("save-load", "Save and load"), ("cancel", "Cancel"))


class Form(VerticalScroll, can_focus=False):
    """The rows; the keys of every list lead from one to the next."""

    BINDINGS = bindings(Where.LISTS, only=("down", "up", "top", "bottom", "page-down", "page-up"))

    def action_cursor_down(self) -> None:
        """The next row, and after the last the buttons."""
        self.screen.focus_next()

    def action_cursor_up(self) -> None:
        """The row before."""
        self.screen.focus_previous()

    def action_cursor_top(self) -> None:
        """The first row."""
        self.query(OptionRow).first().focus()

    def action_cursor_bottom(self) -> None:
        """The last row, and what stands below it."""
        self.query(OptionRow).last().focus(scroll_visible=False)
        self.scroll_end(animate=False)

    def action_cursor_page_down(self) -> None:
        """One page down."""
        self.scroll_page_down(animate=False)

    def action_cursor_page_up(self) -> None:
        """One page up."""
        self.scroll_page_up(animate=False)


class Buttons(Horizontal):
    """What becomes of the changes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(Where.DIALOG, only=("choose-next", "choose-previous")),
    ]

    def compose(self) -> ComposeResult:
        """One button each."""
        for name, label in BUTTONS:
            yield Button(Content(f" {label} "), id=f"options-{name}", compact=True)


class LaunchOptionsScreen(Room):
    """Nothing is written before a person says so; esc leaves everything as it was."""

    PLACE: ClassVar[Where] = Where.OPTIONS
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(Where.OPTIONS, only=("save", "save-load")),
        *bindings(Where.ANY, only=("copy",), footer="Command"),
        *bindings(Where.DIALOG, only=("close",)),
        *bindings(Where.CONTEXT, in_footer=False),
    ]
    AUTO_FOCUS: ClassVar[str | None] = None

    draft: reactive[Draft | None] = reactive(None, init=False)
    """The settings as changed here; None until they have been read."""
    outlook: reactive[Outlook | None] = reactive(None, init=False)
    """What loading the draft would lead to."""
    command: reactive[tuple[str, ...]] = reactive((), init=False)
    """What a load of the draft would run; empty until it is known."""

    class Changed(Message):
        """The draft is another one: its command is wanted."""

    class SaveWanted(Message):
        """Write the draft."""

        def __init__(self, *, loads: bool) -> None:
            """loads: and load the model with it."""
            super().__init__()
            self.loads = loads

    class Refused(Message):
        """A key can do nothing now."""

        def __init__(self, binding_id: str) -> None:
            super().__init__()
            self.binding_id = binding_id

    class Left(Message):
        """The screen closes with so many changes that were not saved."""

        def __init__(self, public_id: str, n_changes: int) -> None:
            super().__init__()
            self.public_id = public_id
            self.n_changes = n_changes

    def __init__(
        self, public_id: str, look: Callable[[Draft], Outlook], glyphs: Glyphs, *, is_read_only: bool
    ) -> None:
        """look: what loading a draft would lead to."""
        super().__init__(glyphs)
        self.public_id = public_id
        """Whose options these are."""
        self._look_ahead = look
        self._is_read_only = is_read_only

    def parts(self) -> Iterable[Widget]:
        """The rows with the command below them and the buttons, and the forecast where it always is."""
        head = Vertical(
            *(TextBlock(id=f"options-{name}") for name in ("line", "slider", "devices", "trust")),
            id="options-head",
        )
        rows = (OptionRow(key, self.glyphs, typing_of(key)) for key in OPTION_KEYS)
        form = Form(*rows, TextBlock(id="options-more"), id="options-form")
        frame = Vertical(form, Buttons(id="options-buttons"), id="options", classes="pane")
        frame.border_title = Content(heading(self.public_id, is_read_only=self._is_read_only))
        return (frame, head)

    def on_mount(self) -> None:
        """The first row has the keys."""
        self.query(OptionRow).first().focus()
        for name in ("save", "save-load"):
            self.query_one(f"#options-{name}", Button).disabled = self._is_read_only
        self.draw()

    def on_resize(self, event: events.Resize) -> None:
        """Text follows the width."""
        super().on_resize(event)
        self.call_after_refresh(self.draw)

    def watch_draft(self) -> None:
        """Look ahead anew with every change."""
        self.look_again()
        self.draw()
        self.post_message(self.Changed())

    def watch_outlook(self) -> None:
        """The memory or the choice moved."""
        self.draw()

    def watch_command(self) -> None:
        """Show it when it arrives."""
        self._draw_more()

    def why_not_here(self, binding_id: str) -> str | None:
        """The command can be copied without a proxy."""
        return "" if binding_id == "copy" else None

    def to_copy(self) -> tuple[str, str]:
        """The command as a person types it; empty until it is known."""
        return shlex.join(self.command), "the command"

    def look_again(self) -> None:
        """What the draft leads to at this moment."""
        if self.draft is not None:
            self.outlook = self._look_ahead(self.draft)

    def draw(self) -> None:
        """Hand every part its values."""
        if not self.is_mounted or self.draft is None or self.outlook is None:
            return
        self._draw_head(self.outlook)
        ahead = self.outlook.forecast
        for row in self.query(OptionRow):
            row.show(_look(self.draft, row.key, self.draft.words(row.key, ahead)))
        self._draw_more()

    def _draw_head(self, outlook: Outlook) -> None:
        width, glyphs = max(20, self.size.width - 2), self.glyphs
        first = tiny_line if width < NARROW else forecast_line
        shown = {
            "line": first(outlook, width, glyphs),
            "slider": slider_line(outlook, width, glyphs)[0],
            "devices": devices_line(outlook.forecast, width, glyphs),
            "trust": confidence_line(outlook.forecast, width, glyphs),
        }
        for name, content in shown.items():
            self.query_one(f"#options-{name}", TextBlock).show(content)

    def _draw_more(self) -> None:
        if not self.is_mounted or self.outlook is None:
            return
        rows = []
        if self.command:
            rows += [Content.assemble(("command", "$primary bold")), Content(self.to_copy()[0])]
        reasons = self.outlook.forecast.reasons if self.outlook.forecast is not None else ()
        if reasons:
            rows += [Content.assemble(("why the forecast is no surer", "$primary bold"))]
            rows += [Content(self.glyphs.twin(reason)) for reason in reasons]
        self.query_one("#options-more", TextBlock).show(lines(rows), layout=True)

    def _set(self, key: str, value: Value | None) -> None:
        if self.draft is not None:
            self.draft = self.draft.with_value(key, value)

    @on(OptionRow.Wanted)
    def change(self, wanted: OptionRow.Wanted) -> None:
        """One change, or the place to type one."""
        key, draft = wanted.key, self.draft
        if self._is_read_only:
            self.post_message(self.Refused("option-change"))
        elif draft is None:
            return
        elif wanted.what == "type":
            self._row(key).open()
        elif wanted.what == "next":
            self._set(key, around(key, draft.value(key), draft.summary))
        elif wanted.what == "default":
            self._set(key, None)
        elif isinstance(wanted.what, int):
            self._set(key, stepped(key, draft.value(key), wanted.what, draft.summary))

    def _row(self, key: str) -> OptionRow:
        return self.query_one(f"#option-{key}", OptionRow)

    @on(OptionRow.TextChanged)
    def judge(self, changed: OptionRow.TextChanged) -> None:
        """Say at once what is wrong with a text; look ahead with one that is right."""
        key, read, draft = changed.key, typed(changed.key, changed.text), self.draft
        if draft is None or read.problem:
            self._row(key).say(read.problem)
            return
        looked_at = draft.with_value(key, read.value)
        self._row(key).say(looked_at.problem(key))
        self.outlook = self._look_ahead(looked_at)

    @on(OptionRow.TextTaken)
    def take(self, taken: OptionRow.TextTaken) -> None:
        """A right text counts; a wrong one stays to be mended, or is dropped when nobody is there to."""
        read = typed(taken.key, taken.text)
        if read.problem and not taken.is_left:
            self._row(taken.key).say(read.problem)
            return
        self._row(taken.key).close()
        if not read.problem:
            self._set(taken.key, read.value)
        self.look_again()

    @on(OptionRow.TextDropped)
    def drop(self, dropped: OptionRow.TextDropped) -> None:
        """As it was before somebody typed."""
        self._row(dropped.key).close()
        self.look_again()

    @on(Button.Pressed)
    def press(self, pressed: Button.Pressed) -> None:
        """The same as the keys."""
        match pressed.button.id:
            case "options-save":
                self.action_save()
            case "options-save-load":
                self.action_save_and_load()
            case _:
                self.action_close()

    def action_save(self) -> None:
        """Intent goes up."""
        self.post_message(self.SaveWanted(loads=False))

    def action_save_and_load(self) -> None:
        """Intent goes up."""
        self.post_message(self.SaveWanted(loads=True))

    def action_close(self) -> None:
        """Leave everything as it was."""
        n_changes = len(self.draft.changes) if self.draft is not None else 0
        self.post_message(self.Left(self.public_id, n_changes))
        self.dismiss()

    def _step_context(self, direction: int) -> None:
        self.post_message(OptionRow.Wanted("ctx", direction))

    def action_context_down(self) -> None:
        """One stop down."""
        self._step_context(-1)

    def action_context_up(self) -> None:
        """One stop up."""
        self._step_context(1)

    def action_context_saved(self) -> None:
        """Back to what is kept."""
        if self.draft is not None and not self._is_read_only:
            self._set("ctx", self.draft.view.own.ctx)

    def action_context_largest(self) -> None:
        """The largest that fits."""
        ahead = self.outlook.forecast if self.outlook is not None else None
        if ahead is not None and ahead.largest_ctx and not self._is_read_only:
            self._set("ctx", ahead.largest_ctx)


def _look(draft: Draft, key: str, words: str) -> OptionLook:
    return OptionLook(
        label=LABELS[key],
        words=words,
        source=draft.source(key),
        problem=draft.problem(key),
        is_changed=draft.is_changed(key),
        text=text_of(key, draft.value(key)),
    )
