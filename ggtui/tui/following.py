"""Lets what is open follow the engine's state and the clock."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ggtui.tui.screens.backends import BackendsScreen
from ggtui.tui.screens.deployments import DeploymentsScreen
from ggtui.tui.screens.downloads import DownloadsScreen
from ggtui.tui.screens.history import HistoryScreen
from ggtui.tui.screens.hub_offers import OffersScreen
from ggtui.tui.screens.hub_search import HubScreen
from ggtui.tui.screens.launch_options import LaunchOptionsScreen
from ggtui.tui.screens.logs import LogScreen
from ggtui.tui.screens.lora import LoraScreen
from ggtui.tui.screens.model_info import ModelInfoScreen
from ggtui.tui.screens.names import NamesScreen
from ggtui.tui.screens.waiting import WaitingScreen
from ggtui.tui.waiting import WaitingView

if TYPE_CHECKING:
    from textual.screen import Screen

    from ggtui.core.snapshot import EngineSnapshot, LogBatch
    from ggtui.tui.app import ModelsApp

TICKING = (WaitingScreen, HistoryScreen, DeploymentsScreen, BackendsScreen, HubScreen, OffersScreen)
"""Screens on which something grows with the time alone."""


class Following:
    """Hands new values to the main screen, and to the one that stands over it."""

    def __init__(self, app: ModelsApp) -> None:
        self._app = app

    def take_snapshot(self, snapshot: EngineSnapshot) -> None:
        """Show the newest state everywhere, and tell what has failed since the last one."""
        app = self._app
        before = app.desk.snapshot
        failed = app.desk.apply(snapshot)
        if app.main is not None:
            app.main.draw()
        for public_id, note in failed:
            app.notices.tell_failure(note, public_id)
        app.fetching.follow(before, snapshot)
        if snapshot.target is not None:
            app.notices.forget_failure()
        self.refresh_above()

    def take_logs(self, batch: LogBatch) -> None:
        """Keep the lines and show them where their log is open."""
        app = self._app
        app.desk.hear(batch)
        if app.main is not None:
            app.main.hear(batch)
        if isinstance(app.screen, LogScreen) and app.screen.public_id == batch.public_id:
            app.screen.pane.add(batch.lines)

    def tick(self) -> None:
        """Once a second: let ages grow."""
        app = self._app
        if app.main is not None:
            silent_s = app.bridge.silent_s(time.monotonic()) if app.desk.snapshot.version else 0.0
            app.main.tick(app.clock(), silent_s)
        if isinstance(app.screen, TICKING):
            app.screen.tick()

    def refresh_above(self) -> None:
        """Let the screens over the main one follow the state, those under a dialog too."""
        for screen in self._app.screen_stack:
            self._refresh(screen)

    def _refresh(self, stacked: Screen[Any]) -> None:
        app, selected = self._app, self._app.desk.selected
        match stacked:
            case WaitingScreen() as screen:
                screen.view = WaitingView.of(app.desk.snapshot)
            case HistoryScreen() as screen:
                screen.generations = app.desk.snapshot.history
            case NamesScreen() | DeploymentsScreen() | BackendsScreen() | DownloadsScreen() as screen:
                screen.follow(app.desk.snapshot)
            case OffersScreen() as screen:
                screen.follow()
            case LoraScreen() as screen:
                app.adapting.follow(screen)
            case LaunchOptionsScreen() as screen:
                screen.look_again()
            case ModelInfoScreen() as screen if selected is not None:
                app.visits.follow_info(screen, selected)
            case _:
                pass
