"""The flags: one parser, the shared ones allowed before and after the subcommand."""

from __future__ import annotations

import argparse
from contextlib import suppress
from typing import TYPE_CHECKING

from ggtui import __version__
from ggtui.cli import backend_arguments, name_arguments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ggtui.core.models import KvType

COMMANDS: dict[str, str] = {
    "demo": "try everything on two tiny models, with nothing to download",
    "ls": "list the models, and whether each fits",
    "ps": "show what is running",
    "show": "show what is known of a model, and how much context fits",
    "load": "load a model, in place of the one that runs",
    "stop": "stop the running model",
    "du": "show what the models take on disk, place by place",
    "rm": "take a model off the disk; shows first what goes",
    "label": "give a model a name, tags, a favourite's mark",
    **name_arguments.COMMANDS,
    **backend_arguments.COMMANDS,
    "deployments": "show deployments and their rules; open, close or reset a breaker, drain, resume",
    "logs": "print a model's server log",
    "history": "list what was served, when and why",
    "gpu": "show memory, load and heat by device",
    "estimate": "forecast the memory a model would take",
    "doctor": "check paths, engine, driver, port and configuration",
    "validate": "check a configuration file, and tell what its deployments mean",
    "completion": "print a completion script for a shell",
}
"""Subcommands and their line of help."""

