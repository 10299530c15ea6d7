"""The naive model's rules: what is wrong with a command, and who trades with whom."""

from collections.abc import Iterator

from matchbox_tui.engine import (
    Market,
    MarketStatus,
    NewOrder,
    OrderType,
    Reason,
    ReplaceOrder,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from sim.naive.book import NaiveBook, NaiveOrder

TOP = 10**12
TOP_ID = 2**53 - 1
TOP_TIME = 2**63 - 1


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
