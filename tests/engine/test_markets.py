"""Markets: their bounds, and creating, halting and resuming them."""

import pytest

from matchbox_tui.engine import (
    CreateMarket,
    Exchange,
    HaltMarket,
    Market,
    MarketCreated,
    MarketHalted,
    MarketResumed,
    MarketStatus,
    OrderRejected,
    Reason,
    ResumeMarket,
)
from tests.engine.build import buy, exchange, kinds, only, reason_of, sell, trades


def test_without_markets_there_is_the_unbounded_default() -> None:
    venue = Exchange()
    assert venue.markets == (Market("MAIN"),)
    assert kinds(venue.apply(buy(1, 10**12, 10**12)))[-1] == "order.rested"


def test_a_prediction_market_takes_1_to_99() -> None:
    venue = Exchange([Market.prediction("RAIN", "Will it rain?")])
    for order_id, price in enumerate((1, 99), start=1):
        assert kinds(venue.apply(buy(order_id, price, market="RAIN")))[-1] == "order.rested"
    assert reason_of(venue.apply(buy(3, 100, market="RAIN"))) == Reason.PRICE_OUT_OF_RANGE
    assert reason_of(venue.apply(buy(3, 0, market="RAIN"))) == Reason.INVALID_PRICE


@pytest.mark.parametrize(
    ("price", "reason"),
    [
        (9, Reason.PRICE_OUT_OF_RANGE),
        (31, Reason.PRICE_OUT_OF_RANGE),
        (12, Reason.PRICE_OFF_TICK),
        (10, None),
        (15, None),
        (30, None),
    ],
)
def test_range_and_tick_are_kept(price: int, reason: Reason | None) -> None:
    venue = Exchange([Market("M", min_price=10, max_price=30, tick=5)])
    event = venue.apply(buy(1, price, market="M"))[0]
    assert getattr(event, "reason", None) == reason


def test_a_market_can_be_created_and_used() -> None:
    venue = Exchange()
    market = Market("NEW", title="A new one", max_price=99)
    assert venue.apply(CreateMarket(market, 7)) == [MarketCreated(1, market, 7)]
    assert venue.markets == (Market("MAIN"), market)
    assert kinds(venue.apply(buy(1, 50, market="NEW")))[-1] == "order.rested"


def test_a_market_can_not_be_created_twice() -> None:
    venue = exchange(buy(1))
    events = venue.apply(CreateMarket(Market("MAIN", tick=5), 7))
    assert events == [OrderRejected(2, 0, "MAIN", Reason.MARKET_EXISTS, 7)]
    assert venue.markets == (Market("MAIN"),)
    assert list(venue.orders) == [1]


@pytest.mark.parametrize(
    "market",
    [
        Market(""),
        Market(" "),
        Market("x" * 65),
        Market("Régen"),
        Market("../up"),
        Market("M", title="x" * 201),
        Market("a/b"),
        Market("-a"),
        Market("a\nb"),
        Market("\x1b[31m"),
        Market("M", min_price=0),
        Market("M", min_price=-5),
        Market("M", min_price=10, max_price=9),
        Market("M", min_price=10**12 + 1),
        Market("M", max_price=0),
        Market("M", max_price=10**12 + 1),
        Market("M", tick=0),
        Market("M", tick=-1),
        Market("M", tick=10**12 + 1),
        Market("M", tick=10**4000),
        Market("M", status=MarketStatus.HALTED),
    ],
)
def test_a_market_that_makes_no_sense_is_rejected(market: Market) -> None:
    venue = Exchange()
    assert venue.apply(CreateMarket(market, 7)) == [
        OrderRejected(1, 0, "", Reason.INVALID_MARKET, 7)
    ]
    assert venue.markets == (Market("MAIN"),)


@pytest.mark.parametrize(
    "market",
    [
        Market("x" * 64, title="y" * 200),
        Market("0.a_B-9"),
        Market("M", min_price=7, max_price=7),
        Market("M", min_price=10**12, max_price=10**12, tick=10**12),
    ],
)
def test_a_market_at_its_bounds_is_created(market: Market) -> None:
    assert only(Exchange().apply(CreateMarket(market))) == MarketCreated(1, market, 0)


def test_a_halted_market_takes_no_orders_until_it_is_resumed() -> None:
    venue = exchange(sell(1, 50, 4))
    assert venue.apply(HaltMarket("MAIN", 7)) == [MarketHalted(2, "MAIN", 7)]
    assert venue.markets[0].status is MarketStatus.HALTED
    assert reason_of(venue.apply(buy(2, 50, 4))) == Reason.MARKET_HALTED
    assert venue.apply(ResumeMarket("MAIN", 8)) == [MarketResumed(4, "MAIN", 8)]
    assert trades(venue.apply(buy(2, 50, 4))) == [(1, 50, 4)]


def test_halting_one_market_leaves_the_others_open() -> None:
    venue = Exchange([Market("A"), Market("B")])
    venue.apply(HaltMarket("A"))
    assert kinds(venue.apply(buy(1, market="B")))[-1] == "order.rested"


def test_halting_keeps_what_rests_and_the_market_s_bounds() -> None:
    venue = Exchange([Market("A", title="T", max_price=99, tick=5)])
    venue.apply(buy(1, market="A"))
    venue.apply(HaltMarket("A"))
    venue.apply(HaltMarket("A"))
    assert list(venue.orders) == [1]
    venue.apply(ResumeMarket("A"))
    assert venue.markets == (Market("A", title="T", max_price=99, tick=5),)


@pytest.mark.parametrize("command", [HaltMarket("NO", 7), ResumeMarket("NO", 7)])
def test_an_unknown_market_can_not_be_halted_or_resumed(
    command: HaltMarket | ResumeMarket,
) -> None:
    events = Exchange().apply(command)
    assert events == [OrderRejected(1, 0, "NO", Reason.UNKNOWN_MARKET, 7)]


def test_an_unknown_market_has_no_book() -> None:
    with pytest.raises(KeyError):
        Exchange().book("NO")
