"""A server behind TLS: the same link, over a transport of another kind."""

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from matchbox_tui.store import InDoubt, Link, Server, Unreachable

pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="openssl makes the certificate"
)

BIG = b"x" * 3_000_000


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    directory = tmp_path_factory.mktemp("tls")
    cert, key = directory / "cert.pem", directory / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", str(key), "-out", str(cert)),
        ],
        check=True,
        capture_output=True,
    )
    return cert, key


@pytest.fixture
async def tls(url: str, certificate: tuple[Path, Path]) -> AsyncIterator[asyncio.Server]:
    """Takes TLS off, and passes everything on to the server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    writers: list[asyncio.StreamWriter] = []

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = urlsplit(url)
        inner, outer = await (
            asyncio.open_unix_connection(there.path)
            if there.scheme == "unix"
            else asyncio.open_connection(there.hostname, there.port)
        )
        writers.extend((writer, outer))
        await asyncio.gather(pass_on(reader, outer), pass_on(inner, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    yield server
    server.close()
    for writer in writers:
        writer.close()
    await asyncio.sleep(0.05)


def _address(tls: asyncio.Server, certificate: tuple[Path, Path]) -> str:
    port = tls.sockets[0].getsockname()[1]
    return f"rediss://localhost:{port}?ssl_ca_certs={certificate[0]}"


async def test_calls_of_any_size_are_answered(
    tls: asyncio.Server, certificate: tuple[Path, Path]
) -> None:
    link = Server(_address(tls, certificate), timeout_s=10).link()
    assert await link.calls([("ECHO", BIG), ("ECHO", "after it")]) == [BIG, b"after it"]
    waiting = asyncio.ensure_future(link.call("BLPOP", "nobody:pushes", 0, timeout_s=60))
    await asyncio.sleep(0.05)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert await link.call("PING") == b"PONG"
    await link.close()


async def test_a_connection_that_breaks_leaves_the_call_in_doubt(
    tls: asyncio.Server, certificate: tuple[Path, Path], link: Link
) -> None:
    secured = Server(_address(tls, certificate), timeout_s=10).link()
    connection = await secured.call("CLIENT", "ID")
    waiting = asyncio.ensure_future(secured.call("BLPOP", "nobody:pushes", 0, timeout_s=60))
    await asyncio.sleep(0.05)
    await link.call("CLIENT", "KILL", "ID", connection)
    with pytest.raises(InDoubt):
        await waiting
    assert await secured.call("PING") == b"PONG"
    await secured.close()


async def test_a_certificate_that_nobody_vouches_for_is_told(tls: asyncio.Server) -> None:
    link = Server(f"rediss://localhost:{tls.sockets[0].getsockname()[1]}").link()
    with pytest.raises(Unreachable, match="certificate verify failed"):
        await link.call("PING")
