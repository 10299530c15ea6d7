"""A venue with a leader and a gateway to it, for every test its own."""

from collections.abc import AsyncIterator

import pytest

from matchbox_tui.engine import Market
from matchbox_tui.store import Client, Link
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
