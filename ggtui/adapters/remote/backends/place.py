"""Where a backend is asked: the paths of its own API below the URL that a person wrote."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from ggtui.adapters.remote.address import Address
from ggtui.core.backends.backend import Backend, BackendType

_HOMES: Final = {
    BackendType.OPENAI: "https://api.openai.com/v1",
    BackendType.GEMINI: "https://generativelanguage.googleapis.com",
}
_VERSION: Final = re.compile(r"/v\d+[a-z0-9]*(?=/|$)")


@dataclass(frozen=True, slots=True)
class Place:
    """The address of a backend, without a slash at the end of its path."""

    type: BackendType
    base: Address

    def below_root(self, path: str, query: str = "") -> Address:
        """A path of the server's own API, such as `/api/tags`, also where the URL leads into `/v1`."""
        return self._at(re.sub(r"/(v1|api)$", "", self.base.path) + path, query)

    def below_version(self, path: str, query: str = "") -> Address:
        """A path below the version of its API; OpenAI's has the version in its URL or has none."""
        prefix = self.base.path
        if self.type is BackendType.GEMINI:
            prefix = prefix.removesuffix("/openai")
        if self.type is not BackendType.OPENAI and _VERSION.search(prefix) is None:
            prefix += "/v1beta" if self.type is BackendType.GEMINI else "/v1"
        return self._at(prefix + path, query)

    def _at(self, path: str, query: str) -> Address:
        queries = "&".join(each for each in (self.base.query, query) if each)
        return Address(self.base.origin, path, queries)


def place_of(backend: Backend) -> Place:
    """Raises: RemoteRefused for a URL that nobody can ask."""
    base = Address.parse(backend.base_url or _HOMES.get(backend.type, ""), may_be_plain=True)
    return Place(backend.type, Address(base.origin, base.path.rstrip("/"), base.query))
