"""What the commands about names and adapters take."""

from __future__ import annotations

import argparse
from contextlib import suppress

from ggtui.core.routing.adapters import WEIGHT_RULE, is_weight

COMMANDS: dict[str, str] = {
    "names": "list what clients can ask for: models, adapters, aliases, the default",
    "alias": "let another name lead to a model; list the aliases",
    "default": "choose what serves requests that name no model",
    "enable": "let a model or an adapter be asked for again",
    "disable": "refuse every request for a model or an adapter",
    "lora": "attach LoRA adapters to models, take them off, weigh them",
}
"""Subcommands and their line of help."""

LORA_ACTIONS = ("attach", "detach", "weight")
_LORA_USAGE = """\
ggtui lora [MODEL]
       ggtui lora attach MODEL FILE_OR_NAME [--name NAME] [--weight W]
       ggtui lora detach MODEL NAME
       ggtui lora weight MODEL NAME W"""
_LORA_WORDS = "a model, to list what is attached to it; or what is to be done, as above"


def add_arguments(name: str, parser: argparse.ArgumentParser) -> None:
    """The arguments of one of these commands."""
    if name == "names":
        parser.add_argument("--all", action="store_true", help="also what is not ready, with the reason")
    if name in ("enable", "disable"):
        parser.add_argument("endpoint", metavar="ENDPOINT", help="public id, or model:adapter")
    if name == "alias":
        parser.add_argument("alias", metavar="NAME", nargs="?", help="the other name; all without")
        parser.add_argument("endpoint", metavar="ENDPOINT", nargs="?", help="where it leads")
        parser.add_argument("--remove", action="store_true", help="forget the alias")
    if name == "default":
        parser.add_argument("endpoint", metavar="ENDPOINT", nargs="?", help="the default; tells it without")
        parser.add_argument("--none", action="store_true", help="refuse requests that name no model")
    if name == "lora":
        parser.usage = _LORA_USAGE
        parser.add_argument("words", metavar="MODEL", nargs="*", help=_LORA_WORDS)
        parser.add_argument("--name", metavar="NAME", help="what stands behind the colon (the file's name)")
        parser.add_argument("--weight", metavar="W", type=weight, help=f"{WEIGHT_RULE} (1)")


def weight(text: str) -> float:
    """A weight as typed. Raises: ArgumentTypeError."""
    with suppress(ValueError):
        if is_weight(value := float(text)):
            return value
    raise argparse.ArgumentTypeError(f"must be {WEIGHT_RULE}, not {text!r}")
