"""A second exchange, written from the rules alone and as plainly as possible.

It knows lists, dicts and sorted prices, and shares nothing with the engine but the types of its
messages. Where the two disagree about a command's events, one of them is wrong.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from matchbox_tui.engine import (
    DEFAULT_MARKET,
    CancelAll,
    CancelOrder,
    CancelRejected,
    Command,
    CreateMarket,
    Event,
    ExpireOrders,
    HaltMarket,
    Malformed,
    Market,
    MarketCreated,
    MarketHalted,
    MarketResumed,
    MarketStatus,
    NewOrder,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderRejected,
    OrderReplaced,
    OrderRested,
    Part,
    Position,
    PositionsPart,
    Reason,
    ReplaceOrder,
    ReplaceRejected,
    ResumeMarket,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TradeExecuted,
)
from sim.naive.book import NaiveBook, NaiveOrder
from sim.naive.rules import (
    TOP,
    crosses,
    may_rest,
    meets,
    opposite,
    replace_faults,
    same_trader,
    term_faults,
)


class NaiveExchange:
    """The whole engine again: `apply` returns the events that `Exchange.apply` must return.

    Without `markets` there is the default market. `restore` puts it where a snapshot stands.
    """

    def __init__(self, markets: Iterable[Market] | None = None) -> None:
        self.seq = 0
        self.books: dict[str, NaiveBook] = {}
        self.positions: dict[tuple[str, str], Position] = {}
        for market in [Market(DEFAULT_MARKET)] if markets is None else markets:
            self.books[market.symbol] = NaiveBook(market)
        self._handlers: dict[type, Callable[[Any], list[Event]]] = {
            NewOrder: self._new,
            CancelOrder: self._cancel,
            ReplaceOrder: self._replace,
            CancelAll: self._cancel_all,
            ExpireOrders: self._expire,
            CreateMarket: self._create,
            HaltMarket: self._halt,
            ResumeMarket: self._resume,
            Malformed: self._malformed,
        }

    def restore(self, part: Part) -> None:
        """Adds a piece of a state to an exchange that began with no markets."""
        if isinstance(part, PositionsPart):
            for held in part.positions:
                self.positions[held.trader, held.market] = held.position
            return
        symbol = part.market.symbol
        if symbol not in self.books:
            self.books[symbol] = NaiveBook(part.market, part.sequence)
        for stored in part.orders:
            filled = stored.qty - stored.leaves_qty
            order = NaiveOrder(stored.message, stored.price, stored.qty, filled)
            self.books[symbol].join(order)

    def apply(self, command: Command) -> list[Event]:
        self.seq += 1
        events = self._handlers[type(command)](command)
        for symbol in {event.market for event in events}:
            if symbol in self.books:
                self.books[symbol].sequence += 1
        return events

    def find(self, order_id: int) -> tuple[NaiveBook, NaiveOrder] | None:
        """The open order of this id and its book."""
        for book in self.books.values():
            if order_id in book.orders:
                return book, book.orders[order_id]
        return None

    # New orders

    def _new(self, c: NewOrder) -> list[Event]:
        reason = next(self._faults(c), None)
        if reason is not None:
            return [OrderRejected(self.seq, c.order_id, c.market, reason, c.timestamp, c)]
        if c.reduce_only:
            c = msgspec.structs.replace(c, qty=min(c.qty, self._reducible(c)))
        book = self.books[c.market]
        order = NaiveOrder(c, c.price, c.qty)
        events: list[Event] = [OrderAccepted(self.seq, c)]
        if c.time_in_force == TimeInForce.FOK and not self._fills_whole(book, order):
            events.append(self._ended(c, c.qty, Reason.NOT_FILLABLE))
            return events
        if self._trade(book, order, c.timestamp, events):
            return events
        if order.leaves:
            if may_rest(c):
                book.join(order)
                events.append(self._rested(order, c.timestamp))
            else:
                events.append(self._ended(c, order.leaves, Reason.IMMEDIATE))
        return events

    def _faults(self, c: NewOrder) -> Iterator[Reason]:
        """Everything that is wrong with the order, what comes first first."""
        if c.market not in self.books:
            yield Reason.UNKNOWN_MARKET
            return
        book = self.books[c.market]
        yield from term_faults(c, book.market)
        if self.find(c.order_id) is not None:
            yield Reason.DUPLICATE_ORDER_ID
        if book.market.status == MarketStatus.HALTED:
            yield Reason.MARKET_HALTED
        if c.post_only and crosses(book, c.side, c.price):
            yield Reason.POST_ONLY_WOULD_CROSS
        if c.reduce_only and self._reducible(c) < 1:
            yield Reason.REDUCE_ONLY_WOULD_INCREASE

    def _reducible(self, c: NewOrder) -> int:
        held = self.positions.get((c.trader, c.market), Position()).qty
        return -held if c.side == Side.BUY else held

    # Matching

    def _trade(
        self, book: NaiveBook, taker: NaiveOrder, timestamp: int, events: list[Event]
    ) -> bool:
        """Fills the taker as far as it goes. True where self-trade prevention ended it."""
        trades = 0
        while taker.leaves:
            maker = next(book.queue(opposite(taker)), None)
            if maker is None or not meets(taker, maker):
                break
            if same_trader(taker, maker):
                mode = taker.asked.self_trade_prevention
                if mode != SelfTradePrevention.CANCEL_TAKER:
                    book.leave(maker)
                    events.append(self._cancelled(maker, Reason.SELF_TRADE, timestamp))
                if mode != SelfTradePrevention.CANCEL_MAKER:
                    events.append(self._cancelled(taker, Reason.SELF_TRADE, timestamp))
                    return True
                continue
            qty = min(taker.leaves, maker.leaves)
            taker.filled += qty
            maker.filled += qty
            if maker.leaves == 0:
                book.leave(maker)
            event = TradeExecuted(
                seq=self.seq,
                n=trades,
                market=book.market.symbol,
                maker_order_id=maker.asked.order_id,
                taker_order_id=taker.asked.order_id,
                price=maker.price,
                qty=qty,
                taker_side=taker.asked.side,
                maker_trader=maker.asked.trader,
                taker_trader=taker.asked.trader,
                timestamp=timestamp,
            )
            trades += 1
            events.append(event)
            self._move(event.buyer, event.market, qty, -event.price * qty)
            self._move(event.seller, event.market, -qty, event.price * qty)
        return False

    def _fills_whole(self, book: NaiveBook, taker: NaiveOrder) -> bool:
        found = 0
        for maker in book.queue(opposite(taker)):
            if found >= taker.qty or not meets(taker, maker):
                break
            if not same_trader(taker, maker):
                found += maker.leaves
            elif taker.asked.self_trade_prevention != SelfTradePrevention.CANCEL_MAKER:
                break
        return found >= taker.qty

    def _move(self, trader: str, market: str, qty: int, cash: int) -> None:
        held = self.positions.get((trader, market), Position())
        self.positions[trader, market] = Position(held.qty + qty, held.cash + cash)

    # The other commands

    def _replace(self, c: ReplaceOrder) -> list[Event]:
        found = self.find(c.order_id)
        if found is None:
            return [self._not_replaced(c, "", Reason.UNKNOWN_ORDER)]
        book, order = found
        symbol = book.market.symbol
        reason = next(replace_faults(c, book, order), None)
        if reason is not None:
            return [self._not_replaced(c, symbol, reason)]
        price = order.price if c.price is None else c.price
        qty = order.qty if c.qty is None else c.qty
        if qty <= order.filled:
            book.leave(order)
            return [self._cancelled(order, Reason.REPLACED_BELOW_FILLED, c.timestamp)]
        keeps = price == order.price and qty <= order.qty
        if not keeps:
            book.leave(order)
        order.price, order.qty = price, qty
        events: list[Event] = [
            OrderReplaced(
                self.seq, symbol, c.order_id, price, qty, order.leaves, keeps, c.timestamp
            )
        ]
        if not keeps and not self._trade(book, order, c.timestamp, events) and order.leaves:
            book.join(order)
            events.append(self._rested(order, c.timestamp))
        return events

    def _cancel(self, c: CancelOrder) -> list[Event]:
        found = self.find(c.order_id)
        if found is None:
            return [CancelRejected(self.seq, "", c.order_id, Reason.UNKNOWN_ORDER, c.timestamp)]
        book, order = found
        book.leave(order)
        return [self._cancelled(order, Reason.REQUESTED, c.timestamp)]

    def _cancel_all(self, c: CancelAll) -> list[Event]:
        if c.market is not None and c.market not in self.books:
            return [CancelRejected(self.seq, c.market, 0, Reason.UNKNOWN_MARKET, c.timestamp)]
        events: list[Event] = []
        for symbol, book in self.books.items():
            if c.market not in (None, symbol):
                continue
            mine = [order for order in book.orders.values() if order.asked.trader == c.trader]
            for order in sorted(mine, key=lambda order: order.asked.order_id):
                book.leave(order)
                events.append(self._cancelled(order, Reason.REQUESTED, c.timestamp))
        if events:
            return events
        why = Reason.NOTHING_TO_CANCEL
        return [CancelRejected(self.seq, c.market or "", 0, why, c.timestamp)]

    def _expire(self, c: ExpireOrders) -> list[Event]:
        events: list[Event] = []
        for symbol, book in self.books.items():
            due = [order for order in book.orders.values() if 0 < order.asked.expires_at <= c.now]
            for order in sorted(due, key=lambda o: (o.asked.expires_at, o.asked.order_id)):
                book.leave(order)
                order_id = order.asked.order_id
                events.append(
                    OrderExpired(self.seq, symbol, order_id, order.leaves, Reason.TIME, c.now)
                )
        return events or [CancelRejected(self.seq, "", 0, Reason.NOTHING_DUE, c.now)]

    def _create(self, c: CreateMarket) -> list[Event]:
        m = c.market
        if m.symbol in self.books:
            return [OrderRejected(self.seq, 0, m.symbol, Reason.MARKET_EXISTS, c.timestamp)]
        top = TOP if m.max_price is None else m.max_price
        plain = all(c.isascii() and (c.isalnum() or c in "._-") for c in m.symbol)
        named = 1 <= len(m.symbol) <= 64 and plain and m.symbol[0] not in "._-"
        titled = len(m.title) <= 200
        priced = 1 <= m.min_price <= top <= TOP and 1 <= m.tick <= TOP
        if not (named and titled and priced and m.status == MarketStatus.OPEN):
            return [OrderRejected(self.seq, 0, "", Reason.INVALID_MARKET, c.timestamp)]
        self.books[m.symbol] = NaiveBook(m)
        return [MarketCreated(self.seq, m, c.timestamp)]

    def _halt(self, c: HaltMarket) -> list[Event]:
        if not self._set_status(c.market, MarketStatus.HALTED):
            return [OrderRejected(self.seq, 0, c.market, Reason.UNKNOWN_MARKET, c.timestamp)]
        return [MarketHalted(self.seq, c.market, c.timestamp)]

    def _resume(self, c: ResumeMarket) -> list[Event]:
        if not self._set_status(c.market, MarketStatus.OPEN):
            return [OrderRejected(self.seq, 0, c.market, Reason.UNKNOWN_MARKET, c.timestamp)]
        return [MarketResumed(self.seq, c.market, c.timestamp)]

    def _set_status(self, symbol: str, status: MarketStatus) -> bool:
        if symbol not in self.books:
            return False
        book = self.books[symbol]
        book.market = msgspec.structs.replace(book.market, status=status)
        return True

    def _malformed(self, c: Malformed) -> list[Event]:
        return [OrderRejected(self.seq, c.order_id, "", Reason.MALFORMED, c.timestamp, None, c.raw)]

    # Events

    def _not_replaced(self, c: ReplaceOrder, market: str, why: Reason) -> ReplaceRejected:
        return ReplaceRejected(self.seq, market, c.order_id, why, c.timestamp, c.qty, c.price)

    def _rested(self, order: NaiveOrder, timestamp: int) -> OrderRested:
        asked = order.asked
        return OrderRested(
            self.seq, asked.market, asked.order_id, order.price, order.leaves, timestamp
        )

    def _cancelled(self, order: NaiveOrder, why: Reason, timestamp: int) -> OrderCancelled:
        asked = order.asked
        return OrderCancelled(self.seq, asked.market, asked.order_id, order.leaves, why, timestamp)

    def _ended(self, c: NewOrder, qty: int, why: Reason) -> OrderExpired:
        return OrderExpired(self.seq, c.market, c.order_id, qty, why, c.timestamp)
