"""The feeds of a venue that is led, for every test its own."""

from collections.abc import AsyncIterator

import pytest

from tests.api.feeds.watching import Served, serving_feeds
from tests.node.venue import Venue
from tests.waiting import eventually


@pytest.fixture
async def served(led: Venue) -> AsyncIterator[Served]:
    """The feeds, with the settings that an operator gets, once the markets are known."""
    async with serving_feeds(led.url, led.prefix) as feeds:

        async def knows_rain() -> bool:
            return "RAIN" in feeds.gateway.view.exchange.books

        await eventually(knows_rain)
        yield feeds
