"""What a server holds by its own log: buffer lines summed into the parts of a forecast.

The texts are no interface: a line that is missing or reads otherwise means unknown, never 0.
Source: llama.cpp src/llama-model.cpp, llama-kv-cache.cpp, llama-memory-recurrent.cpp, llama-context.cpp.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ggtui.core.memory.parts import HOST, DeviceShare
from ggtui.core.units import MIB

_LINE = re.compile(
    r"(?P<function>\w+): +(?P<device>\S+) +(?P<kind>model|KV|RS|DSV4 [\w ]+ state|output|compute|LoRA)"
    r" +buffer size = +(?P<mib>\d+(?:\.\d+)?) MiB"
)
_PARTS = {
    "model": "weights_bytes",
    "KV": "kv_bytes",
    "RS": "state_bytes",
    "output": "output_bytes",
    "compute": "compute_bytes",
    "LoRA": "adapters_bytes",
}
_OF_CONTEXT = frozenset({"kv_bytes", "state_bytes", "output_bytes", "compute_bytes"})
_NEW_MODEL = "load_tensors: loading model tensors"
_NEW_CONTEXT = "llama_context: constructing llama_context"
_NEW_DRAFT = re.compile(r"loading draft model")
_CONTEXT_COMPUTE = frozenset({"sched_reserve", "llama_context"})
"""Functions whose compute buffer is the model's own; the projector prints the same words from others."""

_ON_HOST = re.compile(r"^(CPU|CPU_\w+|\w+_Host)$")
_MAPPED = re.compile(r"_Mapped$")


@dataclass(frozen=True, slots=True)
class BufferLine:
    """One buffer as one line tells it, to a hundredth of a MiB."""

    function: str
    device: str
    """As the engine calls it: `CPU_Mapped`, `CUDA0`, `RPC0[127.0.0.1:50052]`."""
    part: str
    """The field of DeviceShare it belongs to."""
    n_bytes: int


def buffer_line(line: str) -> BufferLine | None:
    """The buffer in a log line, if it tells of one."""
    found = _LINE.search(line) if "buffer size" in line else None
    if found is None:
        return None
    part = _PARTS.get(found["kind"], "state_bytes")
    if part == "compute_bytes" and found["function"] not in _CONTEXT_COMPUTE:
        part = "projector_bytes"
    return BufferLine(found["function"], found["device"], part, round(float(found["mib"]) * MIB))


@dataclass(slots=True)
class LoadLog:
    """Gathers the lines of one server, in order.

    A server may load twice, once to see what fits: the last load counts. Several lines of one load add up
    (one for each file, one for each cache); a buffer that is reserved anew replaces the one before.
    """

    _sizes: dict[tuple[str, str], int] = field(default_factory=dict)
    """Bytes by part and device."""
    _draft: dict[tuple[str, str], int] = field(default_factory=dict)
    _is_draft: bool = False

    def hear(self, line: str) -> None:
        """Take one line of the log."""
        if _NEW_DRAFT.search(line):
            self._is_draft = True
            self._draft.clear()
        elif _NEW_MODEL in line:
            self._current.clear()
        elif _NEW_CONTEXT in line:
            self._forget_context()
        else:
            self._note(buffer_line(line))

    @property
    def _current(self) -> dict[tuple[str, str], int]:
        return self._draft if self._is_draft else self._sizes

    def _forget_context(self) -> None:
        current = self._current
        for key in [key for key in current if key[0] in _OF_CONTEXT]:
            del current[key]

    def _note(self, buffer: BufferLine | None) -> None:
        if buffer is None:
            return
        key = (buffer.part, buffer.device)
        adds_up = buffer.part not in ("compute_bytes", "output_bytes")
        self._current[key] = buffer.n_bytes + (self._current.get(key, 0) if adds_up else 0)

    @property
    def is_told(self) -> bool:
        """True once weights and compute buffer have been heard of: the figures are whole then."""
        parts = {part for part, _ in self._sizes}
        return {"weights_bytes", "compute_bytes"} <= parts

    def bytes_of(self, part: str, device: str) -> int | None:
        """What the log told of one part on one device, as the engine calls both; None for nothing."""
        return self._sizes.get((part, device))

    def shares(self) -> tuple[DeviceShare, ...]:
        """What each device holds, the host last; a part that no line told of is 0."""
        by_name: dict[str, dict[str, int]] = {}
        for (part, device), n_bytes in self._sizes.items():
            figures = by_name.setdefault(_place(device), {})
            figures[part] = figures.get(part, 0) + n_bytes
            if part == "weights_bytes" and _place(device) == HOST and _MAPPED.search(device):
                figures["mapped_bytes"] = figures.get("mapped_bytes", 0) + n_bytes
        for (_, device), n_bytes in self._draft.items():
            figures = by_name.setdefault(_place(device), {})
            figures["draft_bytes"] = figures.get("draft_bytes", 0) + n_bytes
        names = sorted(by_name, key=lambda name: (name == HOST, name))
        return tuple(DeviceShare(name=name, is_host=name == HOST, **by_name[name]) for name in names)


def _place(device: str) -> str:
    """The device whose memory a buffer lies in: pinned and mapped host memory is the host's."""
    if _ON_HOST.match(device):
        return HOST
    return _MAPPED.sub("", device)
