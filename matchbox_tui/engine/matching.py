"""Price-time priority: the one loop that makes trades.

The best price goes first; within a price, first come, first served; the fill is at the maker's
price. `Exchange` uses it with everything around it, `match_order` on a bare book.
"""

from matchbox_tui.engine.book import BookSide, OrderBook
from matchbox_tui.engine.commands import NewOrder
from matchbox_tui.engine.events import Event, OrderCancelled, TradeExecuted
from matchbox_tui.engine.order import Level, Order
from matchbox_tui.engine.positions import Positions
from matchbox_tui.engine.reasons import Reason
from matchbox_tui.engine.values import (
    MAX_PRICE,
    MAX_QTY,
    Fill,
    OrderType,
    SelfTradePrevention,
    Side,
    TimeInForce,
)

_BUY = Side.BUY
_LIMIT = OrderType.LIMIT
_RESTING = (TimeInForce.GTC, TimeInForce.GTD)
_STP_NONE = SelfTradePrevention.NONE
_CANCEL_TAKER = SelfTradePrevention.CANCEL_TAKER
_CANCEL_MAKER = SelfTradePrevention.CANCEL_MAKER


def worst_price(side: Side) -> int:
    """The price of a market order: it takes any."""
    return MAX_PRICE if side is _BUY else 0


def rests(order: NewOrder) -> bool:
    """Whether what is left of the order may rest in the book."""
    return order.type is _LIMIT and order.time_in_force in _RESTING


def match(
    book: OrderBook,
    taker: NewOrder,
    level: Level,
    limit: int,
    leaves: int,
    seq: int,
    timestamp: int,
    events: list[Event],
    positions: Positions,
) -> int:
    """Trades the taker against the other side of the book, from `level` down to `limit`.

    `level` is what `crossed` tells of this limit. Appends a `TradeExecuted` for each fill and an
    `OrderCancelled` for each order that self-trade prevention ends, and returns what is left of
    the taker (0 where it was ended). Moves the positions of both. O(1) a fill; O(log levels) more
    for each level that is used up.
    """
    trader, side = taker.trader, taker.side
    guarded = trader and taker.self_trade_prevention is not _STP_NONE
    n = traded = value = 0
    maker = level.head
    while maker is not None:
        counterpart = maker.message.trader
        if guarded and counterpart == trader:
            leaves = _prevent(book, taker, maker, leaves, seq, timestamp, events)
        else:
            price = level.price
            qty = maker.leaves_qty
            if qty > leaves:
                maker.leaves_qty = qty - leaves
                level.qty -= leaves
                qty = leaves
                leaves = 0
            else:
                book.remove(maker)
                maker.leaves_qty = 0
                leaves -= qty
            events.append(
                TradeExecuted(
                    seq,
                    n,
                    taker.market,
                    maker.id,
                    taker.order_id,
                    price,
                    qty,
                    side,
                    counterpart,
                    trader,
                    timestamp,
                )
            )
            n += 1
            if counterpart != trader:
                traded += qty
                value += qty * price
                if side is _BUY:
                    positions.move(counterpart, taker.market, -qty, qty * price)
                else:
                    positions.move(counterpart, taker.market, qty, -qty * price)
        if not leaves:
            break
        maker = level.head
        if maker is None:
            next_level = crossed(book, side, limit)
            if next_level is None:
                break
            level = next_level
            maker = level.head
    if n and (traded or trader or not book.nobody_holds):
        # Who traded with itself is a holder too, of nothing.
        if side is not _BUY:
            traded, value = -traded, -value
        positions.move(trader, taker.market, traded, -value)
        book.nobody_holds |= not trader
    return leaves


def _prevent(
    book: OrderBook,
    taker: NewOrder,
    maker: Order,
    leaves: int,
    seq: int,
    timestamp: int,
    events: list[Event],
) -> int:
    """Ends what must end before two orders of one trader meet; returns what the taker keeps."""
    mode = taker.self_trade_prevention
    if mode is not _CANCEL_TAKER:
        qty = maker.leaves_qty
        book.remove(maker)
        events.append(
            OrderCancelled(seq, taker.market, maker.id, qty, Reason.SELF_TRADE, timestamp)
        )
    if mode is _CANCEL_MAKER:
        return leaves
    events.append(
        OrderCancelled(seq, taker.market, taker.order_id, leaves, Reason.SELF_TRADE, timestamp)
    )
    return 0


def fillable(book: OrderBook, taker: NewOrder, limit: int, qty: int) -> bool:
    """Whether `qty` could be filled at once, self-trade prevention considered.

    O(levels needed), or O(orders needed) where the taker's trader has orders in this book.
    """
    is_buy = taker.side is _BUY
    side: BookSide = book.asks if is_buy else book.bids
    trader = taker.trader
    mode = taker.self_trade_prevention
    guarded = bool(trader) and mode is not _STP_NONE and trader in book.by_trader
    for level in side.best_first():
        if level.price > limit if is_buy else level.price < limit:
            return False
        if not guarded:
            qty -= level.qty
            if qty <= 0:
                return True
            continue
        maker = level.head
        while maker is not None:
            if maker.message.trader != trader:
                qty -= maker.leaves_qty
                if qty <= 0:
                    return True
            elif mode is not _CANCEL_MAKER:
                return False
            maker = maker.next
    return False


def crossed(book: OrderBook, side: Side, limit: int) -> Level | None:
    """The level with which a limit order of this side would trade at once, or None. O(1)."""
    if side is _BUY:
        level = book.asks.best
        return level if level is not None and level.price <= limit else None
    level = book.bids.best
    return level if level is not None and level.price >= limit else None


def crosses(book: OrderBook, side: Side, price: int) -> bool:
    """Whether a limit order at this price would trade at once. O(1)."""
    return crossed(book, side, price) is not None


def match_order(order: Order, book: OrderBook) -> list[Fill]:
    """Matches one order on a bare book and rests what is left of a GTC or GTD limit order.

    Returns the fills, first to last. Raises `ValueError` for a price or quantity that is not
    positive, or for an id that rests in the book already.
    """
    message = order.message
    if not 0 < order.qty <= MAX_QTY:
        raise ValueError("qty must be > 0 and at most 10**12")
    if message.type is OrderType.LIMIT and not 0 < order.price <= MAX_PRICE:
        raise ValueError("price must be > 0 and at most 10**12")
    if order.id in book.orders:
        raise ValueError(f"order {order.id} rests in the book already")
    book.sequence += 1
    limit = order.price if message.type is _LIMIT else worst_price(message.side)
    if message.time_in_force is TimeInForce.FOK and not fillable(
        book, message, limit, order.leaves_qty
    ):
        return []
    events: list[Event] = []
    level = crossed(book, message.side, limit)
    if level is not None:
        order.leaves_qty = match(
            book, message, level, limit, order.leaves_qty, 0, order.timestamp, events, Positions()
        )
    if order.leaves_qty and rests(message):
        book.rest(order)
    return [
        Fill(e.maker_order_id, e.taker_order_id, e.price, e.qty, e.timestamp)
        for e in events
        if isinstance(e, TradeExecuted)
    ]
