"""Names and adapters as the command line changes them: through the running ggtui, else in its files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode

from ggtui.cli.client import ANSWER_S, connect, running
from ggtui.core.errors import ConfigInvalid, ReadOnly

if TYPE_CHECKING:
    from ggtui.cli.client import InstanceClient
    from ggtui.config.schema import Config


class NamesDesk(Protocol):
    """Each call returns a document of ggtui/core/names_json.py; a change tells what is in force then.

    Each may raise InstanceSilent and InstanceRefused with a running ggtui, without one StoreUnavailable,
    ConfigInvalid and EndpointNotFound.
    """

    def endpoints(self) -> dict[str, Any]:
        """Everything that can be asked for."""

    def adapters(self, model: str | None = None) -> dict[str, Any]:
        """What is attached to all models, or to one; without a model also which files were found."""

    def set_alias(self, alias: str, target: str | None) -> dict[str, Any]:
        """Let an alias lead to an endpoint, or remove it."""

    def set_default(self, target: str | None) -> dict[str, Any]:
        """Choose the default, or none."""

    def set_enabled(self, endpoint: str, is_enabled: bool) -> dict[str, Any]:
        """Switch an endpoint on or off."""

    def attach(self, model: str, lora: str, name: str | None, weight: float) -> dict[str, Any]:
        """Attach a LoRA file, by its absolute path or the name of one that was found."""

    def detach(self, model: str, name: str) -> dict[str, Any]:
        """Take an adapter off."""


def names_desk(config: Config) -> NamesDesk:
    """The running ggtui where there is one, else the files."""
    from ggtui.cli.kept_names import KeptNames

    instance = running(config)
    return KeptNames(config) if instance is None else RunningNames(instance, config)


def running_names(config: Config) -> RunningNames:
    """The running ggtui. Raises: NoInstance."""
    return RunningNames(connect(config), config)


class RunningNames:
    """The NamesDesk of a ggtui that runs."""

    def __init__(self, instance: InstanceClient, config: Config) -> None:
        self._instance = instance
        self._config = config

    def endpoints(self) -> dict[str, Any]:
        """See NamesDesk."""
        return self._instance.get("/ggtui/endpoints")

    def adapters(self, model: str | None = None) -> dict[str, Any]:
        """See NamesDesk."""
        return self._instance.get(f"/ggtui/adapters?{urlencode({'model': model or ''})}")

    def set_alias(self, alias: str, target: str | None) -> dict[str, Any]:
        """See NamesDesk."""
        return self._post("aliases", {"alias": alias, "endpoint": target})

    def set_default(self, target: str | None) -> dict[str, Any]:
        """See NamesDesk."""
        return self._post("default", {"endpoint": target})

    def set_enabled(self, endpoint: str, is_enabled: bool) -> dict[str, Any]:
        """See NamesDesk."""
        return self._post("endpoints", {"endpoint": endpoint, "enabled": is_enabled})

    def set_weight(self, model: str, adapter: str, weight: float) -> dict[str, Any]:
        """Apply so much of an adapter from the next request on, until that ggtui ends."""
        return self._post("adapters", {"model": model, "adapter": adapter, "weight": weight})

    def attach(self, model: str, lora: str, name: str | None, weight: float) -> dict[str, Any]:
        """See NamesDesk. A path goes into models.toml, which is the owner's, and is read there."""
        if is_path(lora):
            return self._attach_file(model, lora, name, weight)
        wish: dict[str, object] = {"model": model, "lora": lora, "name": name, "weight": weight}
        return self._post("adapters/attach", wish)

    def detach(self, model: str, name: str) -> dict[str, Any]:
        """See NamesDesk."""
        return self._post("adapters/detach", {"model": model, "adapter": name})

    def _post(self, path: str, wish: dict[str, object]) -> dict[str, Any]:
        return self._instance.post(f"/ggtui/{path}", wish, ANSWER_S)

    def _attach_file(self, model: str, file: str, name: str | None, weight: float) -> dict[str, Any]:
        from ggtui.cli.kept_names import KeptNames

        state = self._instance.state()
        if state.get("is_read_only"):
            raise ReadOnly
        kept = KeptNames(self._config, state).attach(model, file, name, weight)
        # A change of nothing makes it read what the file has for this model.
        self._post("settings", {"model": kept["model"], "settings": {}})
        told = self.adapters(kept["model"])
        if not any(each["id"] == kept["endpoint"] for each in told["attached"]):
            raise ConfigInvalid(
                f"{self._config.models_file} has it now, and the running ggtui reads another file",
                hint="give the --config and --data-dir that it was started with",
            )
        return {**told, "endpoint": kept["endpoint"]}


def is_path(lora: str) -> bool:
    """True for the path of a file; as in models.toml it is told from a name by separator or ending."""
    return os.sep in lora or lora.lower().endswith(".gguf")


def absolute(lora: str) -> str:
    """A path as seen from here, absolute; the name of a file that was found as it is."""
    if not is_path(lora):
        return lora
    return os.path.normpath(Path(lora).expanduser().absolute())
