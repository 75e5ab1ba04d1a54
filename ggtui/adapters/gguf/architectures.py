"""What the architecture's name says about what a model answers. Source: llama.cpp src/llama-model.cpp."""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


EMBEDDING = _names(
    "bert nomic-bert nomic-bert-moe jina-bert-v2 jina-bert-v3 neo-bert eurobert modern-bert gemma-embedding "
    "llama-embed t5encoder"
)
"""They answer with vectors, never with text."""
