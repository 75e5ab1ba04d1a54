"""Models on other machines, as far as their headers tell: nothing but these is read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ggtui.adapters.gguf.facts import KIND_MODEL
from ggtui.adapters.gguf.found import FoundFile, models_of
from ggtui.adapters.gguf.header import Header, read_header_of
from ggtui.adapters.gguf.scan import read_facts
from ggtui.adapters.gguf.unlisted import summary_of
from ggtui.adapters.remote.access import access_from
from ggtui.adapters.remote.budget import Budget
from ggtui.adapters.remote.crew import AT_ONCE, ask_all, ask_one
from ggtui.adapters.remote.hub import HubName, file_address, gguf_files
from ggtui.adapters.remote.ranges import opened_remotely
from ggtui.adapters.remote.refusals import NotThere
from ggtui.cli.model_file import model_facts
from ggtui.core.errors import Failure, HeaderUnreadable, RemoteRefused
from ggtui.core.naming import shard_of
from ggtui.core.units import MIB

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ggtui.adapters.gguf.found import FoundModel
    from ggtui.adapters.remote.access import Access
    from ggtui.adapters.remote.address import Address
    from ggtui.core.models import ModelSummary

TIME_S = 20.0
"""For as many files as are read at once."""
LONGEST_LOOK_S = 120.0
MOST_BYTES = 256 * MIB
MOST_SHARDS = 1024


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """A model of a repository."""

    path: str
    """Of its first file, inside the repository."""
    kind: str
    """`model`, or what it is instead, such as `mmproj`."""
    n_files: int
    summary: ModelSummary
    """Its `problem` tells why nothing is known of it."""


@dataclass(frozen=True, slots=True)
class Repository:
    """The models of a repository, by path."""

    name: str
    models: tuple[RemoteModel, ...]
    fetched_bytes: int


def is_repository(name: str) -> bool:
    """True for the name of a whole repository. Raises: RemoteRefused for a name that is none of the hub's."""
    return name.lower().startswith("hf:") and HubName.parse(name).path is None


def summary_of_address(name: str, environ: Mapping[str, str]) -> ModelSummary:
    """What the header of the file at this address tells, all its shards counted.

    Raises: RemoteFailure, HeaderUnreadable (also for a file that is no model), ConfigInvalid; a shard that
    is missing shows as `problem`.
    """
    access = access_from(environ)
    given = file_address(name, access)
    shard = shard_of(given.file_name)
    count = shard.count if shard else 1
    if count > MOST_SHARDS:
        raise RemoteRefused(f"a model of more than {MOST_SHARDS} files is not read")
    reader = _Reader(access, _budget(count))
    names = [f"{shard.base}-{n:05}-of-{count:05}.gguf" for n in range(1, count + 1)] if shard else []
    first, *others = [given.named(each) for each in names] or [given]
    headers: dict[str, Header | Failure] = {}
    headers[first.file_name] = ask_one(partial(reader.header, first), reader.budget)
    headers |= reader.headers({other.file_name: other for other in others})
    for each in headers.values():
        if isinstance(each, Failure) and not isinstance(each, NotThere):
            raise each
    found = [_file(each, header) for each, header in headers.items() if isinstance(header, Header)]
    model = next(models_of(found))
    return summary_of(model, model_facts(model, read_facts(model, partial(_told, headers))))


def read_repository(name: str, environ: Mapping[str, str]) -> Repository:
    """All models of this repository, as far as they can be read.

    Raises: RemoteFailure, ConfigInvalid.
    """
    access, hub = access_from(environ), HubName.parse(name)
    listing = _budget(1)
    files = ask_one(partial(gguf_files, hub, access, listing), listing)
    if not files:
        raise RemoteRefused(f"{hub} holds no GGUF files")
    reader = _Reader(access, _budget(len(files)))
    by_worth = sorted((file.path for file in files), key=_tells_little)
    headers = reader.headers({path: hub.address_of(path, access) for path in by_worth})
    models = models_of(FoundFile(file.path, file.path, file.size_bytes, 0, 0, 0) for file in files)
    rows = [_remote_model(model, headers) for model in models]
    rows.sort(key=lambda row: (row.summary.size_bytes, row.path))
    return Repository(str(hub), tuple(rows), reader.budget.spent_bytes)


def _tells_little(path: str) -> tuple[bool, bool, str]:
    """Models before what belongs to them, and the parts that hold a vocabulary before the others."""
    name = path.rpartition("/")[2].lower()
    shard = shard_of(name)
    return ("mmproj" in name or "imatrix" in name, shard is not None and shard.number > 1, path)


def _remote_model(model: FoundModel, headers: Mapping[str, Header | Failure]) -> RemoteModel:
    facts = read_facts(model, partial(_told, headers))
    return RemoteModel(model.first.path, facts.kind or KIND_MODEL, len(model.files), summary_of(model, facts))


def _budget(n_files: int) -> Budget:
    turns = -(-n_files // AT_ONCE)
    return Budget(min(TIME_S * turns, LONGEST_LOOK_S), MOST_BYTES)


def _file(name: str, header: Header) -> FoundFile:
    return FoundFile(name, name, header.file_bytes, 0, 0, 0)


def _told(headers: Mapping[str, Header | Failure], path: str) -> Header:
    """The header that was read. Raises: HeaderUnreadable, whatever was in the way."""
    found = headers[path]
    if isinstance(found, Header):
        return found
    raise HeaderUnreadable(found.message)


@dataclass(slots=True)
class _Reader:
    """Reads headers. The first that is read shows the others what they need not read again."""

    access: Access
    budget: Budget
    alike: Header | None = None

    def headers(self, addresses: Mapping[str, Address]) -> dict[str, Header | Failure]:
        """The header of each file, or why it cannot be read."""
        questions = [partial(self.header, address) for address in addresses.values()]
        headers = ask_all(questions[:1], self.budget)
        headers += ask_all(questions[1:], self.budget)
        return dict(zip(addresses, headers, strict=True))

    def header(self, address: Address) -> Header:
        """The header of one file. Raises: RemoteFailure, HeaderUnreadable."""
        with opened_remotely(address, self.access, self.budget) as file:
            header = read_header_of(file, self.budget.time_s, self.alike)
        self.alike = self.alike or header
        return header
