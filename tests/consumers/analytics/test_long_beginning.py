"""A copy that begins with much to read keeps its turn meanwhile."""

import asyncio
import time

import pytest
import redis

from matchbox_tui.consumers.analytics import Analytics, Figures, service
from matchbox_tui.consumers.analytics.state import load_figures
from matchbox_tui.store import StateHeader
from tests.consumers.analytics.test_service import Copy, another_client, posted, trade
from tests.node.venue import QUIET, Venue
from tests.waiting import eventually

LEASE_MS = 600


async def test_no_other_copy_gets_a_turn_while_one_loads_what_was_kept(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    await venue.lead(settings=QUIET)
    async with another_client(venue) as client:
        first = Copy(client, "first", keep_seconds=0)
        await posted(venue, await trade(venue, 5))
        await eventually(lambda: venue.link.call("EXISTS", venue.keys.analytics_state))
        await first.stop()
    works = []

    def slow(head: StateHeader, parts: list[bytes]) -> Figures:
        with redis.Redis.from_url(venue.url) as server:
            end = time.monotonic() + 2.5 * LEASE_MS / 1000
            while time.monotonic() < end:
                works.append(server.get(venue.keys.consumer("analytics")))
                time.sleep(0.02)
        return load_figures(head, parts)

    monkeypatch.setattr(service, "load_figures", slow)
    async with another_client(venue) as client:
        second = Analytics(client, "second", lease_ms=LEASE_MS)
        task = asyncio.ensure_future(second.run())
        await posted(venue, await trade(venue, 1, 5))
        second.stop()
        await task
    assert set(works) == {b"second"}
