"""`ggtui completion`: scripts for three shells; model names come from the catalog as it was last seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.cli.arguments import COMMANDS, SHELLS, build_parser
from ggtui.cli.exits import ExitCode

if TYPE_CHECKING:
    import argparse

    from ggtui.cli.call import Call

TAKES_MODEL = ("show", "load", "stop", "logs", "estimate")

_BASH = """\
_ggtui() {
  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}" word
  case "$previous" in
    --models-dir|--data-dir) COMPREPLY=($(compgen -d -- "$current")); return ;;
    --config|--llama-server) COMPREPLY=($(compgen -f -- "$current")); return ;;
    completion) COMPREPLY=($(compgen -W "@SHELLS@" -- "$current")); return ;;
  esac
  if [[ "$current" == -* ]]; then COMPREPLY=($(compgen -W "@FLAGS@" -- "$current")); return; fi
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in
      @TAKES@) COMPREPLY=($(compgen -W "$(ggtui completion models 2>/dev/null)" -- "$current")); return ;;
    esac
  done
  COMPREPLY=($(compgen -W "@COMMANDS@" -- "$current"))
}
complete -F _ggtui ggtui
"""

_ZSH = """\
#compdef ggtui
_ggtui() {
  local word
  local -a models
  case "${words[CURRENT-1]}" in
    --models-dir|--data-dir) _files -/; return ;;
    --config|--llama-server) _files; return ;;
    completion) compadd -- @SHELLS@; return ;;
  esac
  if [[ "${words[CURRENT]}" == -* ]]; then compadd -- @FLAGS@; return; fi
  for word in "${words[@]:1:$((CURRENT-2))}"; do
    case "$word" in
      @TAKES@) models=(${(f)"$(ggtui completion models 2>/dev/null)"}); compadd -- $models; return ;;
    esac
  done
  compadd -- @COMMANDS@
}
compdef _ggtui ggtui
"""

_FISH_MODELS = (
    'complete -c ggtui -n "__fish_seen_subcommand_from {takes}" -f -a "(ggtui completion models 2>/dev/null)"'
)


def run(call: Call) -> ExitCode:
    """Print the script, or the names for it."""
    shell = call.arguments.shell
    if shell == "models":
        return _models(call)
    for line in script(shell).splitlines():
        call.out.line(line)
    return ExitCode.DONE


def script(shell: str) -> str:
    """The completion script of bash, zsh or fish."""
    if shell == "fish":
        return _fish()
    filled = _BASH if shell == "bash" else _ZSH
    for mark, text in (
        ("@SHELLS@", " ".join(SHELLS)),
        ("@FLAGS@", " ".join(_flags())),
        ("@TAKES@", "|".join(TAKES_MODEL)),
        ("@COMMANDS@", " ".join(COMMANDS)),
    ):
        filled = filled.replace(mark, text)
    return filled


def _fish() -> str:
    none = f'"not __fish_seen_subcommand_from {" ".join(COMMANDS)}"'
    commands = [
        f"complete -c ggtui -n {none} -f -a {name} -d '{_escaped(words)}'" for name, words in COMMANDS.items()
    ]
    flags = [f"complete -c ggtui -l {flag.removeprefix('--')}" for flag in _flags()]
    shells = f'complete -c ggtui -n "__fish_seen_subcommand_from completion" -f -a "{" ".join(SHELLS)}"'
    return "\n".join([*commands, *flags, shells, _FISH_MODELS.format(takes=" ".join(TAKES_MODEL))]) + "\n"


def _escaped(words: str) -> str:
    return words.replace("'", "\\'")


def _flags() -> list[str]:
    actions: list[argparse.Action] = build_parser()._actions  # argparse has no public list of its flags
    return sorted(flag for action in actions for flag in action.option_strings if flag.startswith("--"))


def _models(call: Call) -> ExitCode:
    from ggtui.cli.surroundings import look, seen_names

    for name in look(seen_names(call.config)):
        call.out.line(name)
    return ExitCode.DONE
