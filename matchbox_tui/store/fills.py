"""A fill as outsiders see it: on `fills:events`, in `events_stream` and over WebSockets."""

import msgspec

from matchbox_tui.engine import Side, TradeExecuted


class FillMessage(msgspec.Struct, frozen=True, gc=False):
    """Price in ticks, qty in contracts, timestamp in ns, trade_id `<seq>-<n>`."""

    maker_order_id: int
    taker_order_id: int
    price: int
    qty: int
    timestamp: int
    market: str
    trade_id: str
    taker_side: Side


def fill_message(trade: TradeExecuted) -> FillMessage:
    return FillMessage(
        trade.maker_order_id,
        trade.taker_order_id,
        trade.price,
        trade.qty,
        trade.timestamp,
        trade.market,
        trade.trade_id,
        trade.taker_side,
    )
