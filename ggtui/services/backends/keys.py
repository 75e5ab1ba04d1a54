"""The keys of backends, as they were read last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ggtui.core.backends.backend import Backend
    from ggtui.core.deployment.secret import Secret, SecretRef
    from ggtui.core.ports.deployments import SecretsPort

_N_SHOWN: Final = 4
_LEAST_SHOWN: Final = 12
"""Characters of a key whose last ones may be shown: of a shorter one they would tell too much."""


class Keys:
    """Each cycle reads them anew, so that a changed one counts soon; requests take what was read last."""

    def __init__(self, secrets: SecretsPort) -> None:
        self._secrets = secrets
        self._read: dict[str, tuple[SecretRef, Secret]] = {}

    async def read(self, backend: Backend) -> Secret | None:
        """As it is now; None for a backend that needs none. Raises: ConfigInvalid."""
        self.forget(backend.name)
        if backend.api_key is None:
            return None
        key = await self._secrets.read(backend.api_key)
        self._read[backend.name] = backend.api_key, key
        return key

    async def get(self, backend: Backend) -> Secret | None:
        """As it was read last, if it was; None for a backend that needs none. Raises: ConfigInvalid."""
        ref, key = self._read.get(backend.name, (None, None))
        return key if key is not None and ref == backend.api_key else await self.read(backend)

    def forget(self, name: str) -> None:
        """It was refused, or its backend has gone: whoever wants it next reads it again."""
        self._read.pop(name, None)


def ending_of(key: Secret | None) -> str:
    """The last four characters of a key that has twelve or more, by which a person knows it; else nothing."""
    text = "" if key is None else key.reveal()
    return text[-_N_SHOWN:] if len(text) >= _LEAST_SHOWN else ""
