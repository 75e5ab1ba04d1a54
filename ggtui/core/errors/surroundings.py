"""What can fail about the machine: its devices, its ports, another ggtui."""

from __future__ import annotations

from ggtui.core.errors.failure import Failure


class ProbeFailure(Failure):
    """Device memory cannot be read."""

    title = "Device cannot be read"


class DriverMissing(ProbeFailure):
    """No driver or no library for it; the reason is the detail."""

    title = "No GPU driver"


class ProxyFailure(Failure):
    """The door cannot be opened."""

    title = "Proxy cannot start"


class PortInUse(ProxyFailure):
    """Another program listens there; the detail names it when it can be known."""

    title = "Port is in use"


class BindRefused(ProxyFailure):
    """An address that cannot be bound, or must not be without a key."""

    title = "Address cannot be bound"


class InstanceRunning(ProxyFailure):
    """Another ggtui owns this data directory."""

    title = "Another ggtui is running"
