"""Completion scripts: accepted by their shell, and right about names."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from ggtui.cli.arguments import COMMANDS, SHELLS
from ggtui.cli.commands.completion import script

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine

_ASK = """
{script}
ggtui() {{ echo alpha-f32; [[ "$2" == endpoints ]] && echo alpha-f32:code; echo beta-q8_0; }}
COMP_WORDS=({words} "{last}"); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
_ggtui
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_accepted_by_its_shell(shell: str) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    done = subprocess.run([program, "-n"], input=script(shell), capture_output=True, text=True, check=False)

    assert (0, "") == (done.returncode, done.stderr)


@pytest.mark.parametrize(
    ("words", "last", "expected"),
    [
        ("ggtui", "sh", ["show"]),
        ("ggtui", "", list(COMMANDS)),
        ("ggtui", "--js", ["--json"]),
        ("ggtui load", "al", ["alpha-f32", "alpha-f32:code"]),
        ("ggtui rm", "al", ["alpha-f32"]),
        ("ggtui --json load", "b", ["beta-q8_0"]),
        ("ggtui alias gpt-4", "al", ["alpha-f32", "alpha-f32:code"]),
        # Bash takes a colon for a word, and puts the answer behind it.
        ("ggtui load alpha-f32 :", "co", ["code"]),
        ("ggtui disable alpha-f32", ":", ["code"]),
        ("ggtui lora", "a", ["attach", "alpha-f32"]),
        ("ggtui lora attach", "b", ["beta-q8_0"]),
        ("ggtui lora", "--na", ["--name"]),
        ("ggtui names", "--a", ["--ascii", "--all"]),
        ("ggtui completion", "z", ["zsh"]),
        ("ggtui deployments", "re", ["reset", "resume"]),
        ("ggtui downloads", "r", ["resume", "rm"]),
        ("ggtui reconcile", "--d", ["--data-dir", "--dry-run"]),
        ("ggtui pull --revision r", "o", []),
        ("ggtui deployments drain", "al", ["alpha-f32", "alpha-f32:code"]),
        ("ggtui ls", "", []),
        ("ggtui --port", "", []),
        ("ggtui --port 81", "sh", ["show"]),
        ("ggtui --strategy", "", ["single", "memory"]),
        ("ggtui load", "--ti", ["--timeout"]),
        ("ggtui ls", "--ti", []),
        ("ggtui logs", "--fo", ["--follow"]),
        ("ggtui --data-dir load", "log", ["logs"]),
    ],
)
def test_bash_completes(words: str, last: str, expected: list[str]) -> None:
    text = _ASK.format(script=script("bash"), words=words, last=last)
    done = subprocess.run(["bash", "--norc", "-c", text], capture_output=True, text=True, check=True)

    assert expected == done.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("ggtui sh", ["show"]),
        ("ggtui load al", ["alpha-f32"]),
        ("ggtui ls ", []),
        ("ggtui --strategy s", ["single"]),
        ("ggtui load --ti", ["--timeout"]),
        ("ggtui completion z", ["zsh"]),
        ("ggtui lora at", ["attach"]),
        ("ggtui default al", ["alpha-f32"]),
        ("ggtui downloads p", ["pause"]),
    ],
)
def test_fish_completes(words: str, expected: list[str]) -> None:
    if shutil.which("fish") is None:
        pytest.skip("fish is not installed")
    text = f"{script('fish')}\nfunction ggtui; echo alpha-f32; echo beta-q8_0; end\ncomplete -C '{words}'"
    done = subprocess.run(["fish", "--no-config", "-c", text], capture_output=True, text=True, check=True)

    assert expected == [line.partition("\t")[0] for line in done.stdout.splitlines()]


@pytest.mark.parametrize("shell", SHELLS)
def test_every_command_is_in_every_script(shell: str) -> None:
    assert [] == [name for name in COMMANDS if name not in script(shell)]


def test_names_come_from_the_catalog_without_a_scan(cli: CommandLine) -> None:
    before = cli("completion", "models").out
    cli("ls")

    assert ("", "alpha-f32\nbeta-f32\n") == (before, cli("completion", "models").out)
