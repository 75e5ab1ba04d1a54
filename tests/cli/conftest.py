"""The command line called in this process, away from the developer's own settings."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from ggtui.cli.main import main
from tests.cli.stub_instance import StubInstance
from tests.models import tiny_model

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Answer:
    """What one call left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)


@dataclass(frozen=True)
class CommandLine:
    """Calls `ggtui` on its own folders."""

    folder: Path
    capture: pytest.CaptureFixture[str]

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    @property
    def models_dir(self) -> Path:
        return self.folder / "models"

    def __call__(self, *arguments: str) -> Answer:
        own = ["--data-dir", str(self.data_dir), "--config", str(self.folder / "config.toml")]
        self.capture.readouterr()
        code = main([*arguments, *own])
        captured = self.capture.readouterr()
        return Answer(code, captured.out, captured.err)


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """A command line whose catalog holds two sound models."""
    command_line = CommandLine(tmp_path, capsys)
    command_line.models_dir.mkdir()
    tiny_model(command_line.models_dir / "alpha.gguf")
    tiny_model(command_line.models_dir / "beta.gguf")
    (tmp_path / "config.toml").write_text(f"models_dirs = ['{command_line.models_dir}']\n")
    return command_line


@pytest.fixture
def stub(cli: CommandLine) -> Iterator[StubInstance]:
    """Something that answers where the running ggtui would."""
    cli.data_dir.mkdir()
    with StubInstance(cli.data_dir, cli.models_dir) as one:
        yield one
