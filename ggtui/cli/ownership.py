"""What must be held before an engine starts: folders, the lock on them, the port, and the record of both."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ggtui.adapters.instance.lock import InstanceLock
from ggtui.adapters.instance.record import own_record, remove_record, write_record
from ggtui.config.paths import MODELS_FILE, directories, make_private
from ggtui.core.errors import StoreUnavailable

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from ggtui.config.schema import Config

_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}


@dataclass(frozen=True, slots=True)
class Ground:
    """What an engine stands on."""

    config: Config
    sock: socket.socket
    """Bound, so that nobody else can take the port any more."""
    url: str
    """What clients use as base URL, ending in /v1."""


@contextmanager
def owning(config: Config, say: Callable[[str], None]) -> Iterator[Ground]:
    """Hold everything that only one ggtui may hold.

    Raises: InstanceRunning, PortInUse, BindRefused, StoreUnavailable.
    """
    from ggtui.proxy.bind import bind

    with ExitStack() as held:
        config = held.enter_context(usable_directories(config, say))
        held.enter_context(InstanceLock(config.data_dir))
        sock = bind(config.host, config.port, has_api_key=bool(config.client_keys))
        held.callback(sock.close)
        url = url_of(sock)
        held.callback(remove_record, config.data_dir)
        # Before the engine serves: whoever connects now waits in the socket's backlog.
        key = config.client_keys[0].key if config.client_keys else ""
        write_record(config.data_dir, own_record(url, key))
        yield Ground(config, sock, url)


@contextmanager
def usable_directories(config: Config, say: Callable[[str], None]) -> Iterator[Config]:
    """The config itself, or one whose folders are temporary because its own cannot be written."""
    try:
        _make_all(config)
    except StoreUnavailable as failure:
        say(f"ggtui: {failure.detail}; using a temporary folder, nothing is kept")
        with tempfile.TemporaryDirectory(prefix="ggtui-", ignore_cleanup_errors=True) as name:
            # What a person wrote for single models is elsewhere, and may well be read and written.
            moved = replace(in_folder(config, Path(name)), models_file=config.models_file)
            _make_all(moved)
            yield moved
    else:
        yield config


def no_words(_url: str) -> tuple[str, ...]:
    """Nothing to tell before serving begins."""
    return ()


def in_folder(config: Config, folder: Path) -> Config:
    """The same config with everything it keeps inside one folder."""
    own = directories(folder)
    return replace(
        config,
        data_dir=own.data,
        cache_dir=own.cache,
        log_dir=own.log,
        runtime_dir=own.runtime,
        models_file=own.data / MODELS_FILE,
    )


def url_of(sock: socket.socket) -> str:
    """The base URL of a bound socket, as a client on this machine would write it."""
    address = sock.getsockname()
    host = _ANY.get(address[0], address[0])
    return f"http://[{host}]:{address[1]}/v1" if ":" in host else f"http://{host}:{address[1]}/v1"


def _make_all(config: Config) -> None:
    for folder in (config.data_dir, config.cache_dir, config.log_dir, config.runtime_dir):
        make_private(folder)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise StoreUnavailable(f"{folder} cannot be written")
