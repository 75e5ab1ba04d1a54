"""`ggtui reconcile`: closes the difference between what is declared and what is; exit 1 where one is left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ggtui.cli.difference_lines import HEAD, NOTHING, change_lines, difference_rows, standing
from ggtui.cli.download_progress import DownloadProgress
from ggtui.cli.exits import ExitCode
from ggtui.cli.reconcile_desk import reconcile_desk
from ggtui.core.errors import ConfigInvalid

if TYPE_CHECKING:
    from ggtui.cli.call import Call
    from ggtui.cli.difference_lines import Standing


def run(call: Call) -> ExitCode:
    """One cycle, or cycles until all is in sync."""
    is_dry_run = call.arguments.dry_run
    if call.config.read_only and not is_dry_run:
        raise ConfigInvalid("nothing is changed with --read-only", hint="--dry-run only looks")
    desk = reconcile_desk(call.config, DownloadProgress(call.out).show)
    teller = _Teller(call)
    if not is_dry_run and not call.arguments.once:
        desk.watch(teller.tell)
        return teller.end()
    teller.tell(desk.once(is_dry_run=is_dry_run))
    return teller.end()


class _Teller:
    """Tells all rows first, then only what changes."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._last: dict[str, Any] = {}
        self._before: Standing | None = None

    def tell(self, document: dict[str, Any]) -> None:
        """The difference now."""
        rows = document["rows"]
        before, self._before, self._last = self._before, standing(rows), document
        if before == self._before:
            return
        out = self._call.out
        if out.is_json:
            out.document(document)
        elif before is None:
            out.table(HEAD, difference_rows(rows, self._call.config.declared), frozenset())
        else:
            for line in change_lines(before, rows):
                out.line(line)

    def end(self) -> ExitCode:
        """What the last of it means."""
        rows, is_in_sync = self._last["rows"], self._last["in_sync"]
        if not self._call.out.is_json:
            n_left = sum(each["state"] not in ("in_sync", "extra") for each in rows)
            self._call.out.say(NOTHING if not rows else "in sync" if is_in_sync else _left(n_left))
        return ExitCode.DONE if is_in_sync else ExitCode.FAILED


def _left(n: int) -> str:
    return "one is not in sync" if n == 1 else f"{n} are not in sync"
