"""The bounds of prices, quantities, ids and times: the last value that is taken, and the next."""

import pytest

from matchbox_tui.engine import (
    MAX_ID,
    MAX_PRICE,
    MAX_QTY,
    MAX_TIME,
    Exchange,
    NewOrder,
    Reason,
    decode_command,
    decode_events,
    encode_command,
    encode_events,
)
from tests.engine.build import buy, exchange, kinds, reason_of, sell, trades


def test_the_bounds_are_what_the_documents_say() -> None:
    assert (MAX_PRICE, MAX_QTY, MAX_ID, MAX_TIME) == (10**12, 10**12, 2**53 - 1, 2**63 - 1)


@pytest.mark.parametrize("price", [0, -1, -(10**12), 10**12 + 1, 2**63 - 1, -(2**63), 2**64])
def test_a_price_beyond_its_bounds_is_rejected(price: int) -> None:
    assert reason_of(Exchange().apply(buy(1, price=price))) == Reason.INVALID_PRICE


@pytest.mark.parametrize("qty", [0, -1, -(10**12), 10**12 + 1, 2**63 - 1, -(2**63), 2**64])
def test_a_qty_beyond_its_bounds_is_rejected(qty: int) -> None:
    assert reason_of(Exchange().apply(buy(1, qty=qty))) == Reason.INVALID_QTY


@pytest.mark.parametrize("order_id", [0, -1, 2**53, 2**63, -(2**63)])
def test_an_id_beyond_its_bounds_is_rejected(order_id: int) -> None:
    assert reason_of(Exchange().apply(buy(order_id))) == Reason.INVALID_ORDER_ID


@pytest.mark.parametrize("timestamp", [-1, 2**63])
def test_a_time_beyond_its_bounds_is_rejected(timestamp: int) -> None:
    assert reason_of(Exchange().apply(buy(1, timestamp=timestamp))) == Reason.INVALID_TIMESTAMP


@pytest.mark.parametrize(
    "order",
    [
        buy(2**53 - 1),
        buy(1, price=1, qty=1),
        buy(1, price=10**12),
        buy(1, qty=10**12),
        buy(1, timestamp=2**63 - 1),
        buy(1, timestamp=0),
    ],
)
def test_the_last_value_within_the_bounds_is_taken(order: NewOrder) -> None:
    command = decode_command(encode_command(order))
    assert command == order
    events = Exchange().apply(command)
    assert kinds(events) == ["order.accepted", "order.rested"]
    assert decode_events(encode_events(events)) == events


@pytest.mark.parametrize("order_id", [2**53, 2**63 - 1])
def test_a_large_id_from_the_queue_is_rejected_by_name(order_id: int) -> None:
    raw = f'{{"id":{order_id},"side":"buy","price":50,"qty":10}}'.encode()
    events = Exchange().apply(decode_command(raw))
    assert reason_of(events) == Reason.INVALID_ORDER_ID
    assert decode_events(encode_events(events)) == events


@pytest.mark.parametrize("order_id", [2**63, 2**64, -(2**63) - 1, 10**30])
def test_an_id_that_no_64_bits_hold_is_malformed(order_id: int) -> None:
    raw = f'{{"id":{order_id},"side":"buy","price":50,"qty":10}}'.encode()
    events = Exchange().apply(decode_command(raw))
    assert reason_of(events) == Reason.MALFORMED
    assert decode_events(encode_events(events)) == events


def test_the_largest_orders_trade() -> None:
    venue = exchange(sell(1, 10**12, 10**12))
    assert trades(venue.apply(buy(2, 10**12, 10**12))) == [(1, 10**12, 10**12)]
