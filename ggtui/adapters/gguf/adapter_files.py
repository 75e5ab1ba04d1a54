"""LoRA files that the settings name by path: they need not lie in any place that is looked at."""

from __future__ import annotations

from pathlib import Path

from ggtui.adapters.gguf.facts import facts_of
from ggtui.adapters.gguf.header import read_header
from ggtui.core.errors import HeaderUnreadable
from ggtui.core.models import AdapterSummary
from ggtui.core.text import plain


def adapter_at(path: str) -> AdapterSummary:
    """What the file at this path is; why it cannot be used is told in `problem`."""
    file = Path(path)
    nothing = AdapterSummary(plain(file.stem), "", 0, file)
    try:
        size_bytes = file.stat().st_size
        facts = facts_of(read_header(file), file.name)
    except FileNotFoundError:
        return _broken(nothing, "its file does not exist")
    except OSError as error:
        return _broken(nothing, f"its file cannot be read: {error.strerror or error}")
    except HeaderUnreadable as error:
        return _broken(nothing, error.message)
    return AdapterSummary(
        name=facts.name,
        architecture=facts.architecture,
        size_bytes=size_bytes,
        path=file,
        base_hints=facts.base_names,
        problem=facts.problem or (None if facts.kind == "adapter" else "it is not a LoRA adapter"),
        tensor_bytes=facts.tensor_bytes,
    )


def _broken(summary: AdapterSummary, problem: str) -> AdapterSummary:
    return AdapterSummary(summary.name, "", 0, summary.path, problem=plain(problem))
