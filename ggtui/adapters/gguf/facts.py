"""From a header to what the catalog remembers: kind, shape, size, abilities."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggtui.adapters.gguf.architectures import EMBEDDING
from ggtui.adapters.gguf.shape import LARGEST_CONTEXT, LARGEST_WIDTH, Keys, model_shape
from ggtui.adapters.gguf.tensor_types import TENSOR_TYPES
from ggtui.core.errors import HeaderUnreadable
from ggtui.core.memory.shape import ModelShape  # noqa: TC001  # msgspec resolves it when it decodes
from ggtui.core.memory.weights import ModelWeights  # noqa: TC001  # the same
from ggtui.core.naming import model_stem, quantisation
from ggtui.core.text import plain
from ggtui.core.units import MIB, gib

if TYPE_CHECKING:
    from ggtui.adapters.gguf.header import Header

KIND_MODEL = "model"
MOST_BASE_NAMES = 4
POOLING_RANK = 4
_OTHER_KINDS = ("adapter", "mmproj", "imatrix")
"""What `general.type` names beside a model."""
_NO_MODELS_ALONE = frozenset({"eagle3", "dflash", "gemma4-assistant"})


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Everything the listing and the forecast need of one file; text in it is plain already."""

    kind: str = KIND_MODEL
    """`model`, or what it is instead: `adapter`, `mmproj`, `imatrix`, `draft`, `controlvector`."""
    name: str = ""
    architecture: str = ""
    quantisation: str = ""
    n_params: int | None = None
    n_ctx_train: int | None = None
    shape: ModelShape | None = None
    weights: ModelWeights | None = None
    capabilities: tuple[str, ...] = ("completion",)
    projection_dim: int | None = None
    """Of a projector: the embedding length of the models it serves."""
    base_names: tuple[str, ...] = ()
    """Names of the models it was made from or for, as the header tells."""
    problem: str | None = None

    @property
    def n_embd(self) -> int | None:
        """Embedding length; None when the header does not tell."""
        return (self.shape.n_embd or None) if self.shape is not None else None

    @property
    def tensor_bytes(self) -> int:
        """All tensors together; 0 when they are not known."""
        return self.weights.total_bytes if self.weights is not None else 0


def facts_of(header: Header, file_name: str) -> ModelFacts:
    """The facts of one file.

    Raises: HeaderUnreadable for hyper-parameters that no engine would take.
    """
    architecture = header.metadata.get("general.architecture")
    general_type = header.metadata.get("general.type")
    if architecture is None and general_type == "imatrix":
        return ModelFacts(kind=general_type, name=plain(model_stem(file_name)))
    if not isinstance(architecture, str) or not architecture:
        raise HeaderUnreadable("header names no architecture")
    keys = Keys(header.metadata, architecture)
    return ModelFacts(
        kind=_kind(keys, file_name),
        name=_name(keys, file_name),
        architecture=plain(architecture, 64),
        quantisation=plain(_quantisation(header, keys, file_name), 32),
        n_params=header.tensors.n_elements or None,
        n_ctx_train=keys.natural("context_length", most=LARGEST_CONTEXT) or None,
        shape=model_shape(keys),
        weights=header.tensors.places.weights(),
        capabilities=_capabilities(keys),
        projection_dim=_projection_dim(keys),
        base_names=_base_names(keys),
        problem=_problem(header),
    )


def broken_facts(file_name: str, problem: str) -> ModelFacts:
    """What is known of a file whose header cannot be read: its name and the reason."""
    label = plain(quantisation(file_name), 32)
    name = plain(model_stem(file_name))
    return ModelFacts(_kind_by_name(file_name), name, quantisation=label, problem=plain(problem))


def _kind(keys: Keys, file_name: str) -> str:
    if keys.architecture == "clip" or keys.has_prefix("clip.") or keys.architecture == "mmproj":
        return "mmproj"
    if "adapter.type" in keys.metadata:
        return "adapter"
    if keys.architecture in _NO_MODELS_ALONE:
        return "draft"
    if keys.architecture == "controlvector":
        return keys.architecture
    general_type = keys.metadata.get("general.type")
    if isinstance(general_type, str) and general_type in _OTHER_KINDS:
        return general_type
    return _kind_by_name(file_name)


def _kind_by_name(file_name: str) -> str:
    return "mmproj" if file_name.lower().startswith("mmproj") else KIND_MODEL


def _projection_dim(keys: Keys) -> int | None:
    for tower in ("vision", "audio"):
        value = keys.metadata.get(f"clip.{tower}.projection_dim")
        if type(value) is int and 0 < value <= LARGEST_WIDTH:
            return value
    return None


def _base_names(keys: Keys) -> tuple[str, ...]:
    found = (keys.metadata.get(f"general.base_model.{number}.name") for number in range(MOST_BASE_NAMES))
    return tuple(plain(name) for name in found if isinstance(name, str) and plain(name))


def _name(keys: Keys, file_name: str) -> str:
    name = keys.metadata.get("general.name")
    return (plain(name) if isinstance(name, str) else "") or plain(model_stem(file_name)) or "unnamed"


def _quantisation(header: Header, keys: Keys, file_name: str) -> str:
    file_type = keys.metadata.get("general.file_type")
    by_type = header.tensors.bytes_by_type
    dominant = max(by_type, key=lambda type_id: by_type[type_id], default=None)
    known = TENSOR_TYPES[dominant][0] if dominant is not None and dominant in TENSOR_TYPES else ""
    return quantisation(file_name, file_type if type(file_type) is int else None, known)


def _capabilities(keys: Keys) -> tuple[str, ...]:
    pooling = keys.natural("pooling_type", most=1 << 16)
    if pooling == POOLING_RANK:
        return ("rerank",)
    if pooling or keys.architecture in EMBEDDING:
        return ("embedding",)
    if "tokenizer.chat_template" in keys.metadata:
        return ("chat", "completion")
    return ("completion",)


def _problem(header: Header) -> str | None:
    if header.is_big_endian != (sys.byteorder == "big"):
        return "written for machines of the other byte order"
    if header.needed_bytes <= header.file_bytes:
        return None
    return f"incomplete download: {_size(header.file_bytes)} of {_size(header.needed_bytes)}"


def _size(n_bytes: int) -> str:
    return gib(n_bytes) if n_bytes >= MIB else f"{n_bytes} bytes"
