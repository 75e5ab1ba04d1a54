"""`ggtui`: the screen, with engine and proxy behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.cli.log_output import file_log
from ggtui.cli.ownership import no_words, owning
from ggtui.cli.terminal import has_terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ggtui.cli.call import Call
    from ggtui.cli.exits import ExitCode
    from ggtui.cli.output import Output
    from ggtui.config.schema import Config


def run(call: Call) -> ExitCode:
    """Show the screen; without a terminal say what runs instead."""
    if not has_terminal():
        return without_screen(call)
    return show_config(call.config, call.out, reread=call.read_config)


def show_config(
    config: Config,
    out: Output,
    words: Callable[[str], Sequence[str]] = no_words,
    reread: Callable[[], Config] | None = None,
) -> ExitCode:
    """Show the screen for this configuration, and serve on after it where a person asks for that.

    words: what to tell a person about this URL before it opens.
    reread: reads the configuration again for a reload.
    Raises: ProxyFailure, StoreUnavailable before the screen opens.
    """
    with owning(config, out.say) as ground:
        from ggtui.bootstrap import build
        from ggtui.cli.window import show

        for line in words(ground.url):
            out.say(line)
        with file_log(ground.config):
            return show(build(ground.config, ground.sock, reread=reread), ground, out)


def without_screen(call: Call) -> ExitCode:
    """The state as plain lines, and what to type instead."""
    from ggtui.cli.commands import ps
    from ggtui.cli.exits import ExitCode

    ps.run(call)
    call.out.say("ggtui: no terminal here for the screen; ggtui --proxy-only serves without one")
    return ExitCode.USAGE
