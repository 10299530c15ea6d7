"""The ticket: keys in, an order and its preview out."""

import msgspec
import pytest

from matchbox_tui.engine import (
    Exchange,
    Market,
    NewOrder,
    Order,
    OrderBook,
    OrderCancelled,
    OrderType,
    Reason,
    Side,
    TimeInForce,
    TradeExecuted,
)
from matchbox_tui.tui.ticket import Kind, Ticket, preview


def order(ticket: Ticket, price: int = 50) -> NewOrder:
    made = ticket.order("RAIN", price, "ada", "key", 1)
    assert made is not None
    return made


def book(*levels: tuple[Side, int, int]) -> OrderBook:
    made = OrderBook(Market.prediction("RAIN"))
    for number, (side, price, qty) in enumerate(levels, 1):
        made.rest(Order(NewOrder(order_id=number, side=side, price=price, qty=qty)))
    return made


def test_a_ticket_without_a_side_is_no_order() -> None:
    assert Ticket().order("RAIN", 50, "ada", "key", 1) is None


def test_digits_start_a_new_quantity_and_then_add_to_it() -> None:
    ticket = Ticket().prepare(Side.BUY).digit("2").digit("5")
    assert ticket.qty == 25
    assert ticket.erase().qty == 2
    assert ticket.drop().digit("7").qty == 7


def test_a_quantity_cannot_be_typed_beyond_the_bound() -> None:
    ticket = Ticket()
    for _ in range(40):
        ticket = ticket.digit("9")
    assert ticket.qty == 10**12


def test_presets_step_both_ways_and_stop_at_the_ends() -> None:
    assert Ticket(qty=10).preset(True).qty == 25
    assert Ticket(qty=12).preset(False).qty == 10
    assert Ticket(qty=1).preset(False).qty == 1
    assert Ticket(qty=5000).preset(True).qty == 5000


def test_a_typed_price_does_not_touch_the_quantity() -> None:
    ticket = Ticket().type_price().digit("0").digit("4").digit("2")
    assert ticket.typed == "42"
    assert ticket.qty == 10
    assert ticket.erase().typed == "4"
    assert ticket.type_price().typed is None


@pytest.mark.parametrize(
    ("kind", "type", "tif", "post_only", "price"),
    [
        (Kind.LIMIT, OrderType.LIMIT, TimeInForce.GTC, False, 50),
        (Kind.IOC, OrderType.LIMIT, TimeInForce.IOC, False, 50),
        (Kind.MARKET, OrderType.MARKET, TimeInForce.IOC, False, 0),
        (Kind.POST_ONLY, OrderType.LIMIT, TimeInForce.GTC, True, 50),
    ],
)
def test_kinds(kind: Kind, type: OrderType, tif: TimeInForce, post_only: bool, price: int) -> None:
    made = order(Ticket(Side.BUY, kind=kind))
    assert (made.type, made.time_in_force, made.post_only, made.price) == (
        type,
        tif,
        post_only,
        price,
    )


def test_kinds_come_round() -> None:
    ticket = Ticket()
    seen = []
    for _ in range(5):
        seen.append(ticket.kind)
        ticket = ticket.next_kind()
    assert seen == [Kind.LIMIT, Kind.IOC, Kind.MARKET, Kind.POST_ONLY, Kind.LIMIT]


@pytest.mark.parametrize(
    ("ticket", "price", "words"),
    [
        (Ticket(Side.BUY, 10), 49, "rests behind 30 contracts"),
        (Ticket(Side.BUY, 10), 50, "rests as the new best price"),
        (Ticket(Side.BUY, 10), 40, "rests first at its price"),
        (Ticket(Side.BUY, 5), 51, "takes 5 @ 51"),
        (Ticket(Side.BUY, 10), 60, "takes 10 @ 51.50"),
        (Ticket(Side.BUY, 15), 51, "takes 5 @ 51, 10 would rest"),
        (Ticket(Side.BUY, 15, Kind.IOC), 51, "takes 5 @ 51, 10 would expire"),
        (Ticket(Side.BUY, 15, Kind.IOC), 50, "nothing to take there: would expire"),
        (Ticket(Side.SELL, 40, Kind.MARKET), 1, "takes 30 @ 49, 10 would expire"),
        (Ticket(Side.BUY, 5, Kind.POST_ONLY), 51, Reason.POST_ONLY_WOULD_CROSS.words),
        (Ticket(Side.BUY, 0), 49, Reason.INVALID_QTY.words),
        (Ticket(Side.BUY, 1), 100, Reason.PRICE_OUT_OF_RANGE.words),
    ],
)
def test_preview(ticket: Ticket, price: int, words: str) -> None:
    market = book((Side.BUY, 49, 30), (Side.SELL, 51, 5), (Side.SELL, 52, 5))
    assert preview(order(ticket, price), market) == words


