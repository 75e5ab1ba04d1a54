"""Every key, in one table: footer, help and the README's key list are made from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from textual.binding import Binding, BindingType


class Where(StrEnum):
    """Where a key works, in the words of the help screen."""

    ANY = "any screen"
    MAIN = "main screen"
    CONTEXT = "main, info, quants"
    CATALOG = "catalog"
    RUNNING = "Running"
    LISTS = "lists, logs"
    LOGS = "logs"
    INFO = "info"
    OPTIONS = "launch options"
    VALUE = "a value"
    NAMES = "names"
    LORA = "LoRA"
    DEPLOYMENTS = "deployments"
    BACKENDS = "backends"
    DOWNLOADS = "downloads"
    HUB = "hub search"
    OFFERS = "quants"
    SEARCH = "search field"
    FILTER = "filter"
    DIALOG = "dialogs"


@dataclass(frozen=True, slots=True)
class Key:
    """One line of the table."""

    id: str
    keys: str
    """Textual's names, comma separated; the first is the main one."""
    shown: str
    """As people read it."""
    action: str
    words: str
    where: Where
    footer: str = ""
    """Label in the footer; empty keeps it out. The table's order is the footer's order."""
    priority: bool = False
    """True: looked at before any widget, so that what is typed right behind it goes where it leads."""
    footer_keys: str = ""
    """The keys as the footer shows them, where that is more than one line of the table."""


