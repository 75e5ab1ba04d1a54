"""Looks at a server of our own."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.remote.access import Access
from ggtui.adapters.remote.address import Address
from ggtui.adapters.remote.budget import Budget
from ggtui.adapters.remote.ranges import RangedFile, opened_remotely
from ggtui.core.errors import Failure
from ggtui.core.units import MIB
from tests.web import Web

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.web import Asked, Reply

GUARD_S = 30.0


@dataclass
class Look:
    """One look with its own budget; the hub is elsewhere unless a test says so."""

    web: Web
    access: Access = field(default_factory=lambda: Access(Address.parse("https://hub.invalid")))
    budget: Budget = field(default_factory=lambda: Budget(GUARD_S, 64 * MIB))

    def at(self, path: str = "/m.gguf") -> Address:
        return Address.parse(self.web.url + path)

    def with_token(self, token: str = "hf_secret") -> None:
        """The server is the hub, and this is the token for it."""
        self.access = replace(self.access, endpoint=Address.parse(self.web.url), token=token)

    def read(self, n_bytes: int, step: int | None = None, path: str = "/m.gguf") -> bytes:
        """The first bytes of the file, `step` at a time."""
        with opened_remotely(self.at(path), self.access, self.budget) as file:
            return read_on(file, n_bytes, step or n_bytes)

    def failure(self, n_bytes: int = 1, step: int | None = None, path: str = "/m.gguf") -> Failure:
        """What stands in the way of the same."""
        with pytest.raises(Failure) as caught:
            self.read(n_bytes, step, path)
        return caught.value


def read_on(file: RangedFile, n_bytes: int, step: int) -> bytes:
    content = b""
    while len(content) < n_bytes:
        content += file.read(len(content), min(step, n_bytes - len(content)))
    return content


@pytest.fixture
def look() -> Iterator[Callable[[Callable[[Asked], Reply]], Look]]:
    """Starts a server that answers so, and looks at it."""
    webs: list[Web] = []

    def start(serve: Callable[[Asked], Reply]) -> Look:
        web = Web(serve)
        web.__enter__()
        webs.append(web)
        return Look(web)

    yield start
    for web in webs:
        web.__exit__()


def without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("all_proxy", "https_proxy", "http_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost that nobody vouches for, with its key in the same file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs openssl to make a certificate")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    command = [
        openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
        "-addext", "subjectAltName=DNS:localhost,DNS:models.example",
        "-keyout", str(path), "-out", f"{path}.crt",
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + path.with_suffix(".pem.crt").read_bytes())
    return path


@contextmanager
def secure(certificate: Path, serve: Callable[[Asked], Reply]) -> Iterator[Web]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with Web(serve, context) as web:
        yield web