@pytest.mark.parametrize(
    ("ticket", "price", "words"),
    [
        (Ticket(Side.SELL, 4, Kind.MARKET), 1, "takes 4 @ 49"),
        (Ticket(Side.SELL, 5, Kind.MARKET), 1, "takes 5 @ 49"),
        (
            Ticket(Side.SELL, 6, Kind.MARKET),
            1,
            "takes 5 @ 49, meets your own order: 1 would be cancelled",
        ),
        (Ticket(Side.BUY, 1), 51, "would be cancelled: meets your own order"),
        (Ticket(Side.BUY, 1), 50, "rests as the new best price"),
        (Ticket(Side.BUY, 1, Kind.POST_ONLY), 51, Reason.POST_ONLY_WOULD_CROSS.words),
    ],
)
def test_who_would_meet_an_order_of_their_own_is_told(
    ticket: Ticket, price: int, words: str
) -> None:
    exchange = Exchange([Market.prediction("RAIN")])
    resting = [(Side.BUY, 49, 5, "bob"), (Side.BUY, 49, 3, "ada"), (Side.BUY, 49, 9, "bob")]
    resting += [(Side.SELL, 51, 3, "ada"), (Side.SELL, 51, 9, "bob")]
    for number, (side, at, qty, trader) in enumerate(resting, 1):
        exchange.apply(
            NewOrder(order_id=number, market="RAIN", side=side, price=at, qty=qty, trader=trader)
        )
    draft = order(ticket, price)
    assert preview(draft, exchange.books["RAIN"]) == words
    draft = msgspec.structs.replace(draft, order_id=99)
    events = exchange.apply(draft)
    taken = sum(event.qty for event in events if isinstance(event, TradeExecuted))
    ended = any(isinstance(event, OrderCancelled) for event in events)
    assert ("takes" in words, "cancelled" in words) == (taken > 0, ended)


def test_behind_many_small_orders_an_own_one_is_not_looked_for() -> None:
    exchange = Exchange([Market.prediction("RAIN")])
    for number in range(1, 300):
        trader = "ada" if number == 299 else "bob"
        exchange.apply(
            NewOrder(order_id=number, market="RAIN", side=Side.BUY, price=49, qty=1, trader=trader)
        )
    market = exchange.books["RAIN"]
    assert preview(order(Ticket(Side.SELL, 100, Kind.MARKET)), market) == "takes 100 @ 49"
    assert preview(order(Ticket(Side.SELL, 290, Kind.MARKET)), market) == "takes many orders"


@pytest.mark.parametrize("kind", [Kind.IOC, Kind.MARKET])
def test_who_joins_means_to_rest(kind: Kind) -> None:
    ticket = Ticket(kind=kind).join(Side.BUY)
    assert order(ticket).type is OrderType.LIMIT
    assert order(ticket).time_in_force is TimeInForce.GTC
    assert ticket.drop().kind is kind, "the kind that was chosen is that of the next order"


def test_who_joins_post_only_stays_post_only() -> None:
    assert Ticket(kind=Kind.POST_ONLY).join(Side.SELL).kind is Kind.POST_ONLY


@pytest.mark.parametrize("ticket", [Ticket().take(Side.BUY), Ticket(kind=Kind.IOC).join(Side.BUY)])
def test_a_quantity_typed_for_one_order_is_that_of_the_next(ticket: Ticket) -> None:
    assert ticket.digit("5").digit("0").drop().qty == 50
