"""What is wrong with the deployments of a configuration, each with its place, before anything serves."""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Final

from ggtui.core.deployment.policies import CapacityPolicy
from ggtui.core.deployment.runtimes import can_serve, is_url
from ggtui.core.routing.adapters import WEIGHT_RULE, is_weight

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from ggtui.core.deployment.deployment import Deployment
    from ggtui.core.deployment.policies import RateLimits

_DURATIONS: Final = (
    ("serving", "queue_timeout"),
    ("retry", "initial_backoff"),
    ("retry", "max_backoff"),
    ("circuit_breaker", "open_duration"),
    ("timeouts", "request_timeout"),
    ("timeouts", "read_timeout"),
)
_LEAST: Final = (
    ("serving", "max_concurrent", 1),
    ("serving", "queue_capacity", 0),
    ("rate_limits", "requests_per_minute", 1),
    ("rate_limits", "tokens_per_minute", 1),
    ("rate_limits", "concurrent_requests", 1),
    ("retry", "max_retries", 0),
    ("retry", "backoff_multiplier", 1),
    ("circuit_breaker", "failure_threshold", 1),
    ("circuit_breaker", "half_open_max_probes", 1),
)
_RATES: Final = ("requests_per_minute", "tokens_per_minute", "concurrent_requests")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that must be put right."""

    index: int
    """Which deployment, from 0 in the order of the file."""
    name: str
    """Its name; may be empty."""
    field: str
    """The key, with those of the tables it is in: `serving.queue_timeout`."""
    text: str


def problems(
    deployments: Sequence[Deployment],
    *,
    known_groups: Collection[str] = (),
    other_names: Collection[str] = (),
    is_local: Callable[[str], bool] | None = None,
    ceilings: Mapping[str, RateLimits] | None = None,
    backend_models: Collection[str] = (),
) -> list[Problem]:
    """Everything that is wrong, in the order of the deployments; nothing when they can serve.

    other_names: what a fallback may name besides deployments. is_local: whether a model is of this machine;
    None when that is not known yet, and a runtime that is only guessed is not judged then. ceilings: by
    name of a deployment, what its provider is known to allow. backend_models: names that backends serve.
    """
    found = [
        Problem(index, each.name, place, text)
        for index, each in enumerate(deployments)
        for place, text in (
            *_own(each),
            *_of_runtime(each, is_local, backend_models),
            *_of_ceiling(each, (ceilings or {}).get(each.name)),
            *_unknown(each, {other.name for other in deployments} | set(other_names), known_groups),
        )
    ]
    return sorted([*found, *_repeated(deployments), *_cycles(deployments)], key=lambda each: each.index)


def _own(each: Deployment) -> Iterator[tuple[str, str]]:
    """What one deployment shows by itself. The first three texts are those that programs match on."""
    if not each.name.strip():
        yield "name", "deployment name must not be empty"
    if not each.model.strip():
        yield "model", "deployment model must not be empty"
    if each.replicas < 1:
        yield "replicas", "deployment must have at least one replica"
    if each.name.isdigit():
        yield "name", "deployment name must not be a number: numbers are those of the catalog"
    if each.gpus is not None and each.gpus < 0:
        yield "gpus", "must be at least 0"
    if each.serving.on_capacity_exhausted is CapacityPolicy.FALLBACK and not each.fallback:
        yield "serving.on_capacity_exhausted", "there is no fallback to go to"
    for adapter in each.adapters:
        if not is_weight(adapter.weight):
            yield "adapters", f"weight of adapter '{adapter.name}' must be {WEIGHT_RULE}"
    for table, key in _DURATIONS:
        seconds = getattr(getattr(each, table), f"{key}_s")
        if seconds is not None and not seconds > 0:
            yield f"{table}.{key}", "must be longer than nothing"
    for table, key, least in _LEAST:
        value = getattr(getattr(each, table), key)
        if value is not None and not value >= least:
            yield f"{table}.{key}", f"must be at least {least}"


def _of_runtime(
    each: Deployment, is_local: Callable[[str], bool] | None, backend_models: Collection[str]
) -> Iterator[tuple[str, str]]:
    config = each.runtime_config
    if config.endpoint and not is_url(config.endpoint):
        yield "runtime_config.endpoint", "must be an http or https URL"
        return
    is_guessed = each.runtime is None and config.runtime is None
    if is_guessed and is_local is None:
        return
    kind, why = each.choose_runtime(is_local=is_local is not None and is_local(each.model))
    if not can_serve(kind, config.endpoint) and each.model not in backend_models:
        yield "runtime", f"{kind} has no engine here and needs runtime_config.endpoint; chosen because {why}"


def _of_ceiling(each: Deployment, ceiling: RateLimits | None) -> Iterator[tuple[str, str]]:
    for key in _RATES if ceiling is not None else ():
        wanted, most = getattr(each.rate_limits, key), getattr(ceiling, key)
        if wanted is not None and most is not None and wanted > most:
            text = f"rate limits exceed known provider tier: {key} {wanted} > {most}"
            yield f"rate_limits.{key}", text


def _unknown(each: Deployment, names: Collection[str], groups: Collection[str]) -> Iterator[tuple[str, str]]:
    for name in each.fallback:
        if name not in names:
            yield "fallback", f"unknown fallback '{name}'"
    for group in each.groups:
        if group not in groups:
            yield "groups", f"unknown group '{group}'"


def _repeated(deployments: Sequence[Deployment]) -> Iterator[Problem]:
    seen: set[str] = set()
    default = ""
    for index, each in enumerate(deployments):
        if each.name in seen and each.name:
            yield Problem(index, each.name, "name", f"duplicate deployment name '{each.name}'")
        seen.add(each.name)
        if each.default and default:
            yield Problem(index, each.name, "default", f"'{default}' is the default already")
        default = default or (each.name if each.default else "")


def _cycles(deployments: Sequence[Deployment]) -> Iterator[Problem]:
    """Each cycle once, told at the first deployment of the file that is part of it."""
    first = {each.name: index for index, each in reversed(list(enumerate(deployments)))}
    links = {name: list(dict.fromkeys(deployments[index].fallback)) for name, index in first.items()}
    while True:
        try:
            TopologicalSorter(links).prepare()
        except CycleError as error:
            ring: list[str] = error.args[1][:0:-1]  # its last is its first again, and it runs backwards
            start = ring.index(min(ring, key=lambda name: first[name]))
            ring = ring[start:] + ring[:start]
            path = " -> ".join([*ring, ring[0]])
            yield Problem(first[ring[0]], ring[0], "fallback", f"fallback cycle: {path}")
            links[ring[-1]].remove(ring[0])
        else:
            return
