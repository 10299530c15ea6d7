"""A count that nothing gets past: each thing that is wrong is told."""

import itertools
from collections.abc import Callable

import msgspec
import pytest

from matchbox_tui.engine import (
    Event,
    Exchange,
    Market,
    NewOrder,
    OrderAccepted,
    Side,
    TradeExecuted,
    encode_events,
)
from matchbox_tui.store import Entry, Replica, chained
from sim import Census, FloorRecord, Summary
from sim.agents import Agent, Dice, Hire, Sight, Tape
from sim.agents.market_maker import MarketMaker, MarketMakerParameters
from sim.agents.zero_intelligence import ZeroIntelligence, ZeroIntelligenceParameters

RAIN = Market.prediction("RAIN")


class Story:
    """A venue without a server: what is ordered is matched, entered and counted."""

    def __init__(self) -> None:
        self.exchange = Exchange([RAIN])
        self.replica = Replica()
        self.replica.exchange = Exchange([RAIN])
        self.census = Census(self.replica)
        self.record = FloorRecord()
        self.entries: list[Entry] = []
        self.spoil: Callable[[list[Event]], list[Event]] = list
        self.ids = itertools.count(1)

    def order(self, side: Side, price: int, qty: int, trader: str = "") -> int:
        order_id = next(self.ids)
        command = NewOrder(
            order_id=order_id, market="RAIN", side=side, price=price, qty=qty, trader=trader
        )
        self.record.acknowledge([order_id])
        self.count(self.exchange.apply(command))
        return order_id

    def count(self, events: list[Event]) -> None:
        blob = encode_events(events)
        entry = Entry(events[-1].seq, 1, chained(self.replica.chain, blob), blob, events)
        self.replica.apply(entry)
        self.census.count(
            Entry(entry.seq, 1, entry.chain, blob, self.spoil(events)),
        )

    def summary(self, published: int | None = None) -> Summary:
        told = self.census.fills if published is None else published
        return self.census.summary(1, self.record, "node-1", 1, told)


def test_a_sound_story_has_no_errors() -> None:
    story = Story()
    story.order(Side.SELL, 50, 10, "ann")
    story.order(Side.BUY, 55, 4, "bob")
    story.order(Side.BUY, 40, 7, "bob")
    summary = story.summary()
    assert summary.errors == []
    assert (summary.orders, summary.accepted, summary.fills, summary.traded) == (3, 3, 1, 4)
    assert (summary.bought, summary.sold) == (4, 4)
    rain = summary.books[-1]
    assert rain.market == "RAIN"
    assert (rain.best_bid, rain.best_ask, rain.resting_orders) == (40, 50, 2)
    assert (rain.bids, rain.asks) == (((40, 7),), ((50, 6),))


def _hired(name: str) -> Hire:
    return Hire(name, "RAIN", Dice(name), 50, lambda now: 50)


def test_a_long_story_of_agents_has_no_errors() -> None:
    story = Story()
    chance, tape = Dice("crowd"), Tape()
    agents: list[Agent] = [
        MarketMaker(_hired("max"), MarketMakerParameters(qty=20)),
        *(ZeroIntelligence(_hired(name), ZeroIntelligenceParameters()) for name in "ab"),
    ]
    for step in range(300):
        agent = chance.pick(agents)
        sight = Sight(story.exchange, "RAIN", agent.trader, tape)
        sight.now = step + 1
        for action in agent.act(sight):
            if isinstance(action, NewOrder):
                action = msgspec.structs.replace(action, order_id=next(story.ids))
                story.record.acknowledge([action.order_id])
            story.count(story.exchange.apply(action))
    summary = story.summary()
    assert summary.errors == []
    assert summary.fills > 20
    assert summary.cancels > 50
    assert summary.traded == summary.bought == summary.sold


def test_a_lost_order() -> None:
    story = Story()
    story.order(Side.BUY, 40, 7)
    story.record.acknowledge([9])
    summary = story.summary()
    assert summary.lost == 1
    assert summary.errors == ["1 acknowledged orders are not in the journal"]


def test_a_doubled_order() -> None:
    story = Story()
    first = story.order(Side.BUY, 40, 7)
    events = story.exchange.apply(
        NewOrder(order_id=first, market="RAIN", side=Side.BUY, price=41, qty=1)
    )
    story.count(events)
    summary = story.summary()
    assert summary.doubled == 1
    assert summary.errors == ["1 acknowledged orders are in the journal more than once"]


def without(kind: type[Event]) -> Callable[[list[Event]], list[Event]]:
    return lambda events: [event for event in events if not isinstance(event, kind)]


@pytest.mark.parametrize("kind", [TradeExecuted, OrderAccepted])
def test_an_event_that_is_missing(kind: type[Event]) -> None:
    story = Story()
    story.order(Side.SELL, 50, 10)
    story.spoil = without(kind)
    story.order(Side.BUY, 50, 10)
    errors = story.summary().errors
    assert any("contracts traded, but" in error for error in errors)
    assert (len(errors) == 2) is (kind is OrderAccepted)


def test_a_fill_of_another_size() -> None:
    story = Story()
    story.order(Side.SELL, 50, 10)

    def shrink(events: list[Event]) -> list[Event]:
        return [
            msgspec.structs.replace(event, qty=9) if isinstance(event, TradeExecuted) else event
            for event in events
        ]

    story.spoil = shrink
    story.order(Side.BUY, 50, 10)
    assert story.summary().errors == ["9 contracts traded, but 10 bought and 10 sold"]


@pytest.mark.parametrize("published", [0, 2])
def test_fills_that_were_not_or_twice_published(published: int) -> None:
    story = Story()
    story.order(Side.SELL, 50, 10)
    story.order(Side.BUY, 50, 10)
    assert story.summary(published).errors == [
        f"1 fills in the journal, {published} in events_stream"
    ]


def test_it_counts_from_where_the_replica_stands() -> None:
    story = Story()
    story.order(Side.SELL, 50, 10)
    story.order(Side.BUY, 50, 4)
    story.census = Census(story.replica, epoch=3)
    story.record = FloorRecord()
    story.order(Side.BUY, 50, 5)
    summary = story.census.summary(1, story.record, "node-1", 5, 1)
    assert summary.errors == []
    assert (summary.orders, summary.fills, summary.traded, summary.elections) == (1, 1, 5, 2)


def test_traders_without_a_record_are_told() -> None:
    story = Story()
    story.order(Side.BUY, 40, 5)
    summary = story.census.summary(1, None, "node-1", 1, 0)
    assert summary.errors == ["the traders left no record of what they were told"]
    assert summary.acknowledged == 0