TABLE: tuple[Key, ...] = (
    Key("load", "enter", "⏎", "activate", "load the model; swap if one is running", Where.CATALOG, "Load"),
    Key(
        "adapter-next",
        "right,full_stop",
        "→ .",
        "adapter(1)",
        "the next LoRA adapter of the server",
        Where.RUNNING,
        "LoRA",
        footer_keys="← →",
    ),
    Key("adapter-previous", "left,comma", "← ,", "adapter(-1)", "the adapter before", Where.RUNNING),
    Key(
        "weight-down",
        "less_than_sign",
        "<",
        "weight(-1)",
        "less of the adapter: counts for each request that follows",
        Where.RUNNING,
        "Weight",
        footer_keys="< >",
    ),
    Key("weight-up", "greater_than_sign", ">", "weight(1)", "more of the adapter", Where.RUNNING),
    Key(
        "ctx-down",
        "left_square_bracket,minus",
        "[ -",
        "context_down",
        "context one stop down; the forecast moves at once",
        Where.CONTEXT,
        "Ctx",
        footer_keys="[ ]",
    ),
    Key(
        "ctx-up",
        "right_square_bracket,plus,equals_sign",
        "] + =",
        "context_up",
        "context one stop up",
        Where.CONTEXT,
    ),
    Key(
        "ctx-saved",
        "left_curly_bracket",
        "{",
        "context_saved",
        "context back to the saved one",
        Where.CONTEXT,
    ),
    Key(
        "ctx-largest",
        "right_curly_bracket",
        "}",
        "context_largest",
        "the largest context that fits",
        Where.CONTEXT,
    ),
    Key(
        "offer-take",
        "enter",
        "⏎",
        "take",
        "download it; asks first when it does not fit",
        Where.OFFERS,
        "Download",
    ),
    Key("stop", "s", "s", "app.stop", "stop what runs, or cancel the load", Where.ANY, "Stop"),
    Key(
        "filter",
        "slash",
        "/",
        "filter",
        "filter the catalog, search the logs",
        Where.LISTS,
        "Filter",
        priority=True,
    ),
    Key("logs", "l", "l", "logs", "logs of the selected model", Where.MAIN, "Logs"),
    Key("info", "i", "i", "info", "model info; after a failure, what happened", Where.MAIN, "Info"),
    Key("options", "e", "e", "options", "launch options: what it is started with", Where.MAIN),
    Key("copy", "y", "y", "app.copy_url", "copy the endpoint's URL", Where.ANY, "Copy"),
    Key("help", "question_mark,f1", "?", "app.help", "help", Where.ANY, "Help"),
    Key("quit", "q", "q", "app.quit", "quit; asks when a model is running", Where.ANY, "Quit"),
    Key(
        "restart",
        "r",
        "r",
        "app.restart",
        "restart with the chosen context; after a failure, retry",
        Where.ANY,
    ),
    Key("copy-more", "Y", "Y", "app.copy_more", "copy…: curl, environment, command, log, path", Where.ANY),
    Key("pin", "p", "p", "app.pin", "pin the model, so that it never makes way; or unpin it", Where.MAIN),
    Key("favourite", "asterisk", "*", "app.favourite", "make it a favourite, or no longer", Where.MAIN),
    Key("label", "t", "t", "app.label", "name and tags of the model, or of those marked", Where.MAIN),
    Key("remove", "D", "D", "remove", "take the model off the disk; its name is typed first", Where.CATALOG),
    Key("mark", "space", "space", "mark", "mark the model: t and * go to all marked", Where.CATALOG),
    Key("names", "N", "N", "app.names", "names: what clients can ask for, aliases, the default", Where.MAIN),
    Key("lora", "A", "A", "app.lora", "LoRA adapters of the model", Where.ANY),
    Key(
        "deployments",
        "P",
        "P",
        "app.deployments",
        "deployments: what serves each, its limits, circuit breaker and money",
        Where.ANY,
    ),
    Key(
        "backends",
        "B",
        "B",
        "app.backends",
        "backends: what each should serve, what it has, and how that differs",
        Where.ANY,
    ),
    Key(
        "downloads",
        "v",
        "v",
        "app.downloads",
        "downloads: how far each is; models are searched for on the hub from there",
        Where.ANY,
    ),
    Key("doctor", "H", "H", "app.doctor", "doctor: what is in order, what is not, and its cure", Where.ANY),
    Key("history", "h", "h", "app.history", "history: what was served, when and why", Where.ANY),
    Key("waiting", "W", "W", "app.waiting", "all requests that wait", Where.ANY),
    Key("reload", "C", "C", "app.reload", "read the configuration file again", Where.ANY),
    Key("down", "j,down", "j ↓", "cursor_down", "one line down", Where.LISTS),
    Key("up", "k,up", "k ↑", "cursor_up", "one line up", Where.LISTS),
    Key("top", "g,home", "g Home", "cursor_top", "to the first line", Where.LISTS),
    Key("bottom", "G,end", "G End", "cursor_bottom", "to the last line", Where.LISTS),
    Key("page-down", "pagedown", "PgDn", "cursor_page_down", "one page down", Where.LISTS),
    Key("page-up", "pageup", "PgUp", "cursor_page_up", "one page up", Where.LISTS),
    Key("sort", "o", "o", "sort", "next sort column", Where.CATALOG),
    Key("sort-back", "O", "O", "sort_reverse", "reverse the order", Where.CATALOG),
    Key("pane-1", "1", "1", "pane(1)", "to the catalog", Where.MAIN),
    Key("pane-2", "2", "2", "pane(2)", "to Running", Where.MAIN),
    Key("pane-3", "3", "3", "pane(3)", "to GPU", Where.MAIN),
    Key("pane-4", "4", "4", "pane(4)", "to the logs", Where.MAIN),
    Key("zoom", "z", "z", "zoom", "zoom the pane, or back", Where.MAIN),
    Key("back", "escape", "esc", "back", "close → clear filter → undo zoom → drop marks", Where.MAIN),
    Key(
        "rescan",
        "ctrl+r",
        "ctrl+r",
        "app.rescan",
        "look at the model folders again; on the screen of backends, ask them now",
        Where.ANY,
    ),
    Key("palette", "colon", ": ^p", "app.command_palette", "palette: models, actions, themes", Where.ANY),
    Key(
        "suspend",
        "ctrl+z",
        "ctrl+z",
        "app.suspend_process",
        "suspend to the shell; nothing is served meanwhile",
        Where.ANY,
    ),
    Key("quit-now", "ctrl+q", "ctrl+q", "app.quit", "quit", Where.ANY, priority=True),
    Key("follow", "f", "f", "follow", "follow new lines", Where.LOGS, "Follow"),
    Key("wrap", "w", "w", "wrap", "wrap long lines", Where.LOGS, "Wrap"),
    Key("next", "n", "n", "next_match", "next match", Where.LOGS, "Next"),
    Key("previous", "N", "N", "previous_match", "previous match", Where.LOGS),
    Key("load-here", "enter", "⏎", "load", "load this model with this context", Where.INFO, "Load"),
    Key("options-here", "e", "e", "options", "launch options of this model", Where.INFO, "Options"),
    Key("names-here", "N", "N", "app.names", "names of this model", Where.INFO),
    Key("alias", "a", "a", "want('alias')", "another name for the endpoint", Where.NAMES, "Alias"),
    Key(
        "unalias",
        "backspace,delete",
        "BkSp Del",
        "want('unalias')",
        "take an alias away; asks which",
        Where.NAMES,
        "Unalias",
        footer_keys="BkSp",
    ),
    Key(
        "make-default",
        "m",
        "m",
        "want('make-default')",
        "let it serve requests that name no model; again: no longer",
        Where.NAMES,
        "Default",
    ),
    Key("switch", "space", "space", "want('switch')", "switch it off, or on", Where.NAMES, "On/off"),
    Key("show-model", "enter", "⏎", "want('show-model')", "its model in the catalog", Where.NAMES, "Model"),
    Key(
        "attach",
        "enter,space",
        "⏎ space",
        "activate",
        "attach the LoRA file, or detach the adapter; asks first",
        Where.LORA,
        "Attach/detach",
        footer_keys="⏎",
    ),
    Key(
        "lora-down",
        "less_than_sign,minus",
        "< -",
        "weight(-1)",
        "0.05 less of the adapter: counts for each request that follows",
        Where.LORA,
        "Weight",
        footer_keys="< >",
    ),
    Key("lora-up", "greater_than_sign,plus,equals_sign", "> + =", "weight(1)", "0.05 more", Where.LORA),
    Key("lora-none", "0", "0", "whole_weight(0)", "none of it", Where.LORA, "None"),
    Key("lora-full", "1", "1", "whole_weight(1)", "all of it", Where.LORA, "Full"),
    Key("lora-file", "a", "a", "add_file", "attach a file whose path is typed", Where.LORA, "Add a file"),
    Key(
        "drain",
        "space",
        "space",
        "want('drain')",
        "drain: take no new request; asks first. Again: take them again",
        Where.DEPLOYMENTS,
        "Drain/resume",
    ),
    Key(
        "breaker-open",
        "o",
        "o",
        "want('breaker-open')",
        "hold the circuit breaker open: nothing is sent; asks first",
        Where.DEPLOYMENTS,
        "Hold open",
    ),
    Key(
        "breaker-close",
        "c",
        "c",
        "want('breaker-close')",
        "hold the circuit breaker closed: everything is sent",
        Where.DEPLOYMENTS,
        "Hold closed",
    ),
    Key(
        "breaker-reset",
        "backspace,delete",
        "BkSp Del",
        "want('breaker-reset')",
        "let the circuit breaker judge by itself, from the beginning",
        Where.DEPLOYMENTS,
        "Reset",
        footer_keys="BkSp",
    ),
    Key(
        "reconcile",
        "enter",
        "⏎",
        "want('reconcile')",
        "ask all backends now, and fetch what is missing; r and ctrl+r do it too",
        Where.BACKENDS,
        "Ask now",
    ),
    Key(
        "hold",
        "space",
        "space",
        "want('hold')",
        "pause the download of a missing model, or let it go on",
        Where.BACKENDS,
        "Pause/resume",
    ),
    Key(
        "prune",
        "D",
        "D",
        "want('prune')",
        "delete an extra model from its backend; its name is typed first",
        Where.BACKENDS,
        "Delete extra",
    ),
    Key(
        "download-add",
        "a",
        "a",
        "want('download-add')",
        "search the hub for a model",
        Where.DOWNLOADS,
        "Search hub",
    ),
    Key(
        "download-hold",
        "space",
        "space",
        "want('download-hold')",
        "pause it; again: go on where it stopped, or try again",
        Where.DOWNLOADS,
        "Pause/resume",
    ),
    Key(
        "download-later",
        "J",
        "J",
        "want('download-later')",
        "one place later in the queue",
        Where.DOWNLOADS,
        "Order",
        footer_keys="J K",
    ),
    Key("download-sooner", "K", "K", "want('download-sooner')", "one place sooner", Where.DOWNLOADS),
    Key(
        "download-remove",
        "backspace,delete",
        "BkSp Del",
        "want('download-remove')",
        "take it off the list; asks first unless it is done",
        Where.DOWNLOADS,
        "Remove",
        footer_keys="BkSp",
    ),
    Key(
        "hub-open", "enter", "⏎", "open", "its quantisations, with what each would take", Where.HUB, "Quants"
    ),
    Key("hub-again", "a", "a", "filter", "search for something else; / does it too", Where.HUB),
    Key("search-go", "enter", "⏎", "go", "ask the hub", Where.SEARCH, "Search"),
    Key("search-leave", "escape", "esc", "leave", "stop asking; then leave", Where.SEARCH, "Leave"),
    Key("option-change", "enter", "⏎", "change", "type a value, or take the next", Where.OPTIONS, "Change"),
    Key(
        "option-down",
        "left",
        "←",
        "value_down",
        "the value below; the forecast moves at once",
        Where.OPTIONS,
        "Value",
        footer_keys="← →",
    ),
    Key("option-up", "right", "→", "value_up", "the value above", Where.OPTIONS),
    Key(
        "option-default",
        "backspace,delete",
        "BkSp Del",
        "value_default",
        "back to what counts for all models",
        Where.OPTIONS,
        "Default",
        footer_keys="BkSp",
    ),
    Key("save", "w", "w", "save", "write the changes to models.toml", Where.OPTIONS, "Save"),
    Key("save-load", "L", "L", "save_and_load", "write them and load", Where.OPTIONS, "Save, load"),
    Key("take", "enter", "⏎", "take", "take what was typed", Where.VALUE, "Take"),
    Key("drop", "escape", "esc", "drop", "drop what was typed", Where.VALUE, "Drop"),
    Key("keep", "enter", "⏎", "keep", "keep the filter", Where.FILTER, "Keep"),
    Key("clear", "escape", "esc", "clear", "clear the filter", Where.FILTER, "Clear"),
    Key("choose-next", "right,down", "→ ↓", "app.focus_next", "next button", Where.DIALOG),
    Key("choose-previous", "left,up", "← ↑", "app.focus_previous", "previous button", Where.DIALOG),
    Key("close", "escape", "esc", "close", "close; nothing is done", Where.DIALOG, "Close"),
)

GONE_WHEN_READ_ONLY = frozenset({"remove", "prune"})
"""Ids of keys that a read-only ggtui does not even name."""

ORDER: dict[str, int] = {key.id: place for place, key in enumerate(TABLE)}


def bindings(
    *places: Where, only: tuple[str, ...] = (), footer: str = "", in_footer: bool = True
) -> list[BindingType]:
    """Textual bindings of these places, in table order.

    only: ids to keep; empty keeps all. footer: another label for all of them. in_footer: False hides them.
    """
    return [
        Binding(
            key.keys,
            key.action,
            (footer or key.footer) or key.words,
            show=in_footer and bool(footer or key.footer),
            key_display=key.footer_keys or key.shown,
            id=key.id,
            priority=key.priority,
        )
        for key in TABLE
        if key.where in places and (not only or key.id in only)
    ]


def keys_markdown() -> str:
    """The table for the README, as GitHub Markdown."""
    rows = [f"| {_code(key)} | {key.where} | {key.words} |" for key in TABLE if key.where is not Where.DIALOG]
    return "\n".join(["| key | where | does |", "|---|---|---|", *rows])


def _code(key: Key) -> str:
    return " ".join(f"`{sign}`" for sign in key.shown.split())
