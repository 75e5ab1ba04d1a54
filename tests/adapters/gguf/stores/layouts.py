"""Trees as the other programs lay them out, made by hand."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from tests.adapters.gguf import raw

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MODEL, PROJECTOR, ADAPTER = "model", "projector", "adapter"
REVISION = "0123456789abcdef0123456789abcdef01234567"


def model(name: str = "m", *, n_embd: int = 64, data: bytes = b"") -> bytes:
    """A sound file; other names and data make other files."""
    keys = [key for key in raw.LLAMA_KEYS if b"embedding_length" not in key]
    keys += [raw.u32("llama.embedding_length", n_embd), raw.string("general.name", name)]
    return raw.header(keys, [raw.tensor()], data=bytes(128) + data)


def projector(n_embd: int | None = 64) -> bytes:
    keys = [raw.string("general.architecture", "clip")]
    if n_embd is not None:
        keys.append(raw.u32("clip.vision.projection_dim", n_embd))
    return raw.header(keys, [raw.tensor()], data=bytes(128))


def adapter(*bases: str) -> bytes:
    keys = [raw.string("general.architecture", "llama"), raw.string("adapter.type", "lora")]
    keys += [raw.string("general.type", "adapter")]
    keys += [raw.string(f"general.base_model.{number}.name", base) for number, base in enumerate(bases)]
    return raw.header(keys, [raw.tensor()], data=bytes(128))


def imatrix() -> bytes:
    return raw.header([raw.string("general.type", "imatrix"), raw.u32("imatrix.chunk_count", 1)])


def placed(path: Path, content: bytes = b"") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content or model())
    return path


def hub_repository(
    root: Path, repository: str, files: Mapping[str, bytes], revision: str = REVISION, *, is_main: bool = True
) -> Path:
    """`models--org--repo` with blobs and links; returns its folder."""
    folder = root / f"models--{repository.replace('/', '--')}"
    for name, content in files.items():
        blob = placed(folder / "blobs" / hashlib.sha256(content).hexdigest(), content)
        link = folder / "snapshots" / revision / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(Path("../" * (2 + name.count("/")) + "blobs") / blob.name)
    if is_main:
        placed(folder / "refs" / "main", revision.encode())
    return folder


def ollama_blob(root: Path, content: bytes) -> str:
    """The digest of a blob that is there."""
    digest = hashlib.sha256(content).hexdigest()
    placed(root / "blobs" / f"sha256-{digest}", content)
    return f"sha256:{digest}"


def ollama_manifest(root: Path, name: str, layers: Sequence[tuple[str, str]]) -> Path:
    """A manifest at `<host>/<namespace>/<model>/<tag>`; layers are pairs of kind and digest."""
    document = {
        "schemaVersion": 2,
        "layers": [
            {"mediaType": f"application/vnd.ollama.image.{kind}", "digest": digest, "size": 1}
            for kind, digest in [*layers, ("template", "sha256:" + "0" * 64), ("params", "nonsense")]
        ],
    }
    return placed(root / "manifests" / name, json.dumps(document).encode())


def ollama_model(root: Path, name: str, content: bytes) -> Path:
    """A model with its blob, under `registry.ollama.ai/library`; returns the manifest."""
    path = f"registry.ollama.ai/library/{name.replace(':', '/')}"
    return ollama_manifest(root, path, [(MODEL, ollama_blob(root, content))])
