"""What is asked before something is lost or unlikely to work: the words and buttons of each dialog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.forecast import Verdict
from ggtui.core.memory.pool import PoolKind
from ggtui.core.state import TargetState
from ggtui.core.units import tokens, used_of_total
from ggtui.tui.screens.choice import NO, Answer, Question

if TYPE_CHECKING:
    from ggtui.core.forecast import Forecast
    from ggtui.core.snapshot import EngineSnapshot, TargetStatus
    from ggtui.tui.outlook import Outlook

LOAD, LARGEST, PART, STOP, STOP_NOW, KEEP = "load", "largest", "part", "stop", "stop-now", "keep"
DETACH = "detach"
"""Answers beside `NO`."""


def before_load(outlook: Outlook) -> Question | None:
    """The question before this load; None when nobody needs to be asked."""
    name = outlook.summary.public_id
    if not outlook.fits_clearly and outlook.forecast is not None:
        return _fit_question(outlook)
    if outlook.in_flight:
        victims = ", ".join(outlook.forecast.frees if outlook.forecast else ()) or name
        text = f"{victims} answers {_requests(outlook.in_flight)}. They end first; new ones wait."
        verb = "Restart" if outlook.target is not None else "Load"
        return Question(f"{verb} {name}?", text, (Answer(NO, "No"), Answer(LOAD, f"{verb} {name}")))
    return None


def _requests(count: int) -> str:
    return "1 request" if count == 1 else f"{count} requests"


def _fit_question(outlook: Outlook) -> Question:
    forecast = outlook.forecast
    assert forecast is not None
    name, largest = outlook.summary.public_id, forecast.largest_ctx
    answers = [Answer(NO, "No")]
    if largest is not None and largest < outlook.n_ctx:
        answers.append(Answer(LARGEST, f"Use {tokens(largest)}, which fits"))
    answers.append(_anyway(forecast))
    figure = used_of_total(forecast.after_bytes, forecast.total_bytes or None)
    where = "RAM" if forecast.pool is PoolKind.RAM else "GPU memory"
    said = {
        Verdict.PART: "only a part of it fits",
        Verdict.NO: "it does not fit",
        Verdict.GUESS: "how much its cache takes is not modelled exactly",
    }.get(forecast.verdict, "")
    text = f"{name} with ctx {tokens(outlook.n_ctx)} → {figure} of {where}: {forecast.refusal or said}."
    if answers[-1].id == PART:
        text += "\nLoading partly keeps the number of layers for this model; e takes it back."
    if outlook.in_flight:
        text += f"\n{_requests(outlook.in_flight)} in flight end first."
    return Question(f"Load {name}?", text, tuple(answers))


def _anyway(forecast: Forecast) -> Answer:
    if forecast.verdict is Verdict.PART and forecast.n_layers_on_gpu is not None:
        return Answer(PART, f"Load partly, {forecast.n_layers_on_gpu} of {forecast.n_layers} layers on GPU")
    return Answer(LOAD, "Load it anyway")


def before_stop(target: TargetStatus) -> Question | None:
    """The question before a stop; None when no request is in flight."""
    if not target.in_flight:
        return None
    if target.state is TargetState.DRAINING:
        return Question(
            f"Stop {target.public_id} now?",
            f"{target.public_id} is being stopped; {_requests(target.in_flight)} in flight end first.",
            (Answer(NO, "Wait for the end"), Answer(STOP_NOW, "Stop now, cut them off")),
        )
    return Question(
        f"Stop {target.public_id}?",
        f"{target.public_id} answers {_requests(target.in_flight)}.",
        (
            Answer(NO, "No"),
            Answer(STOP, "Stop when they have ended"),
            Answer(STOP_NOW, "Stop now, cut them off"),
        ),
    )


def before_detach(model: str, adapter: str, target: TargetStatus | None) -> Question:
    """The question before an adapter is taken off a model. target: the model's own server, if it has one."""
    text = f"Who asks for {model}:{adapter} is refused then."
    text = f"{text} {restart_words(target)}" if target is not None else text
    answers = (Answer(NO, "No"), Answer(DETACH, f"Detach {adapter}"))
    return Question(f"Detach {adapter} from {model}?", text, answers)


def restart_words(target: TargetStatus | None) -> str:
    """What other adapters mean for a server; empty when there is none."""
    if target is None:
        return ""
    after = f" after its {_requests(target.in_flight)}" if target.in_flight > 1 else ""
    after = " after its request" if target.in_flight == 1 else after
    return f"The server ends{after}; the next request starts it again."


def before_quit(snapshot: EngineSnapshot) -> Question | None:
    """The question before leaving; None when nothing runs."""
    if not snapshot.targets:
        return None
    names = ", ".join(target.title for target in snapshot.targets)
    in_flight = sum(target.in_flight for target in snapshot.targets)
    where = (
        f"\nLeave running: the screen closes, {snapshot.url} goes on in this terminal."
        if snapshot.url
        else ""
    )
    stay = Answer(NO, "Cancel")
    go = (Answer(STOP, "Stop them"), Answer(KEEP, "Leave running"))
    answers = (stay, *go) if in_flight else (*go, stay)
    verb = ("is running", "answers") if len(snapshot.targets) == 1 else ("are running", "answer")
    busy = f" and {verb[1]} {_requests(in_flight)}" if in_flight else ""
    return Question("Quit ggtui?", f"{names} {verb[0]}{busy}.{where}", answers)
