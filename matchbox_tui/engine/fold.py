"""Replay: the state as a fold over events.

Only these events move a book: rested, replaced, cancelled, traded, and expired for a GTD order
whose time came (an immediate order never rested, so its expiry touches nothing). Accepted just
tells which order the rest of the command is about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from matchbox_tui.engine.book import OrderBook
from matchbox_tui.engine.events import (
    CancelRejected,
    Event,
    MarketCreated,
    MarketHalted,
    MarketResumed,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderRejected,
    OrderReplaced,
    OrderRested,
    ReplaceRejected,
    TradeExecuted,
)
from matchbox_tui.engine.order import Order, order_of
from matchbox_tui.engine.values import MarketStatus

if TYPE_CHECKING:
    from matchbox_tui.engine.exchange import Exchange


def fold(exchange: Exchange, events: Iterable[Event]) -> None:
    """Moves the exchange by events in their order. O(1) each, as `Exchange.apply`.

    Raises `ValueError` for a gap in the sequence or an event that contradicts the state.
    """
    books = exchange.books
    for event in events:
        seq = event.seq
        if seq != exchange.seq:
            if seq != exchange.seq + 1:
                raise ValueError(f"sequence {exchange.seq + 1} is missing before {seq}")
            exchange.seq = seq
            exchange.taker = None
        kind = type(event)
        if kind is MarketCreated:
            if event.market in books:
                raise ValueError(f"market {event.market} is created at {seq}, but there already")
            exchange.add_market(event.definition)  # type: ignore[union-attr]  # kind is known
        book = books.get(event.market)
        if book is not None and book.last_seq != seq:
            book.last_seq = seq
            book.sequence += 1
        _FOLDS[kind](exchange, event)


def _accepted(exchange: Exchange, event: OrderAccepted) -> None:
    if event.order_id in exchange.orders:
        raise ValueError(f"order {event.order_id} is accepted at {event.seq}, but open already")
    exchange.taker = order_of(event.order)


def _rested(exchange: Exchange, event: OrderRested) -> None:
    order = _taker(exchange, event.order_id)
    if order is None or order.leaves_qty != event.qty or order.price != event.price:
        raise ValueError(f"order {event.order_id} rests at {event.seq}, but was not accepted so")
    _book(exchange, event).rest(order)
    exchange.taker = None


def _traded(exchange: Exchange, event: TradeExecuted) -> None:
    maker = exchange.orders.get(event.maker_order_id)
    taker = _taker(exchange, event.taker_order_id)
    if maker is None or taker is None or not maker.market == taker.market == event.market:
        raise ValueError(f"trade {event.trade_id} names an order that is not there")
    left = maker.leaves_qty - event.qty
    if left < 0 or taker.leaves_qty < event.qty:
        raise ValueError(f"trade {event.trade_id} takes more than there is")
    if left:
        maker.amend(maker.qty, left)
    else:
        _book(exchange, event).remove(maker)
        maker.leaves_qty = 0
    taker.leaves_qty -= event.qty
    exchange.positions.record(event)


def _replaced(exchange: Exchange, event: OrderReplaced) -> None:
    order = exchange.orders.get(event.order_id)
    if order is None or order.market != event.market:
        raise ValueError(f"order {event.order_id} is replaced at {event.seq}, but not open")
    if event.priority_kept:
        order.amend(event.qty, event.leaves_qty)
        return
    _book(exchange, event).remove(order)
    order.price = event.price
    order.amend(event.qty, event.leaves_qty)
    exchange.taker = order


def _ended(exchange: Exchange, event: OrderCancelled | OrderExpired) -> None:
    order = exchange.orders.get(event.order_id) or _taker(exchange, event.order_id)
    if order is None or order.market != event.market or order.leaves_qty != event.qty:
        raise ValueError(f"order {event.order_id} ends at {event.seq}, but is not open so")
    if order is exchange.taker:
        exchange.taker = None
    else:
        _book(exchange, event).remove(order)


def _halted(exchange: Exchange, event: MarketHalted) -> None:
    _book(exchange, event).set_status(MarketStatus.HALTED)


def _resumed(exchange: Exchange, event: MarketResumed) -> None:
    _book(exchange, event).set_status(MarketStatus.OPEN)


def _taker(exchange: Exchange, order_id: int) -> Order | None:
    """The order that the command is about, if it is this one."""
    taker = exchange.taker
    return taker if taker is not None and taker.id == order_id else None


def _book(exchange: Exchange, event: Event) -> OrderBook:
    book = exchange.books.get(event.market)
    if book is None:
        raise ValueError(f"market {event.market!r} is not there at {event.seq}")
    return book


def _nothing(exchange: Exchange, event: Event) -> None:
    """What was refused changes nothing but the sequence."""


_FOLDS: dict[type, Callable[[Exchange, Any], None]] = {
    OrderAccepted: _accepted,
    OrderRested: _rested,
    TradeExecuted: _traded,
    OrderReplaced: _replaced,
    OrderCancelled: _ended,
    OrderExpired: _ended,
    OrderRejected: _nothing,
    CancelRejected: _nothing,
    ReplaceRejected: _nothing,
    MarketCreated: _nothing,
    MarketHalted: _halted,
    MarketResumed: _resumed,
}
