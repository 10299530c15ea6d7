"""A second exchange, written from the rules alone and as plainly as possible.

It knows lists, dicts and sorted prices, and shares nothing with the engine but the types of its
messages. Where the two disagree about a command's events, one of them is wrong.
"""

from bisect import bisect_left, insort
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
    OrderType,
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

TOP = 10**12
TOP_ID = 2**53 - 1
TOP_TIME = 2**63 - 1


class NaiveOrder:
    """An order: what was asked, and what can change."""

    __slots__ = ("asked", "filled", "price", "qty")

    def __init__(self, asked: NewOrder, price: int, qty: int, filled: int = 0) -> None:
        self.asked = asked
        self.price = price
        self.qty = qty
        self.filled = filled

    @property
    def leaves(self) -> int:
        return self.qty - self.filled


class NaiveBook:
    """A market and its resting orders: for each side and price a list, first come first."""

    def __init__(self, market: Market, sequence: int = 0) -> None:
        self.market = market
        self.sequence = sequence
        self.orders: dict[int, NaiveOrder] = {}
        self.prices: dict[Side, list[int]] = {Side.BUY: [], Side.SELL: []}
        """The prices at which somebody waits, lowest first."""
        self.waiting: dict[Side, dict[int, list[NaiveOrder]]] = {Side.BUY: {}, Side.SELL: {}}

    def join(self, order: NaiveOrder) -> None:
        """Puts the order behind those that wait at its price."""
        self.orders[order.asked.order_id] = order
        side = order.asked.side
        if order.price not in self.waiting[side]:
            self.waiting[side][order.price] = []
            insort(self.prices[side], order.price)
        self.waiting[side][order.price].append(order)

    def leave(self, order: NaiveOrder) -> None:
        del self.orders[order.asked.order_id]
        side = order.asked.side
        line = self.waiting[side][order.price]
        line.remove(order)
        if not line:
            del self.waiting[side][order.price]
            prices = self.prices[side]
            del prices[bisect_left(prices, order.price)]

    def best(self, side: Side) -> int | None:
        """The best price of the side, None where nobody waits."""
        prices = self.prices[side]
        if not prices:
            return None
        return prices[-1] if side == Side.BUY else prices[0]

    def queue(self, side: Side) -> Iterator[NaiveOrder]:
        """One side as it would be filled."""
        prices = self.prices[side]
        for price in reversed(prices) if side == Side.BUY else prices:
            yield from self.waiting[side][price]


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


def term_faults(c: NewOrder, market: Market) -> Iterator[Reason]:
    """What is wrong with the order whatever the book holds."""
    if c.qty < 1 or c.qty > TOP:
        yield Reason.INVALID_QTY
    if c.type == OrderType.LIMIT:
        yield from price_faults(c.price, market)
    if c.order_id < 1 or c.order_id > TOP_ID:
        yield Reason.INVALID_ORDER_ID
    if c.timestamp < 0 or c.timestamp > TOP_TIME:
        yield Reason.INVALID_TIMESTAMP
    if bad_expiry(c):
        yield Reason.INVALID_EXPIRES_AT
    if c.post_only and not may_rest(c):
        yield Reason.POST_ONLY_NEEDS_RESTING
    if c.reduce_only and may_rest(c):
        yield Reason.REDUCE_ONLY_NEEDS_IMMEDIATE


def may_rest(c: NewOrder) -> bool:
    return c.type == OrderType.LIMIT and c.time_in_force in (TimeInForce.GTC, TimeInForce.GTD)


def bad_expiry(c: NewOrder) -> bool:
    if c.time_in_force == TimeInForce.GTD:
        return not c.timestamp < c.expires_at <= TOP_TIME
    return c.expires_at != 0


def price_faults(price: int, market: Market) -> Iterator[Reason]:
    if price < 1 or price > TOP:
        yield Reason.INVALID_PRICE
    if price < market.min_price or (market.max_price is not None and price > market.max_price):
        yield Reason.PRICE_OUT_OF_RANGE
    if price % market.tick:
        yield Reason.PRICE_OFF_TICK


def replace_faults(c: ReplaceOrder, book: NaiveBook, order: NaiveOrder) -> Iterator[Reason]:
    """Everything that is wrong with changing the order so, what comes first first."""
    price = order.price if c.price is None else c.price
    qty = order.qty if c.qty is None else c.qty
    if c.price is None and c.qty is None:
        yield Reason.NOTHING_TO_REPLACE
    if book.market.status == MarketStatus.HALTED:
        yield Reason.MARKET_HALTED
    if qty < 1 or qty > TOP:
        yield Reason.INVALID_QTY
    if c.timestamp < 0 or c.timestamp > TOP_TIME:
        yield Reason.INVALID_TIMESTAMP
    yield from price_faults(price, book.market)
    if order.asked.post_only and price != order.price and crosses(book, order.asked.side, price):
        yield Reason.POST_ONLY_WOULD_CROSS


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
    """Whether a limit order at this price would trade at once."""
    best = book.best(Side.SELL if side == Side.BUY else Side.BUY)
    if best is None:
        return False
    return best <= price if side == Side.BUY else best >= price


def same_trader(taker: NaiveOrder, maker: NaiveOrder) -> bool:
    """Whether self-trade prevention applies between the two."""
    if taker.asked.self_trade_prevention == SelfTradePrevention.NONE or not taker.asked.trader:
        return False
    return taker.asked.trader == maker.asked.trader
