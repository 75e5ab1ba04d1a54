"""`ggtui --proxy-only`: engine and proxy without a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.cli.headless import serve
from ggtui.cli.log_output import file_log, stderr_log
from ggtui.cli.ownership import no_words, owning

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ggtui.cli.call import Call
    from ggtui.cli.exits import ExitCode
    from ggtui.cli.output import Output
    from ggtui.config.schema import Config


def run(call: Call) -> ExitCode:
    """Serve until a signal."""
    return serve_config(call.config, call.out, reread=call.read_config)


def serve_config(
    config: Config,
    out: Output,
    words: Callable[[str], Sequence[str]] = no_words,
    reread: Callable[[], Config] | None = None,
) -> ExitCode:
    """Serve this configuration until a signal.

    words: what to tell a person about this URL before it begins.
    reread: reads the configuration again for a reload.
    Raises: ProxyFailure, StoreUnavailable, and what keeps the engine from starting.
    """
    with owning(config, out.say) as ground:
        from ggtui.bootstrap import build

        for line in words(ground.url):
            out.say(line)
        with file_log(ground.config), stderr_log(ground.config):
            return serve(build(ground.config, ground.sock, reread=reread), ground.url, out)
