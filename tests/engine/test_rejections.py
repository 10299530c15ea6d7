"""Every reason can be reached, and what is refused changes nothing."""

from typing import Any

import pytest

from matchbox_tui.engine import (
    CancelAll,
    CancelOrder,
    Command,
    CreateMarket,
    Exchange,
    ExpireOrders,
    HaltMarket,
    Malformed,
    Market,
    OrderRejected,
    OrderType,
    Reason,
    ReplaceOrder,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from tests.engine.build import buy, kinds, queue, reason_of, sell

IOC = TimeInForce.IOC
FOK = TimeInForce.FOK
GTD = TimeInForce.GTD
M: dict[str, Any] = {"market": "M"}


def prepared() -> Exchange:
    """ann bids ten at 50 and was filled for four of them; H is halted."""
    venue = Exchange([Market("M", min_price=10, max_price=90, tick=2), Market("H")])
    venue.apply(buy(1, 50, 10, trader="ann", **M))
    venue.apply(sell(2, 50, 4, trader="bob", **M))
    venue.apply(HaltMarket("H"))
    return venue


CASES: list[tuple[Reason, Command]] = [
    (Reason.MALFORMED, Malformed("{")),
    (Reason.INVALID_ORDER_ID, buy(0, **M)),
    (Reason.DUPLICATE_ORDER_ID, buy(1, **M)),
    (Reason.UNKNOWN_MARKET, buy(3, market="NO")),
    (Reason.MARKET_EXISTS, CreateMarket(Market("M"))),
    (Reason.INVALID_MARKET, CreateMarket(Market(""))),
    (Reason.MARKET_HALTED, buy(3, market="H")),
    (Reason.INVALID_QTY, buy(3, qty=0, **M)),
    (Reason.INVALID_PRICE, buy(3, price=0, **M)),
    (Reason.PRICE_OUT_OF_RANGE, buy(3, price=92, **M)),
    (Reason.PRICE_OFF_TICK, buy(3, price=51, **M)),
    (Reason.INVALID_TIMESTAMP, buy(3, timestamp=-1, **M)),
    (Reason.INVALID_EXPIRES_AT, buy(3, time_in_force=GTD, **M)),
    (Reason.POST_ONLY_NEEDS_RESTING, buy(3, post_only=True, time_in_force=IOC, **M)),
    (Reason.POST_ONLY_WOULD_CROSS, sell(3, 50, post_only=True, **M)),
    (Reason.REDUCE_ONLY_NEEDS_IMMEDIATE, sell(3, 50, reduce_only=True, trader="ann", **M)),
    (
        Reason.REDUCE_ONLY_WOULD_INCREASE,
        buy(3, reduce_only=True, time_in_force=IOC, trader="ann", **M),
    ),
    (Reason.UNKNOWN_ORDER, CancelOrder(order_id=3)),
    (Reason.NOTHING_TO_CANCEL, CancelAll(trader="zoe")),
    (Reason.NOTHING_DUE, ExpireOrders(10**6)),
    (Reason.NOTHING_TO_REPLACE, ReplaceOrder(order_id=1)),
]
ENDS: list[tuple[Reason, Command]] = [
    (Reason.REQUESTED, CancelOrder(order_id=1)),
    (
        Reason.SELF_TRADE,
        sell(3, 50, trader="ann", self_trade_prevention=SelfTradePrevention.CANCEL_TAKER, **M),
    ),
    (Reason.REPLACED_BELOW_FILLED, ReplaceOrder(order_id=1, qty=4)),
    (Reason.IMMEDIATE, sell(3, 50, 7, time_in_force=IOC, **M)),
    (Reason.NOT_FILLABLE, sell(3, 50, 7, time_in_force=FOK, **M)),
]


@pytest.mark.parametrize(("reason", "command"), CASES, ids=[reason for reason, _ in CASES])
def test_what_is_refused_says_why_and_changes_nothing(reason: Reason, command: Command) -> None:
    venue = prepared()
    before = venue.dump()
    events = venue.apply(command)
    assert len(events) == 1
    assert kinds(events)[0].endswith("rejected")
    assert reason_of(events) is reason
    after = venue.dump()
    assert [(b.market, b.bids, b.asks) for b in after.books] == [
        (b.market, b.bids, b.asks) for b in before.books
    ]
    assert after.positions == before.positions


@pytest.mark.parametrize(("reason", "command"), ENDS, ids=[reason for reason, _ in ENDS])
def test_what_ends_says_why(reason: Reason, command: Command) -> None:
    assert reason_of(prepared().apply(command)) is reason


def test_no_reason_is_left_out() -> None:
    gtd_only = {Reason.TIME}  # reached in test_expiry
    assert {reason for reason, _ in CASES + ENDS} | gtd_only == set(Reason)


def test_every_reason_has_words() -> None:
    assert all(reason.words for reason in Reason)


def test_a_rejected_order_is_told_as_it_was_asked() -> None:
    order = buy(3, 92, trader="zoe", timestamp=7, client_order_id="c", **M)
    assert prepared().apply(order) == [
        OrderRejected(4, 3, "M", Reason.PRICE_OUT_OF_RANGE, 7, order=order)
    ]


def test_a_malformed_element_is_told_with_its_first_bytes() -> None:
    events = prepared().apply(Malformed('{"id":', order_id=8))
    assert events == [OrderRejected(4, 8, "", Reason.MALFORMED, 0, raw='{"id":')]


def test_a_rejected_duplicate_leaves_the_open_order() -> None:
    venue = prepared()
    venue.apply(sell(1, 50, 99, **M))
    assert queue(venue.book("M"), Side.BUY) == [(1, 6)]


def test_ids_are_unique_across_markets() -> None:
    venue = Exchange([Market("A"), Market("B")])
    venue.apply(buy(1, market="A"))
    assert reason_of(venue.apply(buy(1, market="B"))) == Reason.DUPLICATE_ORDER_ID


def test_a_market_order_needs_no_valid_price_but_a_valid_qty() -> None:
    events = prepared().apply(buy(3, price=0, qty=0, type=OrderType.MARKET, **M))
    assert reason_of(events) == Reason.INVALID_QTY
