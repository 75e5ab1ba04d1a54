"""What a server's refusal means for a person, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.errors import RemoteFailure, RemoteRefused, RemoteUnreachable

if TYPE_CHECKING:
    from ggtui.adapters.remote.access import Access
    from ggtui.adapters.remote.exchange import Answer

LICENCE = "accept the licence on the model's page and set HF_TOKEN to a token of yours"
_MISSING = {
    "RepoNotFound": "there is no such repository, or it is not for everyone",
    "RevisionNotFound": "the repository has no such revision",
    "EntryNotFound": "the repository has no such file",
}
"""By the hub's own word for it."""


class NotThere(RemoteRefused):
    """404: nothing under this address."""


def refusal(answer: Answer, access: Access) -> RemoteFailure:
    """The failure that this status means; for any but the one that was wanted."""
    status, host = answer.status, answer.address.origin.host
    word = _MISSING.get(answer.header("X-Error-Code"), "")
    if status in (401, 403):
        return _forbidden(answer, access, word)
    if status in (404, 410):
        return NotThere(f"{host}: {word}" if word else f"there is no {answer.address.shown}")
    if status == 416:
        return RemoteRefused(f"{host} says that the file is shorter than it was")
    if status == 429:
        return RemoteUnreachable(f"{host} is asked too often", hint="try again in a few minutes")
    if status >= 500:
        return RemoteUnreachable(f"{host} fails: status {status}", hint="try again later")
    return RemoteRefused(f"{host} answers with status {status}")


def _forbidden(answer: Answer, access: Access, word: str) -> RemoteFailure:
    host = answer.address.origin.host
    if answer.address.origin != access.endpoint.origin:
        return RemoteRefused(f"{host} does not give it to everyone: status {answer.status}")
    what = f"{host}: {word}" if word else f"{host} gives it only to those who may: status {answer.status}"
    hint = f"{LICENCE}; the present one may not read it" if access.token else LICENCE
    return RemoteRefused(what, hint=hint)
