"""A load as the memory sees it: context, slots, cache types, batches, and where layers may go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggtui.core.models import KvType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ggtui.core.models import LaunchOptions

CELL_STEP = 256
"""llama.cpp rounds a context up to whole steps of this many cells."""
N_BATCH = 2048
"""llama-server's default `-b`."""
N_UBATCH = 512
"""llama-server's default `-ub`."""
MOST_SLOTS = 256
"""LLAMA_MAX_SEQ of llama.cpp src/llama-cparams.h."""
ALL_LAYERS = 1 << 20


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """What of a launch decides its memory. Everything but the context, which may move on a slider."""

    n_parallel: int = 1
    kv_unified: bool = True
    cache_type_k: KvType = KvType.F16
    cache_type_v: KvType = KvType.F16
    flash_attn: bool | None = None
    """None leaves it to the engine, which uses it wherever the model allows."""
    n_gpu_layers: int | None = None
    """None for as many as fit."""
    n_batch: int = N_BATCH
    n_ubatch: int = N_UBATCH
    swa_full: bool = False
    offload_kqv: bool = True
    tensor_split: tuple[float, ...] = ()
    """Shares by device; empty leaves it to their free memory."""
    n_cpu_moe: int = 0
    """The experts of so many first layers stay on the host."""
    n_draft: int = 0
    """States kept for rolling back, on top of the one in use."""

    def total_ctx(self, n_ctx: int) -> int:
        """What `-c` says, when one request is to have n_ctx tokens."""
        return n_ctx if self.kv_unified else n_ctx * max(1, self.n_parallel)

    @property
    def n_streams(self) -> int:
        """Separate caches: one for all slots together, or one for each."""
        return 1 if self.kv_unified else max(1, self.n_parallel)

    def cells(self, n_ctx: int) -> int:
        """Cells of each stream's full cache."""
        total = padded(self.total_ctx(n_ctx))
        return total if self.kv_unified else padded(total // max(1, self.n_parallel))

    def ubatch(self, n_ctx: int, *, is_causal: bool = True) -> int:
        """Tokens that go through the model at once."""
        n_batch = min(self.n_batch, max(1, self.total_ctx(n_ctx))) if is_causal else self.n_batch
        return min(self.n_ubatch, n_batch)


def padded(n_ctx: int) -> int:
    """Tokens rounded up to whole steps of the cache."""
    return -(-max(1, n_ctx) // CELL_STEP) * CELL_STEP


def request_of(options: LaunchOptions) -> LoadRequest:
    """The load that these options lead to, further arguments of llama-server included."""
    extra = _Arguments(options.extra_args)
    return LoadRequest(
        n_parallel=max(1, options.n_parallel),
        kv_unified=options.kv_unified,
        cache_type_k=options.cache_type_k,
        cache_type_v=options.cache_type_v,
        flash_attn=options.flash_attn,
        n_gpu_layers=options.n_gpu_layers,
        n_batch=extra.number("-b", "--batch-size") or N_BATCH,
        n_ubatch=extra.number("-ub", "--ubatch-size") or N_UBATCH,
        swa_full=extra.has("--swa-full"),
        offload_kqv=not extra.has("-nkvo", "--no-kv-offload"),
        tensor_split=extra.shares("-ts", "--tensor-split"),
        n_cpu_moe=ALL_LAYERS if extra.has("-cmoe", "--cpu-moe") else extra.number("-ncmoe", "--n-cpu-moe"),
    )


class _Arguments:
    """Arguments that ggtui hands on without looking; what cannot be read counts as absent."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words

    def has(self, *names: str) -> bool:
        return any(name in self._words for name in names)

    def text(self, *names: str) -> str:
        """The value of the last of these; the engine lets the last one win too."""
        found = ""
        for at, word in enumerate(self._words):
            name, sign, value = word.partition("=")
            if name in names:
                found = value if sign else next(iter(self._words[at + 1 : at + 2]), "")
        return found

    def number(self, *names: str) -> int:
        value = self.text(*names)
        return int(value) if value.isascii() and value.isdigit() else 0

    def shares(self, *names: str) -> tuple[float, ...]:
        pieces = self.text(*names).replace("/", ",").split(",")
        try:
            return tuple(float(piece) for piece in pieces if piece)
        except ValueError:
            return ()
