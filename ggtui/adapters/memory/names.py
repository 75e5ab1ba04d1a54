"""Names that are kept nowhere but here."""

from __future__ import annotations

from dataclasses import replace

from ggtui.core.routing.name_settings import NameSettings, check_alias, check_target


class MemoryNames:
    """The NamesPort of tests, and of a ggtui without a configuration file."""

    def __init__(self, names: NameSettings | None = None) -> None:
        self.names = names or NameSettings()

    async def set_alias(self, alias: str, target: str | None) -> NameSettings:
        """Keep or forget an alias."""
        if target is not None:
            check_alias(alias, target)
        aliases = {name: to for name, to in self.names.aliases.items() if name != alias}
        if target is not None:
            aliases[alias] = target
        self.names = replace(self.names, aliases=aliases)
        return self.names

    async def set_default(self, target: str | None) -> NameSettings:
        """Keep or forget the default."""
        if target is not None:
            check_target(target)
        self.names = replace(self.names, default=target or "")
        return self.names

    async def set_disabled(self, target: str, is_disabled: bool) -> NameSettings:
        """Keep that an endpoint is switched off, or no longer."""
        if is_disabled:
            check_target(target)
        others = self.names.disabled - {target}
        self.names = replace(self.names, disabled=others | {target} if is_disabled else others)
        return self.names
