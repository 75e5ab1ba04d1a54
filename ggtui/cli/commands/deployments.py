"""`ggtui deployments`: what serves each, how far its rules are used up; and orders to one that runs.

Without a running ggtui it lists what the configuration says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ggtui.cli.client import ANSWER_S, connect, running
from ggtui.cli.exits import ExitCode, WrongUse
from ggtui.core.deployment.limits import Limit
from ggtui.core.deployment.orders import DeploymentOrder
from ggtui.core.deployment_words import (
    SHORT,
    Use,
    breaker_text,
    count,
    dollars,
    limits_text,
    served_text,
    spent_text,
)

if TYPE_CHECKING:
    from ggtui.cli.call import Call

PATH = "/ggtui/deployments"
HEAD = ("DEPLOYMENT", "STATE", "RUNTIME", "MODEL", "SERVES", "LIMITS", "BREAKER", "TOKENS", "SPENT")
USAGE = f"ggtui deployments [{'|'.join(DeploymentOrder)} NAME]"
SAID = {
    DeploymentOrder.OPEN: "the circuit breaker of {} is held open: nothing is sent to its server",
    DeploymentOrder.CLOSE: "the circuit breaker of {} is held closed: everything is sent to its server",
    DeploymentOrder.RESET: "the circuit breaker of {} judges by itself again",
    DeploymentOrder.DRAIN: "{} takes no new request",
    DeploymentOrder.RESUME: "{} takes requests again",
}


def run(call: Call) -> ExitCode:
    """Print them, or pass an order on."""
    words = call.arguments.order
    if not words:
        return _list(call)
    if len(words) != 2 or words[0] not in set(DeploymentOrder):
        raise WrongUse("an order is a word and the name of a deployment", hint=USAGE)
    return _order(call, DeploymentOrder(words[0]), words[1])


def _order(call: Call, order: DeploymentOrder, name: str) -> ExitCode:
    wish = {"deployment": name, "action": str(order)}
    document = connect(call.config).post(PATH, wish, ANSWER_S)
    if call.out.is_json:
        call.out.document(document)
        return ExitCode.DONE
    call.out.line(SAID[order].format(name))
    told = document["deployment"]
    if order is DeploymentOrder.DRAIN and told is not None and told["in_flight"]:
        call.out.say(f"{told['in_flight']} in flight; they go on to their end")
    return ExitCode.DONE


def _list(call: Call) -> ExitCode:
    instance = running(call.config)
    document = _kept(call) if instance is None else instance.get(PATH)
    if call.out.is_json:
        call.out.document(document)
        return ExitCode.DONE
    deployments = document["deployments"]
    assert isinstance(deployments, list)
    call.out.table(HEAD, [_row(each) for each in deployments], frozenset())
    for each in deployments:
        if each["why"]:
            call.out.say(f"{each['name']}: {each['why']}")
    if instance is None:
        call.out.say("no ggtui is running" + ("; this is what the configuration says" if deployments else ""))
    if not deployments:
        call.out.say("the configuration has no [[deployment]]; every model is served by its own name")
    return ExitCode.DONE


def _kept(call: Call) -> dict[str, Any]:
    from ggtui.cli.kept_deployments import kept_deployments

    return kept_deployments(call.config)


def _row(deployment: dict[str, Any]) -> tuple[str, ...]:
    return _declared_row(deployment) if deployment["state"] is None else _live_row(deployment)


def _declared_row(deployment: dict[str, Any]) -> tuple[str, ...]:
    """What is allowed of a thing, where nobody knows how much of it is used."""
    budget = deployment["budget"] or {}
    limits = [f"–/{count(use['allowed'])} {SHORT[Limit(name)]}" for name, use in deployment["limits"].items()]
    amounts = (("h", budget.get("max_spend_per_hour_usd")), ("d", budget.get("max_spend_per_day_usd")))
    spent = [f"–/{dollars(most)} {letter}" for letter, most in amounts if most is not None]
    return (
        deployment["name"],
        "unknown",
        deployment["runtime"],
        deployment["model"],
        "–" if deployment["slots"] is None else f"–/{deployment['slots']}",
        "  ".join(limits) or "–",
        "–",
        "–",
        "  ".join(spent) or "–",
    )


def _live_row(deployment: dict[str, Any]) -> tuple[str, ...]:
    breaker, budget = deployment["breaker"], deployment["budget"] or {}
    uses = [
        Use(name, use["used"], use["allowed"], use.get("key", ""))
        for name, use in deployment["limits"].items()
    ]
    n_in, n_out = deployment["tokens_in"], deployment["tokens_out"]
    return (
        deployment["name"],
        deployment["state"],
        deployment["runtime"],
        deployment["model"],
        served_text(deployment["in_flight"], deployment["slots"], deployment["queued"]),
        limits_text(uses) or "–",
        breaker_text(
            breaker["state"], is_forced=breaker["is_forced"], retry_after_s=breaker["retry_after_s"]
        ),
        f"{count(n_in)} in {count(n_out)} out" if n_in or n_out else "–",
        spent_text(
            deployment["spent_hour_usd"],
            deployment["spent_day_usd"],
            budget.get("max_spend_per_hour_usd"),
            budget.get("max_spend_per_day_usd"),
        )
        or "–",
    )
