"""A strict reader of Prometheus' text format 0.0.4: what it takes, every scraper takes.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")
KINDS = ("counter", "gauge", "histogram", "summary", "untyped")

Labels = tuple[tuple[str, str], ...]


@dataclass
class Family:
    """All series of one name."""

    name: str
    kind: str
    words: str
    samples: dict[Labels, float] = field(default_factory=dict)
    """By the labels in their order."""

    def value(self, **labels: str) -> float:
        """The number with exactly these labels."""
        return next(number for found, number in self.samples.items() if dict(found) == labels)


def read(text: str) -> dict[str, Family]:
    """The families by name. Raises: ValueError, with the line that is wrong.

    Stricter than a scraper: each family has its HELP and TYPE, in this order and once, right before its
    samples, which stand together; no blank lines, comments, spaces or times that need not be there.
    """
    if text and not text.endswith("\n"):
        raise ValueError("the last line does not end")
    if "\r" in text:
        raise ValueError("a carriage return")
    families: dict[str, Family] = {}
    words: tuple[str, str] | None = None
    current: Family | None = None
    for line in text.split("\n")[:-1]:
        if line.startswith("# HELP "):
            name, _, said = line.removeprefix("# HELP ").partition(" ")
            _check(words is None and bool(NAME.fullmatch(name)) and name not in families, line)
            words = name, _unescaped(said, "\\n", line)
        elif line.startswith("# TYPE "):
            name, _, kind = line.removeprefix("# TYPE ").partition(" ")
            _check(words is not None and words[0] == name and kind in KINDS, line)
            assert words is not None
            current = families[name] = Family(name, kind, words[1])
            words = None
        else:
            _check(words is None and current is not None, line)
            assert current is not None
            _take(current, line)
    _check(words is None, "the end")
    for family in families.values():
        _check(bool(family.samples), family.name)
        _check(
            family.kind != "counter" or all(number >= 0 for number in family.samples.values()), family.name
        )
        names = {tuple(label for label, _ in labels) for labels in family.samples}
        _check(len(names) == 1, family.name)
    return families


def _take(family: Family, line: str) -> None:
    name = NAME.match(line)
    _check(name is not None and name[0] == family.name, line)
    assert name is not None
    labels, rest = _labels(line[name.end() :], line)
    _check(rest.startswith(" ") and bool(NUMBER.fullmatch(rest[1:])), line)
    _check(labels not in family.samples and len({label for label, _ in labels}) == len(labels), line)
    family.samples[labels] = float(rest[1:])


def _labels(text: str, line: str) -> tuple[Labels, str]:
    if not text.startswith("{"):
        return (), text
    found: list[tuple[str, str]] = []
    rest = text[1:]
    while True:
        name = LABEL.match(rest)
        _check(name is not None and not name[0].startswith("__"), line)
        assert name is not None
        quoted = re.match(r'="((?:[^"\\]|\\.)*)"', rest[name.end() :])
        _check(quoted is not None, line)
        assert quoted is not None
        found.append((name[0], _unescaped(quoted[1], '\\n"', line)))
        rest = rest[name.end() + quoted.end() :]
        if rest.startswith("}"):
            return tuple(found), rest[1:]
        _check(rest.startswith(","), line)
        rest = rest[1:]


def _unescaped(text: str, allowed: str, line: str) -> str:
    def one(found: re.Match[str]) -> str:
        _check(found[1] in allowed and found[1] != "", line)
        return "\n" if found[1] == "n" else found[1]

    return re.sub(r"\\(.?)", one, text, flags=re.DOTALL)


def _check(is_right: bool, line: str) -> None:
    if not is_right:
        raise ValueError(f"not in the format: {line!r}")
