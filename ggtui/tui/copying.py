"""What `Y` offers to copy: the URL in other clothes, the command that runs, the end of the log."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from ggtui.tui.name_facts import MOST_ENDPOINTS, endpoints_of
from ggtui.tui.screens.choice import NO, Answer, Question

if TYPE_CHECKING:
    from ggtui.tui.desk import Desk

LOG_LINES = 50
OFFERED = (
    ("curl", "curl command"),
    ("env", "environment variables"),
    ("command", "launch command"),
    ("log", "end of the log"),
)
NAME = "name"
"""Begins the choices that are names; the place among the model's endpoints follows."""
PATH = "path"
"""The choice whose text only the engine knows."""


def copy_answers(desk: Desk) -> Question:
    """The choices that have something behind them."""
    answers = [Answer(key, label) for key, label in OFFERED if copy_source(desk, key)]
    if desk.selected is not None:
        named = endpoints_of(desk.snapshot, desk.selected.summary.public_id)[:MOST_ENDPOINTS]
        answers += [Answer(f"{NAME}-{place}", f"name {each.id}") for place, each in enumerate(named)]
        answers.append(Answer(PATH, f"file path of {desk.selected.summary.public_id}"))
    text = "What shall be copied?" if answers else "There is nothing to copy: no proxy, nothing started."
    return Question("Copy", text, (Answer(NO, "Nothing"), *answers))


def copy_source(desk: Desk, key: str) -> str:
    """The text of a choice; empty when there is none."""
    url, target = desk.snapshot.url, desk.target
    match key:
        case "curl" if url:
            return _curl(url, _model_name(desk))
        case "env" if url:
            return f"export OPENAI_BASE_URL={shlex.quote(url)}"
        case "command" if target is not None and target.argv:
            return shlex.join(target.argv)
        case "log":
            return "\n".join(desk.log_tail(desk.log_subject(), LOG_LINES))
        case _ if key.startswith(f"{NAME}-") and desk.selected is not None:
            named = endpoints_of(desk.snapshot, desk.selected.summary.public_id)
            return str(named[int(key.removeprefix(f"{NAME}-"))].id)
        case _:
            return ""


def _model_name(desk: Desk) -> str:
    target, selected = desk.target, desk.selected
    if target is not None:
        return target.public_id
    return selected.summary.public_id if selected is not None else "MODEL"


def _curl(url: str, model: str) -> str:
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "Hello"}]})
    return f"curl {url}/chat/completions -H 'Content-Type: application/json' -d {shlex.quote(body)}"