SHELLS = ("bash", "zsh", "fish")


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The flags as typed; `command` is None for the screen.

    Raises: SystemExit with code 2 for a mistake, 0 for --help and --version.
    """
    return build_parser().parse_args(argv)


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="ggtui",
        description="Run GGUF models on this machine behind one OpenAI-compatible URL. "
        "Without a command: the screen.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"ggtui {__version__}")
    _add_serving(parser, default=False)
    _add_shared(parser, is_root=True)
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", title="commands", parser_class=_CommandParser
    )
    for name, words in COMMANDS.items():
        command = commands.add_parser(name, help=words, description=words, allow_abbrev=False)
        _add_own(name, command)
        _add_shared(command, is_root=False)
    return parser


class _CommandParser(argparse.ArgumentParser):
    """Takes flags between the words of a command: `lora attach --name code MODEL FILE`."""

    _is_inside = False

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        # The other call is made of this one.
        if self._is_inside:
            return super().parse_known_args(args, namespace)
        self._is_inside = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._is_inside = False


def flags_of(arguments: argparse.Namespace) -> dict[str, object]:
    """The settings among the flags, by field of Config; None where not given."""
    return {
        "models_dirs": arguments.models_dir,
        "stores": () if arguments.no_stores else None,
        "host": arguments.host,
        "port": arguments.port,
        "n_ctx": arguments.ctx,
        "llama_server": arguments.llama_server,
        "strategy": arguments.strategy,
        "data_dir": arguments.data_dir,
        "read_only": True if arguments.read_only else None,
        "ascii": True if arguments.ascii else None,
        "mouse": False if arguments.no_mouse else None,
    }


def _add_serving(parser: argparse.ArgumentParser, *, default: object) -> None:
    parser.add_argument(
        "--proxy-only", action="store_true", default=default, help="serve without a screen; log on stderr"
    )


def _add_shared(parser: argparse.ArgumentParser, *, is_root: bool) -> None:
    """The flags every command takes. Below the root they only count when given, so both places work."""
    absent: object = None if is_root else argparse.SUPPRESS
    off: object = False if is_root else argparse.SUPPRESS
    group = parser.add_argument_group("settings")
    for flag, metavar, words in (
        ("--host", "H", "address to listen on (127.0.0.1)"),
        ("--port", "N", "port to listen on, 0 for any free one (8080)"),
        ("--ctx", "N", "context in tokens when nobody chose (auto: what fits)"),
        ("--llama-server", "PATH|embedded", "which llama.cpp to launch"),
        ("--strategy", "single|memory", "keep one model loaded, or as many as the memory holds"),
        ("--config", "FILE", "configuration file to read"),
        ("--data-dir", "DIR", "where catalog, lock and logs are kept"),
    ):
        group.add_argument(flag, metavar=metavar, default=absent, help=words)
    group.add_argument(
        "--models-dir", metavar="DIR", action="append", default=absent, help="folder with models; repeatable"
    )
    for flag, words in (
        ("--no-stores", "only the models folders, not the stores of other programs"),
        ("--read-only", "nothing can be loaded, stopped or changed"),
        ("--ascii", "no characters beyond ASCII"),
        ("--no-mouse", "leave the mouse to the terminal"),
        ("--json", "one JSON document instead of lines"),
        ("--yes", "do not ask"),
    ):
        group.add_argument(flag, action="store_true", default=off, help=words)


MODEL_WORDS = {
    "show": "public id, or a .gguf file",
    "load": "public id",
    "estimate": "public id, a .gguf file, its https address, or hf:OWNER/REPO[/FILE.gguf][@REV]",
    "rm": "public id",
    "label": "public id",
}


def _add_own(name: str, parser: argparse.ArgumentParser) -> None:
    name_arguments.add_arguments(name, parser)
    backend_arguments.add_arguments(name, parser)
    if name == "demo":
        _add_serving(parser, default=argparse.SUPPRESS)
    if name in MODEL_WORDS:
        parser.add_argument("model", metavar="MODEL", help=MODEL_WORDS[name])
    if name == "estimate":
        _add_launch(parser)
    if name in ("stop", "logs"):
        parser.add_argument("model", metavar="MODEL", nargs="?", help="public id; the running one without")
    if name == "ls":
        parser.add_argument("--adapters", action="store_true", help="list the LoRA adapters instead")
    if name == "load":
        parser.add_argument("--wait", action="store_true", help="until the model answers, as always")
        parser.add_argument("--timeout", metavar="S", type=_seconds, help="how long to wait for the load")
    if name == "label":
        _add_labels(parser)
    if name == "rm":
        parser.add_argument("--yes-type", metavar="NAME", help="the model's public id, typed in advance")
    if name == "show":
        parser.add_argument("--path", action="store_true", help="print the paths of its files alone")
    if name == "logs":
        parser.add_argument("-f", "--follow", action="store_true", help="go on as lines come")
        parser.add_argument("--verbose", action="store_true", help="with what the engine says of its memory")
        parser.add_argument("-n", "--lines", metavar="N", type=_count, default=100, help="lines (100)")
    if name == "history":
        words = "how many, 1 to 32 (32)"
        parser.add_argument("-n", "--generations", metavar="N", type=_generations, default=32, help=words)
    if name == "deployments":
        words = "open, close, reset, drain or resume, and the name of a deployment; all are listed without"
        parser.add_argument("order", metavar="ORDER NAME", nargs="*", help=words)
    if name == "validate":
        parser.add_argument("file", metavar="FILE", help="a configuration file, such as config.toml")
    if name == "completion":
        parser.add_argument("shell", type=_shell, metavar="bash|zsh|fish")


def _add_labels(parser: argparse.ArgumentParser) -> None:
    """What becomes different; without any of them the labels are printed."""
    parser.add_argument("--name", metavar="NAME", help="name to show; empty gives the file's own back")
    parser.add_argument("--tag", metavar="TAG", action="append", default=[], help="add a tag; repeatable")
    parser.add_argument("--untag", metavar="TAG", action="append", default=[], help="take a tag away")
    parser.add_argument(
        "--favourite", action=argparse.BooleanOptionalAction, default=None, help="mark it as a favourite"
    )


def _add_launch(parser: argparse.ArgumentParser) -> None:
    """How the model would be launched, where it is to be otherwise than configured."""
    parser.add_argument("--parallel", metavar="N", type=_slots, help="requests answered at once")
    parser.add_argument("--ctk", metavar="TYPE", type=_cache_type, help="type of the K cache, such as q8_0")
    parser.add_argument("--ctv", metavar="TYPE", type=_cache_type, help="type of the V cache")
    parser.add_argument("--ngl", metavar="N", type=_count, help="layers on the GPUs")


def _slots(text: str) -> int:
    with suppress(ValueError):
        if 1 <= int(text) <= 256:
            return int(text)
    raise argparse.ArgumentTypeError(f"must be a whole number from 1 to 256, not {text!r}")


def _cache_type(text: str) -> KvType:
    from ggtui.core.models import KvType

    with suppress(ValueError):
        return KvType(text)
    raise argparse.ArgumentTypeError(f"must be one of {', '.join(KvType)}, not {text!r}")


def _seconds(text: str) -> float:
    with suppress(ValueError):
        if 0 < float(text) <= 86_400:
            return float(text)
    raise argparse.ArgumentTypeError(f"must be seconds above 0, at most a day, not {text!r}")


def _count(text: str) -> int:
    with suppress(ValueError):
        if 0 <= int(text) <= 999_999:
            return int(text)
    raise argparse.ArgumentTypeError(f"must be a whole number from 0 to 999999, not {text!r}")


def _generations(text: str) -> int:
    with suppress(ValueError):
        if 1 <= int(text) <= 32:
            return int(text)
    raise argparse.ArgumentTypeError(f"must be a whole number from 1 to 32, not {text!r}")


def _shell(text: str) -> str:
    """A shell, or `models` or `endpoints`, by which the scripts ask for names."""
    if text not in (*SHELLS, "models", "endpoints"):
        raise argparse.ArgumentTypeError(f"must be {', '.join(SHELLS[:-1])} or {SHELLS[-1]}, not {text!r}")
    return text
