"""What `ggtui doctor` looks at beyond the settings: who runs already, the port, the terminal."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from ggtui.core.errors import Failure, PortInUse
from ggtui.core.health import Check, Health

if TYPE_CHECKING:
    from typing import Any

    from ggtui.config.schema import Config


def instance(config: Config, state: dict[str, Any] | None) -> Check:
    """Who owns the data folder."""
    from ggtui.adapters.instance.record import find_instance

    record = find_instance(config.data_dir)
    if record is None:
        return Check("instance", Health.OK, "no ggtui is running")
    if state is None:
        return Check("instance", Health.FAIL, f"pid {record.pid} does not answer at {record.url}", "stop it")
    return Check("instance", Health.OK, f"pid {record.pid} serves at {record.url}")


def port(config: Config, state: dict[str, Any] | None) -> Check:
    """Whether the address can be had."""
    from ggtui.proxy.bind import bind

    where = f"{config.host}:{config.port}"
    if state is not None and f":{config.port}/" in str(state["url"]):
        return Check("port", Health.OK, f"{where}, held by the running ggtui")
    try:
        bind(config.host, config.port, has_api_key=bool(config.client_keys)).close()
    except PortInUse as failure:
        return Check("port", Health.FAIL, failure.detail, failure.hint)
    except Failure as failure:
        return Check("port", Health.FAIL, f"{where}: {failure.detail}", failure.hint)
    return Check("port", Health.OK, f"{where} is free")


def terminal() -> Check:
    """Whether the screen could be drawn here."""
    from ggtui.cli.terminal import has_terminal

    name = os.environ.get("TERM") or "unknown"
    encoding = (sys.stdout.encoding or "ascii").lower()
    if not has_terminal():
        return Check("terminal", Health.WARN, "none here", "ggtui --proxy-only serves without a screen")
    if not encoding.startswith("utf"):
        return Check("terminal", Health.WARN, f"{name}, {encoding}", "a UTF-8 locale, or ggtui --ascii")
    return Check("terminal", Health.OK, f"{name}, {encoding}")
