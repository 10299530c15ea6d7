"""The feeds of a venue that is led, for every test its own."""

from collections.abc import AsyncIterator

import pytest

from tests.api.feeds.watching import Served, serving_feeds
from tests.node.venue import Venue


@pytest.fixture
async def served(led: Venue) -> AsyncIterator[Served]:
    """The feeds, with the settings that an operator gets."""
    async with serving_feeds(led.url, led.prefix) as feeds:
        yield feeds
