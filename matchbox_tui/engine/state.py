"""An exchange as plain values: what a snapshot stores and what `state_hash` digests.

`State` is the whole at once. Parts are the same in pieces of a bounded size, for whoever must not
hold up anything else while it writes or reads a book of any size.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from matchbox_tui.engine.commands import NewOrder
from matchbox_tui.engine.order import Order, order_of
from matchbox_tui.engine.values import DEFAULT_MARKET, Market, Position, Side

if TYPE_CHECKING:
    from matchbox_tui.engine.exchange import Exchange

PART_SIZE = 500
"""Most orders or positions in one part: a millisecond or two of work."""


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


class BookPart(msgspec.Struct, frozen=True, tag="book"):
    """A piece of a market's book: bids before asks, each as they would be filled.

    Every market has one part at least, so that an empty book is not forgotten.
    """

    market: Market
    sequence: int
    orders: tuple[OrderState, ...]


class PositionsPart(msgspec.Struct, frozen=True, tag="positions"):
    """A piece of the positions, in no order."""

    positions: tuple[PositionState, ...]


Part = BookPart | PositionsPart


def dump_parts(exchange: Exchange) -> Iterator[Part]:
    """The whole state but `seq`, in pieces of at most `PART_SIZE`: positions, then book by book.

    The exchange must not move until the last piece is taken.
    """
    held = exchange.positions.unsorted()
    while some := tuple(PositionState(*entry) for entry in islice(held, PART_SIZE)):
        yield PositionsPart(some)
    for book in exchange.books.values():
        orders = (order for side in Side for order in book.queue(side))
        while True:
            piece = tuple(_order(order) for order in islice(orders, PART_SIZE))
            yield BookPart(book.market, book.sequence, piece)
            if len(piece) < PART_SIZE:
                break


def load_part(exchange: Exchange, part: Part) -> None:
    """Adds a piece to an exchange that began with no markets, in the order of `dump_parts`.

    Raises `ValueError` where an order is there already. O(n log levels).
    """
    if isinstance(part, PositionsPart):
        for entry in part.positions:
            exchange.positions.set(entry.trader, entry.market, entry.position)
        return
    _load_book(exchange, part.market, part.sequence, part.orders)


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
        _load_book(exchange, stored.market, stored.sequence, (*stored.bids, *stored.asks))
    for entry in state.positions:
        exchange.positions.set(entry.trader, entry.market, entry.position)


def _load_book(
    exchange: Exchange, market: Market, sequence: int, orders: Iterable[OrderState]
) -> None:
    book = exchange.books.get(market.symbol) or exchange.add_market(market)
    book.sequence = sequence
    for held in orders:
        if held.message.order_id in exchange.orders:
            raise ValueError(f"order {held.message.order_id} is there twice")
        order = order_of(held.message)
        order.price = held.price
        order.amend(held.qty, held.leaves_qty)
        book.rest(order)


def _order(order: Order) -> OrderState:
    message = order.message
    if message.market == DEFAULT_MARKET and message.market is not DEFAULT_MARKET:
        # What is at its default is left out of the JSON only where it is the very same object, and
        # equal states must have equal hashes, however their orders were spelled.
        message = msgspec.structs.replace(message, market=DEFAULT_MARKET)
    return OrderState(message, order.price, order.qty, order.leaves_qty)
