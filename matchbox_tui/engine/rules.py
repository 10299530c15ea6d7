"""The rules that refuse a command before it touches a book."""

import re

from matchbox_tui.engine.book import OrderBook
from matchbox_tui.engine.commands import NewOrder, ReplaceOrder
from matchbox_tui.engine.matching import crosses
from matchbox_tui.engine.order import Order
from matchbox_tui.engine.reasons import Reason
from matchbox_tui.engine.values import (
    MAX_ID,
    MAX_NAME,
    MAX_PRICE,
    MAX_QTY,
    MAX_TIME,
    MAX_TITLE,
    Market,
    MarketStatus,
    OrderType,
    TimeInForce,
)

# A symbol becomes part of Redis keys and file names.
_SYMBOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

_GTC = TimeInForce.GTC
_GTD = TimeInForce.GTD
_LIMIT = OrderType.LIMIT
_OPEN = MarketStatus.OPEN


def refusal_of_terms(order: NewOrder, market: Market) -> Reason | None:
    """Why the order can never be valid in this market, whatever its book holds, or None. O(1)."""
    if not 0 < order.qty <= MAX_QTY:
        return Reason.INVALID_QTY
    is_limit = order.type is _LIMIT
    if is_limit:
        price, highest = order.price, market.max_price
        if (
            not 0 < price <= MAX_PRICE
            or price < market.min_price
            or (highest is not None and price > highest)
            or (market.tick != 1 and price % market.tick)
        ):
            return refusal_of_price(price, market)
    if not 0 < order.order_id <= MAX_ID:
        return Reason.INVALID_ORDER_ID
    if not 0 <= order.timestamp <= MAX_TIME:
        return Reason.INVALID_TIMESTAMP
    time_in_force = order.time_in_force
    if time_in_force is _GTC and not order.expires_at:
        rests = is_limit
    elif time_in_force is _GTD:
        if not order.timestamp < order.expires_at <= MAX_TIME:
            return Reason.INVALID_EXPIRES_AT
        rests = is_limit
    elif order.expires_at:
        return Reason.INVALID_EXPIRES_AT
    else:
        rests = False
    if order.post_only and not rests:
        return Reason.POST_ONLY_NEEDS_RESTING
    if order.reduce_only and rests:
        return Reason.REDUCE_ONLY_NEEDS_IMMEDIATE
    return None


def refusal_of_price(price: int, market: Market) -> Reason | None:
    """Why the market does not take this price, or None. O(1)."""
    if not 0 < price <= MAX_PRICE:
        return Reason.INVALID_PRICE
    if price < market.min_price or (market.max_price is not None and price > market.max_price):
        return Reason.PRICE_OUT_OF_RANGE
    if market.tick != 1 and price % market.tick:
        return Reason.PRICE_OFF_TICK
    return None


def refusal_by_book(order: NewOrder, book: OrderBook) -> Reason | None:
    """Why the book as it stands refuses an order whose terms are fine, or None. O(1)."""
    if order.order_id in book.orders:
        return Reason.DUPLICATE_ORDER_ID
    if book.market.status is not _OPEN:
        return Reason.MARKET_HALTED
    if order.post_only and crosses(book, order.side, order.price):
        return Reason.POST_ONLY_WOULD_CROSS
    return None


def refusal_of_replace(
    command: ReplaceOrder, order: Order, book: OrderBook, price: int, qty: int
) -> Reason | None:
    """Why the open order may not get this price and total, or None. O(1).

    A total that was filled already is no refusal: it cancels what is left.
    """
    if command.price is None and command.qty is None:
        return Reason.NOTHING_TO_REPLACE
    if book.market.status is not _OPEN:
        return Reason.MARKET_HALTED
    if not 0 < qty <= MAX_QTY:
        return Reason.INVALID_QTY
    if not 0 <= command.timestamp <= MAX_TIME:
        return Reason.INVALID_TIMESTAMP
    reason = refusal_of_price(price, book.market)
    if reason is not None:
        return reason
    if order.post_only and price != order.price and crosses(book, order.side, price):
        return Reason.POST_ONLY_WOULD_CROSS
    return None


def refusal_of_market(market: Market) -> Reason | None:
    """Why the market can't be created, or None."""
    top = MAX_PRICE if market.max_price is None else market.max_price
    sound = (
        len(market.symbol) <= MAX_NAME
        and len(market.title) <= MAX_TITLE
        and _SYMBOL.fullmatch(market.symbol) is not None
        and 1 <= market.min_price <= top <= MAX_PRICE
        and 1 <= market.tick <= MAX_PRICE
        and market.status is _OPEN
    )
    return None if sound else Reason.INVALID_MARKET
