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
    Event,
    MarketCreated,
    MarketHalted,
    MarketResumed,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderReplaced,
    OrderRested,
    TradeExecuted,
)
from matchbox_tui.engine.order import order_of
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
        # As its property says it, which takes longer.
        market = event.order.market if type(event) is OrderAccepted else event.market
        book = books.get(market)
        if book is not None and book.last_seq != seq:
            book.last_seq = seq
            book.sequence += 1
        move = _FOLDS.get(kind)
        if move is not None:
            if book is None:
                raise ValueError(f"market {market!r} is not there at {seq}")
            move(exchange, book, event)


def _accepted(exchange: Exchange, book: OrderBook, event: OrderAccepted) -> None:
    message = event.order
    if message.order_id in exchange.orders:
        raise ValueError(f"order {message.order_id} is accepted at {event.seq}, but open already")
    exchange.taker = order_of(message)


def _rested(exchange: Exchange, book: OrderBook, event: OrderRested) -> None:
    order, price, qty = exchange.taker, event.price, event.qty
    if (
        order is None
        or order.id != event.order_id
        or order.leaves_qty != qty
        or order.price != price
    ):
        raise ValueError(f"order {event.order_id} rests at {event.seq}, but was not accepted so")
    book.rest(order)
    exchange.taker = None


def _traded(exchange: Exchange, book: OrderBook, event: TradeExecuted) -> None:
    maker = exchange.orders.get(event.maker_order_id)
    taker, market = exchange.taker, event.market
    if (
        maker is None
        or taker is None
        or taker.id != event.taker_order_id
        or maker.message.market != market
        or taker.message.market != market
    ):
        raise ValueError(f"trade {event.trade_id} names an order that is not there")
    qty = event.qty
    left, taken = maker.leaves_qty - qty, taker.leaves_qty - qty
    if left < 0 or taken < 0:
        raise ValueError(f"trade {event.trade_id} takes more than there is")
    if left:
        maker.amend(maker.qty, left)
    else:
        book.remove(maker)
        maker.leaves_qty = 0
    taker.leaves_qty = taken
    if event.maker_trader or event.taker_trader or not book.nobody_holds:
        exchange.positions.record(event)
        book.nobody_holds |= not event.taker_trader


def _replaced(exchange: Exchange, book: OrderBook, event: OrderReplaced) -> None:
    order = exchange.orders.get(event.order_id)
    if order is None or order.market != event.market:
        raise ValueError(f"order {event.order_id} is replaced at {event.seq}, but not open")
    if event.priority_kept:
        order.amend(event.qty, event.leaves_qty)
        return
    book.remove(order)
    order.price = event.price
    order.amend(event.qty, event.leaves_qty)
    exchange.taker = order


def _ended(exchange: Exchange, book: OrderBook, event: OrderCancelled | OrderExpired) -> None:
    order_id, taker = event.order_id, exchange.taker
    if taker is None or taker.id != order_id:
        taker = None
    order = taker if taker is not None else exchange.orders.get(order_id)
    if order is None or order.message.market != event.market or order.leaves_qty != event.qty:
        raise ValueError(f"order {order_id} ends at {event.seq}, but is not open so")
    if taker is not None:
        exchange.taker = None
    else:
        book.remove(order)


def _halted(exchange: Exchange, book: OrderBook, event: MarketHalted) -> None:
    book.set_status(MarketStatus.HALTED)


def _resumed(exchange: Exchange, book: OrderBook, event: MarketResumed) -> None:
    book.set_status(MarketStatus.OPEN)


_FOLDS: dict[type, Callable[[Exchange, OrderBook, Any], None]] = {
    OrderAccepted: _accepted,
    OrderRested: _rested,
    TradeExecuted: _traded,
    OrderReplaced: _replaced,
    OrderCancelled: _ended,
    OrderExpired: _ended,
    MarketHalted: _halted,
    MarketResumed: _resumed,
}
"""Those that move something. What was refused changes nothing but the sequence."""
