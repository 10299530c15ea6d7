"""Events as JSON: the names on the wire, and that nothing is lost on the way."""

import json

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matchbox_tui.engine import (
    CancelRejected,
    Event,
    Market,
    MarketCreated,
    MarketHalted,
    MarketResumed,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderRejected,
    OrderReplaced,
    OrderRested,
    Reason,
    ReplaceRejected,
    Side,
    TradeExecuted,
    decode_events,
    encode_events,
)
from tests.engine.build import buy

EVENTS: list[tuple[str, Event]] = [
    ("order.accepted", OrderAccepted(1, buy(7, trader="ann", timestamp=3))),
    ("order.rested", OrderRested(1, "MAIN", 7, 50, 10, 3)),
    ("trade.executed", TradeExecuted(2, 0, "MAIN", 7, 8, 50, 4, Side.SELL, "ann", "bob", 4)),
    ("order.replaced", OrderReplaced(3, "MAIN", 7, 51, 12, 8, False, 5)),
    ("order.cancelled", OrderCancelled(4, "MAIN", 7, 8, Reason.REQUESTED, 6)),
    ("order.expired", OrderExpired(5, "MAIN", 7, 8, Reason.TIME, 7)),
    ("order.rejected", OrderRejected(6, 7, "MAIN", Reason.INVALID_QTY, 8, order=buy(7, qty=0))),
    ("order.rejected", OrderRejected(6, 0, "", Reason.MALFORMED, raw="{")),
    ("order.cancel_rejected", CancelRejected(7, "", 7, Reason.UNKNOWN_ORDER, 9)),
    ("order.replace_rejected", ReplaceRejected(8, "", 7, Reason.UNKNOWN_ORDER, 10)),
    ("order.replace_rejected", ReplaceRejected(8, "M", 7, Reason.INVALID_QTY, 10, 0, 50)),
    ("market.created", MarketCreated(9, Market("M", title="雨", max_price=99), 11)),
    ("market.halted", MarketHalted(10, "M", 12)),
    ("market.resumed", MarketResumed(11, "M", 13)),
]


@pytest.mark.parametrize(("name", "event"), EVENTS, ids=[name for name, _ in EVENTS])
def test_an_event_survives_json_under_its_wire_name(name: str, event: Event) -> None:
    blob = encode_events([event])
    assert json.loads(blob)[0]["type"] == name
    assert decode_events(blob) == [event]
    assert encode_events(decode_events(blob)) == blob


def test_the_names_are_those_of_the_design_and_no_others() -> None:
    assert {name for name, _ in EVENTS} == {
        "order.accepted", "order.rested", "trade.executed", "order.replaced", "order.cancelled",
        "order.expired", "order.rejected", "order.cancel_rejected", "order.replace_rejected",
        "market.created", "market.halted", "market.resumed",
    }  # fmt: skip


def test_an_accepted_order_carries_the_whole_order() -> None:
    order = buy(7, 50, 10, trader="ann", client_order_id="c1", post_only=True, timestamp=3)
    assert json.loads(encode_events([OrderAccepted(1, order)])) == [
        {
            "type": "order.accepted",
            "seq": 1,
            "order": {
                "id": 7,
                "side": "buy",
                "price": 50,
                "qty": 10,
                "trader": "ann",
                "client_order_id": "c1",
                "post_only": True,
                "timestamp": 3,
            },
        }
    ]


def test_a_trade_carries_both_orders_both_traders_and_the_taker_s_side() -> None:
    trade = TradeExecuted(2, 1, "MAIN", 7, 8, 50, 4, Side.SELL, "ann", "bob", 4)
    assert json.loads(encode_events([trade])) == [
        {
            "type": "trade.executed",
            "seq": 2,
            "n": 1,
            "market": "MAIN",
            "maker_order_id": 7,
            "taker_order_id": 8,
            "price": 50,
            "qty": 4,
            "taker_side": "sell",
            "maker_trader": "ann",
            "taker_trader": "bob",
            "timestamp": 4,
        }
    ]
    assert (trade.trade_id, trade.buyer, trade.seller) == ("2-1", "ann", "bob")


def test_accepted_and_created_know_their_market_like_all_others() -> None:
    accepted = OrderAccepted(1, buy(7, market="M", timestamp=3))
    assert (accepted.order_id, accepted.market, accepted.timestamp) == (7, "M", 3)
    assert MarketCreated(1, Market("M"), 3).market == "M"


@pytest.mark.parametrize(
    "blob",
    [
        b'[{"type":"order.teleported","seq":1}]',
        b'[{"seq":1}]',
        b'[{"type":"market.halted","seq":"1","market":"M","timestamp":0}]',
        b'[{"type":"market.halted","seq":1,"timestamp":0}]',
        b'[{"type":"order.expired","seq":1,"market":"M","order_id":1,"qty":1,'
        b'"reason":"bored","timestamp":0}]',
        b'{"type":"market.halted","seq":1,"market":"M","timestamp":0}',
        b"[",
        b"",
        b'["\xff"]',
    ],
)
def test_events_that_can_not_be_read_raise_value_error(blob: bytes) -> None:
    with pytest.raises(ValueError, match="events can't be read"):
        decode_events(blob)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(), st.text(st.characters(exclude_categories=["Cs"])))
def test_integers_of_any_size_and_any_text_survive(number: int, text: str) -> None:
    event = OrderRested(1, text, number, number, number, number)
    if abs(number) < 10**1000:
        assert decode_events(encode_events([event])) == [event]


def test_events_can_not_be_changed() -> None:
    with pytest.raises(AttributeError):
        EVENTS[1][1].seq = 2  # type: ignore[misc]
    assert msgspec.structs.replace(EVENTS[1][1], seq=2).seq == 2
