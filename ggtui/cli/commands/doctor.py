"""`ggtui doctor`: what is in order, what is not, and what cures it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ggtui.cli import checks
from ggtui.cli.exits import ExitCode
from ggtui.cli.shelf import read_shelf
from ggtui.cli.surroundings import find_engine, instance_state, look, read_memory
from ggtui.config.checks import api_key, config_file, folders, versions
from ggtui.config.paths import directories
from ggtui.config.schema import Config
from ggtui.core import health
from ggtui.core.errors import CatalogFailure, ConfigInvalid
from ggtui.core.health import Check, Health, report_text

if TYPE_CHECKING:
    from ggtui.cli.call import Call


def run(call: Call) -> ExitCode:
    """Print every check; exit code 3 when one fails."""
    config, found = _configuration(call)
    state = instance_state(config)
    found += [*folders(config), *look(_outside(config, state))]
    found += [
        checks.instance(config, state),
        checks.port(config, state),
        api_key(config),
        checks.terminal(),
    ]
    _print(call, found)
    has_failed = any(check.health is Health.FAIL for check in found)
    return ExitCode.ENVIRONMENT if has_failed else ExitCode.DONE


def _configuration(call: Call) -> tuple[Config, list[Check]]:
    """The settings; a broken file is one finding, and the rest is checked with the defaults."""
    try:
        return call.config, [versions(), config_file(call.config)]
    except ConfigInvalid as failure:
        own = directories()
        config = Config(own.data, own.cache, own.log, own.runtime)
        return config, [versions(), Check("config", Health.FAIL, failure.detail, failure.hint)]


async def _outside(config: Config, state: dict[str, Any] | None) -> list[Check]:
    reading, info = await read_memory(config=config), await find_engine(config)
    try:
        shelf = await read_shelf(config, state)
        models = [health.models(shelf.models, shelf.report), *health.disk(shelf.report)]
    except CatalogFailure as failure:
        models = [Check("models", Health.FAIL, failure.detail, failure.hint)]
    found = [*models, health.engine(info), health.driver(reading, info)]
    return [*found, health.memory(reading), health.processor(reading)]


def _print(call: Call, found: list[Check]) -> None:
    if call.out.is_json:
        rows = [
            {"name": each.name, "health": str(each.health), "detail": each.detail, "cure": each.cure or None}
            for each in found
        ]
        call.out.document({"schema": 1, "checks": rows})
        return
    for line in report_text(found).splitlines():
        call.out.line(line)
