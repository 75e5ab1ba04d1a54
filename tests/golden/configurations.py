"""The launches for which every model of the corpus has figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.golden.families import DRAFTING, EMBEDDING

if TYPE_CHECKING:
    from tests.golden.header_file import Keys

Configuration = dict[str, Any]
"""ctx, np, unified, ctk, ctv, fa, ub, swa_full as in the README of this folder."""


def launch(
    ctx: int,
    np: int = 1,
    *,
    unified: bool = False,
    kv: str = "f16",
    ctv: str | None = None,
    fa: str = "auto",
    ub: int = 512,
    swa_full: bool = False,
) -> Configuration:
    """One configuration; `kv` is the type of K, and of V unless `ctv` names another."""
    return {
        "ctx": ctx, "np": np, "unified": unified, "ctk": kv, "ctv": ctv or kv, "fa": fa, "ub": ub,
        "swa_full": swa_full,
    }  # fmt: skip


CONFIGURATIONS = (
    launch(100),
    launch(300),
    launch(4096),
    launch(32768),
    launch(131072),
    launch(300, 3),
    launch(4096, 3, unified=True, kv="q8_0"),
    launch(32768, 3),
    launch(32768, 4),
    launch(32768, 4, unified=True),
    launch(131072, 4, unified=True, ub=2048),
    launch(131072, 3, kv="q4_0", fa="on"),
    launch(4096, 4, kv="q8_0", ub=2048),
    launch(32768, kv="q4_0"),
    launch(32768, kv="q8_0", ctv="f16"),
    launch(32768, fa="off"),
    launch(4096, 4, fa="off", ub=2048),
    launch(4096, kv="q8_0", fa="off"),
    launch(4096, kv="q8_0", ctv="f16", fa="off"),
    launch(5000, 7),
    launch(5000, 7, unified=True, ub=256),
    launch(32768, 4, swa_full=True),
)

EMBEDDING_CONFIGURATIONS = tuple(
    launch(*size) | {"embedding": True} for size in ((300,), (4096,), (32768,), (4096, 4))
)
DRAFT_CONFIGURATIONS = tuple(
    launch(*size) | {"mtp": True} for size in ((300,), (32768,), (131072,), (32768, 4))
)


def configurations_of(architecture: str, keys: Keys) -> list[Configuration]:
    """All launches for a model with these keys; for embedding and draft models some more."""
    configurations = list(CONFIGURATIONS)
    if architecture in EMBEDDING:
        configurations += EMBEDDING_CONFIGURATIONS
    if keys.get(f"{architecture}.nextn_predict_layers") and architecture in DRAFTING:
        configurations += DRAFT_CONFIGURATIONS
    return configurations
