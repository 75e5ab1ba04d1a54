"""Asks the real engine for its memory figures, through a small program linked to its library."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.golden.configurations import Configuration

PROGRAM_SOURCE = Path(__file__).with_name("breakdown.cpp")
LIBRARIES = ("llama", "ggml", "ggml-base", "ggml-cpu", "ggml-rpc")
_LAST_WORDS = "llama_model_load_from_file_impl: failed to load model"
_PATHS = re.compile(r"(?:/[\w.+-]+)+/(?=[\w.+-]+:\d+: )")


class NoEngine(Exception):
    """There is no compiler, no library or no header; the text says which."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A compiled program that answers for one build of the engine."""

    program: Path
    binary: Path

    def version(self) -> str:
        """What the server of this build says about itself."""
        done = subprocess.run([self.binary, "--version"], capture_output=True, text=True, check=True)
        return (done.stdout + done.stderr).strip().splitlines()[0].removeprefix("version: ")

    def possible_tensors(self, model: Path) -> list[str]:
        """Every tensor that the engine would take for these keys: a name and four dimensions a line."""
        command = [str(self.program), "--list", "--mtp", str(model)]
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return str(listed).splitlines()

    def answers(
        self, model: Path, configurations: Sequence[Configuration], *options: str
    ) -> list[dict[str, Any]]:
        """One answer per configuration, in order: sizes by part and device, or `refused` with the words."""
        found: list[dict[str, Any]] = []
        while len(found) < len(configurations):
            asked = "\n".join(_line(configuration) for configuration in configurations[len(found) :]) + "\n"
            done = subprocess.run(
                [self.program, *options, model],
                input=asked, capture_output=True, text=True, check=False, timeout=300,
                env={**os.environ, "GGML_NO_BACKTRACE": "1"},
            )  # fmt: skip
            lines = done.stdout.splitlines()
            found += [_plain(json.loads(line)) for line in lines]
            if done.returncode != 0:
                found.append({"refused": f"the engine crashed, return code {done.returncode}"})
            elif not lines:
                raise RuntimeError(f"no answer: {done.stderr[-2000:]}")
        return found


def _line(configuration: Configuration) -> str:
    return " ".join(f"{key}={_word(value)}" for key, value in configuration.items())


def _word(value: object) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def _plain(answer: dict[str, Any]) -> dict[str, Any]:
    if "refused" in answer:
        words = _PATHS.sub("", " ".join(answer["refused"].split()))
        return {"refused": words.removesuffix(_LAST_WORDS).strip()}
    return answer


def compiled(binary: Path, sources: Path, folder: Path) -> Engine:
    """Compile the program for this llama-server into `folder`.

    sources: a llama.cpp tree of the same version, or a folder with its headers side by side.
    Raises: NoEngine.
    """
    compiler = shutil.which("c++") or shutil.which("g++")
    if compiler is None:
        raise NoEngine("there is no C++ compiler")
    includes = [sources / part for part in (".", "src", "include", "ggml/include")]
    if not any((folder / "llama-context.h").is_file() for folder in includes):
        raise NoEngine("the headers of the engine are not there")
    program = folder / "breakdown"
    command = [
        compiler, "-std=c++17", "-O1", "-fno-access-control", *(f"-I{include}" for include in includes),
        str(PROGRAM_SOURCE), "-o", str(program), f"-L{binary.parent}", f"-Wl,-rpath,{binary.parent}",
        "-Wl,--allow-shlib-undefined", *(f"-l{library}" for library in LIBRARIES),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NoEngine(f"the program does not compile: {done.stderr[:2000]}")
    return Engine(program, binary)
