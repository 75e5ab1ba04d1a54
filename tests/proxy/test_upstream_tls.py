"""Encrypted connections: only to servers whose certificate the machine trusts, and kept like any other."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from ggtui.core.errors import UpstreamUnreachable
from ggtui.core.models import RunningTarget
from ggtui.proxy.upstream import UpstreamPool
from tests.programs.fakeup import plain
from tests.proxy.rig import run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate")
HEAD = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-made one for 127.0.0.1, with its key behind it."""
    folder = tmp_path_factory.mktemp("tls")
    key, made = folder / "key.pem", folder / "made.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    command += ["-nodes", "-days", "2", "-subj", "/CN=made"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, "-keyout", key, "-out", made], check=True, capture_output=True)
    made.write_text(made.read_text() + key.read_text())
    return made


@asynccontextmanager
async def server(certificate: Path) -> AsyncIterator[tuple[int, list[asyncio.StreamWriter]]]:
    """Answers every request over TLS; its port, and its connections."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    peers: list[asyncio.StreamWriter] = []

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peers.append(writer)
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(plain(b"x" * 100_000))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    listening = await asyncio.start_server(converse, "127.0.0.1", 0, ssl=context)
    try:
        yield listening.sockets[0].getsockname()[1], peers
    finally:
        listening.close()
        for peer in peers:
            peer.transport.abort()
        await asyncio.sleep(0)


def target(port: int, host: str = "127.0.0.1") -> RunningTarget:
    return RunningTarget(f"https://{host}:{port}", port, 0, "", 0)


def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: Path) -> None:
    async def check() -> None:
        pool = UpstreamPool()
        async with server(certificate) as (port, _):
            with pytest.raises(UpstreamUnreachable, match=r"certificate of 127\.0\.0\.1 is not trusted"):
                async with pool.exchange(target(port), HEAD):
                    pass
            assert (0, 0) == pool.n_connections(target(port))
            await pool.close()

    run(check())


def test_a_trusted_server_is_asked_again_over_the_same_connection(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    async def check() -> None:
        pool = UpstreamPool()
        async with server(certificate) as (port, peers):
            for _ in range(2):
                body = b""
                async with pool.exchange(target(port), HEAD) as exchange:
                    while data := await exchange.read():
                        body += data
                assert 100_000 == len(body)
            assert 1 == len(peers)
            await pool.close()

    run(check())


def test_a_certificate_for_another_name_is_refused(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    async def check() -> None:
        pool = UpstreamPool()
        async with server(certificate) as (port, _):
            with pytest.raises(UpstreamUnreachable, match="not trusted"):
                async with pool.exchange(target(port, "localhost"), HEAD):
                    pass
            await pool.close()

    run(check())
