"""`ggtui doctor`: what is in order, what is not, and what cures it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ggtui.cli import checks
from ggtui.cli.checks import Check, Health
from ggtui.cli.exits import ExitCode
from ggtui.cli.surroundings import find_engine, instance_state, look, read_memory, read_shelf
from ggtui.config.paths import directories
from ggtui.config.schema import Config
from ggtui.core.errors import CatalogFailure, ConfigInvalid

if TYPE_CHECKING:
    from ggtui.cli.call import Call


def run(call: Call) -> ExitCode:
    """Print every check; exit code 3 when one fails."""
    config, found = _configuration(call)
    state = instance_state(config)
    found += [*checks.folders(config), *look(_outside(config, state))]
    found += [
        checks.instance(config, state),
        checks.port(config, state),
        checks.api_key(config),
        checks.terminal(),
    ]
    _print(call, found)
    has_failed = any(check.health is Health.FAIL for check in found)
    return ExitCode.ENVIRONMENT if has_failed else ExitCode.DONE


def _configuration(call: Call) -> tuple[Config, list[Check]]:
    """The settings; a broken file is one finding, and the rest is checked with the defaults."""
    try:
        return call.config, [checks.versions(), checks.config_file(call.config)]
    except ConfigInvalid as failure:
        own = directories()
        config = Config(own.data, own.cache, own.log, own.runtime)
        return config, [checks.versions(), Check("config", Health.FAIL, failure.detail, failure.hint)]


async def _outside(config: Config, state: dict[str, Any] | None) -> list[Check]:
    reading, info = await read_memory(config=config), await find_engine(config)
    try:
        models = checks.models(await read_shelf(config, state))
    except CatalogFailure as failure:
        models = Check("models", Health.FAIL, failure.detail, failure.hint)
    found = [models, checks.engine(info), checks.driver(reading, info)]
    return [*found, checks.memory(reading), checks.processor(reading)]


def _print(call: Call, found: list[Check]) -> None:
    if call.out.is_json:
        rows = [
            {"name": each.name, "health": str(each.health), "detail": each.detail, "cure": each.cure or None}
            for each in found
        ]
        call.out.document({"schema": 1, "checks": rows})
        return
    width = max(len(each.name) for each in found)
    for each in found:
        call.out.line(f"{each.health:<4}  {each.name:<{width}}  {each.detail}")
        if each.cure and each.health is not Health.OK:
            call.out.line(f"{'':<4}  {'':<{width}}  → {each.cure}")
