"""The exchange: markets, orders and positions, moved by commands and nothing else."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from matchbox_tui.engine.book import SMALL, OrderBook
from matchbox_tui.engine.commands import (
    CancelAll,
    CancelOrder,
    Command,
    CreateMarket,
    ExpireOrders,
    HaltMarket,
    Malformed,
    NewOrder,
    ReplaceOrder,
    ResumeMarket,
)
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
)
from matchbox_tui.engine.fold import fold
from matchbox_tui.engine.matching import crossed, fillable, match, rests, worst_price
from matchbox_tui.engine.order import Order, Unmade, order_of
from matchbox_tui.engine.positions import Positions
from matchbox_tui.engine.reasons import Reason
from matchbox_tui.engine.rules import (
    refusal_by_book,
    refusal_of_market,
    refusal_of_replace,
    refusal_of_terms,
)
from matchbox_tui.engine.state import State, dump, load
from matchbox_tui.engine.values import (
    DEFAULT_MARKET,
    TIME_BITS,
    Market,
    MarketStatus,
    OrderType,
    Position,
    Side,
    TimeInForce,
)

_BUY = Side.BUY
_FOK = TimeInForce.FOK
_GTC = TimeInForce.GTC
_IOC = TimeInForce.IOC
_LIMIT = OrderType.LIMIT
_REQUESTED = Reason.REQUESTED


class Exchange:
    """A venue's whole state, and the pure function that moves it.

    `apply` turns a command into events and is the same on every machine: no clock, no chance,
    no order of hashing. `replay` rebuilds the same state from the events alone. `seq` counts
    the commands; without `markets` there is the unbounded default market.
    """

    def __init__(self, markets: Iterable[Market] | None = None) -> None:
        self.seq = 0
        self.orders: dict[int, Order] = {}
        self.positions = Positions()
        self._books: dict[str, OrderBook] = {}
        self.taker: Order | None = None
        for market in (Market(DEFAULT_MARKET),) if markets is None else markets:
            self.add_market(market)

    @property
    def markets(self) -> tuple[Market, ...]:
        """The markets in the order of their creation."""
        return tuple(book.market for book in self._books.values())

    @property
    def books(self) -> Mapping[str, OrderBook]:
        """The books by symbol, in the order of their creation."""
        return self._books

    @property
    def next_expiry(self) -> int | None:
        """When the next GTD order is due, in ns, or None. O(markets)."""
        return min(
            (book.expiries[0][0] for book in self._books.values() if book.expiries), default=None
        )

    def book(self, market: str = DEFAULT_MARKET) -> OrderBook:
        """The book of a market. Raises `KeyError` where there is none."""
        return self._books[market]

    def position(self, trader: str, market: str = DEFAULT_MARKET) -> Position:
        """The trader's position in the market, (0, 0) where it never traded. O(1)."""
        return self.positions.of(trader, market)

    def orders_of(self, trader: str, market: str | None = None) -> Iterator[Order]:
        """The trader's open orders, market by market, by id. O(n log n) in those returned."""
        for book in self._books.values():
            if market is None or book.market.symbol == market:
                yield from book.orders_of(trader)

    def apply(self, command: Command) -> list[Event]:
        """Carries out one command and returns what happened: one event at least. Never raises.

        O(1) for an order that rests or a cancel, O(1) a fill; O(log levels) more where a price
        level is born or dies.
        """
        self.seq = seq = self.seq + 1
        if type(command) is not NewOrder:
            if type(command) is CancelOrder and command.order_id in self.orders:
                order = self.orders[command.order_id]
                market = order.message.market
                book = self._books[market]
                book.sequence += 1
                book.remove(order)
                return [
                    OrderCancelled(
                        seq, market, order.id, order.leaves_qty, _REQUESTED, command.timestamp
                    )
                ]
            return _HANDLERS[type(command)](self, command)
        try:
            book = self._books[command.market]
        except KeyError:
            return self._reject(command, Reason.UNKNOWN_MARKET)
        book.sequence += 1
        order_id, price, leaves = command.order_id, command.price, command.qty
        timestamp = command.timestamp
        if (
            # What hardly any order is, seen at once: such a one takes the long way, which asks the
            # rules one by one. Chained comparisons would take half as long again.
            command.type is not _LIMIT
            or price < book.lowest
            or price > book.highest
            or leaves <= 0
            or leaves > SMALL
            or order_id <= 0
            or order_id > SMALL
            or timestamp >> TIME_BITS
            or command.expires_at
            or command.post_only
            or command.reduce_only
            or order_id in self.orders
        ):
            return self._new(command, book)
        if command.side is _BUY:
            side = book.bids
            best = book.asks.best
            if best is not None and best.price > price:
                best = None
        else:
            side = book.asks
            best = book.bids.best
            if best is not None and best.price < price:
                best = None
        if best is None and command.time_in_force is _GTC:
            # As `order_of` and `OrderBook.rest`; here, for what calls take.
            order = Unmade()
            order.message = command
            order.id = order_id
            order.price = price
            order.qty = order.leaves_qty = leaves
            level = side.levels.get(price)
            if level is None:
                side.open(price, order)
            else:
                order.level = level
                order.prev = tail = level.tail
                order.next = None
                level.tail = tail.next = order
                level.qty += leaves
            self.orders[order_id] = order
            if command.trader:
                book.by_trader[command.trader][order_id] = order
            return [
                OrderAccepted(seq, command),
                OrderRested(seq, command.market, order_id, price, leaves, timestamp),
            ]
        time_in_force = command.time_in_force
        if best is None or (time_in_force is not _IOC and time_in_force is not _GTC):
            return self._new(command, book)
        events: list[Event] = [OrderAccepted(seq, command)]
        leaves = match(book, command, best, price, leaves, seq, timestamp, events, self.positions)
        return self._end(command, book, price, leaves, events) if leaves else events

    def replay(self, events: Iterable[Event]) -> None:
        """Rebuilds the state from events that follow this one's.

        Raises `ValueError` where a sequence number is missing or an event doesn't fit.
        """
        fold(self, events)

    def dump(self) -> State:
        """The whole state as plain values. O(orders + positions)."""
        return dump(self)

    @classmethod
    def load(cls, state: State) -> "Exchange":
        """The exchange that `dump` described. O(n log n)."""
        exchange = cls(())
        load(exchange, state)
        return exchange

    def state_hash(self) -> str:
        """A digest of everything that can matter later: equal states, equal hashes. O(n)."""
        return self.dump().digest()

    def add_market(self, market: Market) -> OrderBook:
        """Opens an empty book. For genesis, replay and loading; others send `CreateMarket`."""
        book = self._books[market.symbol] = OrderBook(market, self.orders)
        return book

    # Handlers: one for each command.

    def _new(self, command: NewOrder, book: OrderBook) -> list[Event]:
        """The long way of an order: any may take it, and fares the same."""
        reason = refusal_of_terms(command, book.market) or refusal_by_book(command, book)
        if reason is None and command.reduce_only:
            room = self._room(command)
            if room <= 0:
                reason = Reason.REDUCE_ONLY_WOULD_INCREASE
            elif room < command.qty:
                command = msgspec.structs.replace(command, qty=room)
        if reason is not None:
            return self._reject(command, reason)
        events: list[Event] = [OrderAccepted(self.seq, command)]
        limit = command.price if command.type is _LIMIT else worst_price(command.side)
        leaves = command.qty
        level = crossed(book, command.side, limit)
        if level is not None and (
            command.time_in_force is not _FOK or fillable(book, command, limit, leaves)
        ):
            leaves = match(
                book,
                command,
                level,
                limit,
                leaves,
                self.seq,
                command.timestamp,
                events,
                self.positions,
            )
        return self._end(command, book, limit, leaves, events) if leaves else events

    def _end(
        self, command: NewOrder, book: OrderBook, price: int, leaves: int, events: list[Event]
    ) -> list[Event]:
        """What becomes of the rest of an order: it joins the book, or expires."""
        market, order_id, timestamp = command.market, command.order_id, command.timestamp
        if rests(command):
            order = order_of(command)
            order.leaves_qty = leaves
            book.rest(order)
            events.append(OrderRested(self.seq, market, order_id, price, leaves, timestamp))
        else:
            reason = Reason.NOT_FILLABLE if command.time_in_force is _FOK else Reason.IMMEDIATE
            events.append(OrderExpired(self.seq, market, order_id, leaves, reason, timestamp))
        return events

    def _room(self, order: NewOrder) -> int:
        """How much of a reduce_only order would reduce its trader's position, 0 or less: none."""
        held = self.positions.of(order.trader, order.market).qty
        return -held if order.side is _BUY else held

    def _replace(self, command: ReplaceOrder) -> list[Event]:
        order = self.orders.get(command.order_id)
        if order is None:
            return [self._not_replaced(command, "", Reason.UNKNOWN_ORDER)]
        book = self._books[order.market]
        book.sequence += 1
        price = order.price if command.price is None else command.price
        qty = order.qty if command.qty is None else command.qty
        leaves = qty - order.cum_qty
        reason = refusal_of_replace(command, order, book, price, qty)
        if reason is not None:
            return [self._not_replaced(command, order.market, reason)]
        if leaves <= 0:
            return [self._cancel_resting(order, Reason.REPLACED_BELOW_FILLED, command.timestamp)]
        kept = price == order.price and qty <= order.qty
        events: list[Event] = [
            OrderReplaced(
                self.seq, order.market, order.id, price, qty, leaves, kept, command.timestamp
            )
        ]
        if kept:
            order.amend(qty, leaves)
            return events
        book.remove(order)
        level = crossed(book, order.side, price)
        if level is not None:
            leaves = match(
                book,
                order.message,
                level,
                price,
                leaves,
                self.seq,
                command.timestamp,
                events,
                self.positions,
            )
        order.price = price
        order.qty = qty
        order.leaves_qty = leaves
        if leaves:
            book.rest(order)
            events.append(
                OrderRested(self.seq, order.market, order.id, price, leaves, command.timestamp)
            )
        return events

    def _cancel(self, command: CancelOrder) -> list[Event]:
        """Of an order that is not open."""
        return [self._nothing("", command.order_id, Reason.UNKNOWN_ORDER, command.timestamp)]

    def _cancel_all(self, command: CancelAll) -> list[Event]:
        """Market by market, by id. O(n log n) in the trader's orders, O(markets) more for all."""
        if command.market is None:
            books = list(self._books.values())
        elif command.market in self._books:
            books = [self._books[command.market]]
            books[0].sequence += not books[0].orders_of(command.trader)
        else:
            return [self._nothing(command.market, 0, Reason.UNKNOWN_MARKET, command.timestamp)]
        events: list[Event] = []
        for book in books:
            mine = book.orders_of(command.trader)
            book.sequence += bool(mine)
            events.extend(
                self._cancel_resting(order, Reason.REQUESTED, command.timestamp) for order in mine
            )
        return events or [
            self._nothing(command.market or "", 0, Reason.NOTHING_TO_CANCEL, command.timestamp)
        ]

    def _expire(self, command: ExpireOrders) -> list[Event]:
        """O(orders due x log GTD orders)."""
        events: list[Event] = []
        for book in self._books.values():
            book.sequence += bool(book.expiries and book.expiries[0][0] <= command.now)
            while book.expiries and book.expiries[0][0] <= command.now:
                order = self.orders[book.expiries[0][1]]
                book.remove(order)
                events.append(
                    OrderExpired(
                        self.seq,
                        order.market,
                        order.id,
                        order.leaves_qty,
                        Reason.TIME,
                        command.now,
                    )
                )
        return events or [self._nothing("", 0, Reason.NOTHING_DUE, command.now)]

    def _create_market(self, command: CreateMarket) -> list[Event]:
        market = command.market
        if market.symbol in self._books:
            self._books[market.symbol].sequence += 1
            return [self._refuse(market.symbol, Reason.MARKET_EXISTS, command.timestamp)]
        reason = refusal_of_market(market)
        if reason is not None:
            return [self._refuse("", reason, command.timestamp)]
        self.add_market(market).sequence = 1
        return [MarketCreated(self.seq, market, command.timestamp)]

    def _set_status(self, command: HaltMarket | ResumeMarket) -> list[Event]:
        book = self._books.get(command.market)
        if book is None:
            return [self._refuse(command.market, Reason.UNKNOWN_MARKET, command.timestamp)]
        book.sequence += 1
        if isinstance(command, HaltMarket):
            book.set_status(MarketStatus.HALTED)
            return [MarketHalted(self.seq, command.market, command.timestamp)]
        book.set_status(MarketStatus.OPEN)
        return [MarketResumed(self.seq, command.market, command.timestamp)]

    def _malformed(self, command: Malformed) -> list[Event]:
        return [
            OrderRejected(
                self.seq, command.order_id, "", Reason.MALFORMED, command.timestamp, raw=command.raw
            )
        ]

    # What the handlers share.

    def _cancel_resting(self, order: Order, reason: Reason, timestamp: int) -> OrderCancelled:
        self._books[order.market].remove(order)
        return OrderCancelled(self.seq, order.market, order.id, order.leaves_qty, reason, timestamp)

    def _reject(self, order: NewOrder, reason: Reason) -> list[Event]:
        return [
            OrderRejected(
                self.seq, order.order_id, order.market, reason, order.timestamp, order=order
            )
        ]

    def _refuse(self, market: str, reason: Reason, timestamp: int) -> OrderRejected:
        return OrderRejected(self.seq, 0, market, reason, timestamp)

    def _not_replaced(self, command: ReplaceOrder, market: str, reason: Reason) -> ReplaceRejected:
        return ReplaceRejected(
            self.seq,
            market,
            command.order_id,
            reason,
            command.timestamp,
            command.qty,
            command.price,
        )

    def _nothing(
        self, market: str, order_id: int, reason: Reason, timestamp: int
    ) -> CancelRejected:
        return CancelRejected(self.seq, market, order_id, reason, timestamp)


_HANDLERS: dict[type, Callable[[Exchange, Any], list[Event]]] = {
    ReplaceOrder: Exchange._replace,
    CancelOrder: Exchange._cancel,
    CancelAll: Exchange._cancel_all,
    ExpireOrders: Exchange._expire,
    CreateMarket: Exchange._create_market,
    HaltMarket: Exchange._set_status,
    ResumeMarket: Exchange._set_status,
    Malformed: Exchange._malformed,
}
