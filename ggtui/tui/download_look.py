"""How downloads are drawn, and what is said below about one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

from ggtui.core.downloads.jobs import JobState
from ggtui.core.units import duration, gib, rate, used_of_total
from ggtui.tui.download_rows import share, share_text
from ggtui.tui.format import cut
from ggtui.tui.glyphs import JOBS

if TYPE_CHECKING:
    from ggtui.core.downloads.jobs import FilePart, Job
    from ggtui.tui.download_rows import DownloadRow
    from ggtui.tui.format import Part
    from ggtui.tui.glyphs import Glyphs

SIGN, STATE, SHARE, SIZE = 3, 9, 5, 11
"""Cells of a column, the gap after it counted."""
NARROW, WIDE = 58, 110
"""Cells below which a row has no bar and no rate, and from which both have plenty of room."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Cells of each column, the gap after it counted; 0 leaves it out."""

    name: int
    bar: int
    size: int
    what: int


def columns(width: int) -> Columns:
    """What has room in so many cells."""
    if width < NARROW:
        return Columns(max(12, width - SIGN - STATE - SHARE), 0, 0, 0)
    bar = 21 if width >= WIDE else 9
    rest = width - SIGN - STATE - SHARE - SIZE - bar
    name = max(20, rest * 3 // 5) if width < WIDE else rest // 2
    return Columns(name, bar, SIZE, rest - name)


def heads(width: int) -> list[Part]:
    """The column heads over the rows."""
    to = columns(width)
    cells = [" " * SIGN, set_cell_size("Model", to.name), set_cell_size("State", STATE)]
    cells += [set_cell_size("", to.bar), set_cell_size("", SHARE)]
    if to.size:
        cells += [set_cell_size("Of", to.size), set_cell_size("Rate, time left", to.what)]
    return [("".join(cells), "$quiet")]


def row_parts(row: DownloadRow, width: int, glyphs: Glyphs) -> list[Part]:
    """A row in so many cells: sign, name, state in a word, bar, percent, size, rate and time left, or why."""
    job, to = row.job, columns(width)
    look = JOBS[job.state]
    parts: list[Part] = [
        (f" {glyphs.look(look)} ", look.style),
        (_field(_short_name(row, to.name - 1, glyphs), to.name, glyphs), _dimmed(job)),
        (_field(look.word, STATE, glyphs), look.style),
    ]
    if to.bar:
        parts += _bar(job, to.bar - 1, glyphs)
    parts.append(_field(share_text(job), SHARE, glyphs))
    if to.size:
        parts.append(_field(_size(job), to.size, glyphs))
        style = "$error" if job.state is JobState.FAILED else "$quiet" if job.rate is None else ""
        parts.append((_field(what(row), to.what + 1, glyphs)[: to.what], style))
    return parts


def _dimmed(job: Job) -> str:
    return "$quiet" if job.state is JobState.DONE else ""


def _short_name(row: DownloadRow, width: int, glyphs: Glyphs) -> str:
    """The name with where it goes; where that is too much, without its owner, then with a cut before the end.

    What follows the colon tells one quantisation of a model from another, so it is kept.
    """
    if row.where:
        return f"{row.job.model} {glyphs.arrow} {row.where}"
    name = row.job.model
    if len(name) > width:
        name = name.partition("/")[2] or name
    stem, colon, quant = name.rpartition(":")
    if len(name) > width and colon and len(quant) + 6 <= width:
        name = cut(stem, width - 1 - len(quant), glyphs) + colon + quant
    return name


def _size(job: Job) -> str:
    if job.state is JobState.DONE or not job.completed_bytes:
        return gib(job.total_bytes) if job.total_bytes else "–"
    return used_of_total(job.completed_bytes, job.total_bytes or None)


def _bar(job: Job, width: int, glyphs: Glyphs) -> list[Part]:
    """Filled as far as it is, never full before it is done; nothing where nobody knows."""
    part = share(job)
    n_full = 0 if part is None else int(part * width)
    style = JOBS[job.state].style
    return [(glyphs.ours * n_full, style), (glyphs.free * (width - n_full), "$quiet"), " "]


def what(row: DownloadRow) -> str:
    """`12 MB/s  3m05s`; what is done beside fetching, its place in the queue, or why it does not run."""
    job = row.job
    match job.state:
        case JobState.RUNNING:
            return _pace(job)
        case JobState.PENDING:
            return _one_line(job.why) or ("next" if row.place == 1 else f"place {row.place}")
        case JobState.PAUSED | JobState.FAILED:
            return _one_line(job.why)
        case JobState.DONE:
            return ""


def _pace(job: Job) -> str:
    if job.rate is None:
        return job.status or "begins"
    left = "" if job.left_s is None else f"  {duration(job.left_s)}"
    return f"{rate(job.rate)}{left}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _field(text: str, width: int, glyphs: Glyphs) -> str:
    return set_cell_size(cut(glyphs.twin(text), width - 1, glyphs), width)


# Lines below the list


def about(row: DownloadRow, width: int, glyphs: Glyphs) -> list[list[Part]]:
    """More about the download under the cursor, in three lines.

    The name, which the row has, goes where the reason beside it would not have room.
    """
    job, look = row.job, JOBS[row.job.state]
    why = _one_line(job.why)
    sign: Part = (f"{glyphs.look(look)} {look.word}  ", look.style)
    reason: Part = (glyphs.twin(why), "$error" if job.state is JobState.FAILED else "")
    if not why:
        first = [sign, (job.model, "bold")]
    elif cell_len(f"{sign[0]}{job.model}  {why}") <= width:
        first = [sign, (job.model, "bold"), "  ", reason]
    else:
        first = [sign, reason]
    return [first, _source(row, glyphs), _now(row, glyphs)]


def _source(row: DownloadRow, glyphs: Glyphs) -> list[Part]:
    job = row.job
    if row.where:
        return [("to  ", "$quiet"), f"{row.where} at {job.base_url}, which fetches it by itself"]
    told: list[Part] = [
        ("from  ", "$quiet"),
        job.base_url or "the hub",
        ("  revision  ", "$quiet"),
        job.revision,
    ]
    if job.commit:
        told.append(f" ({job.commit[:7]})")
    n_files = len(job.files)
    if n_files > 1:
        told += [("  files  ", "$quiet"), str(n_files)]
    return [each if isinstance(each, tuple) else glyphs.twin(each) for each in told]


def _now(row: DownloadRow, glyphs: Glyphs) -> list[Part]:
    """What is done now, or what a person can do."""
    job = row.job
    if job.state is not JobState.RUNNING:
        return [(glyphs.twin(_one_line(job.hint) or _cure(job)), "$quiet")]
    told = [job.status] if job.status else []
    file = _current(job.files)
    if file is not None:
        number = job.files.index(file) + 1
        told.append(f"file {number} of {len(job.files)}: {file.path}")
    elif job.digest:
        told.append(job.digest[:19])
    told.append(_pace(job) if job.rate is not None else "")
    return [("now  ", "$quiet"), glyphs.twin("  ".join(each for each in told if each) or "begins")]


def _current(files: tuple[FilePart, ...]) -> FilePart | None:
    return next((each for each in files if each.completed_bytes < each.size_bytes), None)


def _cure(job: Job) -> str:
    match job.state:
        case JobState.PENDING:
            return "J and K move it; space pauses it"
        case JobState.PAUSED:
            return "space goes on where it stopped: what is there already is kept"
        case JobState.FAILED:
            return "space or r tries again; what is there already is kept"
        case _:
            return "BkSp takes it off this list; the model stays"
