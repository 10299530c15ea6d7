"""That a venue came through: it trades again, everybody agrees, and its history holds."""

import contextlib
import itertools

from matchbox_tui.node import Settings
from matchbox_tui.store import StoreError
from sim.audit import audit_venue
from tests.node.venue import Venue, buy, sell
from tests.waiting import eventually

QUICK = Settings(lease_ms=500, renew_ms=100, poll_ms=10)
"""A lead that is lost is taken again soon."""

_names = itertools.count()


async def opened(venue: Venue, settings: Settings = QUICK) -> None:
    """Two instances, and a market with a fill in it."""
    await venue.lead("a", settings=settings)
    venue.start("b", settings=settings)
    await trades(venue)


async def says(venue: Venue, kind: type[StoreError], words: str) -> None:
    """Waits until a submit fails in this way."""

    async def submitted() -> StoreError | None:
        try:
            await venue.client.submit([buy(1)])
        except StoreError as error:
            return error
        return None

    await eventually(submitted, lambda said: isinstance(said, kind) and words in str(said))


async def trades(venue: Venue) -> None:
    """Two orders meet, however often the server refuses them first."""
    name = next(_names)
    orders = [
        buy(50, 1, trader="maker", client_order_id=f"m{name}"),
        sell(50, 1, trader="taker", client_order_id=f"t{name}"),
    ]

    async def taken() -> list[int]:
        # Their names make it safe to send them again.
        with contextlib.suppress(StoreError):
            return await venue.client.submit(orders)
        return []

    _, taker = await eventually(taken)

    async def told() -> bool:
        with contextlib.suppress(StoreError):
            fills = await venue.client.recent_fills(9)
            return any(fill.taker_order_id == abs(taker) for fill in fills)
        return False

    await eventually(told)


async def holds(venue: Venue) -> None:
    """The market goes on, all instances hold the journal's state, and an audit finds no fault."""
    await trades(venue)
    await venue.handled()
    replica = await venue.replica()
    for name, instance in venue.instances.items():
        found = await venue.caught_up(instance)
        assert found.tip == replica.tip, name
        assert found.exchange.state_hash() == replica.exchange.state_hash(), name
    verdict = await audit_venue(venue.url, venue.prefix)
    assert verdict.ok, verdict.lines()
