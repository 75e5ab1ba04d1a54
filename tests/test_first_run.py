"""A person without any configuration names a folder: it is kept, looked into, and there at the next start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.memory.gpu import MemoryProbe
from ggtui.adapters.memory.launcher import MemoryLauncher
from ggtui.bootstrap import build
from ggtui.config.load import load
from ggtui.core.errors import ConfigInvalid, ReadOnly
from tests.models import tiny_model

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ggtui.config.schema import Config
    from ggtui.services.engine import Engine

GUARD_S = 20.0


class Home:
    """A home without configuration, and an engine over it."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / ".config" / "ggtui" / "config.toml"
        self.data_dir = folder / "data"
        self.models = folder / "models"
        tiny_model(self.models / "a.gguf")
        self.engines: list[Engine] = []

    def read(self, **flags: object) -> Config:
        return load({"data_dir": str(self.data_dir), **flags})

    def engine(self, *, is_fixed: bool = False, **flags: object) -> Engine:
        """is_fixed: without a configuration that could be read again."""
        config = self.read(**flags)
        reread = None if is_fixed else lambda: self.read(**flags)
        engine = build(config, None, launcher=MemoryLauncher(), probe=MemoryProbe(), reread=reread)
        self.engines.append(engine)
        engine.start()
        engine.started.result(GUARD_S)
        return engine

    def add(self, engine: Engine, folder: Path) -> list[str]:
        """Public ids that are known once the folder was named."""

        async def add() -> list[str]:
            await engine.control.add_folder(str(folder))
            return [row.summary.public_id for row in engine.control.snapshot().models]

        return engine.submit(add()).result(GUARD_S)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / ".config"))
    one = Home(tmp_path)
    monkeypatch.setattr("ggtui.bootstrap.settings.default_config_file", lambda: one.file)
    monkeypatch.setattr("ggtui.config.load.default_config_file", lambda: one.file)
    yield one
    for engine in one.engines:
        engine.stop()


def test_a_named_folder_is_listed_at_once_and_kept(home: Home) -> None:
    assert ["a-f32"] == home.add(home.engine(), home.models)
    assert (home.models,) == home.read().models_dirs
    assert home.file == home.read().config_file


def test_a_folder_that_flags_overrule_is_told(home: Home) -> None:
    other = home.models.parent / "other"
    other.mkdir()
    with pytest.raises(ConfigInvalid, match="other folders count in this run"):
        home.add(home.engine(models_dirs=[str(other)]), home.models)


def test_without_a_configuration_to_read_or_read_only_nothing_is_written(home: Home) -> None:
    with pytest.raises(ConfigInvalid, match="no configuration file"):
        home.add(home.engine(is_fixed=True), home.models)
    with pytest.raises(ReadOnly):
        home.add(home.engine(read_only=True), home.models)
    assert not home.file.exists()
