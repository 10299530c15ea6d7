"""Orders of other programs: a plain RPUSH is an order; what is no order harms nothing."""

import pytest

from matchbox_tui.engine import (
    CancelRejected,
    OrderAccepted,
    OrderRejected,
    OrderRested,
    Reason,
    TradeExecuted,
)
from tests.node.venue import Venue, sell


async def _push(venue: Venue, text: str) -> int:
    """An order as the original's clients queue it."""
    number: int = await venue.link.call("INCR", venue.keys.order_id)
    await venue.link.call("RPUSH", venue.keys.queue, text.replace("ID", str(number)))
    return number


async def test_a_plain_rpush_in_the_original_s_json_is_matched(venue: Venue) -> None:
    await venue.lead()
    maker = await _push(venue, '{"id":ID,"side":"buy","price":50,"qty":10,"timestamp":1}')
    (taker,) = await venue.client.submit([sell(49, 4)])
    await _push(venue, '{"id":ID,"side":"sell","price":50,"qty":3,"timestamp":2}')
    await venue.handled()
    trades = [event for event in await venue.events() if isinstance(event, TradeExecuted)]
    assert [
        (trade.maker_order_id, trade.taker_order_id, trade.price, trade.qty) for trade in trades
    ] == [(maker, taker, 50, 4), (maker, 3, 50, 3)]
    book = await venue.client.published_book("MAIN")
    assert book is not None
    assert [(level.price, level.qty) for level in book.bids] == [(50, 3)]


@pytest.mark.parametrize(
    ("element", "order_id"),
    [
        (b"", 0),
        (b"garbage", 0),
        (b"\0\r\n$5\r\n", 0),
        (b"null", 0),
        (b"[]", 0),
        (b"{}", 0),
        (b'"\\ud800"', 0),
        (b'{"id":7,"side":"buy","price":50,"qty":1,"trader":"\xff"}', 7),
        (b'{"id":7,"side":"buy","price":"fifty","qty":1}', 7),
        (b'{"id":7,"side":"buy","price":NaN,"qty":1}', 0),
        (b'{"id":7,"side":"buy","price":1e400,"qty":1}', 7),
        (b'{"id":7,"side":"buy","price":50.5,"qty":1}', 7),
        (b'{"id":7,"side":"hold","price":50,"qty":1}', 7),
        (b'{"id":7,"op":"teleport"}', 7),
        (b'{"id":' + b"9" * 400 + b',"side":"buy","price":50,"qty":1}', 0),
        (b"[" * 100_000, 0),
        (b'{"id":7,"x":' + b'{"y":' * 3000 + b"1" + b"}" * 3001, 0),
        (b'{"id":7,"side":"buy","price":50,"qty":1,"x":"' + b"y" * 10_000_000 + b'"}', 0),
    ],
    ids=lambda value: repr(value[:32]) if isinstance(value, bytes) else "",
)
async def test_an_element_that_is_no_order_is_rejected_and_the_next_one_served(
    venue: Venue, element: bytes, order_id: int
) -> None:
    await venue.lead()
    await venue.link.call("RPUSH", venue.keys.queue, element)
    (number,) = await venue.client.submit([sell()])
    await venue.handled()
    rejected, accepted, rested = await venue.events()
    assert isinstance(rejected, OrderRejected)
    assert (rejected.order_id, rejected.reason) == (order_id, Reason.MALFORMED)
    assert rejected.raw == element[:256].decode("utf-8", "backslashreplace")
    assert isinstance(accepted, OrderAccepted)
    assert isinstance(rested, OrderRested)
    assert accepted.order_id == rested.order_id == number


@pytest.mark.parametrize(
    "element",
    [
        b'{"id":7,"side":"buy","price":9007199254740992,"qty":1}',
        b'{"id":7,"side":"buy","price":0,"qty":1}',
        b'{"id":7,"side":"buy","price":-1,"qty":1}',
        b'{"id":7,"side":"buy","price":50,"qty":0}',
        b'{"id":7,"side":"buy","price":50,"qty":9223372036854775807}',
        b'{"id":9007199254740992,"side":"buy","price":50,"qty":1}',
        b'{"id":-7,"side":"buy","price":50,"qty":1}',
        b'{"id":7,"side":"buy","price":50,"qty":1,"market":"NONE"}',
        b'{"id":7,"side":"buy","price":50,"qty":1,"timestamp":-9223372036854775808}',
    ],
    ids=lambda element: element.decode()[:60],
)
async def test_an_order_beyond_the_bounds_is_rejected_and_the_next_one_served(
    venue: Venue, element: bytes
) -> None:
    await venue.lead()
    await venue.link.call("RPUSH", venue.keys.queue, element)
    await venue.client.submit([sell()])
    await venue.handled()
    rejected, accepted, _ = await venue.events()
    assert isinstance(rejected, OrderRejected)
    assert rejected.reason is not Reason.MALFORMED
    assert isinstance(accepted, OrderAccepted)


async def test_many_bad_elements_between_good_ones_change_nothing_else(venue: Venue) -> None:
    elements: list[bytes] = []
    for n in range(1, 301):
        elements += (
            b"garbage %d" % n,
            b'{"id":%d,"side":"buy","price":%d,"qty":1}' % (n, n),
            b'{"op":"cancel","id":%d}' % (1000 + n),
        )
    await venue.link.call("RPUSH", venue.keys.queue, *elements)
    await venue.lead()
    assert await venue.handled() == 900
    events = await venue.events()
    assert sum(isinstance(event, OrderRejected) for event in events) == 300
    assert sum(isinstance(event, CancelRejected) for event in events) == 300
    assert list((await venue.replica()).exchange.orders) == list(range(1, 301))


async def test_a_queue_that_another_program_shortens_loses_only_what_it_took(
    venue: Venue,
) -> None:
    await venue.lead()
    taken = 0
    for price in range(1, 201):
        await venue.client.submit([sell(price, 1)])
        taken += await venue.link.call("LPOP", venue.keys.queue) is not None
    await venue.handled()
    exchange = (await venue.replica()).exchange
    assert len(exchange.orders) == 200 - taken
    assert await venue.client.recent_fills(1) == []
