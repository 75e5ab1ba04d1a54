"""Numbers as people read them."""

from __future__ import annotations

import pytest

from ggtui.core.units import GIB, KIB, MIB, duration, gib, parameters, rate, tokens, used_of_total


@pytest.mark.parametrize(
    ("n_bytes", "expected"),
    [
        (None, "–"),
        (0, "0.0M"),
        (512 * KIB, "0.5M"),
        (48 * MIB, "48M"),
        (int(17.3 * GIB), "17.3G"),
        (229 * GIB, "229G"),
    ],
)
def test_gib(n_bytes: int | None, expected: str) -> None:
    assert expected == gib(n_bytes)


def test_used_of_total() -> None:
    assert "20.0/24.0G" == used_of_total(20 * GIB, 24 * GIB)
    assert "229/88.0G" == used_of_total(229 * GIB, 88 * GIB)
    assert "100/512M" == used_of_total(100 * MIB, 512 * MIB)
    assert "–/24.0G" == used_of_total(None, 24 * GIB)


@pytest.mark.parametrize(
    ("n_ctx", "expected"),
    [
        (None, "–"),
        (512, "512"),
        (1024, "1k"),
        (1536, "1.5k"),
        (32_768, "32k"),
        (5000, "5000"),
        (1280, "1.25k"),
    ],
)
def test_tokens(n_ctx: int | None, expected: str) -> None:
    assert expected == tokens(n_ctx)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(-1, "0s"), (6.9, "6s"), (252, "4m12s"), (12_000, "3h20m"), (100_000, "1d03h")],
)
def test_duration(seconds: float, expected: str) -> None:
    assert expected == duration(seconds)


@pytest.mark.parametrize(
    ("count", "expected"),
    [(None, "–"), (7_600_000_000, "7.6B"), (135_000_000, "135M"), (50_000, "50k")],
)
def test_parameters(count: int | None, expected: str) -> None:
    assert expected == parameters(count)


@pytest.mark.parametrize(
    ("bytes_per_s", "expected"),
    [
        (None, "–"),
        (-3, "0 B/s"),
        (0.4, "0 B/s"),
        (999, "999 B/s"),
        (999.9, "1.0 kB/s"),
        (1_000, "1.0 kB/s"),
        (9_949, "9.9 kB/s"),
        (9_950, "10 kB/s"),
        (999_600, "1.0 MB/s"),
        (12_300_000, "12 MB/s"),
        (1_250_000_000, "1.2 GB/s"),
    ],
)
def test_rate(bytes_per_s: float | None, expected: str) -> None:
    assert expected == rate(bytes_per_s)
