"""The LoRA adapters of a server: those it was given, in their order, and none applied unless asked for."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any, Final

from ggtui.adapters.llama_server import argv, failures, loopback
from ggtui.adapters.llama_server.logs import LINE_LIMIT
from ggtui.core.errors import LaunchRejected, OutOfMemory, SpawnFailed, SpawnReason
from ggtui.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ggtui.core.models import AdapterFile, LaunchPlan

PATH: Final = "/lora-adapters"
ANSWER_LIMIT_S: Final = 10.0

_REASON: Final = re.compile(r"failed to apply lora adapter: (?P<reason>.+)")
_FILE: Final = re.compile(r"failed to load lora adapter '(?P<path>.+)'")
_LOADING: Final = frozenset({"--lora", "--lora-scaled"})


async def settle(port: int, key: str, adapters: Sequence[AdapterFile]) -> None:
    """Make sure that a fresh server carries these adapters in this order, and set its own scales to 0.

    A request names adapters by their place. One that names none gets the server's own scales, which are 1
    after the start, whatever a command line says.
    Raises: SpawnFailed.
    """
    if not adapters:
        return
    try:
        _check_files(await _carried(port, key), adapters)
        zeros = [{"id": number, "scale": 0.0} for number in range(len(adapters))]
        await loopback.post(port, PATH, zeros, key, ANSWER_LIMIT_S)
        _check_scales(await _carried(port, key), adapters)
    except OSError as error:
        raise SpawnFailed("the server does not answer on its adapters") from error


async def _carried(port: int, key: str) -> list[dict[str, Any]]:
    """What the server says of its adapters, by place; empty where that cannot be read."""
    status, body = await loopback.get(port, PATH, key, ANSWER_LIMIT_S)
    try:
        told = json.loads(body) if status == 200 else None
    except (ValueError, RecursionError):
        told = None
    entries = [each for each in told if isinstance(each, dict)] if isinstance(told, list) else []
    return entries if [each.get("id") for each in entries] == list(range(len(entries))) else []


def _check_files(carried: Sequence[dict[str, Any]], adapters: Sequence[AdapterFile]) -> None:
    wanted = [_as_told(str(each.path)) for each in adapters]
    if wanted != [each.get("path") for each in carried]:
        names = ", ".join(each.name for each in adapters)
        raise SpawnFailed(
            f"the server does not carry the adapters it was given: {names} in this order; "
            f"it tells of {len(carried)}",
            hint="look at the extra arguments of this model",
        )


def _check_scales(carried: Sequence[dict[str, Any]], adapters: Sequence[AdapterFile]) -> None:
    scales = [each.get("scale") for each in carried]
    if scales != [0] * len(adapters):
        raise SpawnFailed("the server goes on applying adapters that no request names")


def _as_told(path: str) -> str:
    """A path as JSON gives it back: names of files need not be text."""
    return os.fsencode(path).decode("utf-8", "replace")


def refusal(plan: LaunchPlan) -> LaunchRejected | None:
    """Why a launch with these adapters is not even tried; None when it is."""
    options = plan.spec.options
    gone = next((each for each in options.adapters if not each.path.is_file()), None)
    if gone is not None:
        return LaunchRejected(
            f"the file of the adapter {gone.name} is gone: {plain(gone.path.name)}",
            reason=SpawnReason.BAD_MODEL_FILE,
            hint=_detach(plan, gone.name),
        )
    words = {word.replace("_", "-") for word in options.extra_args if word.startswith("--")}
    if options.adapters and words & _LOADING:
        return LaunchRejected(
            "the extra arguments load LoRA adapters beside those that are attached",
            reason=SpawnReason.BAD_ARGUMENT,
            hint=f"attach them all: ggtui lora attach {plan.spec.public_id} FILE",
        )
    return None


def in_words(failure: SpawnFailed, lines: Iterable[str], plan: LaunchPlan) -> SpawnFailed:
    """The failure of a start with the name of the adapter that caused it; itself when none did.

    lines: the log, plain.
    """
    adapters = plan.spec.options.adapters
    if not adapters:
        return failure
    if failures.refused_flag(failure) in argv.KEEP_APART:
        cause = f"this llama-server is too old to keep adapters apart: {failure.cause}"
        hint = "a newer llama-server can; or detach the adapters of this model"
        return _rejected(failure, cause, hint)
    named = _culprit(lines, adapters)
    if named is None or isinstance(failure, OutOfMemory):
        return failure
    adapter, reason = named
    cause = f"the adapter {adapter.name} cannot be loaded: {reason}"
    return _rejected(failure, cause, _detach(plan, adapter.name))


def _culprit(lines: Iterable[str], adapters: Sequence[AdapterFile]) -> tuple[AdapterFile, str] | None:
    """The adapter that could not be loaded, and why in the engine's own words."""
    by_path = {plain(_as_told(str(each.path)), LINE_LIMIT): each for each in adapters}
    reason = ""
    for line in lines:
        if found := _REASON.search(line):
            reason = found["reason"]
        elif (found := _FILE.search(line)) and found["path"] in by_path:
            adapter = by_path[found["path"]]
            return adapter, reason.replace(found["path"], adapter.path.name) or "the engine does not say why"
    return None


def _rejected(failure: SpawnFailed, cause: str, hint: str) -> LaunchRejected:
    return LaunchRejected(
        cause,
        reason=SpawnReason.BAD_ARGUMENT,
        hint=hint,
        exit_code=failure.exit_code,
        log_tail=failure.log_tail,
    )


def _detach(plan: LaunchPlan, name: str) -> str:
    return f"detach it: ggtui lora detach {plan.spec.public_id} {name}"
