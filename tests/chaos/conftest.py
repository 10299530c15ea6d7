"""A server of the test's own, and a venue on it with two instances in this process."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from matchbox_tui.store import Client, Server
from tests.node.venue import Venue
from tests.servers import OwnServer


@pytest.fixture
def own(tmp_path: Path) -> Iterator[OwnServer]:
    """A server that the test may stop, configure and fill."""
    with OwnServer(tmp_path) as server:
        yield server


@pytest.fixture
async def venue(own: OwnServer) -> AsyncIterator[Venue]:
    client = await Client.connect(own.url)
    link = Server(own.url, timeout_s=10).link("matchbox-test")
    opened = Venue(own.url, "", client, link)
    yield opened
    await opened.stop()
    await client.close()
    await link.close()
