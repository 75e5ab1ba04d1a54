"""`ggtui lora`: LoRA adapters of models, in models.toml; only a weight needs a running ggtui."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ggtui.cli.exits import ExitCode, WrongUse
from ggtui.cli.found_adapters import print_found
from ggtui.cli.name_arguments import LORA_ACTIONS, weight
from ggtui.cli.names_desk import absolute, names_desk, running_names
from ggtui.core.names_json import weights_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ggtui.cli.call import Call

HEAD = ("ENDPOINT", "APPLIES", "LOADED", "STATUS", "FILE")
ATTACH = "ggtui lora attach MODEL FILE_OR_NAME [--name NAME] [--weight W]"
DETACH = "ggtui lora detach MODEL NAME"
WEIGHT = "ggtui lora weight MODEL NAME W"


def run(call: Call) -> ExitCode:
    """Print what is attached, or change it."""
    action, *words = call.arguments.words or [None]
    if action == "attach":
        return _attach(call, words)
    if call.arguments.name is not None or call.arguments.weight is not None:
        raise WrongUse("--name and --weight belong to attach", hint=ATTACH)
    if action == "detach":
        return _detach(call, words)
    if action == "weight":
        return _weigh(call, words)
    if words:
        raise WrongUse(
            f"{action} is none of {', '.join(LORA_ACTIONS)}", hint=f"{ATTACH}, or ggtui lora MODEL"
        )
    return _list(call, action)


def _attach(call: Call, words: Sequence[str]) -> ExitCode:
    model, lora = _exactly(2, words, "attach takes a model and a LoRA file, or the name of one", ATTACH)
    own = 1.0 if call.arguments.weight is None else call.arguments.weight
    document = names_desk(call.config).attach(model, absolute(lora), call.arguments.name, own)
    if call.out.is_json:
        call.out.document(document)
        return ExitCode.DONE
    call.out.line(f"{document['endpoint']} can be asked for now")
    _say_restart(call, document)
    return ExitCode.DONE


def _detach(call: Call, words: Sequence[str]) -> ExitCode:
    model, name = _exactly(2, words, "detach takes a model and the name of its adapter", DETACH)
    document = names_desk(call.config).detach(model, name)
    if call.out.is_json:
        call.out.document(document)
        return ExitCode.DONE
    call.out.line(f"{document['model']}:{name} is taken off")
    _say_restart(call, document)
    return ExitCode.DONE


def _weigh(call: Call, words: Sequence[str]) -> ExitCode:
    model, name, text = _exactly(3, words, "weight takes a model, its adapter and a number", WEIGHT)
    try:
        wanted = weight(text)
    except argparse.ArgumentTypeError as error:
        raise WrongUse(f"the weight {error}", hint=WEIGHT) from None
    document = running_names(call.config).set_weight(model, name, wanted)
    if call.out.is_json:
        call.out.document(document)
        return ExitCode.DONE
    call.out.line(f"{document['model']}:{name} applies {wanted:g} until ggtui ends")
    return ExitCode.DONE


def _exactly(count: int, words: Sequence[str], wrong: str, usage: str) -> Sequence[str]:
    if len(words) != count:
        raise WrongUse(wrong, hint=usage)
    return words


def _list(call: Call, model: str | None) -> ExitCode:
    document = names_desk(call.config).adapters(model)
    if call.out.is_json:
        call.out.document(document)
        return ExitCode.DONE
    attached = document["attached"]
    call.out.table(HEAD, [_row(each) for each in attached], frozenset())
    for each in attached:
        if each["why"]:
            call.out.say(f"{each['id']}: {each['why']}")
    if not attached:
        call.out.say(f"no adapters are attached; {ATTACH}")
    if model is None:
        _print_found(call, document["found"], is_second=bool(attached))
    return ExitCode.DONE


def _row(attached: dict[str, Any]) -> tuple[str, ...]:
    return (
        attached["id"],
        weights_text(attached["adapters"]),
        "yes" if attached["is_loaded"] else "no",
        attached["status"],
        attached["file"] or ("stack" if attached["is_stack"] else "–"),
    )


def _print_found(call: Call, found: list[dict[str, Any]], *, is_second: bool) -> None:
    if is_second and found:
        call.out.line()
    print_found(call.out, found)
    if not found:
        call.out.say("no LoRA files were found")


def _say_restart(call: Call, document: dict[str, Any]) -> None:
    """Tell when a server that runs carries other adapters than it should."""
    if document["is_running"]:
        call.out.say(f"the server of {document['model']} restarts when its requests have ended")
