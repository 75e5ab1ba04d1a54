"""What a repository offers, each with what it would take here: so that a person chooses before a download."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggtui.cli.forecast_lines import estimate_document, needs_consent
from ggtui.cli.surroundings import options_of, outlook
from ggtui.core.downloads_json import SCHEMA, offer_document
from ggtui.core.errors import HeaderUnreadable
from ggtui.core.forecast import Verdict
from ggtui.core.text import plain
from ggtui.core.units import gib, tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ggtui.cli.output import Output
    from ggtui.cli.surroundings import Room
    from ggtui.config.schema import Config
    from ggtui.core.forecast import Forecast
    from ggtui.core.ports.downloads import Offer
    from ggtui.core.ports.remote_models import RemoteModelsPort

HEAD = ("MODEL", "SIZE", "CTX", "HOLDS", "MOST CTX", "FIT", "HERE")
RIGHT = frozenset({1, 2, 3, 4})


@dataclass(frozen=True, slots=True)
class Choice:
    """An offer and its forecast."""

    offer: Offer
    ahead: Forecast | None = None
    """None where it cannot be loaded, or its header cannot be read."""
    problem: str = ""
    """Why there is no forecast."""
    n_parallel: int = 1

    @property
    def needs_consent(self) -> bool:
        """True when a person should say yes before it is fetched: it does not fit, or cannot be loaded."""
        return bool(self.problem) or needs_consent(self.ahead)


async def choices(
    offers: Iterable[Offer], models: RemoteModelsPort, config: Config, room: Room, n_ctx: int | None
) -> list[Choice]:
    """Each offer with its forecast. n_ctx: as asked in tokens; None for what a load would choose.

    Raises: RemoteFailure, ConfigInvalid.
    """
    return list(await asyncio.gather(*(_choice(each, models, config, room, n_ctx) for each in offers)))


async def _choice(
    offer: Offer, models: RemoteModelsPort, config: Config, room: Room, n_ctx: int | None
) -> Choice:
    try:
        summary = await models.summary(offer)
    except HeaderUnreadable as failure:
        return Choice(offer, problem=failure.message)
    options = options_of(summary, config, room)
    ahead = outlook(summary, config, room, n_ctx, options)
    return Choice(offer, ahead, summary.problem or "", options.n_parallel)


def best(found: Sequence[Choice]) -> Choice | None:
    """The largest that fits; None when none does."""
    fitting = [each for each in found if each.ahead is not None and each.ahead.verdict is Verdict.FITS]
    return max(fitting, key=lambda each: each.offer.size_bytes, default=None)


def tell_choices(out: Output, repository: str, found: Sequence[Choice]) -> None:
    """Print them, the smallest first, and how to name one."""
    if out.is_json:
        out.document(_document(repository, found))
        return
    out.table(HEAD, [_cells(each) for each in found], RIGHT)
    for each in found:
        if each.problem:
            out.say(f"{plain(each.offer.model)}: {each.problem}")
    named = best(found)
    meant = f"; the largest that fits: ggtui pull {named.offer.model}" if named else ""
    out.say(f"there are {len(found)}, name one{meant}")


def _cells(choice: Choice) -> tuple[str, ...]:
    offer, ahead = choice.offer, choice.ahead
    name, size, here = plain(offer.model), gib(offer.size_bytes), "here" if offer.is_here else "–"
    if ahead is None:
        return (name, size, "–", "–", "–", "?", here)
    return (
        name,
        size,
        tokens(ahead.n_ctx),
        gib(sum(share.total_bytes for share in ahead.devices)),
        tokens(ahead.largest_ctx),
        str(ahead.verdict),
        here,
    )


def _document(repository: str, found: Iterable[Choice]) -> dict[str, object]:
    return {"schema": SCHEMA, "repository": repository, "offers": [choice_document(each) for each in found]}


def choice_document(choice: Choice) -> dict[str, object]:
    """An offer with its estimate, null where there is none."""
    ahead = choice.ahead
    estimate = None
    if ahead is not None:
        estimate = estimate_document(choice.offer.model, ahead, choice.n_parallel, ())
    return {**offer_document(choice.offer), "problem": choice.problem or None, "estimate": estimate}
