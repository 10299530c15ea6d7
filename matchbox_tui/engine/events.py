"""What has happened: the events that the journal keeps and everybody folds.

`seq` is the number of the command in its venue, so all events of one command share it. Replay
needs no more than these; see `matchbox_tui.engine.fold`.
"""

import msgspec

from matchbox_tui.engine.commands import NewOrder
from matchbox_tui.engine.reasons import Reason
from matchbox_tui.engine.values import Market, Side


class _Event(msgspec.Struct, frozen=True, gc=False, tag_field="type"):
    """The base of all events."""

    seq: int


class OrderAccepted(_Event, frozen=True, gc=False, tag="order.accepted"):
    """The order is valid. `order.qty` is what counts: a reduce_only order's is capped here."""

    order: NewOrder

    @property
    def order_id(self) -> int:
        return self.order.order_id

    @property
    def market(self) -> str:
        return self.order.market

    @property
    def timestamp(self) -> int:
        return self.order.timestamp


class OrderRested(_Event, frozen=True, gc=False, tag="order.rested"):
    """What is left of the command's order (`qty`) joined the back of the queue at `price`."""

    market: str
    order_id: int
    price: int
    qty: int
    timestamp: int


class TradeExecuted(_Event, frozen=True, gc=False, tag="trade.executed"):
    """A maker and a taker exchanged `qty` at the maker's price; the `n`-th of its command."""

    n: int
    market: str
    maker_order_id: int
    taker_order_id: int
    price: int
    qty: int
    taker_side: Side
    maker_trader: str
    taker_trader: str
    timestamp: int

    @property
    def trade_id(self) -> str:
        return f"{self.seq}-{self.n}"

    @property
    def buyer(self) -> str:
        return self.taker_trader if self.taker_side is Side.BUY else self.maker_trader

    @property
    def seller(self) -> str:
        return self.maker_trader if self.taker_side is Side.BUY else self.taker_trader


class OrderReplaced(_Event, frozen=True, gc=False, tag="order.replaced"):
    """An open order has a new price and total. Without priority it left the book to match anew."""

    market: str
    order_id: int
    price: int
    qty: int
    leaves_qty: int
    priority_kept: bool
    timestamp: int


class OrderCancelled(_Event, frozen=True, gc=False, tag="order.cancelled"):
    """`qty` contracts of the order will never trade: on request or by self-trade prevention."""

    market: str
    order_id: int
    qty: int
    reason: Reason
    timestamp: int


class OrderExpired(_Event, frozen=True, gc=False, tag="order.expired"):
    """`qty` contracts ended: the rest of an immediate order, or a GTD order whose time came."""

    market: str
    order_id: int
    qty: int
    reason: Reason
    timestamp: int


class OrderRejected(_Event, frozen=True, gc=False, tag="order.rejected", omit_defaults=True):
    """A new order, a market command or a malformed element was refused.

    `order` is the order as asked for; `raw` holds the first bytes of a malformed element.
    """

    order_id: int
    market: str
    reason: Reason
    timestamp: int = 0
    order: NewOrder | None = None
    raw: str = ""


class CancelRejected(_Event, frozen=True, gc=False, tag="order.cancel_rejected"):
    """A cancel, cancel-all or expiry that found nothing. `order_id` is 0 where it named none."""

    market: str
    order_id: int
    reason: Reason
    timestamp: int


class ReplaceRejected(
    _Event, frozen=True, gc=False, tag="order.replace_rejected", omit_defaults=True
):
    """The open order, if there is one, stands as it was.

    `qty` and `price` are what was asked for, None where nothing was (or in an older journal).
    """

    market: str
    order_id: int
    reason: Reason
    timestamp: int
    qty: int | None = None
    price: int | None = None


class MarketCreated(_Event, frozen=True, gc=False, tag="market.created"):
    definition: Market
    timestamp: int

    @property
    def market(self) -> str:
        return self.definition.symbol


class MarketHalted(_Event, frozen=True, gc=False, tag="market.halted"):
    market: str
    timestamp: int


class MarketResumed(_Event, frozen=True, gc=False, tag="market.resumed"):
    market: str
    timestamp: int


Event = (
    OrderAccepted
    | OrderRested
    | TradeExecuted
    | OrderReplaced
    | OrderCancelled
    | OrderExpired
    | OrderRejected
    | CancelRejected
    | ReplaceRejected
    | MarketCreated
    | MarketHalted
    | MarketResumed
)

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(list[Event])


def encode_events(events: list[Event]) -> bytes:
    """The events as one JSON array: the blob of a journal entry."""
    return _encoder.encode(events)


def decode_events(blob: bytes) -> list[Event]:
    """The events of a blob. Raises `ValueError` for one that this version can't read."""
    try:
        return _decoder.decode(blob)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError(f"events can't be read: {error}") from None
