"""The feed of order books: a snapshot, then what changed.

Messages, as JSON text (prices in ticks, quantities in contracts, best price first):

- `{"type":"snapshot","sequence":42,"bids":[{"price":50,"qty":30}],"asks":[]}`: the book, once.
- `{"type":"delta","sequence":45,"bids":[{"price":50,"qty":20}],"asks":[]}`: what rests now at these
  prices; qty 0: nothing. Commands that came close together share one delta.

`sequence` is the book's own, as in `GET /orderbook`, and rises from message to message.
"""

from collections.abc import Callable

import msgspec

from matchbox_tui.api.feeds.channel import Channel
from matchbox_tui.api.feeds.connection import Connection
from matchbox_tui.api.feeds.frames import json_frame
from matchbox_tui.api.feeds.pacer import Pacer
from matchbox_tui.api.view import VenueView
from matchbox_tui.engine import (
    Event,
    OrderBook,
    OrderCancelled,
    OrderExpired,
    OrderReplaced,
    OrderRested,
    PriceLevel,
    Side,
    TradeExecuted,
)


class BookMessage(msgspec.Struct, frozen=True):
    type: str
    sequence: int
    bids: tuple[PriceLevel, ...]
    asks: tuple[PriceLevel, ...]


class BookFeed:
    """The books that somebody watches, a channel for each."""

    def __init__(self, view: VenueView, pacer: Pacer, backlog: int) -> None:
        self._view = view
        self._pacer = pacer
        self._backlog = backlog
        self._channels: dict[str, BookChannel] = {}

    def __len__(self) -> int:
        return sum(map(len, self._channels.values()))

    def subscribe(self, connection: Connection, market: str) -> None:
        """Sends the book, then what changes in it. O(levels) for the first client at a sequence."""
        channel = self._channels.get(market)
        if channel is None:
            channel = self._channels[market] = BookChannel(
                self._view, market, self._pacer, self._backlog, lambda: self._drop(market)
            )
        channel.begin(connection)

    def note(self, event: Event) -> None:
        """Takes in an event, before the order log does. O(1)."""
        channel = self._channels.get(event.market)
        if channel is not None:
            channel.note(event)

    def update(self) -> None:
        """A commit is over."""
        for channel in self._channels.values():
            if channel.has_more:
                channel.wake()

    def _drop(self, market: str) -> None:
        del self._channels[market]


class BookChannel(Channel):
    """One book's watchers: a delta is made up for all of them when it is written."""

    def __init__(
        self,
        view: VenueView,
        market: str,
        pacer: Pacer,
        backlog: int,
        when_empty: Callable[[], None],
    ) -> None:
        super().__init__(pacer, backlog, when_empty)
        self._view = view
        self._market = market
        self._sequence = self._book.sequence
        self._touched: set[tuple[Side, int]] = set()
        self._shown = {side: _totals(self._book, side) for side in Side}
        self._snapshot: tuple[int, bytes] | None = None

    @property
    def has_more(self) -> bool:
        return len(self) > 0 and (super().has_more or self._book.sequence != self._sequence)

    @property
    def kept_for_newcomers(self) -> int:
        return len(self._snapshot[1]) if self._snapshot is not None else 0

    def begin(self, connection: Connection) -> None:
        """Sends the book and makes the client a member from there on."""
        place, snapshot = self._recent_snapshot()
        self.join(connection, place)
        connection.write(snapshot)
        self.drained(connection)

    def note(self, event: Event) -> None:
        """Remembers which levels the event may have changed."""
        match event:
            case OrderRested():
                self._touch(event.order_id, event.price)
            case TradeExecuted():
                self._touched.add((event.taker_side.opposite, event.price))
            case OrderReplaced():
                self._touch(event.order_id, event.price)
                self._touch(event.order_id, None)
            case OrderCancelled() | OrderExpired():
                self._touch(event.order_id, None)
            case _:
                pass

    def compose(self) -> None:
        """Adds the delta since the last one, if a command was processed since."""
        book = self._book
        if book.sequence == self._sequence:
            return
        self._sequence = book.sequence
        changed: dict[Side, list[PriceLevel]] = {Side.BUY: [], Side.SELL: []}
        for side, price in sorted(self._touched):
            qty = book.depth_at(side, price)
            if qty == self._shown[side].get(price, 0):
                continue
            changed[side].append(PriceLevel(price, qty))
            if qty:
                self._shown[side][price] = qty
            else:
                del self._shown[side][price]
        self._touched.clear()
        bids, asks = tuple(reversed(changed[Side.BUY])), tuple(changed[Side.SELL])
        self.add(json_frame(BookMessage("delta", book.sequence, bids, asks)))

    @property
    def _book(self) -> OrderBook:
        return self._view.exchange.book(self._market)

    def _touch(self, order_id: int, price: int | None) -> None:
        """The order's level at `price`, or where the order log still has it."""
        record = self._view.orders.get(order_id)
        if record is not None:
            self._touched.add((record.order.side, record.price if price is None else price))

    def _recent_snapshot(self) -> tuple[int, bytes]:
        """A snapshot, and the place from which on the deltas follow it.

        A large one is not made anew for everybody who comes: the deltas since do as well, as long
        as they are shorter.
        """
        if self._snapshot is not None:
            place, frame = self._snapshot
            if self.reaches_back_to(place) and self.tip - place <= len(frame):
                return self._snapshot
        # What the others have yet to hear is in the snapshot already.
        self.compose()
        book = self._book.snapshot()
        frame = json_frame(BookMessage("snapshot", book.sequence, book.bids, book.asks))
        self._snapshot = self.tip, frame
        return self._snapshot


def _totals(book: OrderBook, side: Side) -> dict[int, int]:
    """What rests at each price."""
    return {level.price: level.qty for level in book.side(side).best_first()}
