"""What can be seen of a venue whose store was set back."""

import logging
import random
import re
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from matchbox_tui.engine import NewOrder, Side
from matchbox_tui.store import (
    Client,
    Replica,
)
from tests.node.venue import QUIET, Venue, order
from tests.waiting import eventually

SHORT = msgspec.structs.replace(QUIET, lease_ms=1000)
"""Where a lease of the restored past has to run out."""


def any_orders(count: int, seed: int = 1) -> list[NewOrder]:
    chance = random.Random(seed)
    return [
        order(chance.randint(45, 55), chance.randint(1, 9), chance.choice(list(Side)))
        for _ in range(count)
    ]


async def agree(venue: Venue) -> Replica:
    """Waits until every instance that runs holds what the journal says."""
    await venue.handled()
    expected = await venue.restored()
    for instance in venue.instances.values():
        if not instance.task.done():
            node = instance.node
            await eventually(_hash(node), lambda seen: seen == expected.exchange.state_hash())
    return expected


def _hash(node: object) -> Callable[[], Awaitable[str]]:
    async def state_hash() -> str:
        return node.replica.exchange.state_hash()  # type: ignore[attr-defined,no-any-return]

    return state_hash


def said_set_back(caplog: pytest.LogCaptureFixture) -> list[tuple[int, int]]:
    """The two sequences of each time that it was said, loudly."""
    found = [
        re.search(
            r"THE STORE WAS SET BACK: .*\b(\d+), the store has .*? up to (\d+)", record.message
        )
        for record in caplog.records
        if record.levelno == logging.ERROR
    ]
    return [(int(one[1]), int(one[2])) for one in found if one]


def times_said(caplog: pytest.LogCaptureFixture) -> Callable[[], Awaitable[int]]:
    async def times() -> int:
        return len(said_set_back(caplog))

    return times


async def submit(venue: Venue, count: int, seed: int = 1) -> list[int]:
    ids = await venue.client.submit(any_orders(count, seed))
    await venue.handled()
    return ids


async def by_a_stranger(venue: Venue, count: int) -> list[int]:
    """Ids that a client gets which has never had any before."""
    stranger = await Client.connect(venue.url, venue.prefix)
    try:
        return await stranger.submit(any_orders(count))
    finally:
        await stranger.close()


def knows(venue: Venue, name: str, order_id: int) -> Callable[[], Awaitable[bool]]:
    async def known() -> bool:
        return venue.instances[name].node.store.highest_id >= order_id

    return known
