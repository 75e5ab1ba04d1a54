"""Numbers as people read them. The screen and the command line share these, so they cannot disagree."""

from __future__ import annotations

GIB = 1024**3
MIB = 1024**2
KIB = 1024


def gib(n_bytes: int | None) -> str:
    """Bytes as `17.3G`, below one tenth of a GiB as `48M`; `–` for unknown."""
    if n_bytes is None:
        return "–"
    if abs(n_bytes) < GIB / 10:
        return f"{n_bytes / MIB:.1f}M" if abs(n_bytes) < 10 * MIB else f"{n_bytes / MIB:.0f}M"
    value = n_bytes / GIB
    return f"{value:.0f}G" if value >= 100 else f"{value:.1f}G"


def used_of_total(used: int | None, total: int | None) -> str:
    """`20.2/24.0G`, in MiB when the total is that small; `–` for an unknown half."""
    scale, unit = (MIB, "M") if (total or 0) < GIB else (GIB, "G")

    def figure(n_bytes: int | None) -> str:
        if n_bytes is None:
            return "–"
        value = n_bytes / scale
        return f"{value:.0f}" if value >= 100 else f"{value:.1f}"

    return f"{figure(used)}/{figure(total)}{unit}"


def tokens(n_ctx: int | None) -> str:
    """A context size as `32k` or `1.5k`; a number that is no multiple of 256 is shown whole."""
    if n_ctx is None:
        return "–"
    if n_ctx < 1024 or n_ctx % 256:
        return str(n_ctx)
    return f"{n_ctx / 1024:g}k" if n_ctx % 1024 == 0 else f"{n_ctx / 1024:.2f}".rstrip("0").rstrip(".") + "k"


def duration(seconds: float) -> str:
    """An age as `6s`, `4m12s` or `3h20m`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d{whole % 86400 // 3600:02d}h"


def parameters(count: int | None) -> str:
    """A parameter count as `7.6B` or `135M`; `–` for unknown."""
    if count is None:
        return "–"
    if count >= 1_000_000_000:
        return f"{count / 1e9:.1f}B"
    if count >= 1_000_000:
        return f"{count / 1e6:.0f}M"
    return f"{count / 1e3:.0f}k" if count >= 1000 else str(count)


def rate(bytes_per_s: float | None) -> str:
    """Bytes per second as `12 MB/s`, in powers of ten as people know them; `–` for unknown."""
    if bytes_per_s is None:
        return "–"
    for scale, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        # From the number on that would be shown as 1000 of the smaller unit.
        if bytes_per_s >= scale * 0.9995:
            value = bytes_per_s / scale
            return f"{value:.1f} {unit}/s" if value < 9.95 else f"{value:.0f} {unit}/s"
    return f"{max(0.0, bytes_per_s):.0f} B/s"
