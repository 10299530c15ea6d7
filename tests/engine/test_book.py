"""What a book shows: best prices, depth, queue, snapshot and sequence."""

import random
from itertools import accumulate, islice, permutations
from typing import Any

import pytest

from matchbox_tui.engine import (
    BookSnapshot,
    CancelAll,
    Command,
    CreateMarket,
    Exchange,
    ExpireOrders,
    HaltMarket,
    Market,
    Order,
    OrderBook,
    PriceLevel,
    ReplaceOrder,
    ResumeMarket,
    Side,
    TimeInForce,
    match_order,
)
from matchbox_tui.engine.book import FEW
from tests.engine.build import buy, cancel, exchange, kinds, queue, sell


def test_an_empty_book_shows_nothing() -> None:
    book = OrderBook()
    assert (book.best_bid, book.best_ask) == (None, None)
    assert book.snapshot() == BookSnapshot((), (), 0)
    assert book.depth_at(Side.BUY, 50) == 0
    assert book.order(1) is None


def test_best_bid_is_the_highest_and_best_ask_the_lowest() -> None:
    book = exchange(buy(1, 48), buy(2, 49), buy(3, 47), sell(4, 53), sell(5, 51)).book()
    assert (book.best_bid, book.best_ask) == (49, 51)


def test_depth_at_sums_one_price_of_one_side() -> None:
    book = exchange(buy(1, 50, 3), buy(2, 50, 4), buy(3, 49, 5), sell(4, 51, 6)).book()
    assert book.depth_at(Side.BUY, 50) == 7
    assert book.depth_at(Side.BUY, 49) == 5
    assert book.depth_at(Side.SELL, 50) == 0
    assert book.depth_at(Side.SELL, 51) == 6


def test_depth_follows_fills_cancels_and_replaces() -> None:
    venue = exchange(buy(1, 50, 10), buy(2, 50, 10))
    book = venue.book()
    seen = []
    for command in (sell(3, 50, 4), ReplaceOrder(order_id=2, qty=7), cancel(1), cancel(2)):
        venue.apply(command)
        seen.append(book.depth_at(Side.BUY, 50))
    assert seen == [16, 13, 7, 0]
    assert book.best_bid is None


def test_queue_ahead_counts_the_contracts_before_an_order() -> None:
    venue = exchange(buy(1, 50, 3), buy(2, 50, 4), buy(3, 50, 5), buy(4, 51, 9), sell(5, 50, 10))
    book = venue.book()
    assert [book.queue_ahead(order_id) for order_id in (1, 2, 3)] == [0, 2, 6]
    venue.apply(cancel(2))
    assert book.queue_ahead(3) == 2


@pytest.mark.parametrize("post_only", [False, True], ids=["plain", "post_only"])
@pytest.mark.parametrize("gone", permutations((1, 2, 3)))
def test_whoever_leaves_a_level_the_others_keep_their_places(
    gone: tuple[int, ...], post_only: bool
) -> None:
    # Post-only orders go another way into the book.
    kind = {"post_only": post_only}
    venue = exchange(buy(1, 50, 3, **kind), buy(2, 50, 4, **kind), buy(3, 50, 5, **kind))
    book, there = venue.book(), [1, 2, 3]
    for order_id in gone:
        venue.apply(cancel(order_id))
        venue.apply(buy(order_id + 10, 50, order_id, **kind))
        there.remove(order_id)
        there.append(order_id + 10)
        resting = list(islice(book.queue(Side.BUY), 4))
        assert [order.id for order in resting] == there
        ahead = accumulate((order.leaves_qty for order in resting), initial=0)
        assert [book.queue_ahead(one) for one in there] == list(ahead)[:-1]


def test_queue_ahead_of_what_does_not_rest_here_is_a_key_error() -> None:
    venue = Exchange([Market("A"), Market("B")])
    venue.apply(buy(1, market="A"))
    with pytest.raises(KeyError, match="no order 2 rests in A"):
        venue.book("A").queue_ahead(2)
    with pytest.raises(KeyError, match="no order 1 rests in B"):
        venue.book("B").queue_ahead(1)


def test_order_is_found_only_in_its_own_book() -> None:
    venue = Exchange([Market("A"), Market("B")])
    venue.apply(buy(1, market="A", trader="ann"))
    venue.apply(buy(2, market="B", trader="ann"))
    order = venue.book("A").order(1)
    assert order is not None
    assert (order.id, order.market, order.trader, order.leaves_qty) == (1, "A", "ann", 10)
    assert venue.book("B").order(1) is None


def test_snapshot_shows_levels_best_first() -> None:
    book = exchange(
        buy(1, 48, 1), buy(2, 49, 2), buy(3, 48, 3), sell(4, 52, 4), sell(5, 51, 5)
    ).book()
    assert book.snapshot() == BookSnapshot(
        bids=(PriceLevel(49, 2), PriceLevel(48, 4)),
        asks=(PriceLevel(51, 5), PriceLevel(52, 4)),
        sequence=5,
    )


