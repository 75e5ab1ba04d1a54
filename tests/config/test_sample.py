"""The documented configuration file says what the program does."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ggtui.config.backend_kinds import BACKEND_KEYS, BACKEND_MODEL_KEYS, GROUP_KEYS, MODEL_KEYS
from ggtui.config.deployment_kinds import KEYS as DEPLOYMENT_KEYS
from ggtui.config.load import load
from ggtui.config.model_file import KEYS, read_models
from ggtui.config.sample import models_sample, sample
from ggtui.config.settings import SETTINGS
from ggtui.config.table_reader import Part
from ggtui.core.backends.serving import declared_names

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS_PART, _, LISTS_PART = sample().partition("# [[deployment]]")
_WITHOUT_DEFAULT = ("models_dirs", "data_dir", "api_key_file")


def test_the_sample_names_every_key_in_its_table() -> None:
    table, named = "", []
    for line in SETTINGS_PART.splitlines():
        if header := re.match(r"\[(\w+)\]", line):
            table = header[1]
        elif key := re.match(r"# (\w+) = ", line):
            named.append((table, key[1]))

    assert sorted((each.table, each.key) for each in SETTINGS) == sorted(named)


def test_the_defaults_it_shows_are_the_defaults(tmp_path: Path) -> None:
    lines = [
        line.removeprefix("# ") if re.match(r"# \w+ = ", line) else line
        for line in SETTINGS_PART.splitlines()
        if not line.startswith(tuple(f"# {key}" for key in _WITHOUT_DEFAULT))
    ]
    shown, untouched = tmp_path / "shown.toml", tmp_path / "untouched.toml"
    shown.write_text("\n".join(lines))
    untouched.write_text(sample())

    assert load({}, {}, untouched) == replace(load({}, {}, shown), config_file=untouched)


def test_the_sample_of_lists_is_sound_and_uses_every_key(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    lines = f"# [[deployment]]{LISTS_PART}"
    text = re.sub(r"^# (?=\[|\w+ = )", "", lines, flags=re.MULTILINE)
    file.write_text(text)
    config = load({}, {}, file)
    parts = {name: part.keys for name, part in DEPLOYMENT_KEYS.items() if isinstance(part, Part)}
    lists = (DEPLOYMENT_KEYS, BACKEND_KEYS, BACKEND_MODEL_KEYS, MODEL_KEYS, GROUP_KEYS)
    known = {each for keys in (*lists, *parts.values()) for each in keys if not each.endswith("_ms")}
    unusual = {"kind", "rpc", "resource", "deployment", "api_version"}
    assert ["qwen", "gpt-4o-mini"] == [each.name for each in config.deployments]
    declared = config.declared
    assert (["gpu-box"], ["qwen3-8b", "llama3.2"], ["chat"]) == tuple(
        [each.name for each in some] for some in (declared.backends, declared.models, declared.groups)
    )
    assert ("qwen3", "embedder", "llama3.2") == declared_names(declared)
    used = re.findall(r"\b(\w+) = |\[deployment\.(\w+)\]", text)

    assert known - unusual == known & {key or table for key, table in used}


def test_the_sample_of_models_uses_every_key_in_order(tmp_path: Path) -> None:
    file = tmp_path / "models.toml"
    file.write_text(models_sample())
    (own,) = read_models(file).values()

    assert list(KEYS) == list(own.given)
