"""`ggtui pull`: brings a model onto this disk or onto a backend; tells first whether it fits."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggtui.adapters.remote.access import LeftAlone
from ggtui.adapters.remote.downloads.names import HOW, Wanted
from ggtui.cli.choices import Choice, choice_document, choices, tell_choices
from ggtui.cli.download_progress import DownloadProgress, amount_words
from ggtui.cli.downloads_desk import check_done, downloads_desk
from ggtui.cli.exits import ExitCode, WrongUse
from ggtui.cli.own_hub import opened_hub
from ggtui.cli.surroundings import beside, instance_state, look, read_room
from ggtui.core.backends.backend import THIS_MACHINE
from ggtui.core.downloads_json import SCHEMA
from ggtui.core.errors import ConfigInvalid, Failure, RemoteRefused, RemoteUnreachable
from ggtui.core.forecast_words import forecast_line
from ggtui.core.ports.downloads import Offer
from ggtui.core.text import plain
from ggtui.core.units import gib

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ggtui.cli.call import Call
    from ggtui.cli.downloads_desk import DownloadsDesk
    from ggtui.core.ports.downloads import HubPort

MAIN = "main"


class NotFetched(Failure):
    """The forecast says no, and nobody said yes."""

    title = "Does not fit"
    exit_code = ExitCode.DOES_NOT_FIT


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants to have, and where."""

    model: str
    backend: str = THIS_MACHINE
    revision: str = MAIN


def run(call: Call) -> ExitCode:
    """Say whether it fits, then fetch it."""
    if call.config.read_only:
        raise ConfigInvalid("nothing is fetched with --read-only")
    if call.arguments.backend:
        return _carry_out(call, Wish(call.arguments.model, call.arguments.backend), None)
    wanted, revision = read_name(call.arguments.model, call.arguments.revision)
    found = look(_choices(call, wanted, revision))
    if len(found) > 1:
        tell_choices(call.out, wanted.repository, found)
        return ExitCode.USAGE
    choice = found[0]
    if choice.offer.is_here:
        return _tell_here(call, choice)
    _tell_forecast(call, choice)
    return _carry_out(call, Wish(choice.offer.model, THIS_MACHINE, revision), choice)


def read_name(text: str, revision: str | None) -> tuple[Wanted, str]:
    """What is meant by `OWNER/REPO[:QUANT][@REV]`, with or without `hf:`. Raises: WrongUse."""
    name, at, own = text.partition("@")
    if at and revision and own != revision:
        raise WrongUse(f"two revisions are named, {plain(own)} and {plain(revision)}", hint=HOW)
    try:
        return Wanted.parse(name), own or revision or MAIN
    except RemoteRefused as failure:
        raise WrongUse(failure.detail, hint=failure.hint) from None


async def _choices(call: Call, wanted: Wanted, revision: str) -> list[Choice]:
    """One where one is meant, else all that there are, the smallest first."""
    from ggtui.bootstrap.hub_models import HubModels

    async with opened_hub() as hub:
        offers = await _offers(call, hub, wanted, revision)
        if not offers:
            raise RemoteRefused(f"{wanted.repository} holds no GGUF models")
        if len(offers) == 1 and offers[0].is_here:
            return [Choice(offers[0])]
        state = instance_state(call.config)
        config = beside(call.config, state)
        room = await read_room(config, state)
        return await choices(offers, HubModels(os.environ), config, room, call.n_ctx)


async def _offers(call: Call, hub: HubPort, wanted: Wanted, revision: str) -> Sequence[Offer]:
    """What is meant; where the hub cannot be asked, what is here already."""
    model = call.arguments.model.partition("@")[0]
    try:
        if wanted.quant or wanted.path:
            return (await hub.offer(model, revision),)
        return await hub.offers(wanted.repository, revision)
    except (LeftAlone, RemoteUnreachable) as failure:
        if not await hub.is_here(model, revision):
            raise
        call.out.say(failure.message)
        return (Offer(model, wanted.quant, "", (), is_here=True),)


def _tell_here(call: Call, choice: Choice) -> ExitCode:
    if call.out.is_json:
        call.out.document({"schema": SCHEMA, "offer": choice_document(choice), "download": None})
    else:
        call.out.line(f"{plain(choice.offer.model)} is here already")
    return ExitCode.DONE


def _tell_forecast(call: Call, choice: Choice) -> None:
    """The verdict, and a question where it is no. Raises: NotFetched."""
    offer = choice.offer
    model = plain(offer.model)
    if choice.ahead is not None:
        call.out.say(forecast_line(model, choice.ahead))
    call.out.say(f"fetch {model}  {gib(offer.size_bytes)} in {_files(len(offer.files))}")
    if not choice.needs_consent or call.arguments.yes or _is_agreed(call, choice):
        return
    why = choice.problem or "it does not fit this machine"
    raise NotFetched(f"{model}: {why}", hint="--yes fetches it all the same")


def _files(n: int) -> str:
    return "one file" if n == 1 else f"{n} files"


def _is_agreed(call: Call, choice: Choice) -> bool:
    """A person's answer; False where nobody is here to give one."""
    if call.out.is_json or sys.stdin is None or not sys.stdin.isatty():
        return False
    if choice.problem:
        call.out.say(choice.problem)
    call.out.say("fetch it all the same? [y/N]")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _carry_out(call: Call, wish: Wish, choice: Choice | None) -> ExitCode:
    desk = downloads_desk(call.config)
    offer = None if choice is None else choice_document(choice)
    if call.arguments.detach:
        return _queue(call, desk, wish, offer)
    progress = DownloadProgress(call.out)
    try:
        told = desk.fetch(wish.model, wish.backend, wish.revision, progress.show)
    except KeyboardInterrupt:
        call.out.say(_paused_words(wish, progress))
        return ExitCode.INTERRUPTED
    check_done(told)
    if call.out.is_json:
        call.out.document({"schema": SCHEMA, "offer": offer, "download": told})
    elif wish.backend == THIS_MACHINE:
        call.out.line(f"{plain(wish.model)} is here")
    else:
        call.out.line(f"{plain(wish.model)} is on {plain(wish.backend)}")
    return ExitCode.DONE


def _queue(call: Call, desk: DownloadsDesk, wish: Wish, offer: dict[str, object] | None) -> ExitCode:
    told = desk.add(wish.model, wish.backend, wish.revision)["download"]
    if call.out.is_json:
        call.out.document({"schema": SCHEMA, "offer": offer, "download": told})
        return ExitCode.DONE
    call.out.line(f"{told['number']}: {plain(wish.model)} is queued")
    if desk.is_kept:
        call.out.say("no ggtui is running: the next one fetches it")
    else:
        call.out.say("ggtui downloads shows how it goes")
    return ExitCode.DONE


def _paused_words(wish: Wish, progress: DownloadProgress) -> str:
    amount = amount_words(progress.last) if progress.last else ()
    at = f" at {amount[0]}" if amount else ""
    where = f" --backend {wish.backend}" if wish.backend != THIS_MACHINE else ""
    revision = f" --revision {wish.revision}" if wish.revision != MAIN else ""
    return f"paused{at}; to go on: ggtui pull {plain(wish.model)}{where}{revision}"
