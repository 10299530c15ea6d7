"""Limit and market orders: what they take, at which price, and what becomes of the rest."""

from matchbox_tui.engine import (
    Exchange,
    NewOrder,
    OrderAccepted,
    OrderExpired,
    OrderRested,
    OrderType,
    Reason,
    Side,
    TradeExecuted,
)
from tests.engine.build import buy, exchange, kinds, queue, sell, trades


def market_buy(order_id: int, qty: int) -> NewOrder:
    return buy(order_id, price=0, qty=qty, type=OrderType.MARKET)


def test_a_limit_order_that_meets_nobody_is_accepted_and_rests() -> None:
    order = buy(1, 50, 10, timestamp=7)
    events = Exchange().apply(order)
    assert events == [OrderAccepted(1, order), OrderRested(1, "MAIN", 1, 50, 10, 7)]


def test_a_trade_is_at_the_maker_s_price_and_names_both_sides() -> None:
    venue = exchange(sell(1, 50, 10, trader="ann"))
    _, trade = venue.apply(buy(2, 55, 4, trader="bob", timestamp=9))
    assert trade == TradeExecuted(2, 0, "MAIN", 1, 2, 50, 4, Side.BUY, "ann", "bob", 9)
    assert isinstance(trade, TradeExecuted)
    assert (trade.buyer, trade.seller, trade.trade_id) == ("bob", "ann", "2-0")


def test_a_sell_trades_at_the_bid_s_price() -> None:
    venue = exchange(buy(1, 55, 4, trader="ann"))
    _, trade = venue.apply(sell(2, 50, 4, trader="bob"))
    assert isinstance(trade, TradeExecuted)
    assert (trade.price, trade.buyer, trade.seller) == (55, "ann", "bob")


def test_the_trades_of_one_order_are_numbered_from_zero() -> None:
    venue = exchange(sell(1, 50, 1), sell(2, 50, 1), sell(3, 51, 1))
    events = venue.apply(buy(4, 51, 3))
    assert [e.trade_id for e in events if isinstance(e, TradeExecuted)] == ["4-0", "4-1", "4-2"]


def test_what_is_left_of_a_limit_order_rests_at_its_own_price() -> None:
    venue = exchange(sell(1, 50, 4))
    events = venue.apply(buy(2, 52, 10))
    assert kinds(events) == ["order.accepted", "trade.executed", "order.rested"]
    assert events[-1] == OrderRested(2, "MAIN", 2, 52, 6, 0)
    assert venue.book().best_bid == 52


def test_a_limit_order_never_takes_a_price_beyond_its_own() -> None:
    venue = exchange(sell(1, 50, 4), sell(2, 53, 4))
    assert trades(venue.apply(buy(3, 52, 10))) == [(1, 50, 4)]
    assert queue(venue.book(), Side.SELL) == [(2, 4)]


def test_a_market_order_takes_every_price_and_its_rest_expires() -> None:
    venue = exchange(sell(1, 50, 4), sell(2, 10**12, 4))
    events = venue.apply(market_buy(3, 10))
    assert trades(events) == [(1, 50, 4), (2, 10**12, 4)]
    assert events[-1] == OrderExpired(3, "MAIN", 3, 2, Reason.IMMEDIATE, 0)
    assert venue.book().best_bid is None


def test_a_market_sell_goes_down_to_the_lowest_bid() -> None:
    venue = exchange(buy(1, 1, 4), buy(2, 50, 4))
    assert trades(venue.apply(sell(3, 0, 8, type=OrderType.MARKET))) == [(2, 50, 4), (1, 1, 4)]


def test_a_market_order_expires_whole_in_an_empty_book() -> None:
    events = Exchange().apply(market_buy(1, 10))
    assert kinds(events) == ["order.accepted", "order.expired"]
    assert events[-1] == OrderExpired(1, "MAIN", 1, 10, Reason.IMMEDIATE, 0)


def test_the_price_of_a_market_order_is_ignored() -> None:
    venue = exchange(sell(1, 50, 4))
    events = venue.apply(buy(2, price=-7, qty=4, type=OrderType.MARKET))
    assert trades(events) == [(1, 50, 4)]


def test_a_partly_filled_maker_keeps_its_place() -> None:
    venue = exchange(sell(1, 50, 5), sell(2, 50, 5), buy(3, 50, 2))
    assert queue(venue.book(), Side.SELL) == [(1, 3), (2, 5)]
    assert trades(venue.apply(buy(4, 50, 4))) == [(1, 50, 3), (2, 50, 1)]


def test_an_order_in_another_market_is_not_met() -> None:
    venue = exchange(sell(1, 50, 5))
    venue.add_market(venue.book().market.prediction("RAIN"))
    assert trades(venue.apply(buy(2, 50, 5, market="RAIN"))) == []
    assert venue.book("RAIN").best_bid == 50
    assert venue.book().best_ask == 50
