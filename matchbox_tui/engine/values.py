"""The values of the market: sides, order types, bounds, markets, positions and book levels.

Units everywhere: a price is in ticks, a quantity in contracts, a time in nanoseconds since the
epoch. All are integers; nothing here is ever a float.
"""

from enum import StrEnum

import msgspec

DEFAULT_MARKET = "MAIN"
"""The market of an order that names none. It is unbounded, so any positive price works."""

MAX_PRICE = 10**12
MAX_QTY = 10**12
MAX_ID = 2**53 - 1
TIME_BITS = 63
MAX_TIME = 2**TIME_BITS - 1
MAX_TITLE = 200
"""Longest title of a market, in characters."""

MAX_NAME = 64
"""Longest trader name, market symbol and client order id, in characters."""


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"

    @property
    def opposite(self) -> "Side":
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(StrEnum):
    LIMIT = "limit"
    MARKET = "market"


class TimeInForce(StrEnum):
    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    GTD = "GTD"


class SelfTradePrevention(StrEnum):
    """What happens when an order would meet one of the same, named trader."""

    CANCEL_TAKER = "cancel_taker"
    CANCEL_MAKER = "cancel_maker"
    CANCEL_BOTH = "cancel_both"
    NONE = "none"


class MarketStatus(StrEnum):
    OPEN = "open"
    HALTED = "halted"


class Market(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A market: its symbol, its price range in ticks (inclusive) and its status.

    A valid price is a multiple of `tick` between `min_price` and `max_price` (None: no limit
    but `MAX_PRICE`).
    """

    symbol: str
    title: str = ""
    min_price: int = 1
    max_price: int | None = None
    tick: int = 1
    status: MarketStatus = MarketStatus.OPEN

    @classmethod
    def prediction(cls, symbol: str, title: str = "") -> "Market":
        """A prediction market: prices 1 to 99, the chance in percent."""
        return cls(symbol, title=title, max_price=99)


class Position(msgspec.Struct, frozen=True, gc=False):
    """A trader's standing in one market.

    `qty` is buys minus sells in contracts, `cash` is sells minus buys in ticks x contracts, so
    that profit = cash + qty x mark.
    """

    qty: int = 0
    cash: int = 0


class Fill(msgspec.Struct, frozen=True, gc=False):
    """One execution, as `match_order` returns it."""

    maker_order_id: int
    taker_order_id: int
    price: int
    qty: int
    timestamp: int


class PriceLevel(msgspec.Struct, frozen=True, gc=False):
    """One price of a book and the contracts that rest there."""

    price: int
    qty: int


class BookSnapshot(msgspec.Struct, frozen=True):
    """A book at one moment, best price first on both sides."""

    bids: tuple[PriceLevel, ...]
    asks: tuple[PriceLevel, ...]
    sequence: int
