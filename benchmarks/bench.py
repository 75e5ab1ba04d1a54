"""Everything one run shares: its sizes, its folder, the load generator, and targets started once."""

from __future__ import annotations

import contextlib
from functools import cached_property
from typing import TYPE_CHECKING

from benchmarks.load.generator import LoadGenerator
from benchmarks.programs import write_fast_server
from benchmarks.targets import fast_upstream, has_router_mode, headless_ggtui
from ggtui.adapters.gguf.demo import write_demo_models

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from benchmarks.scale import Scale
    from benchmarks.targets import Target


class Bench:
    """Starts what a row needs when the row needs it; ends everything on exit."""

    def __init__(
        self, scale: Scale, folder: Path, llama_server: str | None = None, given: tuple[Target, ...] = ()
    ) -> None:
        """llama_server: path of a real one. given: targets that run already."""
        self.scale = scale
        self.folder = folder
        self.llama_server = llama_server
        self.given = given
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Bench:
        self.load = self._stack.enter_context(LoadGenerator())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @cached_property
    def models(self) -> tuple[Path, ...]:
        """Two tiny models that a real engine loads."""
        return write_demo_models(self.folder / "models")

    @property
    def models_dir(self) -> Path:
        """Where they lie."""
        return self.models[0].parent

    @cached_property
    def fast_server(self) -> str:
        """The fast model server as ggtui is told to start it."""
        return str(write_fast_server(self.folder))

    @cached_property
    def fast_targets(self) -> tuple[Target, ...]:
        """The fast model server by itself, behind ggtui with its model loaded, and whatever was given."""
        direct = self._stack.enter_context(fast_upstream(self.folder))
        ggtui = self._stack.enter_context(
            headless_ggtui("ggtui", self.folder, self.models_dir, self.fast_server)
        )
        ggtui.chat(ggtui.model)
        return (direct, ggtui, *self.given)

    @property
    def ggtui(self) -> Target:
        """ggtui before the fast model server."""
        return self.fast_targets[1]

    @cached_property
    def has_router(self) -> bool:
        """True when the real llama-server has a router mode."""
        return self.llama_server is not None and has_router_mode(self.llama_server)