@pytest.mark.parametrize(("depth", "shown"), [(0, 0), (1, 1), (2, 2), (3, 3), (9, 3), (None, 3)])
def test_snapshot_shows_no_more_than_its_depth(depth: int | None, shown: int) -> None:
    orders = [buy(n, 50 - n) for n in (1, 2, 3)] + [sell(n, 50 + n) for n in (4, 5, 6)]
    snapshot = exchange(*orders).book().snapshot(depth)
    assert [level.price for level in snapshot.bids] == [49, 48, 47][:shown]
    assert [level.price for level in snapshot.asks] == [54, 55, 56][:shown]


def test_an_id_may_be_used_again_once_its_order_is_closed() -> None:
    venue = exchange(buy(1, 50, 10), sell(2, 50, 10))
    assert kinds(venue.apply(sell(1, 60, 3, trader="ann"))) == ["order.accepted", "order.rested"]
    venue.apply(cancel(1))
    assert kinds(venue.apply(buy(1, 40, 4))) == ["order.accepted", "order.rested"]
    assert queue(venue.book(), Side.BUY) == [(1, 4)]
    assert queue(venue.book(), Side.SELL) == []


def test_sequence_grows_by_one_with_every_command_for_the_market() -> None:
    venue = Exchange([Market("A"), Market("B")])
    commands: list[tuple[Command, int, int]] = [
        (buy(1, 50, 10, market="A", trader="ann"), 1, 0),
        (sell(2, 50, 4, market="A"), 2, 0),
        (sell(2, 0, 4, market="A"), 3, 0),
        (buy(1, 50, 4, market="B"), 3, 1),
        (buy(3, 50, 4, market="C"), 3, 1),
        (ReplaceOrder(order_id=1, qty=8), 4, 1),
        (ReplaceOrder(order_id=1), 5, 1),
        (ReplaceOrder(order_id=9, qty=8), 5, 1),
        (cancel(9), 5, 1),
        (buy(4, 50, 4, market="B", trader="ann"), 5, 2),
        (HaltMarket("A"), 6, 2),
        (ResumeMarket("A"), 7, 2),
        (CreateMarket(Market("A")), 8, 2),
        (CancelAll(trader="zoe"), 8, 2),
        (CancelAll(trader="zoe", market="A"), 9, 2),
        (CancelAll(trader="ann"), 10, 3),
        (ExpireOrders(5), 10, 3),
        (buy(6, 50, 4, market="A"), 11, 3),
        (cancel(6), 12, 3),
        (
            buy(5, 50, 4, market="B", time_in_force=TimeInForce.GTD, expires_at=9),
            12,
            4,
        ),
        (ExpireOrders(9), 12, 5),
    ]
    for n, (command, a, b) in enumerate(commands, start=1):
        venue.apply(command)
        assert (venue.book("A").sequence, venue.book("B").sequence) == (a, b), command
        assert venue.seq == n


def test_a_created_market_starts_at_one() -> None:
    venue = exchange(CreateMarket(Market("NEW")))
    assert venue.book("NEW").sequence == 1


def test_removing_what_does_not_rest_is_an_error() -> None:
    venue = exchange(buy(1))
    order = venue.book().order(1)
    assert order is not None
    venue.apply(cancel(1))
    with pytest.raises(ValueError, match="does not rest"):
        venue.book().remove(order)


def test_an_order_takes_its_values_by_name_too() -> None:
    book = OrderBook()
    names: dict[str, Any] = {"side": "buy", "type": "limit", "time_in_force": "GTC"}
    assert match_order(Order(id=1, price=50, qty=10, **names), book) == []
    assert book.best_bid == 50
    with pytest.raises(ValueError, match="hold"):
        Order(id=2, price=50, qty=10, **{**names, "side": "hold"})


def test_an_order_reads_well_in_a_message() -> None:
    order = exchange(buy(1, 50, 10), sell(2, 50, 4)).book().order(1)
    assert repr(order) == "Order(id=1, buy 10 @ 50 MAIN, leaves=6)"


@pytest.mark.parametrize("count", [FEW // 2, 2 * FEW])
@pytest.mark.parametrize("new", [buy, sell])
def test_the_prices_of_a_side_stay_sorted_as_they_come_and_go(new: Any, count: int) -> None:
    chance = random.Random(3)
    venue = Exchange()
    side = venue.book().side(new(1).side)
    ids = {chance.randint(1, 10**6): order_id for order_id in range(1, count)}
    for price, order_id in ids.items():
        venue.apply(new(order_id, price, 1))
    assert (len(side.levels) > FEW) is (count > FEW)
    while ids:
        for _ in range(min(200, len(ids))):
            touched = side.best if chance.random() < 0.5 else None
            price = touched.price if touched is not None else next(iter(ids))
            venue.apply(cancel(ids.pop(price)))
        expected = sorted(ids, reverse=new is buy)
        assert [level.price for level in side.best_first()] == expected
        assert (side.best.price if side.best is not None else None) == next(iter(expected), None)
        middle = expected[len(expected) // 2] if expected else 1
        assert side.below(middle) == sum(price < middle for price in expected)


def test_an_order_beyond_what_is_compared_fast_is_as_good_as_any() -> None:
    for order_id, price, qty in ((2**30, 50, 10), (1, 2**30, 10), (1, 50, 2**30)):
        venue = exchange(sell(order_id, price, qty))
        assert venue.book().depth_at(Side.SELL, price) == qty
        assert kinds(venue.apply(buy(order_id + 1, price, qty))) == [
            "order.accepted",
            "trade.executed",
        ]
        assert venue.book().best_ask is None
