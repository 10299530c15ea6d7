"""Stores of two rival instances on the test's own venue, once on each kind of server."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from matchbox_tui.engine import state
from matchbox_tui.store import Keys, Server, Store, snapshot
from tests.kinds import KINDS, VALKEY
from tests.servers import OwnServer


@pytest.fixture(scope="session", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """One of `tests.kinds`; a test that asks for it, or for the `url`, runs on each."""
    return str(request.param)


@pytest.fixture(scope="session")
def shared_url(
    kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """One server of this kind for all tests that don't stop or reconfigure it."""
    if kind == VALKEY:
        yield request.getfixturevalue("server").url
        return
    with OwnServer(tmp_path_factory.mktemp(kind), kind=kind) as server:
        yield server.url


@pytest.fixture
def url(shared_url: str) -> str:
    return shared_url


@pytest.fixture
def own(kind: str, tmp_path: Path) -> Iterator[OwnServer]:
    """A server of each kind that the test may stop and configure."""
    with OwnServer(tmp_path, kind=kind) as server:
        yield server


@pytest.fixture
async def store(url: str, keys: Keys) -> AsyncIterator[Store]:
    opened = Store(Server(url), keys, "a")
    yield opened
    await opened.close()


@pytest.fixture
async def rival(url: str, keys: Keys) -> AsyncIterator[Store]:
    opened = Store(Server(url), keys, "b")
    yield opened
    await opened.close()


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every snapshot has many parts, which go and come one by one."""
    monkeypatch.setattr(state, "PART_SIZE", 20)
    monkeypatch.setattr(snapshot, "SEND_BYTES", 1)
    monkeypatch.setattr(snapshot, "READ_PARTS", 1)
