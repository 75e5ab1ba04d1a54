"""Who plugs what together: the one room that knows every adapter."""

from __future__ import annotations

from ggtui.bootstrap.reloader import Reloader
from ggtui.bootstrap.whole import build

__all__ = ["Reloader", "build"]
