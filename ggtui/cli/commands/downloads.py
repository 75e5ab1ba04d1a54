"""`ggtui downloads`: what is fetched, what waits and what has ended; and orders to one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ggtui.cli.backend_arguments import DOWNLOAD_ACTIONS, DOWNLOADS_USAGE
from ggtui.cli.download_progress import amount_words
from ggtui.cli.downloads_desk import downloads_desk
from ggtui.cli.exits import ExitCode, WrongUse
from ggtui.core.backends.backend import THIS_MACHINE
from ggtui.core.downloads.jobs import JobState
from ggtui.core.errors import ConfigInvalid
from ggtui.core.text import plain
from ggtui.core.units import duration, gib, rate

if TYPE_CHECKING:
    from ggtui.cli.call import Call

HEAD = ("N", "MODEL", "WHERE", "STATE", "DONE", "SIZE", "RATE", "LEFT")
RIGHT = frozenset({0, 4, 5, 6, 7})
SAID = {
    "pause": "{} is paused",
    "resume": "{} goes on",
    "cancel": "{} is cancelled: it stays paused, with what is on disk",
    "move": "{} has its place",
    "remove": "{} is taken out of the queue",
}


def run(call: Call) -> ExitCode:
    """Print them, or pass an order on."""
    words = call.arguments.order
    return _order(call, words) if words else _list(call)


def _order(call: Call, words: list[str]) -> ExitCode:
    action, *numbers = words
    n_numbers = 2 if action == "move" else 1
    if action not in DOWNLOAD_ACTIONS or len(numbers) != n_numbers or not all(map(_is_number, numbers)):
        raise WrongUse("an order is a word and the number of a download", hint=DOWNLOADS_USAGE)
    if call.config.read_only:
        raise ConfigInvalid("nothing is changed with --read-only")
    action = "remove" if action == "rm" else action
    desk = downloads_desk(call.config)
    # People count places from 1.
    to = max(0, int(numbers[1]) - 1) if action == "move" else None
    document = desk.order(int(numbers[0]), action, to)
    if call.out.is_json:
        call.out.document(document)
        return ExitCode.DONE
    told = document["download"]
    call.out.line(_said(action, told).format(plain(told["model"]) if told else numbers[0]))
    if action == "resume" and desk.is_kept:
        call.out.say("no ggtui is running: the next one fetches it")
    return ExitCode.DONE


def _said(action: str, told: dict[str, Any] | None) -> str:
    """What has come of it, with a place for the name. told: None for one that has left the queue."""
    state = told["state"] if told else ""
    if state == JobState.DONE and action != "move":
        return "{} is done already"
    if state == JobState.FAILED and action == "pause":
        return "{} has failed: there is nothing to pause"
    if told and action == "remove":
        return "{} is declared in the configuration: it stays in the queue, paused"
    return SAID[action]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16


def _list(call: Call) -> ExitCode:
    desk = downloads_desk(call.config)
    document = desk.queue()
    if call.out.is_json:
        call.out.document(document)
        return ExitCode.DONE
    jobs = document["downloads"]
    call.out.table(HEAD, [_row(each) for each in jobs], RIGHT)
    for each in jobs:
        if each["why"]:
            call.out.say(f"{each['number']}: {plain(each['why'])}{_hint(each)}")
    if not jobs:
        call.out.say("no downloads; ggtui pull OWNER/REPO begins one")
    elif desk.is_kept and any(each["state"] == "pending" for each in jobs):
        call.out.say("no ggtui is running: the next one fetches what is pending")
    return ExitCode.DONE


def _hint(job: dict[str, Any]) -> str:
    return f"; {plain(job['hint'])}" if job["hint"] else ""


def _row(job: dict[str, Any]) -> tuple[str, ...]:
    total = job["total_bytes"]
    amount = amount_words({"completed": job["completed_bytes"], "total": total})
    return (
        str(job["number"]),
        plain(job["model"]),
        "here" if job["backend"] == THIS_MACHINE else plain(job["backend"]),
        job["state"],
        amount[-1] if amount else "–",
        gib(total),
        rate(job["rate"]),
        "–" if job["left_s"] is None else duration(job["left_s"]),
    )
