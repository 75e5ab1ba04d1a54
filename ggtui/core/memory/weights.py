"""What the tensors of a model add up to, by the place they are loaded to."""

from __future__ import annotations

from dataclasses import dataclass

from ggtui.core.memory.shape import NO_FIGURES, PerLayer


@dataclass(frozen=True, slots=True)
class PlaceWeights:
    """Tensors outside the layers that go to one place."""

    n_bytes: int = 0
    padding_bytes: int = 0
    """What a CUDA device adds to them, see `cuda_padding`."""
    span_bytes: int = 0
    """Bytes of the file from the first to the end of the last of them."""


@dataclass(frozen=True, slots=True)
class ModelWeights:
    """Bytes by layer and place; all shards together."""

    layers: PerLayer = NO_FIGURES
    """By layer: all tensors but the experts'."""
    experts: PerLayer = NO_FIGURES
    """By layer: `ffn_*_exps`, which may be kept on the host apart from their layer."""
    padding: PerLayer = NO_FIGURES
    """By layer: what a CUDA device adds, experts not counted."""
    expert_padding: PerLayer = NO_FIGURES
    input: PlaceWeights = PlaceWeights()
    """Embeddings, always on the host."""
    output: PlaceWeights = PlaceWeights()
    """Output matrix and its norm: they go where layer `n_layer_all` goes."""
    n_repack_bytes: int = 0
    """The part of layers and output in types that a CPU with AVX2 copies into another order."""
    span_bytes: int = 0
    """From the first tensor to the end of the last, over all files: what a full mapping shows."""
    tied_bytes: int = 0
    """The embedding matrix, when it serves as the output matrix too: loaded a second time there."""
    tied_padding_bytes: int = 0
    has_unknown_types: bool = False
    """True when a tensor's type is unknown here: the sums are too small then."""

    @property
    def total_bytes(self) -> int:
        """All tensors once."""
        return self.layers.total + self.experts.total + self.input.n_bytes + self.output.n_bytes


def evenly(n_bytes: int, n_layer: int) -> ModelWeights:
    """Weights of a model whose tensors are not known: all layers alike."""
    share = n_bytes // n_layer if n_layer else 0
    rest = PlaceWeights(n_bytes - share * n_layer)
    return ModelWeights(PerLayer.of([share] * n_layer), output=rest, span_bytes=n_bytes)


CUDA_ROW_ELEMENTS = 512
CUDA_ALIGNMENT = 128


def cuda_padding(n_bytes: int, row_elements: int, block: int, block_bytes: int) -> int:
    """What a CUDA device adds to one tensor: whole rows of 512 for quantised types, then whole 128 bytes.

    n_bytes: of the tensor. row_elements: its first dimension. block, block_bytes: of its type.
    Source: llama.cpp ggml/src/ggml-cuda/ggml-cuda.cu, ggml_backend_cuda_buffer_type_get_alloc_size.
    """
    missing = -row_elements % CUDA_ROW_ELEMENTS if block > 1 else 0
    more = missing // block * block_bytes
    return more + -(n_bytes + more) % CUDA_ALIGNMENT
