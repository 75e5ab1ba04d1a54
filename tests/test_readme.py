"""What the README shows is what the program has."""

from __future__ import annotations

from pathlib import Path

from ggtui.config.sample import models_sample, sample
from ggtui.tui.keys import keys_markdown

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_keys_are_those_of_the_key_table() -> None:
    shown = README.partition("-->\n")[2].partition("<!-- /keys -->")[0]

    assert keys_markdown().strip() == shown.strip()


def test_the_configuration_is_the_documented_sample() -> None:
    assert sample().strip() in README
    assert models_sample().strip() in README


def test_every_picture_is_there() -> None:
    shown = [part.partition(")")[0] for part in README.split("](screenshots/")[1:]]

    assert shown
    assert [] == [name for name in shown if not (ROOT / "screenshots" / name).is_file()]
