"""What a person set for one model, what counts where nothing was set, and which of both is in force."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from ggtui.core.context import AUTO_CTX
from ggtui.core.keep_alive import parse_keep_alive
from ggtui.core.models import LaunchOptions
from ggtui.core.routing.adapters import AdapterRef, AttachedAdapter, NamedStack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ggtui.core.models import KvType

Auto = Literal["auto"]
AUTO: Final[Auto] = "auto"
"""Leaves a choice to the engine, also where the configuration makes one."""

Value = int | float | str | bool | tuple[str, ...]
"""Of a setting that can be typed in one line."""
ListOfTables = tuple[AttachedAdapter, ...] | tuple[NamedStack, ...]
"""Of a setting that names LoRA adapters."""


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """The settings of one model, as its table in models.toml has them; None is not set.

    The fields are the keys of the file, in the order in which they are shown.
    """

    ctx: int | None = None
    """Tokens of context when a request asks for none."""
    slots: int | None = None
    """Requests that the model answers at once."""
    kv_unified: bool | None = None
    """True: the slots share one context."""
    cache_type_k: KvType | None = None
    cache_type_v: KvType | None = None
    gpu_layers: int | Auto | None = None
    flash_attn: bool | Auto | None = None
    threads: int | Auto | None = None
    projector: bool | None = None
    """True: a vision projector that belongs to the model is loaded with it."""
    template: str | None = None
    """Chat template: an absolute path of a Jinja file, or the name of one that llama.cpp has built in."""
    adapters: tuple[AttachedAdapter, ...] | None = None
    """LoRA adapters that clients can ask for as `model:adapter`."""
    stacks: tuple[NamedStack, ...] | None = None
    """Several of them under one name, also asked for as `model:stack`."""
    extra_args: tuple[str, ...] | None = None
    """Passed to llama-server as they are, in place of those of the configuration."""
    keep_alive: float | str | None = None
    """As it was written: seconds, or a text such as "10m"."""
    pinned: bool | None = None
    """True: never evicted while it is loaded."""

    @property
    def keep_alive_s(self) -> float | None:
        """Idle seconds after which the model is stopped; negative for never, None when not set."""
        return parse_keep_alive(self.keep_alive)

    @property
    def given(self) -> dict[str, Value | ListOfTables]:
        """What was set, by key."""
        pairs = ((each.name, getattr(self, each.name)) for each in fields(self))
        return {key: value for key, value in pairs if value is not None}


NOTHING_SET: Final = ModelSettings()


@dataclass(frozen=True, slots=True)
class CommonSettings:
    """What counts for a model for which nothing else was set."""

    n_ctx: int = AUTO_CTX
    options: LaunchOptions = field(default_factory=LaunchOptions)
    keep_alive_s: float = -1.0
    pinned: frozenset[str] = frozenset()
    """Names of pinned models: public ids or numbers."""


_OPTIONS: Final = {
    "slots": "n_parallel",
    "kv_unified": "kv_unified",
    "cache_type_k": "cache_type_k",
    "cache_type_v": "cache_type_v",
    "gpu_layers": "n_gpu_layers",
    "flash_attn": "flash_attn",
    "threads": "n_threads",
    "projector": "projector",
    "template": "template",
    "extra_args": "extra_args",
}
"""Key -> field of LaunchOptions. A change of one of them needs a restart of the model."""

LABELS: Final[Mapping[str, str]] = {
    "ctx": "context",
    "slots": "slots",
    "kv_unified": "shared context",
    "cache_type_k": "KV cache, K",
    "cache_type_v": "KV cache, V",
    "gpu_layers": "GPU layers",
    "flash_attn": "flash attention",
    "threads": "threads",
    "projector": "vision projector",
    "template": "chat template",
    "adapters": "adapters",
    "stacks": "stacks",
    "extra_args": "more arguments",
    "keep_alive": "keep alive",
    "pinned": "pinned",
}
"""Key -> what a person calls it."""

OF_ADAPTERS: Final = frozenset({"adapters", "stacks"})
"""Keys whose values are no LaunchOptions: the names in them have to be found as files first."""


def launch_options(common: LaunchOptions, own: ModelSettings) -> LaunchOptions:
    """How one model is launched: its own settings, field by field, over those of all."""
    given = own.given
    # `auto` is None in LaunchOptions, where nothing is above it that it would have to override.
    chosen: dict[str, Any] = {
        name: None if given[key] == AUTO else given[key] for key, name in _OPTIONS.items() if key in given
    }
    return replace(common, **chosen)


COMPUTED: Final = "the largest of 4k 8k 16k 32k that fits"


@dataclass(frozen=True, slots=True)
class SettingInForce:
    """One setting of a model as it counts now."""

    key: str
    label: str
    value: Value | ListOfTables | None
    """In the file's own terms; None: left to the engine or to the model file, or nothing at all."""
    source: str
    """`models.toml`, `config`, `built-in`, or how it was computed."""
    shared: Value | None = None
    """What counts when models.toml says nothing."""
    shared_source: str = "built-in"
    """`config` or `built-in`."""


