"""A venue with an engine on the test's loop, for consumers of its journal."""

from collections.abc import AsyncIterator

import pytest

from matchbox_tui.store import Client, Link
from tests.node.venue import Venue


@pytest.fixture
async def venue(
    url: str, prefix: str, client: Client, link: Link, unsynced: None
) -> AsyncIterator[Venue]:
    made = Venue(url, prefix, client, link)
    yield made
    for instance in made.instances.values():
        if not instance.task.done():
            await instance.crash()
