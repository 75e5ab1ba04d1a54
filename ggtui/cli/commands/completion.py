"""`ggtui completion`: scripts for three shells; names come from the catalog as it was last seen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from ggtui.cli.arguments import COMMANDS, SHELLS, build_parser
from ggtui.cli.backend_arguments import DOWNLOAD_ACTIONS
from ggtui.cli.exits import ExitCode
from ggtui.cli.name_arguments import LORA_ACTIONS
from ggtui.core.deployment.orders import DeploymentOrder

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ggtui.cli.call import Call

TAKES_MODEL = ("rm", "label", "lora")
TAKES_ENDPOINT = ("show", "load", "stop", "logs", "estimate", "alias", "default", "enable", "disable")
TAKES_FILE = ("estimate", "lora", "validate")
FOLDERS = ("--models-dir", "--data-dir")
FILES = ("--config", "--llama-server")
CHOICES = {"--strategy": ("single", "memory")}
"""What follows a flag; after any other flag with a value comes something that only the person knows."""

_BASH = """\
_ggtui_paths() {
  local IFS=$'\\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY=($(compgen "$1" -- "$2"))
}
_ggtui_endpoints() {
  local word="$1" place=$COMP_CWORD
  # Bash takes a colon for a word of its own, and puts the answer behind it.
  while (( place > 1 )) && [[ "${COMP_WORDS[place]}" == : || "${COMP_WORDS[place-1]}" == : ]]; do
    place=$((place - 1))
    word="${COMP_WORDS[place]}$word"
  done
  COMPREPLY=($(compgen -W "$(ggtui completion endpoints 2>/dev/null)" -- "$word"))
  if (( place < COMP_CWORD )); then COMPREPLY=("${COMPREPLY[@]#"${word%:*}:"}"); fi
}
_ggtui() {
  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}" word command="" skip=""
  local own=""
  COMPREPLY=()
  case "$previous" in
    @FOLDERS@) _ggtui_paths -d "$current"; return ;;
    @FILES@) _ggtui_paths -f "$current"; return ;;
@CHOICES@
    @VALUES@) return ;;
  esac
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [[ -n "$skip" ]]; then skip=""; continue; fi
    case "$word" in
      @TAKE_VALUE@) skip=1 ;;
      -*) ;;
      *) command="$word"; break ;;
    esac
  done
  if [[ "$current" == -* ]]; then
    case "$command" in
@OWN@
    esac
    COMPREPLY=($(compgen -W "@FLAGS@ $own" -- "$current"))
    return
  fi
  case "$command" in
    "") COMPREPLY=($(compgen -W "@COMMANDS@" -- "$current")) ;;
    completion) COMPREPLY=($(compgen -W "@SHELLS@" -- "$current")) ;;
    lora) COMPREPLY=($(compgen -W "@LORA@ $(ggtui completion models 2>/dev/null)" -- "$current")) ;;
    downloads) COMPREPLY=($(compgen -W "@DOWNLOADS@" -- "$current")) ;;
    deployments)
      COMPREPLY=($(compgen -W "@ORDERS@ $(ggtui completion endpoints 2>/dev/null)" -- "$current")) ;;
    @MODELS@) COMPREPLY=($(compgen -W "$(ggtui completion models 2>/dev/null)" -- "$current")) ;;
    @ENDPOINTS@) _ggtui_endpoints "$current" ;;
  esac
  case "$command" in
    @TAKE_FILE@) [[ ${#COMPREPLY[@]} -gt 0 ]] || _ggtui_paths -f "$current" ;;
  esac
}
complete -F _ggtui ggtui
"""

_ZSH = """\
#compdef ggtui
_ggtui() {
  local word command="" skip=""
  local -a own
  case "${words[CURRENT-1]}" in
    @FOLDERS@) _files -/; return ;;
    @FILES@) _files; return ;;
@CHOICES@
    @VALUES@) return ;;
  esac
  for word in "${words[@]:1:$((CURRENT-2))}"; do
    if [[ -n "$skip" ]]; then skip=""; continue; fi
    case "$word" in
      @TAKE_VALUE@) skip=1 ;;
      -*) ;;
      *) command="$word"; break ;;
    esac
  done
  if [[ "${words[CURRENT]}" == -* ]]; then
    case "$command" in
@OWN@
    esac
    compadd -- @FLAGS@ $own
    return
  fi
  case "$command" in
    "") compadd -- @COMMANDS@ ;;
    completion) compadd -- @SHELLS@ ;;
    lora) compadd -- @LORA@ ${(f)"$(ggtui completion models 2>/dev/null)"} ;;
    downloads) compadd -- @DOWNLOADS@ ;;
    deployments) compadd -- @ORDERS@ ${(f)"$(ggtui completion endpoints 2>/dev/null)"} ;;
    @MODELS@) compadd -- ${(f)"$(ggtui completion models 2>/dev/null)"} ;;
    @ENDPOINTS@) compadd -- ${(f)"$(ggtui completion endpoints 2>/dev/null)"} ;;
  esac
  case "$command" in
    @TAKE_FILE@) _files ;;
  esac
}
if [[ "${funcstack[1]}" == _ggtui ]]; then _ggtui "$@"; else compdef _ggtui ggtui; fi
"""


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag as the parser has it."""

    name: str
    words: str
    has_value: bool


def run(call: Call) -> ExitCode:
    """Print the script, or the names for it."""
    shell = call.arguments.shell
    if shell in ("models", "endpoints"):
        return _names(call, shell)
    for line in script(shell).splitlines():
        call.out.line(line)
    return ExitCode.DONE


