"""The app: knows the screens, the theme and the one crossing to the engine; each intent is one line."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import App
from textual.content import Content
from textual.scrollbar import ScrollBar, ScrollBarRender

from ggtui.core.errors import SpawnReason
from ggtui.tui.adapting import Adapting
from ggtui.tui.bridge import Bridge
from ggtui.tui.commands import Commands
from ggtui.tui.deploying import Deploying
from ggtui.tui.desk import Desk
from ggtui.tui.fetching import Fetching
from ggtui.tui.following import Following
from ggtui.tui.glyphs import ASCII, UNICODE
from ggtui.tui.housekeeping import Housekeeping
from ggtui.tui.intents import Intents, QuitChoice
from ggtui.tui.keys import Where, bindings
from ggtui.tui.launching import Launching
from ggtui.tui.messages import (
    CallAnswered,
    CallFailed,
    EngineFailed,
    LogsArrived,
    SnapshotArrived,
    WeightWanted,
)
from ggtui.tui.naming import Naming
from ggtui.tui.notices import Notices
from ggtui.tui.reasons import NO_RETRY, why_not, why_not_load
from ggtui.tui.reconciling import Reconciling
from ggtui.tui.screens.backends import BackendsScreen
from ggtui.tui.screens.deployments import DeploymentsScreen
from ggtui.tui.screens.downloads import DownloadsScreen
from ggtui.tui.screens.error_detail import ErrorScreen
from ggtui.tui.screens.hub_offers import OffersScreen
from ggtui.tui.screens.hub_search import HubScreen
from ggtui.tui.screens.launch_options import LaunchOptionsScreen
from ggtui.tui.screens.lora import LoraScreen
from ggtui.tui.screens.main import MainScreen
from ggtui.tui.screens.model_info import ModelInfoScreen
from ggtui.tui.screens.names import NamesScreen
from ggtui.tui.screens.room import Room
from ggtui.tui.themes import DARK, THEMES, variable_defaults
from ggtui.tui.visits import Visits
from ggtui.tui.widgets.ascii_bars import AsciiBars

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import PurePath

    from textual.command import Provider
    from textual.timer import Timer

    from ggtui.core.models import LaunchOptions
    from ggtui.services.engine import Engine

__all__ = ["ModelsApp", "QuitChoice"]

KEEP_CHOICE_AFTER_S = 0.3
"""Pause in moving the slider after which the choice is written."""

START_FAILED = 3
"""Exit code when the engine did not start."""


class ModelsApp(App[QuitChoice]):
    """Returns what becomes of the engine. The engine outlives the app: stopping it is the caller's."""

    TITLE = "ggtui"
    CSS_PATH: ClassVar[list[str | PurePath]] = [
        "styles/base.tcss",
        "styles/main.tcss",
        "styles/screens.tcss",
    ]
    BINDINGS = bindings(Where.ANY)
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {Commands}
    NOTIFICATION_TIMEOUT = 6

    def __init__(
        self,
        engine: Engine,
        *,
        ascii_only: bool = False,
        options: LaunchOptions | None = None,
        starts_engine: bool = True,
        config_path: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        """options: what launches start from. starts_engine: False when it was started already.

        config_path: the configuration file, for the text of an empty catalog. clock: Unix time, for ages.
        """
        super().__init__()
        self.glyphs = ASCII if ascii_only else UNICODE
        ScrollBar.renderer = AsciiBars if ascii_only else ScrollBarRender
        self.desk = Desk(options)
        self.bridge = Bridge(self, engine)
        self.intents = Intents(self)
        self.visits = Visits(self)
        self.launching = Launching(self)
        self.housekeeping = Housekeeping(self)
        self.naming = Naming(self)
        self.adapting = Adapting(self)
        self.deploying = Deploying(self)
        self.reconciling = Reconciling(self)
        self.fetching = Fetching(self)
        self.following = Following(self)
        self.notices = Notices(self, self.glyphs, clock)
        self._starts_engine = starts_engine
        self._config_path = config_path
        self.clock = clock
        """Unix time, for ages."""
        self._keep_timer: Timer | None = None
        if "SSH_CONNECTION" in os.environ or "TMUX" in os.environ:
            self.animation_level = "none"
        for theme in THEMES:
            self.register_theme(theme)
        if "TEXTUAL_THEME" not in os.environ:
            self.theme = DARK.name

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own colours for a theme that does not name them."""
        return variable_defaults(self.current_theme.dark)

    def on_mount(self) -> None:
        """Paint first; the engine starts behind the painted screen."""
        self.push_screen(MainScreen(self.desk, self.glyphs, self._config_path, self.clock))
        self.call_after_refresh(self._open)
        self.set_interval(1.0, self.following.tick)

    def _open(self) -> None:
        opening = self.bridge.open(starts_engine=self._starts_engine)
        self.run_worker(opening, group="engine-start", exit_on_error=False)

    async def on_unmount(self) -> None:
        """The engine must not talk to a closed screen."""
        await self.bridge.close()

    @property
    def main(self) -> MainScreen | None:
        """The main screen, once it is there and until it is taken apart."""
        screens = (screen for screen in self.screen_stack if isinstance(screen, MainScreen))
        return next((screen for screen in screens if screen.is_whole), None)

    def why_not(self, binding_id: str) -> str:
        """For the footer: why a key can do nothing now; empty when it can."""
        own = self.screen.why_not_here(binding_id) if isinstance(self.screen, Room) else None
        return why_not(self.desk, binding_id) if own is None else own

    @on(SnapshotArrived)
    def take_snapshot(self, arrived: SnapshotArrived) -> None:
        """Show the newest state everywhere."""
        self.following.take_snapshot(arrived.snapshot)

    @on(LogsArrived)
    def take_logs(self, arrived: LogsArrived) -> None:
        """Keep the lines and show them where their log is open."""
        self.following.take_logs(arrived.batch)

    @on(CallFailed)
    def take_failure(self, failed: CallFailed) -> None:
        """Say why it was refused; a load that was cancelled is no failure."""
        if failed.note.reason == SpawnReason.CANCELLED:
            what = f"the load of {failed.about}" if failed.about else "the load"
            self.notices.tell(f"{what} was cancelled")
        else:
            self.notices.tell_failure(failed.note, failed.about)

    @on(EngineFailed)
    def take_start_failure(self, failed: EngineFailed) -> None:
        """Nothing works without the engine: show why, then leave."""
        message = f"{failed.note.title}: {failed.note.detail}"
        self.push_screen(
            ErrorScreen(failed.note, self.glyphs),
            lambda _: self.exit(QuitChoice.STOP, return_code=START_FAILED, message=Content(message)),
        )

    @on(CallAnswered)
    def take_answer(self, answered: CallAnswered) -> None:
        """Say what became of it."""
        self.notices.tell(answered.words)

    @on(MainScreen.LoadWanted)
    def load(self, wanted: MainScreen.LoadWanted) -> None:
        """Load this model."""
        self.intents.load(self.desk.status_of(wanted.model_id))

    def action_load(self) -> None:
        """Load the model under the cursor."""
        self.intents.load(self.desk.selected)

    @on(ModelInfoScreen.LoadWanted)
    def load_from_info(self) -> None:
        """Load, and show it happen; what cannot be loaded says so where it stands."""
        if not why_not_load(self.desk, self.desk.selected):
            self.show_main()
        self.intents.load(self.desk.selected)

    def show_main(self) -> None:
        """Close what stands over the main screen about one model."""
        while isinstance(self.screen, ModelInfoScreen):
            self.pop_screen()

    @on(MainScreen.ContextWanted)
    @on(ModelInfoScreen.ContextWanted)
    def change_context(self, wanted: MainScreen.ContextWanted | ModelInfoScreen.ContextWanted) -> None:
        """Move the slider: arithmetic now, the disk after a pause."""
        exact, selected = None, self.desk.selected
        if isinstance(wanted, MainScreen.ContextWanted):
            exact, selected = wanted.exact, self.desk.status_of(wanted.model_id)
        if selected is None:
            return
        self.intents.move_context(selected, wanted.step, exact)
        if self.main is not None:
            self.main.context_changed(selected)
        self.following.refresh_above()
        if self._keep_timer is not None:
            self._keep_timer.stop()
        self._keep_timer = self.set_timer(KEEP_CHOICE_AFTER_S, self.intents.keep_choices)

    def select(self, model_id: int) -> None:
        """Put the cursor on a model; a filter that hides it is cleared."""
        if self.main is not None:
            self.main.unhide()
            self.main.draw()
            self.main.select(model_id)
            self.desk.selected_id = model_id

    @on(MainScreen.InfoWanted)
    def open_info(self, wanted: MainScreen.InfoWanted) -> None:
        """About this model."""
        self.desk.selected_id = wanted.model_id
        self.action_info()

    def action_info(self) -> None:
        """More about the model under the cursor."""
        self.visits.info()

    @on(MainScreen.OptionsWanted)
    def open_options(self, wanted: MainScreen.OptionsWanted) -> None:
        """How this model is launched."""
        self.desk.selected_id = wanted.model_id
        self.launching.open(self.desk.selected)

    @on(ModelInfoScreen.OptionsWanted)
    def open_options_from_info(self) -> None:
        """How the model that is read about is launched."""
        self.launching.open(self.desk.selected)

    @on(LaunchOptionsScreen.Changed)
    def show_command(self) -> None:
        """The command follows the changes."""
        if isinstance(self.screen, LaunchOptionsScreen):
            self.launching.fetch_command(self.screen)

    @on(LaunchOptionsScreen.SaveWanted)
    def save_options(self, wanted: LaunchOptionsScreen.SaveWanted) -> None:
        """Write them, and load when that is wanted too."""
        if isinstance(self.screen, LaunchOptionsScreen):
            self.launching.save(self.screen, loads=wanted.loads)

    @on(LaunchOptionsScreen.Refused)
    def refuse_change(self, refused: LaunchOptionsScreen.Refused) -> None:
        """Say why."""
        self.notices.tell(self.why_not(refused.binding_id), "warning")

    @on(LaunchOptionsScreen.Left)
    def leave_options(self, left: LaunchOptionsScreen.Left) -> None:
        """Say what was not saved."""
        self.launching.left(left.public_id, left.n_changes)

    @on(MainScreen.LogsWanted)
    def open_logs(self, wanted: MainScreen.LogsWanted) -> None:
        """The full log of the model that `l` means."""
        self.visits.logs(begins_search=wanted.begins_search)

    def action_stop(self) -> None:
        """Stop, or cancel a load."""
        self.intents.stop()

    def action_restart(self) -> None:
        """Restart, or try again; from the detail of a failure, that one."""
        if isinstance(self.screen, ErrorScreen):
            self._retry(self.screen.public_id)
            return
        if isinstance(self.screen, BackendsScreen):
            self.screen.action_want("reconcile")
            return
        if isinstance(self.screen, DownloadsScreen):
            self.fetching.retry(self.screen.row)
            return
        self.intents.restart(self.desk.selected)

    def _retry(self, public_id: str) -> None:
        if not public_id:
            self.notices.tell(NO_RETRY, "warning")
            return
        self.pop_screen()
        self.intents.load(self.desk.by_name(public_id))

    def action_rescan(self) -> None:
        """Look at the folders again; where backends are shown, at these."""
        if isinstance(self.screen, BackendsScreen):
            self.screen.action_want("reconcile")
            return
        self.intents.rescan()

    def action_pin(self) -> None:
        """Pin, or unpin."""
        self.intents.pin()

    def action_doctor(self) -> None:
        """What is in order, and what is not."""
        self.housekeeping.doctor()

    def action_favourite(self) -> None:
        """Make it a favourite, or no longer."""
        self.housekeeping.favourite()

    def action_label(self) -> None:
        """Name and tags."""
        self.housekeeping.label()

    @on(MainScreen.FolderWanted)
    def name_folder(self) -> None:
        """Ask where the models are."""
        self.housekeeping.first_folder(self._config_path)

    @on(MainScreen.RemoveWanted)
    def remove_model(self, wanted: MainScreen.RemoveWanted) -> None:
        """Take a model off the disk."""
        self.housekeeping.remove(self.desk.status_of(wanted.model_id))

    def action_reload(self) -> None:
        """Read the configuration again."""
        self.intents.reload()

    def action_names(self) -> None:
        """What clients can ask for."""
        self.naming.open()

    @on(NamesScreen.Wanted)
    def change_names(self, wanted: NamesScreen.Wanted) -> None:
        """An alias, the default, off or on."""
        self.naming.do(wanted)

    def action_lora(self) -> None:
        """LoRA adapters of the model."""
        self.adapting.open()

    @on(LoraScreen.Wanted)
    def change_adapters(self, wanted: LoraScreen.Wanted) -> None:
        """Attach or detach."""
        self.adapting.do(wanted)

    @on(WeightWanted)
    def change_weight(self, wanted: WeightWanted) -> None:
        """More or less of an adapter."""
        self.adapting.weigh(wanted)

    def action_deployments(self) -> None:
        """What serves which name by which rules."""
        self.deploying.open()

    @on(DeploymentsScreen.Wanted)
    def order_deployment(self, wanted: DeploymentsScreen.Wanted) -> None:
        """Its breaker, or whether it takes requests."""
        self.deploying.do(wanted)

    def action_backends(self) -> None:
        """What is where, and what should be."""
        self.reconciling.open()

    @on(BackendsScreen.Wanted)
    def order_backend(self, wanted: BackendsScreen.Wanted) -> None:
        """Ask now, pause, delete."""
        self.reconciling.do(wanted)

    def action_downloads(self) -> None:
        """What is fetched."""
        self.fetching.open()

    @on(DownloadsScreen.Wanted)
    def order_download(self, wanted: DownloadsScreen.Wanted) -> None:
        """Pause, order, remove, search for more."""
        self.fetching.do(wanted)

    @on(HubScreen.Chosen)
    def show_offers(self, chosen: HubScreen.Chosen) -> None:
        """What a repository has."""
        self.fetching.show_offers(chosen.repository)

    @on(OffersScreen.Taken)
    def take_offer(self, taken: OffersScreen.Taken) -> None:
        """Download it."""
        self.fetching.take(taken.row)

    def action_waiting(self) -> None:
        """Who waits."""
        self.visits.waiting()

    def action_history(self) -> None:
        """What was served."""
        self.visits.history()

    def action_copy_url(self) -> None:
        """Copy the URL, or what the open screen has in its place."""
        self.housekeeping.copy_here()

    def action_copy_more(self) -> None:
        """Choose what to copy."""
        self.visits.copy_more()

    def action_help(self) -> None:
        """Help for where the focus is."""
        self.visits.help()

    def action_command_palette(self) -> None:
        """Everything by name."""
        self.visits.palette()

    def action_notices(self) -> None:
        """What was said before."""
        self.visits.notices()

    async def action_quit(self) -> None:
        """Leave; asks when a model runs."""
        self.intents.quit()
