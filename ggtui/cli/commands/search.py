"""`ggtui search`: repositories of the hub that have GGUF models, the most downloaded first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.cli.exits import ExitCode
from ggtui.cli.own_hub import opened_hub
from ggtui.cli.surroundings import look
from ggtui.core.downloads_json import search_document
from ggtui.core.moments import utc_text
from ggtui.core.text import plain

if TYPE_CHECKING:
    from ggtui.cli.call import Call
    from ggtui.core.ports.downloads import RepositoryHit

HEAD = ("REPOSITORY", "DOWNLOADS", "LIKES", "UPDATED", "ACCESS")
RIGHT = frozenset({1, 2})


def run(call: Call) -> ExitCode:
    """Print them."""
    text = " ".join(call.arguments.text)
    hits = look(_search(text, call.arguments.hits))
    if call.out.is_json:
        call.out.document(search_document(text, hits))
        return ExitCode.DONE
    call.out.table(HEAD, [_row(each) for each in hits], RIGHT)
    if hits:
        call.out.say("ggtui pull REPOSITORY shows what of it fits here")
    else:
        call.out.say(f"the hub knows no GGUF models by the name {plain(text)!r}")
    return ExitCode.DONE


async def _search(text: str, limit: int) -> tuple[RepositoryHit, ...]:
    async with opened_hub() as hub:
        return await hub.search(text, limit)


def _row(hit: RepositoryHit) -> tuple[str, ...]:
    updated = (utc_text(hit.updated_at) or "–").partition("T")[0]
    return (
        plain(hit.id),
        str(hit.n_downloads),
        str(hit.n_likes),
        updated,
        "gated" if hit.is_gated else "open",
    )
