"""`ggtui rm`: takes a model off the disk, after its name was typed; a running ggtui only looks again."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from ggtui.cli.client import running
from ggtui.cli.exits import ExitCode
from ggtui.cli.shelf import not_found, open_catalog
from ggtui.cli.surroundings import look
from ggtui.core.errors import ConfigInvalid, RemovalRefused
from ggtui.core.removal import removal_document

if TYPE_CHECKING:
    from ggtui.cli.call import Call
    from ggtui.cli.client import InstanceClient
    from ggtui.cli.output import Output
    from ggtui.config.schema import Config
    from ggtui.core.removal import RemovalPlan

RESCAN_S = 600.0
IN_USE = "it is loaded, or a request waits for it"


def run(call: Call) -> ExitCode:
    """Show what goes, ask for the name, do it."""
    config, out = call.config, call.out
    if config.read_only:
        raise ConfigInvalid("nothing is removed with --read-only")
    instance = running(config)
    plan = look(_plan(config, call.arguments.model, instance))
    _refuse(plan)
    if not out.is_json:
        _show(plan, out)
    if not _is_typed(plan, call):
        raise RemovalRefused(f"{plan.public_id} was not typed")
    _refuse_used(plan.model_id, instance)
    look(_remove(config, plan, instance))
    if instance is not None:
        instance.post("/ggtui/rescan", {}, RESCAN_S)
    if out.is_json:
        out.document(removal_document(plan, is_removed=True))
    else:
        out.say(f"{plan.public_id} is removed")
    return ExitCode.DONE


async def _plan(config: Config, name: str, instance: InstanceClient | None) -> RemovalPlan:
    async with open_catalog(config, instance.state() if instance else None) as catalog:
        if instance is None:
            await catalog.refresh()
        model = await catalog.resolve_model(name)
        plan = None if model is None else await catalog.plan_removal(model.id)
        if plan is None:
            raise not_found(name, [each.public_id for each in await catalog.list_models()])
        _refuse_used(plan.model_id, instance)
        return plan


async def _remove(config: Config, plan: RemovalPlan, instance: InstanceClient | None) -> None:
    async with open_catalog(config, instance.state() if instance else None) as catalog:
        await catalog.remove(plan)
        if instance is None:
            await catalog.refresh()


def _refuse_used(model_id: int, instance: InstanceClient | None) -> None:
    """A model that a server has, or that somebody waits for, stays."""
    if instance is None:
        return
    state: dict[str, Any] = instance.state()
    if state.get("is_read_only"):
        raise RemovalRefused("the running ggtui is read-only")
    if any(each["id"] == model_id for each in (*state["targets"], *state["queue"])):
        raise RemovalRefused(IN_USE, hint="ggtui stop")


def _refuse(plan: RemovalPlan) -> None:
    if plan.refusal:
        raise RemovalRefused(f"{plan.public_id}: {plan.refusal}", hint=plan.hint)


def _show(plan: RemovalPlan, out: Output) -> None:
    for file in plan.files:
        out.line(file.words)
    for sentence in plan.kept:
        out.say(sentence)
    out.say(plan.words)


def _is_typed(plan: RemovalPlan, call: Call) -> bool:
    """True when a person has typed the public id, here or on the command line."""
    typed = call.arguments.yes_type
    if typed is None:
        if call.out.is_json or not sys.stdin.isatty():
            raise ConfigInvalid(
                "nobody is here to type the name", hint=f"--yes-type {plan.public_id} says it in advance"
            )
        call.out.say(f"type {plan.public_id} to remove it:")
        typed = sys.stdin.readline()
    return bool(typed.strip() == plan.public_id)
