"""A server of the test's own, and a venue on it with two instances in this process."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from matchbox_tui.store import Client, Link
from tests.node.venue import Venue
from tests.servers import OwnServer


@pytest.fixture
def own(tmp_path: Path) -> Iterator[OwnServer]:
    """A server that the test may stop, configure and fill."""
    with OwnServer(tmp_path) as server:
        yield server


@pytest.fixture
def url(own: OwnServer) -> str:
    return own.url


@pytest.fixture
def prefix() -> str:
    return ""


@pytest.fixture
async def venue(url: str, prefix: str, client: Client, link: Link) -> AsyncIterator[Venue]:
    opened = Venue(url, prefix, client, link)
    yield opened
    await opened.stop()
