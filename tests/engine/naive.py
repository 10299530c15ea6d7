"""A second exchange, written from the rules alone and as plainly as possible.

It knows lists, dicts and linear scans, and shares nothing with the engine but the types of its
messages. Where the two disagree about a command's events, one of them is wrong.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from matchbox_tui.engine import (
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
    OrderType,
    Position,
    Reason,
    ReplaceOrder,
    ReplaceRejected,
    ResumeMarket,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TradeExecuted,
)

TOP = 10**12
TOP_ID = 2**53 - 1
TOP_TIME = 2**63 - 1


@dataclass(eq=False)
class NaiveOrder:
    """An order: what was asked, and what can change."""

    asked: NewOrder
    price: int
    qty: int
    filled: int = 0

    @property
    def leaves(self) -> int:
        return self.qty - self.filled


@dataclass
class NaiveBook:
    """A market and its resting orders, in the order in which they joined."""

    market: Market
    sequence: int = 0
    orders: list[NaiveOrder] = field(default_factory=list)

    def queue(self, side: Side) -> list[NaiveOrder]:
        """One side as it would be filled: sorting is stable, so arrival breaks ties."""
        mine = [order for order in self.orders if order.asked.side == side]
        return sorted(mine, key=lambda order: -order.price if side == Side.BUY else order.price)

    def levels(self, side: Side) -> list[tuple[int, int]]:
        """(price, total) of one side, best first."""
        totals: dict[int, int] = {}
        for order in self.queue(side):
            totals[order.price] = totals.get(order.price, 0) + order.leaves
        return list(totals.items())


class NaiveExchange:
    """The whole engine again: `apply` returns the events that `Exchange.apply` must return."""

    def __init__(self, markets: Iterable[Market]) -> None:
        self.seq = 0
        self.books: dict[str, NaiveBook] = {m.symbol: NaiveBook(m) for m in markets}
        self.positions: dict[tuple[str, str], Position] = {}

    def apply(self, command: Command) -> list[Event]:
        self.seq += 1
        handlers: dict[type, Callable[[Any], list[Event]]] = {
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
        events = handlers[type(command)](command)
        for symbol in {getattr(event, "market", "") for event in events}:
            if symbol in self.books:
                self.books[symbol].sequence += 1
        return events

    def find(self, order_id: int) -> tuple[NaiveBook, NaiveOrder] | None:
        """The open order of this id and its book."""
        for book in self.books.values():
            for order in book.orders:
                if order.asked.order_id == order_id:
                    return book, order
        return None

    # New orders

    def _new(self, c: NewOrder) -> list[Event]:
        reason = self._why_not(c)
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
                book.orders.append(order)
                events.append(self._rested(order, c.timestamp))
            else:
                events.append(self._ended(c, order.leaves, Reason.IMMEDIATE))
        return events

    def _why_not(self, c: NewOrder) -> Reason | None:
        if c.market not in self.books:
            return Reason.UNKNOWN_MARKET
        book = self.books[c.market]
        checks: list[tuple[bool, Reason | None]] = [
            (c.qty < 1 or c.qty > TOP, Reason.INVALID_QTY),
            (c.type == OrderType.LIMIT, why_not_price(c.price, book.market)),
            (c.order_id < 1 or c.order_id > TOP_ID, Reason.INVALID_ORDER_ID),
            (c.timestamp < 0 or c.timestamp > TOP_TIME, Reason.INVALID_TIMESTAMP),
            (bad_expiry(c), Reason.INVALID_EXPIRES_AT),
            (c.post_only and not may_rest(c), Reason.POST_ONLY_NEEDS_RESTING),
            (c.reduce_only and may_rest(c), Reason.REDUCE_ONLY_NEEDS_IMMEDIATE),
            (self.find(c.order_id) is not None, Reason.DUPLICATE_ORDER_ID),
            (book.market.status == MarketStatus.HALTED, Reason.MARKET_HALTED),
            (c.post_only and crosses(book, c.side, c.price), Reason.POST_ONLY_WOULD_CROSS),
            (c.reduce_only and self._reducible(c) < 1, Reason.REDUCE_ONLY_WOULD_INCREASE),
        ]
        return next((why for wrong, why in checks if wrong and why is not None), None)

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
            maker = next((o for o in book.queue(opposite(taker)) if meets(taker, o)), None)
            if maker is None:
                break
            if same_trader(taker, maker):
                mode = taker.asked.self_trade_prevention
                if mode != SelfTradePrevention.CANCEL_TAKER:
                    book.orders.remove(maker)
                    events.append(self._cancelled(maker, Reason.SELF_TRADE, timestamp))
                if mode != SelfTradePrevention.CANCEL_MAKER:
                    events.append(self._cancelled(taker, Reason.SELF_TRADE, timestamp))
                    return True
                continue
            qty = min(taker.leaves, maker.leaves)
            taker.filled += qty
            maker.filled += qty
            if maker.leaves == 0:
                book.orders.remove(maker)
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
            return [ReplaceRejected(self.seq, "", c.order_id, Reason.UNKNOWN_ORDER, c.timestamp)]
        book, order = found
        symbol = book.market.symbol
        price = order.price if c.price is None else c.price
        qty = order.qty if c.qty is None else c.qty
        moved = price != order.price
        checks: list[tuple[bool, Reason | None]] = [
            (c.price is None and c.qty is None, Reason.NOTHING_TO_REPLACE),
            (book.market.status == MarketStatus.HALTED, Reason.MARKET_HALTED),
            (qty < 1 or qty > TOP, Reason.INVALID_QTY),
            (c.timestamp < 0 or c.timestamp > TOP_TIME, Reason.INVALID_TIMESTAMP),
            (True, why_not_price(price, book.market)),
            (
                order.asked.post_only and moved and crosses(book, order.asked.side, price),
                Reason.POST_ONLY_WOULD_CROSS,
            ),
        ]
        reason = next((why for wrong, why in checks if wrong and why is not None), None)
        if reason is not None:
            return [ReplaceRejected(self.seq, symbol, c.order_id, reason, c.timestamp)]
        if qty <= order.filled:
            book.orders.remove(order)
            return [self._cancelled(order, Reason.REPLACED_BELOW_FILLED, c.timestamp)]
        keeps = not moved and qty <= order.qty
        order.price, order.qty = price, qty
        events: list[Event] = [
            OrderReplaced(
                self.seq, symbol, c.order_id, price, qty, order.leaves, keeps, c.timestamp
            )
        ]
        if not keeps:
            book.orders.remove(order)
            if not self._trade(book, order, c.timestamp, events) and order.leaves:
                book.orders.append(order)
                events.append(self._rested(order, c.timestamp))
        return events

    def _cancel(self, c: CancelOrder) -> list[Event]:
        found = self.find(c.order_id)
        if found is None:
            return [CancelRejected(self.seq, "", c.order_id, Reason.UNKNOWN_ORDER, c.timestamp)]
        book, order = found
        book.orders.remove(order)
        return [self._cancelled(order, Reason.REQUESTED, c.timestamp)]

    def _cancel_all(self, c: CancelAll) -> list[Event]:
        if c.market is not None and c.market not in self.books:
            return [CancelRejected(self.seq, c.market, 0, Reason.UNKNOWN_MARKET, c.timestamp)]
        events: list[Event] = []
        for symbol, book in self.books.items():
            if c.market not in (None, symbol):
                continue
            mine = [order for order in book.orders if order.asked.trader == c.trader]
            for order in sorted(mine, key=lambda order: order.asked.order_id):
                book.orders.remove(order)
                events.append(self._cancelled(order, Reason.REQUESTED, c.timestamp))
        if events:
            return events
        why = Reason.NOTHING_TO_CANCEL
        return [CancelRejected(self.seq, c.market or "", 0, why, c.timestamp)]

    def _expire(self, c: ExpireOrders) -> list[Event]:
        events: list[Event] = []
        for symbol, book in self.books.items():
            due = [order for order in book.orders if 0 < order.asked.expires_at <= c.now]
            for order in sorted(due, key=lambda o: (o.asked.expires_at, o.asked.order_id)):
                book.orders.remove(order)
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


def may_rest(c: NewOrder) -> bool:
    return c.type == OrderType.LIMIT and c.time_in_force in (TimeInForce.GTC, TimeInForce.GTD)


def bad_expiry(c: NewOrder) -> bool:
    if c.time_in_force == TimeInForce.GTD:
        return not c.timestamp < c.expires_at <= TOP_TIME
    return c.expires_at != 0


def why_not_price(price: int, market: Market) -> Reason | None:
    if price < 1 or price > TOP:
        return Reason.INVALID_PRICE
    if price < market.min_price or (market.max_price is not None and price > market.max_price):
        return Reason.PRICE_OUT_OF_RANGE
    return Reason.PRICE_OFF_TICK if price % market.tick else None


def opposite(order: NaiveOrder) -> Side:
    return Side.SELL if order.asked.side == Side.BUY else Side.BUY


def meets(taker: NaiveOrder, maker: NaiveOrder) -> bool:
    """Whether the taker takes the maker's price."""
    if taker.asked.type == OrderType.MARKET:
        return True
    if taker.asked.side == Side.BUY:
        return taker.price >= maker.price
    return taker.price <= maker.price


def crosses(book: NaiveBook, side: Side, price: int) -> bool:
    if side == Side.BUY:
        return any(order.price <= price for order in book.queue(Side.SELL))
    return any(order.price >= price for order in book.queue(Side.BUY))


def same_trader(taker: NaiveOrder, maker: NaiveOrder) -> bool:
    """Whether self-trade prevention applies between the two."""
    if taker.asked.self_trade_prevention == SelfTradePrevention.NONE or not taker.asked.trader:
        return False
    return taker.asked.trader == maker.asked.trader