def script(shell: str) -> str:
    """The completion script of bash, zsh or fish."""
    if shell == "fish":
        return _fish()
    filled = _BASH if shell == "bash" else _ZSH
    for mark, text in _marks(shell).items():
        filled = filled.replace(mark, text)
    return filled


def _marks(shell: str) -> dict[str, str]:
    with_value = [flag.name for flag in _all_flags() if flag.has_value]
    known = {*FOLDERS, *FILES, *CHOICES}
    return {
        "@FOLDERS@": "|".join(FOLDERS),
        "@FILES@": "|".join(FILES),
        "@CHOICES@": "\n".join(_choice(shell, flag) for flag in CHOICES),
        "@VALUES@": "|".join(name for name in with_value if name not in known),
        "@TAKE_VALUE@": "|".join(with_value),
        "@OWN@": "\n".join(_own(shell, name) for name in COMMANDS if _flags(name)),
        "@FLAGS@": " ".join(flag.name for flag in _flags()),
        "@SHELLS@": " ".join(SHELLS),
        "@MODELS@": "|".join(TAKES_MODEL),
        "@ENDPOINTS@": "|".join(TAKES_ENDPOINT),
        "@LORA@": " ".join(LORA_ACTIONS),
        "@DOWNLOADS@": " ".join(DOWNLOAD_ACTIONS),
        "@ORDERS@": " ".join(DeploymentOrder),
        "@TAKE_FILE@": "|".join(TAKES_FILE),
        "@COMMANDS@": " ".join(COMMANDS),
    }


def _choice(shell: str, flag: str) -> str:
    words = " ".join(CHOICES[flag])
    if shell == "zsh":
        return f"    {flag}) compadd -- {words}; return ;;"
    return f'    {flag}) COMPREPLY=($(compgen -W "{words}" -- "$current")); return ;;'


def _own(shell: str, command: str) -> str:
    names = " ".join(flag.name for flag in _flags(command))
    value = f"({names})" if shell == "zsh" else f'"{names}"'
    return f"      {command}) own={value} ;;"


def _fish() -> str:
    none = f'"not __fish_seen_subcommand_from {" ".join(COMMANDS)}"'
    lines = ["complete -c ggtui -f"]
    lines += [
        f"complete -c ggtui -n {none} -a {name} -d '{_escaped(words)}'" for name, words in COMMANDS.items()
    ]
    lines += [_fish_flag(flag, "") for flag in _flags()]
    for name in COMMANDS:
        where = f' -n "__fish_seen_subcommand_from {name}"'
        lines += [_fish_flag(flag, where) for flag in _flags(name)]
    words = [
        (("completion",), " ".join(SHELLS)),
        (("lora",), " ".join(LORA_ACTIONS)),
        (("downloads",), " ".join(DOWNLOAD_ACTIONS)),
        (("deployments",), f"{' '.join(DeploymentOrder)} (ggtui completion endpoints 2>/dev/null)"),
        (TAKES_MODEL, "(ggtui completion models 2>/dev/null)"),
        (TAKES_ENDPOINT, "(ggtui completion endpoints 2>/dev/null)"),
    ]
    lines += [f'complete -c ggtui {_fish_within(names)} -a "{each}"' for names, each in words]
    lines.append(f"complete -c ggtui {_fish_within(TAKES_FILE)} -F")
    return "\n".join(lines) + "\n"


def _fish_within(commands: Sequence[str]) -> str:
    return f'-n "__fish_seen_subcommand_from {" ".join(commands)}"'


def _fish_flag(flag: Flag, where: str) -> str:
    kind = "l" if flag.name.startswith("--") else "s"
    line = f"complete -c ggtui{where} -{kind} {flag.name.lstrip('-')} -d '{_escaped(flag.words)}'"
    if flag.name in CHOICES:
        return f'{line} -x -a "{" ".join(CHOICES[flag.name])}"'
    if flag.name in FOLDERS:
        return f'{line} -x -a "(__fish_complete_directories)"'
    if flag.name in FILES:
        return f"{line} -r -F"
    return f"{line} -x" if flag.has_value else line


def _escaped(words: str) -> str:
    return words.replace("'", "\\'")


def _all_flags() -> list[Flag]:
    return [flag for name in ("", *COMMANDS) for flag in _flags(name)]


@cache
def _root() -> argparse.ArgumentParser:
    """Made once: each command is asked for several times."""
    return build_parser()


def _flags(command: str = "") -> list[Flag]:
    """The flags that work everywhere; with a command, those that only it has."""
    root = _root()
    shared = _of_parser(root)
    if not command:
        return shared
    known = {flag.name for flag in shared}
    return [flag for flag in _of_parser(_parser_of(root, command)) if flag.name not in known]


def _parser_of(root: argparse.ArgumentParser, command: str) -> argparse.ArgumentParser:
    subparsers = next(action for action in root._actions if isinstance(action.choices, dict))
    assert isinstance(subparsers.choices, dict)
    parser: argparse.ArgumentParser = subparsers.choices[command]
    return parser


def _of_parser(parser: argparse.ArgumentParser) -> list[Flag]:
    # argparse has no public list of its flags.
    found = [
        Flag(name, action.help or "", action.nargs != 0)
        for action in parser._actions
        for name in action.option_strings
    ]
    return sorted(found, key=lambda flag: flag.name)


def _names(call: Call, kind: str) -> ExitCode:
    from ggtui.cli.shelf import seen_names, seen_router
    from ggtui.cli.surroundings import look

    if kind == "models":
        names = look(seen_names(call.config))
    else:
        registry = look(seen_router(call.config)).registry
        names = sorted({*(str(each.id) for each in registry.all_endpoints), *registry.aliases})
    for name in names:
        call.out.line(name)
    return ExitCode.DONE
