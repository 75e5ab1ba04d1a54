"""Everything that can fail, as one tree: catch broadly at the root, recover narrowly at a leaf.

Failure
├── ConfigInvalid                                   a person asked for something impossible
├── RequestFailure                                  the client's request
│   ├── InvalidRequest, CapabilityMissing, RequestTooLarge, UnsupportedMediaType
│   ├── InvalidApiKey, HostNotAllowed, OriginNotAllowed, RouteNotFound, MethodNotAllowed, ReadOnly
│   └── DownloadNotFound, BackendNotFound
├── CatalogFailure                                  storage and files
│   ├── HeaderUnreadable, RemovalRefused
│   ├── RemoteFailure                               a file on another machine
│   │   └── RemoteRefused, RemoteUnreachable
│   ├── DiskFull, FileCorrupt, BackendError
│   └── StoreUnavailable
├── ModelRuntimeError                               what the runtime port raises
│   ├── ModelNotFound, ModelFileNotFound
│   ├── ModelLoading, ModelNotReady, AdmissionTimeout, QueueFull, NoRoom
│   ├── RoutingError                                the name leads nowhere
│   │   └── EndpointNotFound, NoneMatched, EndpointNotReady, ContextTooLong, NoModelsAvailable
│   ├── SpawnFailed
│   │   ├── ServerMissing, OutOfMemory, LoadCancelled
│   │   └── LaunchRejected
│   │       └── NotEnoughGpus, NoGpuNodes
│   ├── HealthCheckFailed
│   │   └── StartTimedOut
│   ├── EngineStopping
│   └── Internal
├── UpstreamFailure                                 a server that was ready
│   ├── UpstreamUnreachable, UpstreamCrashed, UpstreamProtocolError, UpstreamTimedOut
│   ├── UpstreamServerError, UpstreamRateLimited, UpstreamUnauthorized, UpstreamForbidden, RequestLoop
│   └── UpstreamBadRequest
│       └── ContentFiltered
├── PolicyRefusal                                   a deployment holds a request back
│   └── RateLimitExceeded, CapacityExhausted, QueueTimeout, CircuitOpen, BudgetExceeded
├── ProbeFailure                                    device memory
│   └── DriverMissing
└── ProxyFailure
    └── PortInUse, BindRefused, InstanceRunning
"""

from __future__ import annotations

from ggtui.core.errors.catalog import (
    BackendError,
    CatalogFailure,
    DiskFull,
    FileCorrupt,
    HeaderUnreadable,
    RemoteFailure,
    RemoteRefused,
    RemoteUnreachable,
    RemovalRefused,
    StoreUnavailable,
)
from ggtui.core.errors.failure import (
    ConfigInvalid,
    Failure,
)
from ggtui.core.errors.launch import (
    HealthCheckFailed,
    LaunchRejected,
    LoadCancelled,
    NoGpuNodes,
    NotEnoughGpus,
    OutOfMemory,
    ServerMissing,
    SpawnFailed,
    SpawnReason,
    StartTimedOut,
)
from ggtui.core.errors.policies import (
    BudgetExceeded,
    CapacityExhausted,
    CircuitOpen,
    PolicyRefusal,
    QueueTimeout,
    RateLimitExceeded,
)
from ggtui.core.errors.requests import (
    BackendNotFound,
    CapabilityMissing,
    DownloadNotFound,
    HostNotAllowed,
    InvalidApiKey,
    InvalidRequest,
    MethodNotAllowed,
    OriginNotAllowed,
    ReadOnly,
    RequestFailure,
    RequestTooLarge,
    RouteNotFound,
    UnsupportedMediaType,
)
from ggtui.core.errors.routing import (
    ContextTooLong,
    EndpointNotFound,
    EndpointNotReady,
    NoModelsAvailable,
    NoneMatched,
    RoutingError,
)
from ggtui.core.errors.runtime import (
    AdmissionTimeout,
    EngineStopping,
    Internal,
    ModelFileNotFound,
    ModelLoading,
    ModelNotFound,
    ModelNotReady,
    ModelRuntimeError,
    NoRoom,
    QueueFull,
)
from ggtui.core.errors.surroundings import (
    BindRefused,
    DriverMissing,
    InstanceRunning,
    PortInUse,
    ProbeFailure,
    ProxyFailure,
)
from ggtui.core.errors.upstream import (
    ContentFiltered,
    RequestLoop,
    UpstreamBadRequest,
    UpstreamCrashed,
    UpstreamFailure,
    UpstreamForbidden,
    UpstreamProtocolError,
    UpstreamRateLimited,
    UpstreamServerError,
    UpstreamTimedOut,
    UpstreamUnauthorized,
    UpstreamUnreachable,
)

__all__ = [
    "AdmissionTimeout",
    "BackendError",
    "BackendNotFound",
    "BindRefused",
    "BudgetExceeded",
    "CapabilityMissing",
    "CapacityExhausted",
    "CatalogFailure",
    "CircuitOpen",
    "ConfigInvalid",
    "ContentFiltered",
    "ContextTooLong",
    "DiskFull",
    "DownloadNotFound",
    "DriverMissing",
    "EndpointNotFound",
    "EndpointNotReady",
    "EngineStopping",
    "Failure",
    "FileCorrupt",
    "HeaderUnreadable",
    "HealthCheckFailed",
    "HostNotAllowed",
    "InstanceRunning",
    "Internal",
    "InvalidApiKey",
    "InvalidRequest",
    "LaunchRejected",
    "LoadCancelled",
    "MethodNotAllowed",
    "ModelFileNotFound",
    "ModelLoading",
    "ModelNotFound",
    "ModelNotReady",
    "ModelRuntimeError",
    "NoGpuNodes",
    "NoModelsAvailable",
    "NoRoom",
    "NoneMatched",
    "NotEnoughGpus",
    "OriginNotAllowed",
    "OutOfMemory",
    "PolicyRefusal",
    "PortInUse",
    "ProbeFailure",
    "ProxyFailure",
    "QueueFull",
    "QueueTimeout",
    "RateLimitExceeded",
    "ReadOnly",
    "RemoteFailure",
    "RemoteRefused",
    "RemoteUnreachable",
    "RemovalRefused",
    "RequestFailure",
    "RequestLoop",
    "RequestTooLarge",
    "RouteNotFound",
    "RoutingError",
    "ServerMissing",
    "SpawnFailed",
    "SpawnReason",
    "StartTimedOut",
    "StoreUnavailable",
    "UnsupportedMediaType",
    "UpstreamBadRequest",
    "UpstreamCrashed",
    "UpstreamFailure",
    "UpstreamForbidden",
    "UpstreamProtocolError",
    "UpstreamRateLimited",
    "UpstreamServerError",
    "UpstreamTimedOut",
    "UpstreamUnauthorized",
    "UpstreamUnreachable",
]
