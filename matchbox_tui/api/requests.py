"""What clients send: the JSON of CONTRACT section 3, as types, and commands out of it."""

import time
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from matchbox_tui.api.errors import Refusal
from matchbox_tui.engine import (
    DEFAULT_MARKET,
    MAX_NAME,
    MAX_PRICE,
    MAX_QTY,
    MAX_TIME,
    Exchange,
    Market,
    NewOrder,
    OrderType,
    Reason,
    SelfTradePrevention,
    Side,
    TimeInForce,
    refusal_of_price,
    refusal_of_terms,
)
from matchbox_tui.store import MAX_BATCH

Price = Annotated[int, Meta(ge=1, le=MAX_PRICE, description="Ticks; the limit.")]
Qty = Annotated[int, Meta(ge=1, le=MAX_QTY, description="Contracts.")]
ExpiresAt = Annotated[
    int, Meta(ge=1, le=MAX_TIME, description="When a GTD order ends, in ns since the epoch.")
]
MarketSymbol = Annotated[str, Meta(max_length=MAX_NAME, description="A symbol that /markets has.")]
TraderName = Annotated[
    str, Meta(max_length=MAX_NAME, description="Whose order it is; empty: anonymous.")
]
ClientOrderId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_NAME,
        description="Makes a second try safe: known for 24 hours, for each trader.",
    ),
]


class OrderRequest(msgspec.Struct, forbid_unknown_fields=True, gc=False, kw_only=True):
    """A new order. A limit order has a price and a market order has none; expires_at goes with
    GTD; post_only needs a limit order that is GTC or GTD; reduce_only needs IOC, FOK or market.
    """

    side: Side
    qty: Qty
    price: Price | UnsetType = UNSET
    market: MarketSymbol = DEFAULT_MARKET
    type: OrderType = OrderType.LIMIT
    time_in_force: TimeInForce = TimeInForce.GTC
    expires_at: ExpiresAt | UnsetType = UNSET
    post_only: bool = False
    reduce_only: bool = False
    trader: TraderName = ""
    client_order_id: ClientOrderId | UnsetType = UNSET
    self_trade_prevention: SelfTradePrevention = SelfTradePrevention.CANCEL_TAKER


class BatchRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Orders that are queued together, in their order, or not at all."""

    orders: Annotated[list[OrderRequest], Meta(min_length=1, max_length=MAX_BATCH)]


class ReplaceRequest(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What an order is to be: a new price, a new total qty (filled contracts count), or both."""

    qty: Qty | UnsetType = UNSET
    price: Price | UnsetType = UNSET


def new_order(request: OrderRequest, exchange: Exchange, place: str = "") -> NewOrder:
    """The command of a request. Raises `Refusal` for what its market can never take.

    `place` is where the request stood, put before the names of fields.
    """
    book = exchange.books.get(request.market)
    if book is None:
        raise unknown_market(request.market, place)
    price = request.price
    if price is UNSET:
        if request.type is OrderType.LIMIT:
            raise Refusal(422, f"{place}price is missing: a limit order needs one")
        price = 0
    elif request.type is OrderType.MARKET:
        raise Refusal(
            400,
            f"{place}price: a market order takes none; leave it out, or use time_in_force IOC",
        )
    order = NewOrder(
        order_id=1,
        market=request.market,
        side=request.side,
        type=request.type,
        price=price,
        qty=request.qty,
        timestamp=time.time_ns(),
        trader=request.trader,
        time_in_force=request.time_in_force,
        expires_at=0 if request.expires_at is UNSET else request.expires_at,
        post_only=request.post_only,
        reduce_only=request.reduce_only,
        client_order_id="" if request.client_order_id is UNSET else request.client_order_id,
        self_trade_prevention=request.self_trade_prevention,
    )
    reason = refusal_of_terms(order, book.market)
    if reason is not None:
        raise refused_terms(reason, book.market, place)
    return order


def check_price(price: int, market: Market) -> None:
    """Raises `Refusal` for a price that the market doesn't take."""
    reason = refusal_of_price(price, market)
    if reason is not None:
        raise refused_terms(reason, market)


def known_market(exchange: Exchange, market: str) -> None:
    """Raises `Refusal` for a symbol that no market has."""
    if market not in exchange.books:
        raise unknown_market(market)


def unknown_market(market: str, place: str = "") -> Refusal:
    return Refusal(
        422,
        f"{place}market {market[:MAX_NAME]!r}: no market has this symbol; GET /markets lists them",
    )


def refused_terms(reason: Reason, market: Market, place: str = "") -> Refusal:
    words = reason.words
    if reason is Reason.PRICE_OUT_OF_RANGE:
        words += f": {market.min_price} to {market.max_price or MAX_PRICE}"
    elif reason is Reason.PRICE_OFF_TICK:
        words += f": {market.tick}"
    return Refusal(400, place + words)
