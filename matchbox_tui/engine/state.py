"""An exchange as plain values: what a snapshot stores and what `state_hash` digests."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from matchbox_tui.engine.commands import NewOrder
from matchbox_tui.engine.order import Order
from matchbox_tui.engine.values import Market, Position, Side

if TYPE_CHECKING:
    from matchbox_tui.engine.exchange import Exchange


class OrderState(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A resting order: the message it came with and what has changed since."""

    message: NewOrder
    price: int
    qty: int
    leaves_qty: int


class BookState(msgspec.Struct, frozen=True):
    """A market and its book, best price first and in time order within a price."""

    market: Market
    sequence: int
    bids: tuple[OrderState, ...]
    asks: tuple[OrderState, ...]


class PositionState(msgspec.Struct, frozen=True, gc=False, array_like=True):
    trader: str
    market: str
    position: Position


class State(msgspec.Struct, frozen=True):
    """Everything that an exchange is, at a command's end."""

    seq: int
    books: tuple[BookState, ...]
    positions: tuple[PositionState, ...]

    def digest(self) -> str:
        return hashlib.blake2b(msgspec.json.encode(self), digest_size=20).hexdigest()


def dump(exchange: Exchange) -> State:
    return State(
        exchange.seq,
        tuple(
            BookState(
                book.market,
                book.sequence,
                tuple(_order(order) for order in book.queue(Side.BUY)),
                tuple(_order(order) for order in book.queue(Side.SELL)),
            )
            for book in exchange.books.values()
        ),
        tuple(PositionState(*held) for held in exchange.positions.items()),
    )


def load(exchange: Exchange, state: State) -> None:
    """Fills an exchange that has no markets yet. O(n log n)."""
    exchange.seq = state.seq
    for stored in state.books:
        book = exchange.add_market(stored.market)
        book.sequence = stored.sequence
        for held in (*stored.bids, *stored.asks):
            order = Order(held.message)
            order.price = held.price
            order.amend(held.qty, held.leaves_qty)
            book.rest(order)
    for entry in state.positions:
        exchange.positions.set(entry.trader, entry.market, entry.position)


def _order(order: Order) -> OrderState:
    return OrderState(order.message, order.price, order.qty, order.leaves_qty)
