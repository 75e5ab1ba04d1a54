"""Which models exist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ggtui.core.labels import LabelChange, Labels
    from ggtui.core.load_history import LoadRecord
    from ggtui.core.models import AdapterSummary, LaunchOptions, ModelLaunchSpec, ModelSummary
    from ggtui.core.removal import RemovalPlan
    from ggtui.core.stores import StoreRoot


@dataclass(frozen=True, slots=True)
class PlaceUse:
    """What the models in one place take on disk."""

    store: str
    """A StoreKind."""
    path: str
    """Plain text."""
    n_models: int = 0
    n_bytes: int = 0
    """All files of models, projectors and adapters, each counted in one place only."""
    waste_bytes: int = 0
    """What of that are further copies of models that are known already."""
    free_bytes: int | None = None
    """Left for us on its file system; None when that cannot be told."""


@dataclass(frozen=True, slots=True)
class CatalogReport:
    """What a look at the model folders found."""

    folders: tuple[str, ...] = ()
    """The folders that are looked at, as given, then the stores."""
    stores: tuple[StoreRoot, ...] = ()
    """The stores of other programs that are there; their paths are among `folders` too."""
    problems: tuple[str, ...] = ()
    """One sentence per folder that could not be read."""
    unfinished: tuple[str, ...] = ()
    """One sentence per download that has not ended."""
    adapters: tuple[AdapterSummary, ...] = ()
    """LoRA adapters, ordered by name."""
    waste_bytes: int = 0
    """What further copies of the same models take on disk."""
    disk: tuple[PlaceUse, ...] = ()
    """What each place takes, those that exist."""
    n_files: int = 0
    """GGUF files seen, shards counted singly."""
    scanned_at: float | None = None
    """Unix time of the last finished scan; None when there was none yet."""


class ModelCatalogPort(Protocol):
    """The models known so far. Listing and resolving never scan: they answer from what is known."""

    async def list_models(self) -> Sequence[ModelSummary]:
        """All models, ordered by public id.

        Raises: StoreUnavailable.
        """

    async def resolve_model(self, name: str) -> ModelSummary | None:
        """The model of this exact, case-sensitive public id, else of this numeric id, else None.

        Raises: StoreUnavailable.
        """

    async def resolve_for_launch(self, name: str) -> ModelLaunchSpec | None:
        """The same resolution, with the files. A missing or broken file shows as `problem`.

        Raises: StoreUnavailable.
        """

    async def note_loaded(self, model_id: int) -> None:
        """Keep that this model was loaded now; later summaries have it. Unknown ids are ignored.

        Raises: StoreUnavailable.
        """

    async def refresh(self) -> CatalogReport:
        """Look at the folders again; new, changed and vanished files show in the next listing.

        Two calls at once share one scan.
        Raises: StoreUnavailable.
        """

    def report(self) -> CatalogReport:
        """What the last refresh of this or an earlier run found."""

    async def close(self) -> None:
        """Release the database. Further calls raise StoreUnavailable."""


class ModelStorePort(ModelCatalogPort, Protocol):
    """The catalog itself, as its owner sees it: it can be pointed elsewhere."""

    async def set_context(self, model_id: int, n_ctx: int | None) -> None:
        """Keep a context for this model, or forget it with None. Unknown ids are ignored.

        Choices belong to the settings of models: what a catalog still has of them is moved there.
        Raises: StoreUnavailable.
        """

    async def note_load(self, model_id: int, record: LoadRecord) -> None:
        """Keep what a load took; later summaries have what it teaches. Unknown ids are ignored.

        Raises: StoreUnavailable.
        """

    async def load_history(self, model_id: int) -> tuple[LoadRecord, ...]:
        """What the loads of a model took, the newest first; only those of the file as it is now.

        Raises: StoreUnavailable.
        """

    async def adapters_at(self, paths: Sequence[str]) -> tuple[AdapterSummary, ...]:
        """The LoRA file at each of these absolute paths, as it is now; one that cannot be used has a problem.

        Raises: StoreUnavailable.
        """

    async def change_labels(self, model_id: int, change: LabelChange) -> Labels:
        """Change what a person calls a model; later summaries have it. Returns what is kept then.

        Unknown ids keep nothing. Raises: StoreUnavailable, InvalidRequest.
        """

    async def plan_removal(self, model_id: int) -> RemovalPlan | None:
        """What taking this model off the disk would do now, or why it may not go; None for an unknown id.

        Raises: StoreUnavailable.
        """

    async def remove(self, plan: RemovalPlan) -> None:
        """Do what a plan says, when it still is the plan; a refresh has to follow.

        Raises: RemovalRefused, StoreUnavailable.
        """

    async def reconfigure(
        self, folders: Sequence[Path], options: LaunchOptions, stores: Sequence[StoreRoot] = ()
    ) -> None:
        """From now on look into these folders and stores, and launch like this; a refresh has to follow.

        Raises: StoreUnavailable.
        """

    async def refresh_changed(self) -> bool:
        """Look again at those places only whose folders have changed since the last look.

        Returns True when there were any. Costs one stat per folder; looks at nothing before a refresh has.
        Raises: StoreUnavailable.
        """
