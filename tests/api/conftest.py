"""A venue with a leader and a gateway to it, for every test its own."""

import asyncio
import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from matchbox_tui.consumers.analytics import Analytics
from matchbox_tui.engine import Market
from matchbox_tui.store import Client, EmbeddedServer, Link, Server
from tests.api.serving import Api, serving
from tests.node.venue import QUIET, Venue

RAIN = Market.prediction("RAIN", "Will it rain in Oslo on Friday?")


@pytest.fixture
async def venue(url: str, prefix: str, client: Client, link: Link) -> AsyncIterator[Venue]:
    """No instance runs yet; those that a test starts are stopped after it."""
    opened = Venue(url, prefix, client, link)
    yield opened
    await opened.stop()


@pytest.fixture
async def led(venue: Venue) -> Venue:
    """A venue with a leader, and the market RAIN beside MAIN."""
    await venue.lead("a", settings=QUIET, markets=(RAIN,))
    return venue


@pytest.fixture
async def api(led: Venue) -> AsyncIterator[Api]:
    """A gateway to a venue that is led."""
    async with serving(led.url, led.prefix) as served:
        await served.settled()
        yield served


@pytest.fixture
async def analytics(api: Api) -> AsyncIterator["asyncio.Task[None]"]:
    """The venue's analytics at work beside it; cancelled, they are killed."""
    service = Analytics(api.gateway.client, "test", post_seconds=0.01)
    running = asyncio.create_task(service.run())
    yield running
    service.stop()
    await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
def counted(api: Api, analytics: "asyncio.Task[None]") -> Api:
    """A gateway to a venue whose analytics run."""
    return api


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_api(server: EmbeddedServer, request: pytest.FixtureRequest) -> AsyncIterator[Api]:
    """As `api`, one for a whole module: for tests that leave no orders behind, or don't mind."""
    prefix = f"shared{os.getpid()}-{request.node.name}:"
    link = Server(server.url, timeout_s=10).link("matchbox-test")
    client = await Client.connect(server.url, prefix, "test")
    venue = Venue(server.url, prefix, client, link)
    try:
        await venue.lead("a", settings=QUIET, markets=(RAIN,))
        async with serving(venue.url, venue.prefix) as served:
            await served.settled()
            yield served
    finally:
        await venue.stop()
        await client.close()
        await link.close()
