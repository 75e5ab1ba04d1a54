"""KV bytes: cells times the row of each layer, by cache type. Source: llama.cpp src/llama-kv-cache.cpp."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ggtui.core.memory.families import COMPRESSED
from ggtui.core.memory.layers import layer_caches, window_rule, window_width
from ggtui.core.memory.request import padded
from ggtui.core.models import KvType

if TYPE_CHECKING:
    from ggtui.core.memory.layers import LayerCache
    from ggtui.core.memory.request import LoadRequest
    from ggtui.core.memory.shape import ModelShape

BLOCKS: dict[KvType, tuple[int, int]] = {
    KvType.F32: (1, 4),
    KvType.F16: (1, 2),
    KvType.BF16: (1, 2),
    KvType.Q8_0: (32, 34),
    KvType.Q5_1: (32, 24),
    KvType.Q5_0: (32, 22),
    KvType.Q4_1: (32, 20),
    KvType.Q4_0: (32, 18),
    KvType.IQ4_NL: (32, 18),
}
"""Elements and bytes of one block, by type. Source: llama.cpp ggml/src/ggml-common.h."""


def row_bytes(kv_type: KvType, n_elements: int) -> int:
    """Bytes of one cache row of n_elements, whole blocks."""
    elements, size = BLOCKS[kv_type]
    return -(-n_elements // elements) * size


def is_quantised(kv_type: KvType) -> bool:
    """True for a type of more than one element a block."""
    return BLOCKS[kv_type][0] > 1


@dataclass(frozen=True, slots=True)
class Rows:
    """Bytes that a token takes in the caches of some layers."""

    full: int = 0
    """In caches as long as the context."""
    windowed: int = 0
    """In caches as long as the window."""
    by_4: int = 0
    """In caches of one cell for 4 tokens."""
    by_128: int = 0
    """In caches of one cell for 128 tokens."""

    def __add__(self, other: Rows) -> Rows:
        return Rows(
            self.full + other.full,
            self.windowed + other.windowed,
            self.by_4 + other.by_4,
            self.by_128 + other.by_128,
        )

    def times(self, n: int) -> Rows:
        """These rows n times."""
        return Rows(self.full * n, self.windowed * n, self.by_4 * n, self.by_128 * n)

    def bytes_of(self, cells: Cells) -> int:
        """Bytes of these caches, all streams together."""
        n_bytes = self.full * cells.full + self.windowed * cells.windowed
        return cells.n_streams * (n_bytes + self.by_4 * cells.by_4 + self.by_128 * cells.by_128)


class Cells(NamedTuple):
    """Cells of one stream, by kind of cache."""

    full: int
    windowed: int
    by_4: int
    by_128: int
    n_streams: int


def rows_by_layer(shape: ModelShape, request: LoadRequest, *, flash_attn: bool) -> tuple[Rows, ...]:
    """The rows of each layer, in layer order; a layer without a cache has 0 bytes."""
    known: dict[LayerCache, Rows] = {}
    rows = []
    for layer in layer_caches(shape, flash_attn=flash_attn):
        found = known.get(layer)
        if found is None:
            found = known[layer] = _rows(layer, request)
        rows.append(found)
    return tuple(rows)


def _rows(layer: LayerCache, request: LoadRequest) -> Rows:
    def both(k: int, v: int) -> int:
        return row_bytes(request.cache_type_k, k) + row_bytes(request.cache_type_v, v)

    own, index = both(layer.k, layer.v), both(layer.index_k, layer.index_v)
    if layer.ratio:
        return Rows(0, own, own + index if layer.ratio == 4 else 0, own if layer.ratio == 128 else 0)
    return Rows(index, own) if layer.is_windowed else Rows(own + index)


def window_cells(shape: ModelShape, request: LoadRequest, n_ctx: int) -> int:
    """Cells of each stream's windowed cache; 0 for a model without windows.

    n_ctx: tokens of one request. Source: llama.cpp src/llama-kv-cache-iswa.cpp.
    """
    rule = window_rule(shape)
    if rule is None:
        return 0
    cells = request.cells(n_ctx)
    if request.swa_full:
        return cells
    is_shared = request.kv_unified and shape.architecture not in COMPRESSED
    n_together = max(1, request.n_parallel) if is_shared else 1
    batch = request.ubatch(n_ctx, is_causal=shape.is_causal)
    return padded(min(cells, window_width(shape, rule) * n_together + batch))


def cells_of(shape: ModelShape | None, request: LoadRequest, n_ctx: int) -> Cells:
    """The cells of each kind of cache at this context, tokens of one request."""
    full = request.cells(n_ctx)
    if shape is None:
        return Cells(full, 0, 0, 0, request.n_streams)
    # These caches are kept by slot even where the slots share one pool.
    n_streams = max(1, request.n_parallel) if shape.architecture in COMPRESSED else request.n_streams
    windowed = window_cells(shape, request, n_ctx)
    return Cells(full, windowed, padded(-(-full // 4)), padded(-(-full // 128)), n_streams)


def kv_bytes(shape: ModelShape, request: LoadRequest, n_ctx: int, *, flash_attn: bool = True) -> int:
    """Bytes of all caches of the model together.

    n_ctx: tokens of one request; slots share one pool of that size when the cache is unified.
    """
    rows = sum(rows_by_layer(shape, request, flash_attn=flash_attn), Rows())
    return rows.bytes_of(cells_of(shape, request, n_ctx))
