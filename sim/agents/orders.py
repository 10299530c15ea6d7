"""The two orders of which everything that agents do is made. Ids and times are the runner's."""

from matchbox_tui.engine import MarketStatus, NewOrder, Side, TimeInForce
from sim.agents.agent import clamped
from sim.agents.view import Sight

_IOC = TimeInForce.IOC
_OPEN = MarketStatus.OPEN
_BUY = Side.BUY


def resting(trader: str, market: str, side: Side, price: int, qty: int) -> NewOrder:
    """An order that rests where it does not match."""
    return NewOrder(order_id=0, market=market, side=side, price=price, qty=qty, trader=trader)


def quoting(trader: str, market: str, side: Side, price: int, qty: int) -> NewOrder:
    """An order that only ever rests: it is refused where it would match."""
    return NewOrder(
        order_id=0,
        market=market,
        side=side,
        price=price,
        qty=qty,
        trader=trader,
        post_only=True,
    )


def taking(trader: str, market: str, side: Side, price: int, qty: int) -> NewOrder:
    """An order that takes what is there, at `price` or better, and never rests."""
    return NewOrder(
        order_id=0,
        market=market,
        side=side,
        price=price,
        qty=qty,
        trader=trader,
        time_in_force=_IOC,
    )


def taking_within(sight: Sight, side: Side, slippage: int, qty: int) -> NewOrder | None:
    """As `taking`, at most `slippage` ticks beyond the best price; None where nobody is there."""
    book = sight.book
    buys = side is _BUY
    best = (book.asks if buys else book.bids).best
    if best is None or book.market.status is not _OPEN:
        return None
    price = best.price + slippage if buys else best.price - slippage
    return taking(sight.trader, book.market.symbol, side, clamped(price, book.market), qty)
