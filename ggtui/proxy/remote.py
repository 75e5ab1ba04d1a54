"""Servers that are asked over the network: where they are, what they are told, and nothing of the client."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

from ggtui import __version__
from ggtui.core.backends.backend import BackendType
from ggtui.core.deployment.deployment import ApiKind
from ggtui.core.deployment.runtimes import RuntimeKind
from ggtui.core.errors import EndpointNotReady, UpstreamUnauthorized
from ggtui.core.hops import onward
from ggtui.core.models import RunningTarget
from ggtui.core.routing.endpoints import EndpointStatus

if TYPE_CHECKING:
    from ggtui.core.backends.backend import Backend
    from ggtui.core.deployment.deployment import Deployment
    from ggtui.proxy.answers import Headers

_HOMES: Final = {
    RuntimeKind.OPEN_AI: "https://api.openai.com/v1",
    RuntimeKind.ANTHROPIC: "https://api.anthropic.com/v1",
    RuntimeKind.GEMINI: "https://generativelanguage.googleapis.com/v1beta/openai",
    RuntimeKind.LITE_LLM: "http://127.0.0.1:4000/v1",
}
"""Where each provider takes requests in the form of OpenAI's; the last one is LiteLLM's own default."""
_BACKEND_HOMES: Final = {
    BackendType.OPENAI: "https://api.openai.com/v1",
    BackendType.GEMINI: "https://generativelanguage.googleapis.com/v1beta",
}
_VERSION: Final = re.compile(r"/v\d+[a-z0-9]*(?=/|$)")
_AT_ROOT: Final = (
    b"/infill",
    b"/tokenize",
    b"/detokenize",
    b"/apply-template",
    b"/completion",
    b"/embedding",
)
"""llama-server's own paths, which stand beside `/v1`."""
_ANTHROPIC_VERSION: Final = b"2023-06-01"
_KEPT: Final = frozenset((b"content-type", b"accept"))
_KEPT_BY_ANTHROPIC: Final = _KEPT | {b"anthropic-version", b"anthropic-beta"}
_USER_AGENT: Final = b"ggtui/" + __version__.encode()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a deployment's server takes requests."""

    target: RunningTarget
    """For the pool: connections are kept by its base URL, which is scheme, host and port alone."""
    host: bytes
    """The Host field."""
    prefix: str
    """What stands before every path."""
    query: bytes = b""
    is_whole: bool = False
    """True: a version is never put between the prefix and a path."""
    is_azure: bool = False
    is_anthropic: bool = False

    def path(self, target: bytes) -> bytes:
        """Path and query there, for path and query as llama-server has them."""
        path, _, query = target.partition(b"?")
        asked = path.removeprefix(b"/v1")
        prefix = self.prefix
        if path == asked and path in _AT_ROOT:
            prefix = re.sub(r"/v1$", "", prefix)
        elif not self.is_whole and _VERSION.search(prefix) is None:
            prefix += "/v1"
        queries = b"&".join(each for each in (query, self.query) if each)
        return prefix.encode() + asked + (b"?" + queries if queries else b"")


def place_of(rules: Deployment, kind: RuntimeKind) -> Place:
    """Raises: EndpointNotReady for a kind without a home of its own, and no URL in the configuration."""
    config = rules.runtime_config
    if config.kind is ApiKind.AZURE:
        return _azure(config.endpoint, config.resource, config.deployment, config.api_version)
    url = config.endpoint or _HOMES.get(kind, "")
    if not url:
        why = f"{kind} needs runtime_config.endpoint, the URL of its server"
        raise EndpointNotReady(rules.name, EndpointStatus.ERROR, hint=why)
    return _direct(url, kind is RuntimeKind.ANTHROPIC)


@lru_cache(maxsize=256)
def _direct(url: str, is_anthropic: bool) -> Place:
    base_url, host, prefix, query = _parts(url)
    return Place(_target(base_url), host, prefix, query, is_anthropic=is_anthropic)


@lru_cache(maxsize=256)
def _azure(endpoint: str, resource: str, deployment: str, api_version: str) -> Place:
    base_url, host, prefix, query = _parts(endpoint or f"https://{resource}.openai.azure.com")
    prefix = prefix.removesuffix("/openai") + f"/openai/deployments/{quote(deployment, safe='')}"
    query = query or b"api-version=" + quote(api_version, safe="").encode()
    return Place(_target(base_url), host, prefix, query, is_whole=True, is_azure=True)


def place_of_backend(backend: Backend) -> Place:
    """Where a declared backend takes requests in the form of OpenAI's."""
    return _of_backend(backend.type, backend.base_url)


@lru_cache(maxsize=256)
def _of_backend(kind: BackendType, url: str) -> Place:
    """As the list of its models is found: OpenAI's at the URL itself, the others' below a version."""
    base_url, host, prefix, query = _parts(url or _BACKEND_HOMES[kind])
    if kind is BackendType.GEMINI:
        prefix = prefix.removesuffix("/openai")
        prefix += "/openai" if _VERSION.search(prefix) else "/v1beta/openai"
    if kind is BackendType.OLLAMA:
        prefix = prefix.removesuffix("/api")
    return Place(_target(base_url), host, prefix, query, is_whole=kind is BackendType.OPENAI)


def _parts(url: str) -> tuple[str, bytes, str, bytes]:
    """Scheme, host and port; the Host field; path; query. A name and a password in it are not sent."""
    parts = urlsplit(url)
    name = (parts.hostname or "").encode("idna").decode()
    shown = f"[{name}]" if ":" in name else name
    usual = 443 if parts.scheme == "https" else 80
    port = parts.port or usual
    host = shown if port == usual else f"{shown}:{port}"
    path = quote(parts.path.rstrip("/"), safe="/%:@!$&'()*+,;=~")
    return f"{parts.scheme}://{shown}:{port}", host.encode(), path, quote(parts.query, safe="=&%").encode()


def _target(base_url: str) -> RunningTarget:
    return RunningTarget(base_url, int(base_url.rpartition(":")[2]), 0, "", 0)


def remote_head(place: Place, method: str, target: bytes, fields: Headers, key: str, n_body: int) -> bytes:
    """The whole head of a request. Of the client's fields only those go up that say what the body is.

    Who is asked learns that a ggtui asks, and which one: it may be the same one.

    target: path and query as llama-server has them. key: empty for a server that needs none.
    Raises: UpstreamUnauthorized for a key that no header field can hold.
    """
    is_native = place.is_anthropic and b"/messages" in target
    kept = _KEPT_BY_ANTHROPIC if is_native else _KEPT
    lines = [
        method.encode() + b" " + place.path(target) + b" HTTP/1.1",
        b"host: " + place.host,
        b"user-agent: " + _USER_AGENT,
        b"via: " + onward(fields).encode(),
        *(name + b": " + value for name, value in fields if name in kept),
        b"content-length: " + str(n_body).encode(),
    ]
    if is_native and not any(name == b"anthropic-version" for name, _ in fields):
        lines.append(b"anthropic-version: " + _ANTHROPIC_VERSION)
    if key:
        lines.append(_credential(place, key, is_native=is_native))
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _credential(place: Place, key: str, *, is_native: bool) -> bytes:
    if not (key.isascii() and key.isprintable()):
        raise UpstreamUnauthorized("the key holds what cannot be sent")
    if place.is_azure:
        return b"api-key: " + key.encode()
    return (b"x-api-key: " if is_native else b"authorization: Bearer ") + key.encode()
