"""What a person declares: backends, models and groups."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from ggtui.core.deployment.deployment import ChoicePolicy

if TYPE_CHECKING:
    from ggtui.core.deployment.secret import SecretRef

THIS_MACHINE: Final = "local"
"""Name of the backend that nobody declares: the disk of this machine, and what ggtui starts on it."""


class BackendType(StrEnum):
    """How a backend is asked what it has."""

    OLLAMA = "ollama"
    VLLM = "vllm"
    OPENAI = "openai"
    """Any server that speaks as OpenAI's does and wants a key, OpenAI's own among them."""
    GEMINI = "gemini"
    LLAMA_SERVER = "llama_server"
    """One that somebody else started: ggtui asks it and never stops it."""
    LLAMA_ROUTER = "llama_router"
    """llama-server that loads several models by itself."""
    GGTUI = "ggtui"

    @property
    def is_remote_list(self) -> bool:
        """True where the list of models seldom changes and costs: it is kept for an hour."""
        return self in (BackendType.OPENAI, BackendType.GEMINI)

    @property
    def has_home(self) -> bool:
        """True where a backend without a URL is the one that the type is named after."""
        return self in (BackendType.OPENAI, BackendType.GEMINI)

    @property
    def can_pull(self) -> bool:
        """True where a missing model can be fetched by the backend itself."""
        return self is BackendType.OLLAMA


class Capability(StrEnum):
    """What a model can be asked for."""

    CHAT = "chat"
    EMBED = "embed"
    PROMPT = "prompt"
    """Text that goes on, `/v1/completions`."""
    STREAM = "stream"


@dataclass(frozen=True, slots=True)
class DeclaredModel:
    """A model that should be somewhere."""

    name: str
    """As its backend knows it, and as clients ask for it."""
    repository: str = ""
    """`OWNER/REPO` or `OWNER/REPO:QUANT` on the hub, for a model that should lie on this disk; else empty."""
    groups: tuple[str, ...] = ()
    capabilities: frozenset[Capability] | None = None
    """None where nobody said: what the backend tells counts, and what it does not tell is not refused."""
    context_length: int | None = None
    """Tokens; None where nobody said."""


@dataclass(frozen=True, slots=True)
class Backend:
    """One `[[backend]]`: a server that ggtui does not start."""

    name: str
    type: BackendType
    base_url: str = ""
    """http or https, without a slash at its end; empty for the home of OpenAI or Gemini."""
    api_key: SecretRef | None = None
    groups: tuple[str, ...] = ()
    models: tuple[DeclaredModel, ...] = ()
    """Those that this one should serve."""

    @property
    def id(self) -> str:
        """What never changes while it is declared: its name."""
        return self.name

    @property
    def place(self) -> tuple[object, ...]:
        """What makes two backends of one name the same place: nothing of one goes to another."""
        return self.type, self.base_url, self.api_key


@dataclass(frozen=True, slots=True)
class Group:
    """One `[[group]]`: models and backends that belong together."""

    name: str
    policy: ChoicePolicy | None = None
    """Which backend of the group serves a model that several have; None for the common policy."""


@dataclass(frozen=True, slots=True)
class Declared:
    """All that a person declares of backends."""

    backends: tuple[Backend, ...] = ()
    models: tuple[DeclaredModel, ...] = ()
    """`[[model]]`: wanted on every backend of their groups, or on this disk where they have a repository."""
    groups: tuple[Group, ...] = ()
    """Groups count as soon as there is one."""
    policy: ChoicePolicy = field(default=ChoicePolicy.AUTO)
    """`[backends] policy`: which backend serves a model where no group and no deployment says another."""

    @property
    def has_groups(self) -> bool:
        """True when only what shares a group belongs together."""
        return bool(self.groups)
