"""A venue without instances yet; those that a test starts are stopped after it."""

from collections.abc import AsyncIterator

import pytest

from matchbox_tui.store import Client, Link
from tests.node.often import Writers
from tests.node.venue import Venue


@pytest.fixture
async def venue(url: str, prefix: str, client: Client, link: Link) -> AsyncIterator[Venue]:
    opened = Venue(url, prefix, client, link)
    yield opened
    await opened.stop()


@pytest.fixture
def writers(monkeypatch: pytest.MonkeyPatch) -> Writers:
    return Writers(monkeypatch)
