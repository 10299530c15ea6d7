"""A real server for whoever asks for one, and a venue of its own for every test."""

import itertools
import os
import tempfile
from collections.abc import AsyncIterator, Iterator

import pytest

from matchbox_tui.store import Client, EmbeddedServer, Keys, Link, Server
from tests.places import SHORT

_venues = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--chaos-seconds", type=float, help="how long tests/chaos torments a venue (default: short)"
    )
    parser.addoption("--chaos-seed", type=int, default=1, help="what its faults are drawn from")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Three on two cores too, since two of them would wait half of the time."""
    return max(3, min(4, os.cpu_count() or 1))


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    """One embedded server for all tests that don't stop or reconfigure it."""
    embedded = EmbeddedServer()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", SHORT)
        embedded.start()
    yield embedded
    embedded.stop()


@pytest.fixture
def url(server: EmbeddedServer) -> str:
    return server.url


@pytest.fixture
def prefix() -> str:
    """Keys that no other test has: tests run alone, in any order and side by side."""
    return f"t{os.getpid()}-{next(_venues)}:"


@pytest.fixture
def keys(prefix: str) -> Keys:
    return Keys(prefix)


@pytest.fixture
async def link(url: str) -> AsyncIterator[Link]:
    """A bare connection, to look at keys and to put things there."""
    bare = Server(url, timeout_s=10).link("matchbox-test")
    yield bare
    await bare.close()


@pytest.fixture
async def client(url: str, prefix: str) -> AsyncIterator[Client]:
    # More patient than its users: a busy machine may sync its disk for seconds.
    connected = await Client.connect(f"{url}?socket_timeout=10", prefix, "test")
    yield connected
    await connected.close()


@pytest.fixture
async def unsynced(link: Link) -> AsyncIterator[None]:
    """The server does not wait for its disk: for tests that write much and kill no server."""
    await link.call("CONFIG", "SET", "appendfsync", "no")
    yield
    await link.call("CONFIG", "SET", "appendfsync", "always")
