"""A model's launch options while a person changes them: what they would be, and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from ggtui.core.context import clamp_context
from ggtui.core.memory.compute import uses_flash_attention
from ggtui.core.memory.pool import PoolKind
from ggtui.core.memory.refusals import refusals
from ggtui.core.memory.request import request_of
from ggtui.core.model_settings import AUTO, launch_options, value_words
from ggtui.core.models import LaunchOptions
from ggtui.core.units import tokens

if TYPE_CHECKING:
    from ggtui.core.forecast import Forecast
    from ggtui.core.model_settings import ModelSettings, SettingInForce, SettingsView, Value
    from ggtui.core.models import ModelSummary

_REFUSABLE: Final = {
    "slots": "n_parallel",
    "cache_type_k": "cache_type_k",
    "cache_type_v": "cache_type_v",
    "flash_attn": "flash_attn",
}
"""Keys that a refusal may be about -> field of LaunchOptions."""

_PLACES: Final = frozenset({"models.toml", "config", "built-in"})

GIVEN_BY_GGTUI: Final = frozenset(
    {
        "-m", "--model", "--host", "--port", "-a", "--alias", "-c", "--ctx-size", "-np", "--parallel",
        "-ctk", "--cache-type-k", "-ctv", "--cache-type-v", "-ngl", "--gpu-layers", "--n-gpu-layers",
        "-fa", "--flash-attn", "--api-key", "--api-key-file",
    }
)  # fmt: skip
"""Arguments that ggtui passes itself: a second one would win over what is chosen here."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The settings of one model, as kept and as changed. Nothing counts before it is saved."""

    summary: ModelSummary
    view: SettingsView
    """What is kept."""
    own: ModelSettings
    """What models.toml would say of the model."""
    common: LaunchOptions
    """How a model without settings of its own is launched."""
    n_ctx_otherwise: int = 0
    """Tokens of context where no setting names a number: what the catalog has worked out."""

    @classmethod
    def of(cls, summary: ModelSummary, view: SettingsView, common: LaunchOptions, n_ctx: int) -> Draft:
        """The settings as they are kept, with the context that the slider has chosen meanwhile."""
        draft = cls(summary, view, view.own, common, n_ctx)
        return draft if draft.n_ctx == n_ctx else draft.with_value("ctx", n_ctx)

    def with_value(self, key: str, value: Value | None) -> Draft:
        """The same with another value; None takes the key out, so that what counts for all models does.

        A value that counts without being written is written only where something was written before.
        """
        changed: Any = value
        if getattr(self.view.own, key) is None and _is_same(value, self.row(key).shared):
            changed = None
        return replace(self, own=replace(self.own, **{key: changed}))

    def row(self, key: str) -> SettingInForce:
        """What is kept of one setting."""
        return next(row for row in self.view.in_force if row.key == key)

    def value(self, key: str) -> Value | None:
        """What would be in force."""
        own: Value | None = getattr(self.own, key)
        return self.row(key).shared if own is None else own

    def is_changed(self, key: str) -> bool:
        """True when saving would write something else than what is kept."""
        return bool(getattr(self.own, key) != getattr(self.view.own, key))

    @property
    def changes(self) -> dict[str, Value | None]:
        """What saving writes, by key of models.toml; None removes a key."""
        changed = (row.key for row in self.view.in_force if self.is_changed(row.key))
        return {key: _plain(getattr(self.own, key)) for key in changed}

    @property
    def options(self) -> LaunchOptions:
        """How the model would be launched."""
        return launch_options(self.common, self.own)

    @property
    def n_ctx(self) -> int:
        """Tokens of context that a load would use, at most as trained."""
        chosen = self.value("ctx")
        n_ctx = chosen if isinstance(chosen, int) and chosen > 0 else self.n_ctx_otherwise
        return clamp_context(n_ctx, self.summary.n_ctx_train)

    def source(self, key: str) -> str:
        """Where the value comes from; for a changed one what it was."""
        row = self.row(key)
        if self.is_changed(key):
            return f"not saved; was {value_words(key, row.value)}"
        if row.source not in _PLACES:
            return f"computed: {row.source}"
        is_computed = key in ("gpu_layers", "flash_attn") and self.value(key) in (None, AUTO)
        return "computed" if is_computed and row.source == "built-in" else row.source

    def words(self, key: str, ahead: Forecast | None) -> str:
        """The value as people read it, with what `auto` comes to."""
        value = self.value(key)
        plain = value_words(key, value)
        if key == "ctx":
            n_ctx = value if isinstance(value, int) else self.n_ctx
            exact = str(n_ctx) if tokens(n_ctx) == str(n_ctx) else f"{n_ctx} ({tokens(n_ctx)})"
            return exact if isinstance(value, int) else f"{plain}: {exact}"
        if value not in (None, AUTO):
            return plain
        if key == "gpu_layers" and ahead is not None:
            return f"{plain}{_layers_of_auto(ahead)}"
        if key == "flash_attn" and self.summary.shape is not None:
            is_on = uses_flash_attention(self.summary.shape, request_of(self.options))
            return f"{plain}: {'on' if is_on else 'off'}"
        return plain

    def problem(self, key: str) -> str:
        """What is wrong with a value that could be saved; empty when nothing is."""
        if key in _REFUSABLE:
            return self._refusal(key)
        value, trained = self.value(key), self.summary.n_ctx_train
        if key == "ctx" and trained and isinstance(value, int) and value > trained:
            return f"the model was trained for {tokens(trained)}: it gets no more"
        if key == "extra_args":
            names = [word.partition("=")[0] for word in self.options.extra_args]
            doubled = next((name for name in names if name in GIVEN_BY_GGTUI), "")
            return f"ggtui gives {doubled} itself; the one here would win" if doubled else ""
        return ""

    def _refusal(self, key: str) -> str:
        """What the engine would refuse, when this field's built-in value would end it."""
        shape, options, field = self.summary.shape, self.options, _REFUSABLE[key]
        found = refusals(shape, request_of(options))
        if not found:
            return ""
        built_in: Any = {field: getattr(LaunchOptions(), field)}
        left = refusals(shape, request_of(replace(options, **built_in)))
        return "; ".join(each for each in found if each not in left)


def _is_same(value: Value | None, shared: Value | None) -> bool:
    """True when both mean the same to the engine: `auto` is None where nobody chose it."""
    if shared is None:
        return value in (None, AUTO)
    return value == shared and isinstance(value, bool) is isinstance(shared, bool)


def _plain(value: Value | None) -> Value | None:
    """As a file has it: no names of ours."""
    return str(value) if isinstance(value, str) else value


def _layers_of_auto(ahead: Forecast) -> str:
    if ahead.pool is PoolKind.RAM:
        return ": no GPU"
    if ahead.n_layers_on_gpu is not None:
        return f": {ahead.n_layers_on_gpu} of {ahead.n_layers}"
    on_devices = sum(share.n_layers for share in ahead.devices if not share.is_host)
    return f": all {on_devices}" if on_devices else ""
