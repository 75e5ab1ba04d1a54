"""Every setting of ggtui as one frozen value, with its default and the names it can be given by.

A setting `key` of table `[table]` in config.toml is also read from the environment as `GGTUI_<KEY>`, such
as `GGTUI_PORT`; keys of `[backends]` and `[downloads]` with their table, as `GGTUI_DOWNLOADS_PARALLEL`; not
so `[names]` and `[aliases]`, which a running ggtui changes in the file. Lists of folders are separated by
`:` there, `extra_args` is split as a shell would. A flag wins over the environment, the environment over the
file, the file over the default. Two names exist in the environment only: `GGTUI_CONFIG` (the file to read)
and `GGTUI_API_KEY` (the key itself).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ggtui.core.backends.backend import Declared
from ggtui.core.context import AUTO_CTX
from ggtui.core.model_settings import CommonSettings
from ggtui.core.models import LaunchOptions
from ggtui.core.routing.name_settings import NameSettings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ggtui.core.client_keys import ClientKey
    from ggtui.core.deployment.deployment import Deployment
    from ggtui.core.model_settings import ModelSettings
    from ggtui.core.stores import StoreRoot

EMBEDDED = "embedded"
"""The value of `llama_server` that asks for the engine inside the Python package."""


@dataclass(frozen=True, slots=True)
class Config:
    """What ggtui was told. All paths are absolute; nothing here has been created or opened yet."""

    data_dir: Path
    """`data_dir`, GGTUI_DATA_DIR, --data-dir: catalog, lock and record of the running ggtui."""
    cache_dir: Path
    """What can be made again; inside data_dir when that was given."""
    log_dir: Path
    """One log per model and ggtui's own; inside data_dir when that was given."""
    runtime_dir: Path
    """Keys and records that live as long as one ggtui; inside data_dir."""
    config_file: Path | None = None
    """The file that was read: --config, GGTUI_CONFIG or the default place; None when there is none."""

    models_file: Path | None = None
    """models.toml beside the configuration file; without one, inside a data_dir that was given. None: there
    is no such file, and what is chosen for a model counts until ggtui ends."""
    model_settings: Mapping[str, ModelSettings] = field(default_factory=dict)
    """What that file has, by public id."""

    models_dirs: tuple[Path, ...] = ()
    """`models_dirs`, GGTUI_MODELS_DIRS, --models-dir: folders with GGUF files, searched in depth."""
    stores: tuple[StoreRoot, ...] = ()
    """`stores`, GGTUI_STORES, --no-stores: where the named stores of other programs lie; all by default."""
    read_only: bool = False
    """`read_only`, GGTUI_READ_ONLY, --read-only: nothing is loaded, stopped or changed from outside."""

    names: NameSettings = field(default_factory=NameSettings)
    """`[names]` default, unnamed and disabled, and `[aliases]`: what names lead to."""

    deployments: tuple[Deployment, ...] = ()
    """`[[deployment]]`: names with rules of their own, and what serves them, in the order of the file."""

    declared: Declared = field(default_factory=Declared)
    """`[[backend]]`, `[[model]]`, `[[group]]` and `[backends] policy`: what should be where."""
    backends_interval_s: float = 10.0
    """`[backends] interval_s`, GGTUI_BACKENDS_INTERVAL_S: how often backends are asked what they have."""
    downloads_parallel: int = 2
    """`[downloads] parallel`, GGTUI_DOWNLOADS_PARALLEL: downloads that run at once."""
    downloads_max_mb_per_s: float = 0.0
    """`[downloads] max_mb_per_s`, GGTUI_DOWNLOADS_MAX_MB_PER_S: MiB per second of all together; 0 is no
    limit."""

    host: str = "127.0.0.1"
    """`[server] host`, GGTUI_HOST, --host: address to listen on; any but loopback needs a key."""
    port: int = 8080
    """`[server] port`, GGTUI_PORT, --port: 0 takes any free one."""
    client_keys: tuple[ClientKey, ...] = ()
    """GGTUI_API_KEY, or what `[server] api_key_file`, GGTUI_API_KEY_FILE, holds; empty asks for none."""
    hosts: tuple[str, ...] = ()
    """`[server] hosts`: further names, without port, that clients may call this machine by."""
    n_ctx: int = AUTO_CTX
    """`[server] default_ctx`, GGTUI_DEFAULT_CTX, --ctx: tokens of context when nobody chose;
    AUTO_CTX, or `auto`, takes the largest of 4k, 8k, 16k and 32k that fits."""
    admission_timeout_s: float = 180.0
    """`[server] admission_timeout_s`: a request that waits longer for its model is answered with 503."""
    turn_quantum_s: float = 10.0
    """`[server] turn_quantum_s`: how long a model keeps its turn while requests for another wait."""
    max_queue: int = 1024
    """`[server] max_queue`: requests that may wait; one more is answered with 429."""
    max_body_mb: int = 64
    """`[server] max_body_mb`: largest request body in MiB."""

    count_timeout_ms: int = 250
    """`[server] count_timeout_ms`: how long the default's server may take to count the tokens of a long
    request that names no model; then they are estimated."""
    estimate_ms: int = 5
    """`[server] estimate_ms`: how long such an estimate may take, by looking at so much of the text."""

    strategy: str = "single"
    """`[residency] strategy`, GGTUI_STRATEGY, --strategy: `single` keeps one model loaded, `memory` as many
    as the memory holds by forecast."""
    memory_budget_mb: int = 0
    """`[residency] memory_budget_mb`: MiB that loaded models may take together under `memory`; 0 sets no
    limit beyond what is free."""
    keep_alive_s: float = -1.0
    """`[residency] keep_alive_s`: an idle model is stopped after this long; negative keeps it."""
    pinned: tuple[str, ...] = ()
    """`[residency] pinned`: ids of models that are never evicted once they are loaded."""
    preload: tuple[str, ...] = ()
    """`[residency] preload`: ids of models that are loaded at the start."""
    restore_last: bool = False
    """`[residency] restore_last`: load the model that was loaded last when ggtui starts."""

    llama_server: str = ""
    """`[launch] llama_server`, GGTUI_LLAMA_SERVER, --llama-server: a path, `embedded`, or empty to look."""
    options: LaunchOptions = field(default_factory=LaunchOptions)
    """`[launch]` n_gpu_layers, n_parallel, kv_unified, cache_type_k, cache_type_v, flash_attn, n_threads,
    projector and extra_args."""
    stop_grace_s: float = 5.0
    """`[launch] stop_grace_s`: time between a polite stop of a server and SIGKILL."""
    stall_timeout_s: float = 120.0
    """`[launch] stall_timeout_s`: a load without progress for this long is given up."""
    stuck_timeout_s: float = 120.0
    """`[launch] stuck_timeout_s`: a server that has requests and does nothing for this long is restarted."""

    ascii: bool = False
    """`[screen] ascii`, GGTUI_ASCII, --ascii: no glyphs beyond ASCII."""
    mouse: bool = True
    """`[screen] mouse`, GGTUI_MOUSE, --no-mouse: false leaves selecting to the terminal."""

    @property
    def common_settings(self) -> CommonSettings:
        """What counts for a model that has no settings of its own."""
        return CommonSettings(self.n_ctx, self.options, self.keep_alive_s, frozenset(self.pinned))

    @property
    def database(self) -> Path:
        """The catalog's database."""
        return self.data_dir / "catalog.sqlite3"

    @property
    def history_file(self) -> Path:
        """The database of what was served."""
        return self.data_dir / "history.sqlite3"

    @property
    def memory_budget_bytes(self) -> int:
        """What loaded models may take together, in bytes; 0 without a limit."""
        return self.memory_budget_mb * 1024 * 1024

    @property
    def max_body_bytes(self) -> int:
        """Largest request body in bytes."""
        return self.max_body_mb * 1024 * 1024

    @property
    def downloads_max_bytes_per_s(self) -> float:
        """What downloads may take together, in bytes per second; 0 without a limit."""
        return self.downloads_max_mb_per_s * 1024 * 1024
