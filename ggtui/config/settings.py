"""The table of settings: where each stands in the file, in the environment and on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ggtui.config import kinds, name_kinds
from ggtui.core.context import AUTO_CTX
from ggtui.core.deployment.deployment import ChoicePolicy
from ggtui.core.stores import STORES

if TYPE_CHECKING:
    from ggtui.config.kinds import Kind

LARGEST_CTX = 16 * 1024 * 1024
"""Tokens; above what any model is trained for, so that a slip of the keyboard is caught."""

OPTIONS: Final = "options"
NAMES: Final = "names"
BACKENDS: Final = "backends"

_NAMED_WITH_TABLE: Final = ("backends", "downloads")
"""Tables whose keys mean nothing alone."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. `field` is its name in Config, or in the part of it that `part` names."""

    table: str
    """TOML table; empty for the top of the file."""
    key: str
    kind: Kind
    field: str
    flag: str = ""
    part: str = ""
    """`options`, `names` or `backends`; empty for Config itself."""

    @property
    def env(self) -> str:
        """Its name in the environment; empty for what a running ggtui changes in the file."""
        if self.part == NAMES:
            return ""
        return "_".join(["GGTUI", *[self.table] * (self.table in _NAMED_WITH_TABLE), self.key]).upper()

    @property
    def place(self) -> str:
        """Its name in the file, such as `[server] port`."""
        return f"[{self.table}] {self.key}".rstrip() if self.table else self.key


def _option(key: str, kind: Kind) -> Setting:
    return Setting("launch", key, kind, key, part=OPTIONS)


def _name(key: str, kind: Kind) -> Setting:
    return Setting("names", key, kind, key, part=NAMES)


_DAY_S = 86_400.0

SETTINGS: tuple[Setting, ...] = (
    Setting("", "models_dirs", kinds.FOLDERS, "models_dirs", "--models-dir"),
    Setting("", "stores", kinds.some_of(*STORES), "stores", "--no-stores"),
    Setting("", "data_dir", kinds.FOLDER, "data_dir", "--data-dir"),
    Setting("", "read_only", kinds.SWITCH, "read_only", "--read-only"),
    Setting("server", "host", kinds.TEXT, "host", "--host"),
    Setting("server", "port", kinds.whole(0, 65_535), "port", "--port"),
    Setting("server", "api_key_file", kinds.FOLDER, "api_key_file"),
    Setting("server", "hosts", kinds.WORDS, "hosts"),
    Setting("server", "default_ctx", kinds.or_auto(kinds.whole(1, LARGEST_CTX), AUTO_CTX), "n_ctx", "--ctx"),
    Setting("server", "admission_timeout_s", kinds.seconds(1, _DAY_S), "admission_timeout_s"),
    Setting("server", "turn_quantum_s", kinds.seconds(0, 3_600), "turn_quantum_s"),
    Setting("server", "max_queue", kinds.whole(0, 1_000_000), "max_queue"),
    Setting("server", "max_body_mb", kinds.whole(1, 1_024), "max_body_mb"),
    Setting("server", "count_timeout_ms", kinds.whole(0, 60_000), "count_timeout_ms"),
    Setting("server", "estimate_ms", kinds.whole(0, 1_000), "estimate_ms"),
    _name("default", name_kinds.DEFAULT),
    _name("unnamed", name_kinds.UNNAMED),
    _name("disabled", name_kinds.DISABLED),
    Setting("residency", "strategy", kinds.one_of("single", "memory"), "strategy", "--strategy"),
    Setting("residency", "memory_budget_mb", kinds.whole(0, 1 << 30), "memory_budget_mb"),
    Setting("residency", "keep_alive_s", kinds.seconds(-1, 366 * _DAY_S), "keep_alive_s"),
    Setting("residency", "pinned", kinds.WORDS, "pinned"),
    Setting("residency", "preload", kinds.WORDS, "preload"),
    Setting("residency", "restore_last", kinds.SWITCH, "restore_last"),
    Setting("launch", "llama_server", kinds.PROGRAM, "llama_server", "--llama-server"),
    _option("n_gpu_layers", kinds.or_auto(kinds.whole(0, 10_000))),
    _option("n_parallel", kinds.whole(1, 1_024)),
    _option("kv_unified", kinds.SWITCH),
    _option("cache_type_k", kinds.KV_TYPE),
    _option("cache_type_v", kinds.KV_TYPE),
    _option("flash_attn", kinds.or_auto(kinds.SWITCH)),
    _option("n_threads", kinds.or_auto(kinds.whole(1, 4_096))),
    _option("projector", kinds.SWITCH),
    _option("extra_args", kinds.WORDS),
    Setting("launch", "stop_grace_s", kinds.seconds(0, 600), "stop_grace_s"),
    Setting("launch", "stall_timeout_s", kinds.seconds(1, _DAY_S), "stall_timeout_s"),
    Setting("launch", "stuck_timeout_s", kinds.seconds(1, _DAY_S), "stuck_timeout_s"),
    Setting("backends", "policy", kinds.member_of(ChoicePolicy), "policy", part=BACKENDS),
    Setting("backends", "interval_s", kinds.seconds(1, 3_600), "backends_interval_s"),
    Setting("downloads", "parallel", kinds.whole(1, 16), "downloads_parallel"),
    Setting("downloads", "max_mb_per_s", kinds.number(0, 1_000_000), "downloads_max_mb_per_s"),
    Setting("screen", "ascii", kinds.SWITCH, "ascii", "--ascii"),
    Setting("screen", "mouse", kinds.SWITCH, "mouse", "--no-mouse"),
)

ALIASES: Final = Setting("aliases", "", name_kinds.ALIASES, "aliases", part=NAMES)
"""A whole table, whose keys a person chooses."""

DECLARED: Final = Setting("backend", "", kinds.TEXT, "declared")
"""Backends, models and groups, lists of tables that are read all together: see backend_tables."""

DEPLOYMENTS: Final = Setting("deployment", "", kinds.TEXT, "deployments")
"""A list of tables, which are read all together: see deployment_tables."""

BY_PLACE: dict[tuple[str, str], Setting] = {(each.table, each.key): each for each in SETTINGS}
BY_FIELD: dict[str, Setting] = {each.field: each for each in SETTINGS}
TABLES: tuple[str, ...] = tuple(dict.fromkeys(each.table for each in (*SETTINGS, ALIASES) if each.table))
