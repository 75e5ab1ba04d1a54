"""One call of the command line: what was typed, where to answer, and the settings once they are needed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ggtui.cli.arguments import flags_of
from ggtui.config.load import load

if TYPE_CHECKING:
    import argparse

    from ggtui.cli.output import Output
    from ggtui.config.schema import Config


@dataclass(frozen=True)
class Call:
    """What a subcommand is handed."""

    arguments: argparse.Namespace
    out: Output

    @cached_property
    def config(self) -> Config:
        """All settings. Raises: ConfigInvalid."""
        return self.read_config()

    def read_config(self) -> Config:
        """All settings as they are now, read anew. Raises: ConfigInvalid."""
        return load(flags_of(self.arguments), config_file=self.arguments.config)

    @property
    def n_ctx(self) -> int | None:
        """The context this call names in tokens, None when it names none."""
        return self.config.n_ctx if self.arguments.ctx is not None else None