@dataclass(frozen=True, slots=True)
class SettingsView:
    """All settings of one model."""

    public_id: str
    own: ModelSettings
    in_force: tuple[SettingInForce, ...]
    """By key, in the order of ModelSettings."""


def settings_view(
    public_id: str, own: ModelSettings, common: CommonSettings, n_ctx_advised: int | None = None
) -> SettingsView:
    """What is in force for a model, and where it comes from.

    n_ctx_advised: what this machine holds, in tokens; None while it is not known.
    """
    given, shared, built_in = own.given, _of_common(public_id, common), _of_common("", CommonSettings())
    rows = []
    for key, label in LABELS.items():
        source = "built-in" if shared[key] == built_in[key] else "config"
        common_value = shared[key]
        if key == "ctx" and common.n_ctx == AUTO_CTX:
            common_value, source = n_ctx_advised, COMPUTED
        value, own_source = (given[key], "models.toml") if key in given else (common_value, source)
        rows.append(SettingInForce(key, label, value, own_source, common_value, source))
    return SettingsView(public_id, own, tuple(rows))


def _of_common(public_id: str, common: CommonSettings) -> dict[str, Value | None]:
    """The same settings in the file's terms; None where nobody chose."""
    return {
        "ctx": common.n_ctx,
        **{key: getattr(common.options, name) for key, name in _OPTIONS.items()},
        "keep_alive": common.keep_alive_s,
        "pinned": public_id in common.pinned,
        **dict.fromkeys(OF_ADAPTERS),
    }


def value_words(key: str, value: Value | ListOfTables | None) -> str:
    """The value of a setting as a person reads it."""
    if key == "template" and value in (None, AUTO):
        return "from the model file"
    if key == "keep_alive" and isinstance(value, (int, float)):
        return f"{value:g} s" if value >= 0 else "for ever"
    if key in OF_ADAPTERS and isinstance(value, tuple | None):
        return ", ".join(_words_of(each) for each in value or ()) or "–"
    if value is None:
        return AUTO
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return " ".join(str(each) for each in value) or "–"
    return str(value)


def _words_of(part: object) -> str:
    """`code 0.8`, or `both (code 0.8, chat)`; the weight 1 is not said."""
    if isinstance(part, NamedStack):
        words = [*map(_words_of, part.adapters.adapters), *(["normalised"] if part.normalise else [])]
        return f"{part.name} ({', '.join(words)})"
    if isinstance(part, (AttachedAdapter, AdapterRef)):
        return part.name if part.weight == 1 else f"{part.name} {part.weight:g}"
    return str(part)


def plain_value(value: Value | ListOfTables | None) -> object:
    """A value in plain TOML and JSON terms: adapters and stacks are tables without what is as by default."""
    return [_plain_part(each) for each in value] if isinstance(value, tuple) else value


def _plain_part(part: object) -> object:
    match part:
        case AttachedAdapter(name, path, weight):
            return {"name": name} | ({"path": path} if path else {}) | _unless_whole(weight)
        case NamedStack(name, stack, normalise):
            parts = [{"name": each.name} | _unless_whole(each.weight) for each in stack.adapters]
            return {"name": name, "adapters": parts} | ({"normalise": True} if normalise else {})
        case _:
            return part


def _unless_whole(weight: float) -> dict[str, object]:
    return {} if weight == 1 else {"weight": weight}


def settings_document(view: SettingsView) -> dict[str, object]:
    """The view in plain JSON values."""
    return {
        "schema": 1,
        "model": view.public_id,
        "settings": {key: plain_value(value) for key, value in view.own.given.items()},
        "in_force": [
            {"key": each.key, "label": each.label, "value": plain_value(each.value), "source": each.source}
            for each in view.in_force
        ],
    }
