"""What can be asked of the exchange, and how it is spelled in the order queue.

A new order is a plain JSON object, as the original Matchbox writes it:
``{"id":1,"side":"buy","price":50,"qty":10,"timestamp":1}``. Every other command carries its
name in ``op``: ``{"op":"cancel","id":1,"timestamp":2}``. Fields at their default are left out.
"""

from typing import Annotated

import msgspec

from matchbox_tui.engine.values import (
    DEFAULT_MARKET,
    MAX_NAME,
    Market,
    OrderType,
    SelfTradePrevention,
    Side,
    TimeInForce,
)

Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""What a decoder takes for a number; the engine then rejects what is beyond the field's bound."""

Name = Annotated[str, msgspec.Meta(max_length=MAX_NAME)]

MAX_ELEMENT = 16 * 1024
"""Longest queue element that is looked at, in bytes; a longer one is malformed."""

MAX_BRACKETS = 400
"""Most opening brackets in an element, in names or nested: how deep a decoder can go differs from
one Python to another, and what is malformed must not.
"""

MALFORMED_KEPT = 256
"""How many bytes of a malformed element its rejection carries."""


class NewOrder(
    msgspec.Struct,
    frozen=True,
    gc=False,
    kw_only=True,
    omit_defaults=True,
    rename={"order_id": "id"},
):
    """Asks for a new order. `price` is ignored where `type` is market."""

    order_id: Int64
    market: Name = DEFAULT_MARKET
    side: Side
    type: OrderType = OrderType.LIMIT
    price: Int64 = 0
    qty: Int64
    timestamp: Int64 = 0
    trader: Name = ""
    time_in_force: TimeInForce = TimeInForce.GTC
    expires_at: Int64 = 0
    post_only: bool = False
    reduce_only: bool = False
    client_order_id: Name = ""
    self_trade_prevention: SelfTradePrevention = SelfTradePrevention.CANCEL_TAKER


class _Tagged(
    msgspec.Struct,
    frozen=True,
    gc=False,
    tag_field="op",
    omit_defaults=True,
    rename={"order_id": "id"},
):
    """The base of the commands that carry their name."""


class CancelOrder(_Tagged, frozen=True, gc=False, tag="cancel"):
    order_id: Int64
    timestamp: Int64 = 0


class ReplaceOrder(_Tagged, frozen=True, gc=False, tag="replace", kw_only=True):
    """Changes an open order. `qty` is the new total (FIX OrderQty); None leaves it as it is."""

    order_id: Int64
    qty: Int64 | None = None
    price: Int64 | None = None
    timestamp: Int64 = 0


class CancelAll(_Tagged, frozen=True, gc=False, tag="cancel_all"):
    """Cancels every open order of `trader`, in one market or (None) in all."""

    trader: Name
    market: Name | None = None
    timestamp: Int64 = 0


class ExpireOrders(_Tagged, frozen=True, gc=False, tag="expire"):
    """Ends the GTD orders whose time is `now` or earlier: the clock as an input."""

    now: Int64

    @property
    def timestamp(self) -> int:
        return self.now


class CreateMarket(_Tagged, frozen=True, gc=False, tag="create_market"):
    market: Market
    timestamp: Int64 = 0


class HaltMarket(_Tagged, frozen=True, gc=False, tag="halt_market"):
    market: Name
    timestamp: Int64 = 0


class ResumeMarket(_Tagged, frozen=True, gc=False, tag="resume_market"):
    market: Name
    timestamp: Int64 = 0


class Malformed(msgspec.Struct, frozen=True, gc=False):
    """A queue element that is no command: what could be read of it. Never written to a queue."""

    raw: str
    order_id: int = 0
    timestamp: int = 0


Tagged = (
    CancelOrder | ReplaceOrder | CancelAll | ExpireOrders | CreateMarket | HaltMarket | ResumeMarket
)
Command = NewOrder | Tagged | Malformed


class _Op(msgspec.Struct):
    op: str = "new"


class _Id(msgspec.Struct):
    id: Int64 = 0


_encoder = msgspec.json.Encoder()
_new_order = msgspec.json.Decoder(NewOrder)
_tagged: msgspec.json.Decoder[Tagged] = msgspec.json.Decoder(Tagged)
_op = msgspec.json.Decoder(_Op)
_id = msgspec.json.Decoder(_Id)


def encode_command(command: NewOrder | Tagged) -> bytes:
    """The command as it stands in the queue."""
    return _encoder.encode(command)


def decode_command(raw: bytes) -> Command:
    """The command of one queue element. Never raises: what is no command becomes `Malformed`."""
    if len(raw) > MAX_BRACKETS and (len(raw) > MAX_ELEMENT or _brackets(raw) > MAX_BRACKETS):
        return _malformed(raw, 0)
    try:
        if b'"op"' not in raw or _op.decode(raw).op == "new":
            return _new_order.decode(raw)
        return _tagged.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    try:
        order_id = _id.decode(raw).id
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        order_id = 0
    return _malformed(raw, order_id)


def _brackets(raw: bytes) -> int:
    return raw.count(b"[") + raw.count(b"{")


def _malformed(raw: bytes, order_id: int) -> Malformed:
    return Malformed(raw[:MALFORMED_KEPT].decode("utf-8", "backslashreplace"), order_id)
