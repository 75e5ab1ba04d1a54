"""The model hub: names such as `hf:OWNER/REPO/FILE.gguf@REV`, and the files of a repository."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ggtui.adapters.remote.address import Address
from ggtui.adapters.remote.exchange import ask
from ggtui.adapters.remote.refusals import refusal
from ggtui.core.errors import RemoteRefused
from ggtui.core.units import MIB

if TYPE_CHECKING:
    from ggtui.adapters.remote.access import Access
    from ggtui.adapters.remote.budget import Budget
    from ggtui.adapters.remote.exchange import Answer

PREFIX = "hf:"
MAIN = "main"
MOST_PAGES = 20
MOST_FILES = 2000
LARGEST_PAGE = 8 * MIB
LONGEST_PATH = 512
_PART = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,95})"
_NAME = re.compile(rf"hf:({_PART})/({_PART})(?:/(.+?\.gguf))?(?:@(.+))?", re.IGNORECASE)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NEXT = re.compile(r'<([^<>]+)>\s*;[^,<]*\brel="?next\b', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class HubName:
    """A repository of the hub, or a file in it."""

    owner: str
    repository: str
    path: str | None = None
    """None for the repository."""
    revision: str = MAIN

    @classmethod
    def parse(cls, text: str) -> HubName:
        """The name of this text. Raises: RemoteRefused."""
        match = _NAME.fullmatch(text)
        if match is None or ".." in text or not text.isprintable():
            raise RemoteRefused(
                "this is no name on the hub",
                hint="write hf:OWNER/REPO or hf:OWNER/REPO/FILE.gguf, with @REV for a revision",
            )
        owner, repository, path, revision = match.groups()
        return cls(owner, repository, path, revision or MAIN)

    def __str__(self) -> str:
        path = f"/{self.path}" if self.path else ""
        revision = f"@{self.revision}" if self.revision != MAIN else ""
        return f"{PREFIX}{self.owner}/{self.repository}{path}{revision}"

    def address_of(self, path: str, access: Access) -> Address:
        """Where this file of the repository is read."""
        revision = quote(self.revision, safe="")
        return below(access, f"/{self.owner}/{self.repository}/resolve/{revision}/{quote(path)}")


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file as the hub lists it."""

    path: str
    size_bytes: int
    sha256: str = ""
    """64 hexadecimal digits; empty for a small file, which the hub keeps without one."""


def file_address(text: str, access: Access) -> Address:
    """The address of a file, from a web address or a name on the hub; the page of a file means the file.

    Raises: RemoteRefused.
    """
    if text.lower().startswith(PREFIX):
        name = HubName.parse(text)
        return name.address_of(name.path or "", access)
    address = Address.parse(text)
    if address.origin == access.endpoint.origin:
        path = re.sub(r"^(/[^/]+/[^/]+)/blob/", r"\1/resolve/", address.path)
        address = Address(address.origin, path, address.query)
    if not address.file_name.lower().endswith(".gguf"):
        raise RemoteRefused("this is no address of a .gguf file")
    return address


def gguf_files(name: HubName, access: Access, budget: Budget) -> list[HubFile]:
    """All GGUF files of the repository, by path.

    Raises: RemoteRefused, RemoteUnreachable.
    """
    revision = quote(name.revision, safe="")
    page: Address | None = below(
        access, f"/api/models/{name.owner}/{name.repository}/tree/{revision}", "recursive=1"
    )
    found: dict[str, HubFile] = {}
    for _ in range(MOST_PAGES):
        if page is None:
            return sorted(found.values(), key=lambda file: file.path)
        rows, page = _read_page(page, access, budget)
        found.update((file.path, file) for row in rows if (file := _file_of(row)))
        if len(found) > MOST_FILES:
            break
    raise RemoteRefused(f"{name} has too many files to list them", hint="name one of them")


def below(access: Access, path: str, query: str = "") -> Address:
    """This path of the hub."""
    return Address(access.endpoint.origin, access.endpoint.path.rstrip("/") + path, query)


def _read_page(page: Address, access: Access, budget: Budget) -> tuple[list[Any], Address | None]:
    """The rows of one page, and where the next one is."""
    rows, answer = read_document(page, access, budget)
    if not isinstance(rows, list):
        raise RemoteRefused(f"{page.origin.host} does not answer as the hub does")
    return rows, _next_page(answer, access)


def read_document(page: Address, access: Access, budget: Budget) -> tuple[object, Answer]:
    """The JSON under this address, None for what is none; and the answer, read and closed, for its head.

    Raises: RemoteRefused, RemoteUnreachable.
    """
    answer = ask(page, {"Accept": "application/json"}, access, budget)
    try:
        if answer.status != 200:
            raise refusal(answer, access)
        return _json(answer.whole(LARGEST_PAGE)), answer
    finally:
        answer.close()


def _json(content: bytes) -> object:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _next_page(answer: Answer, access: Access) -> Address | None:
    match = _NEXT.search(answer.header("Link")[:16_384])
    if match is None:
        return None
    address = answer.address.leading_to(match[1])
    if address.origin != access.endpoint.origin:
        raise RemoteRefused(f"{access.endpoint.origin.host} has its listing go on elsewhere")
    return address


def _file_of(row: object) -> HubFile | None:
    """The file of a row; None for a folder, for another kind of file and for nonsense."""
    if not isinstance(row, dict) or row.get("type") != "file":
        return None
    path, large = row.get("path"), row.get("lfs")
    size = (large if isinstance(large, dict) else row).get("size")
    if not isinstance(path, str) or type(size) is not int or not 0 <= size < 1 << 63:
        return None
    is_sound = path.lower().endswith(".gguf") and len(path) <= LONGEST_PATH and path.isprintable()
    is_inside = not path.startswith("/") and ".." not in path.split("/") and "\\" not in path
    digest = large.get("oid") if isinstance(large, dict) else None
    sha256 = digest if isinstance(digest, str) and _SHA256.fullmatch(digest) else ""
    return HubFile(path, size, sha256) if is_sound and is_inside else None
