"""What the hub's own variables say: where it is, who asks, whether it may be asked at all."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ggtui.adapters.remote.address import Address
from ggtui.core.errors import ConfigInvalid, RemoteRefused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HUB = "https://huggingface.co"
LARGEST_TOKEN_FILE = 4096
_TOKEN = re.compile(r"[\x21-\x7e]{1,1024}")
_TRUE = frozenset({"1", "ON", "YES", "TRUE"})


class LeftAlone(RemoteRefused):
    """A person wants the hub not to be asked.

    For now, and maybe only this time: a download waits for it, and goes on when ggtui starts without that.
    """

    retryable = True


@dataclass(frozen=True, slots=True)
class Access:
    """The hub, and the token that is for its own origin only."""

    endpoint: Address
    token: str = field(default="", repr=False)
    is_offline: bool = False

    def headers_for(self, address: Address) -> dict[str, str]:
        """The credentials that this address may see: none, when it is not the hub's."""
        if not self.token or address.origin != self.endpoint.origin:
            return {}
        return {"Authorization": f"Bearer {self.token}"}

    def check_may_ask(self, address: Address) -> None:
        """Raises: LeftAlone when a person wants that."""
        if self.is_offline and address.origin == self.endpoint.origin:
            raise LeftAlone(
                f"{address.origin.host} is not asked: HF_HUB_OFFLINE is set",
                hint="unset it to ask there",
            )


def access_from(environ: Mapping[str, str]) -> Access:
    """The access these variables describe, by the rules of the hub's own library.

    Raises: ConfigInvalid.
    """
    offline = environ.get("HF_HUB_OFFLINE") or environ.get("TRANSFORMERS_OFFLINE")
    return Access(_endpoint(environ), _token(environ), _is_true(offline))


def _is_true(value: str | None) -> bool:
    return (value or "").upper() in _TRUE


def _endpoint(environ: Mapping[str, str]) -> Address:
    try:
        address = Address.parse((environ.get("HF_ENDPOINT") or HUB).rstrip("/"))
    except RemoteRefused as error:
        raise ConfigInvalid(f"HF_ENDPOINT: {error.detail}") from None
    return Address(address.origin, address.path.rstrip("/"))


def _token(environ: Mapping[str, str]) -> str:
    named = _clean(environ.get("HF_TOKEN")) or _clean(environ.get("HUGGING_FACE_HUB_TOKEN"))
    if not named and not _is_true(environ.get("HF_HUB_DISABLE_IMPLICIT_TOKEN")):
        named = _clean(_file_text(next(_token_files(environ))))
    if named and not _TOKEN.fullmatch(named):
        raise ConfigInvalid("the hub's token (HF_TOKEN) has characters that no token has")
    return named


def _clean(text: str | None) -> str:
    return (text or "").replace("\r", "").replace("\n", "").strip()


def _token_files(environ: Mapping[str, str]) -> Iterator[Path]:
    """Where the token lies, the first that a variable names."""
    home = Path(environ.get("HOME") or Path.home())
    places = (("HF_TOKEN_PATH", ""), ("HF_HOME", "token"), ("XDG_CACHE_HOME", "huggingface/token"))
    for name, inside in places:
        text = environ.get(name, "").strip()
        if text:
            yield (home / text[2:] if text.startswith("~/") else Path(text)) / inside
    yield home / ".cache/huggingface/token"


def _file_text(path: Path) -> str:
    """The text of a small file; empty when there is none, or none that can be read."""
    try:
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            return file.read(LARGEST_TOKEN_FILE).decode("utf-8", "replace")
    except OSError:
        return ""
