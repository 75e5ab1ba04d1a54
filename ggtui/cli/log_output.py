"""Where ggtui's own log goes: a private file always, standard error only without a screen."""

from __future__ import annotations

import logging
import os
import re
import sys
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ggtui.config.schema import Config
    from ggtui.core.client_keys import ClientKey

LOG_NAME = "_ggtui.log"
"""No public id begins with an underscore, so no model's log has this name."""
LARGEST_LOG = 1024 * 1024
"""Bytes; one older file is kept."""

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
HIDDEN = "[key]"


class Discreet(logging.Formatter):
    """Takes keys out of every line; `shows_traces` is False where a person reads along."""

    def __init__(self, keys: Iterable[ClientKey], *, shows_traces: bool) -> None:
        super().__init__(_FORMAT)
        known = sorted((re.escape(each.key) for each in keys), key=len, reverse=True)
        self._keys = re.compile("|".join(known)) if known else None
        """The longest first: a key may begin with another one."""
        self._shows_traces = shows_traces

    def format(self, record: logging.LogRecord) -> str:
        """One line, with a trace below it where that is wanted."""
        text = super().format(record) if self._shows_traces else self._without_trace(record)
        return self._keys.sub(HIDDEN, text) if self._keys is not None else text

    def _without_trace(self, record: logging.LogRecord) -> str:
        record = logging.makeLogRecord(record.__dict__ | {"exc_text": None, "stack_info": None})
        error, record.exc_info = record.exc_info, None
        text = super().format(record)
        return f"{text}: {error[0].__name__}" if error and error[0] is not None else text


@contextmanager
def file_log(config: Config) -> Iterator[None]:
    """Log to the file while ggtui serves; a folder that cannot be written costs the file, nothing else."""
    with _logging_to(_file(config)):
        yield


@contextmanager
def stderr_log(config: Config) -> Iterator[None]:
    """Log to standard error while no screen is there."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Discreet(config.client_keys, shows_traces=False))
    with _logging_to(handler):
        yield


@contextmanager
def _logging_to(handler: logging.Handler) -> Iterator[None]:
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.INFO)
    root.addHandler(handler)
    try:
        yield
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
        handler.close()


def _file(config: Config) -> logging.Handler:
    file = config.log_dir / LOG_NAME
    try:
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        handler = RotatingFileHandler(file, maxBytes=LARGEST_LOG, backupCount=1, encoding="utf-8")
    except OSError:
        return logging.NullHandler()
    handler.setFormatter(Discreet(config.client_keys, shows_traces=True))
    return handler
