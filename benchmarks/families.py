"""Every family of rows, by the name `--only` takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.rows.calls import large_bodies, small_bodies
from benchmarks.rows.catalog import catalog
from benchmarks.rows.engine_calls import engine_calls
from benchmarks.rows.failures import failures
from benchmarks.rows.forecast import forecasts
from benchmarks.rows.memory import memory
from benchmarks.rows.paint import paint
from benchmarks.rows.policies import policies
from benchmarks.rows.queue import queue
from benchmarks.rows.screen import screen
from benchmarks.rows.streams import crowd, paced, unpaced
from benchmarks.rows.swaps import readiness, swaps

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.bench import Bench
    from benchmarks.figures import Figure


@dataclass(frozen=True, slots=True)
class Family:
    """Rows that are measured and shown together."""

    name: str
    title: str
    measure: Callable[[Bench], list[Figure]]


FAMILIES = (
    Family("small", "Chat requests before a fast upstream", small_bodies),
    Family("queue", "More requests than slots", queue),
    Family("policies", "With and without the rules of a deployment", policies),
    Family("large", "The same with bodies of a megabyte", large_bodies),
    Family("engine", "A quick endpoint of a real llama-server", engine_calls),
    Family("paced", "Streams at the pace of tokens", paced),
    Family("unpaced", "Streams as fast as they go", unpaced),
    Family("crowd", "A crowd of streams", crowd),
    Family("swaps", "Swaps on real engines", swaps),
    Family("readiness", "Swaps on a fast upstream that notes the time", readiness),
    Family("failures", "Launches that fail", failures),
    Family("memory", "Memory of the proxy", memory),
    Family("catalog", "Models on disk", catalog),
    Family("forecast", "The memory forecast", forecasts),
    Family("paint", "The screen by itself", paint),
    Family("screen", "With the screen running", screen),
)
