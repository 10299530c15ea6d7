"""What the leader does of its own accord: open the configured markets, end what is due."""

import time

import pytest

from matchbox_tui.engine import (
    Market,
    MarketCreated,
    OrderAccepted,
    OrderExpired,
    OrderRejected,
    Reason,
    TimeInForce,
)
from matchbox_tui.node import leader as leader_module
from tests.node.venue import Venue, buy, sell
from tests.waiting import eventually

MARKETS = (Market.prediction("RAIN", "Rain?"), Market.prediction("SNOW"))


async def _markets(venue: Venue) -> list[str]:
    return [event.market for event in await venue.events() if isinstance(event, MarketCreated)]


async def test_the_configured_markets_are_opened_once_whoever_leads(venue: Venue) -> None:
    for name in "abc":
        venue.start(name, markets=MARKETS)
    for _ in range(2):
        name = await venue.leader()
        await eventually(lambda: _markets(venue), lambda seen: len(seen) >= 2)
        await venue.instances.pop(name).stop()
    await venue.leader()
    await venue.client.submit([buy(50, market="SNOW")])
    await venue.handled()
    assert await _markets(venue) == ["RAIN", "SNOW"]
    assert not [one for one in await venue.events() if isinstance(one, OrderRejected)]
    assert (await venue.replica()).exchange.book("RAIN").market == MARKETS[0]


async def test_a_market_that_is_added_later_is_opened_then(venue: Venue) -> None:
    await venue.lead("a", markets=MARKETS[:1])
    await eventually(lambda: _markets(venue), lambda seen: seen == ["RAIN"])
    await venue.instances["a"].stop()
    await venue.lead("b", markets=MARKETS)
    await eventually(lambda: _markets(venue), lambda seen: seen == ["RAIN", "SNOW"])


async def test_an_order_for_a_market_that_is_not_there_is_rejected(venue: Venue) -> None:
    await venue.lead()
    await venue.client.submit([buy(market="NONE")])
    await venue.handled()
    (rejected,) = await venue.events()
    assert isinstance(rejected, OrderRejected)
    assert rejected.reason is Reason.UNKNOWN_MARKET


async def test_a_gtd_order_ends_by_itself(venue: Venue) -> None:
    await venue.lead()
    now = time.time_ns()
    short = {"time_in_force": TimeInForce.GTD, "timestamp": now}
    await venue.client.submit(
        [
            buy(50, 10, expires_at=now + 200_000_000, **short),
            buy(49, 5, expires_at=now + 3600 * 10**9, **short),
            buy(48, 5),
        ]
    )

    async def expired() -> list[OrderExpired]:
        return [one for one in await venue.events() if isinstance(one, OrderExpired)]

    (ended,) = await eventually(expired)
    assert (ended.order_id, ended.qty) == (1, 10)
    assert ended.timestamp >= now + 200_000_000
    await venue.client.submit([sell(1, 20)])
    await venue.handled()
    exchange = (await venue.replica()).exchange
    assert [order.id for order in exchange.orders.values()] == [4]


async def test_a_gtd_order_that_came_due_while_nobody_led_ends_under_the_next_leader(
    venue: Venue,
) -> None:
    await venue.lead("a")
    now = time.time_ns()
    await venue.client.submit(
        [buy(50, expires_at=now + 300_000_000, time_in_force=TimeInForce.GTD, timestamp=now)]
    )
    await venue.handled()
    await venue.instances["a"].stop()
    assert type((await venue.events())[0]) is OrderAccepted

    async def due() -> bool:
        return time.time_ns() > now + 300_000_000

    await eventually(due)
    await venue.lead("b")

    async def resting() -> int:
        return len((await venue.replica()).exchange.orders)

    await eventually(resting, lambda count: count == 0)


async def test_a_long_batch_is_committed_in_parts(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leader_module, "BATCH_SECONDS", 0.0)
    await venue.client.submit([buy(price) for price in range(1, 301)])
    await venue.lead()
    assert await venue.handled() == 300
    entries = await venue.journal()
    assert len(entries) > 5
    assert all(entry.count <= 32 for entry in entries)
