"""How long and how often everything is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """The sizes of one run. Times in seconds."""

    rounds: int
    """Of each target, interleaved with the others."""
    window_s: float
    """One closed-loop measurement."""
    warm_up_s: float
    calls_each: int
    """Per connection instead of a window; 0 for the window."""
    concurrencies: tuple[int, ...]
    large_concurrencies: tuple[int, ...]
    """The same for bodies of a megabyte."""
    paced_streams: int
    paced_s: float
    unpaced_chunks: int
    crowd: int
    """Streams at once."""
    crowd_s: float
    swaps: int
    """Per target."""
    failures: int
    body_bytes: int
    """Size of a large body in flight."""
    settle_s: float
    """Before memory is read."""
    headers: int
    """Files with a large vocabulary in a scan."""
    idle_s: float
    """How long an idle screen is looked at."""


FULL = Scale(
    rounds=5,
    window_s=0.8,
    warm_up_s=0.15,
    calls_each=0,
    concurrencies=(1, 8, 32, 128),
    large_concurrencies=(1, 8, 32, 128),
    paced_streams=32,
    paced_s=3.0,
    unpaced_chunks=20_000,
    crowd=1000,
    crowd_s=5.0,
    swaps=40,
    failures=7,
    body_bytes=20_000_000,
    settle_s=2.0,
    headers=200,
    idle_s=10.0,
)

QUICK = Scale(
    rounds=2,
    window_s=0.4,
    warm_up_s=0.1,
    calls_each=0,
    concurrencies=(1, 8, 32, 128),
    large_concurrencies=(1, 8),
    paced_streams=32,
    paced_s=1.5,
    unpaced_chunks=5_000,
    crowd=1000,
    crowd_s=2.0,
    swaps=8,
    failures=2,
    body_bytes=20_000_000,
    settle_s=0.5,
    headers=40,
    idle_s=3.0,
)

TINY = Scale(
    rounds=1,
    window_s=0.0,
    warm_up_s=0.0,
    calls_each=3,
    concurrencies=(2,),
    large_concurrencies=(1,),
    paced_streams=2,
    paced_s=0.1,
    unpaced_chunks=20,
    crowd=5,
    crowd_s=0.1,
    swaps=2,
    failures=1,
    body_bytes=100_000,
    settle_s=0.0,
    headers=2,
    idle_s=0.3,
)
"""For tests: everything once, nothing meant to be read."""
