"""What llama-server tells of itself at `/metrics`: read with distrust, and merged for all servers.

Source: llama.cpp, tools/server/server-task.cpp at 0.94, server_task_result_metrics::to_metrics, and
https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from itertools import compress
from typing import TYPE_CHECKING, Final

from ggtui.core.metrics_text import Family

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_METRICS_BYTES: Final = 256 * 1024
"""A server that tells more is not read."""
_MAX_LINE: Final = 4096
"""Characters; a longer line is dropped."""
_PREFIX: Final = "llamacpp:"
"""Other names could be those of ggtui's own series."""
_KINDS: Final = frozenset(("counter", "gauge"))
_OURS: Final = ("model", "deployment", "replica")

_SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:[ \t]*\{(.*)\}[ \t]*|[ \t]+)([^\s{}]+)(?:[ \t]+-?\d+)?")
"""Name, labels, number, and a time that nobody needs."""
_LABEL = re.compile(r'[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*(?:,[ \t]*|$)')
_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")
_ESCAPED = re.compile(r"\\(.)")

Labels = tuple[tuple[str, str], ...]
"""Names with values, in the order of names."""


@dataclass(slots=True)
class Series:
    """What one server tells under one name."""

    kind: str
    """`counter` or `gauge`."""
    words: str
    samples: dict[Labels, str] = field(default_factory=dict)
    """The number as the server wrote it; finite, and not negative for a counter."""


@dataclass(frozen=True, slots=True)
class ServerMetrics:
    """What the server of one model tells."""

    model: str
    """Public id."""
    deployment: str
    """The only one of this model; empty where there is none or several."""
    series: dict[str, Series] | None
    """By name; None when it did not answer, or with nothing that can be read."""
    replica: str = ""
    """Its number among the servers of its model, from 1; empty where there is only one."""

    @property
    def own(self) -> tuple[str, str, str]:
        """The values of our own labels."""
        return self.model, self.deployment, self.replica


def read_series(data: bytes) -> dict[str, Series] | None:
    """The series in a server's answer; a line that is not understood is dropped. None without any."""
    if len(data) > MAX_METRICS_BYTES:
        return None
    words: dict[str, str] = {}
    found: dict[str, Series] = {}
    for line in data.decode("utf-8", "replace").replace("\r", " ").split("\n"):
        if len(line) > _MAX_LINE:
            continue
        mark, _, rest = line.partition(" ")
        if mark != "#":
            _take(line.strip(), found)
            continue
        what, _, rest = rest.partition(" ")
        name, _, said = rest.partition(" ")
        if what == "HELP":
            words.setdefault(name, _unescaped(said.strip()))
        elif what == "TYPE" and name.startswith(_PREFIX) and said.strip() in _KINDS:
            found.setdefault(name, Series(said.strip(), words.get(name, "")))
    return {name: each for name, each in found.items() if each.samples} or None


def engine_families(servers: Iterable[ServerMetrics]) -> Iterator[Family]:
    """Each series once, for all servers together, and who is missing.

    A deployment, or the number of a replica, stands in a label where one of the servers has one; for the
    others of that series it is empty, which Prometheus takes for no label. The first server's words and kind
    count for all.
    """
    servers = list(servers)
    told = [(each, each.series) for each in servers if each.series is not None]
    used = [at == 0 or any(each.own[at] for each, _ in told) for at in range(len(_OURS))]
    ours = tuple(compress(_OURS, used))
    merged: dict[str, Family] = {}
    for server, series in told:
        own = tuple(compress(server.own, used))
        for name, each in series.items():
            names = ours + tuple(label for label, _ in next(iter(each.samples)))
            family = merged.setdefault(name, Family(name, each.kind, each.words, names))
            for labels, number in each.samples.items():
                if family.kind == each.kind and family.labels == ours + tuple(label for label, _ in labels):
                    family.add(number, *own, *(value for _, value in labels))
    yield from merged.values()
    missing = Family("ggtui_metrics_missing", "gauge", "1 for a server that tells no numbers.", ("model",))
    for server in servers:
        if server.series is None:
            missing.add_whole(1, server.model)
    yield missing


def _take(line: str, found: dict[str, Series]) -> None:
    """Note a sample of a series whose type was told."""
    sample = _SAMPLE.fullmatch(line)
    series = found.get(sample[1]) if sample is not None else None
    if sample is None or series is None or not _NUMBER.fullmatch(sample[3]):
        return
    number = float(sample[3])
    labels = _labels(sample[2] or "")
    if labels is None or not math.isfinite(number) or (series.kind == "counter" and number < 0):
        return
    series.samples.setdefault(labels, sample[3])


def _labels(text: str) -> Labels | None:
    """None when they are not sound, or would stand beside our own of the same name."""
    labels: dict[str, str] = {}
    at = 0
    while at < len(text):
        one = _LABEL.match(text, at)
        if one is None or one[1] in labels or one[1] in _OURS or one[1].startswith("__"):
            return None
        labels[one[1]] = _unescaped(one[2])
        at = one.end()
    return tuple(sorted(labels.items()))


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: "\n" if found[1] == "n" else found[1], text)
