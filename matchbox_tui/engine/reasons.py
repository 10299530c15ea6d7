"""Why the engine refuses, cancels or expires: one code each, and the words for a person."""

from enum import StrEnum


class Reason(StrEnum):
    """A code that stands in events. `words` says the same to a person."""

    MALFORMED = "malformed"
    INVALID_ORDER_ID = "invalid_order_id"
    DUPLICATE_ORDER_ID = "duplicate_order_id"
    UNKNOWN_MARKET = "unknown_market"
    MARKET_EXISTS = "market_exists"
    INVALID_MARKET = "invalid_market"
    MARKET_HALTED = "market_halted"
    INVALID_QTY = "invalid_qty"
    INVALID_PRICE = "invalid_price"
    PRICE_OUT_OF_RANGE = "price_out_of_range"
    PRICE_OFF_TICK = "price_off_tick"
    INVALID_TIMESTAMP = "invalid_timestamp"
    INVALID_EXPIRES_AT = "invalid_expires_at"
    POST_ONLY_NEEDS_RESTING = "post_only_needs_resting"
    POST_ONLY_WOULD_CROSS = "post_only_would_cross"
    REDUCE_ONLY_NEEDS_IMMEDIATE = "reduce_only_needs_immediate"
    REDUCE_ONLY_WOULD_INCREASE = "reduce_only_would_increase"
    UNKNOWN_ORDER = "unknown_order"
    NOTHING_TO_CANCEL = "nothing_to_cancel"
    NOTHING_DUE = "nothing_due"
    NOTHING_TO_REPLACE = "nothing_to_replace"

    REQUESTED = "requested"
    SELF_TRADE = "self_trade"
    REPLACED_BELOW_FILLED = "replaced_below_filled"

    IMMEDIATE = "immediate"
    NOT_FILLABLE = "not_fillable"
    TIME = "time"

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS = {
    Reason.MALFORMED: "the queue element is no valid command",
    Reason.INVALID_ORDER_ID: "id must be between 1 and 2**53 - 1",
    Reason.DUPLICATE_ORDER_ID: "an open order has this id already",
    Reason.UNKNOWN_MARKET: "no market has this symbol",
    Reason.MARKET_EXISTS: "a market with this symbol exists already",
    Reason.INVALID_MARKET: (
        "a market needs a symbol of letters, digits and . _ - (at most 64), a title of at most 200,"
        " tick >= 1 and 1 <= min_price <= max_price"
    ),
    Reason.MARKET_HALTED: "the market is halted and takes cancels only",
    Reason.INVALID_QTY: "qty must be > 0 and at most 10**12",
    Reason.INVALID_PRICE: "price must be > 0 and at most 10**12",
    Reason.PRICE_OUT_OF_RANGE: "price is outside the market's range",
    Reason.PRICE_OFF_TICK: "price is not a multiple of the market's tick",
    Reason.INVALID_TIMESTAMP: "timestamp must be between 0 and 2**63 - 1",
    Reason.INVALID_EXPIRES_AT: "expires_at goes with GTD, and must lie after the timestamp",
    Reason.POST_ONLY_NEEDS_RESTING: "post_only needs a limit order that is GTC or GTD",
    Reason.POST_ONLY_WOULD_CROSS: "post_only order would have traded at once",
    Reason.REDUCE_ONLY_NEEDS_IMMEDIATE: "reduce_only needs IOC, FOK or a market order",
    Reason.REDUCE_ONLY_WOULD_INCREASE: "reduce_only order would open or grow a position",
    Reason.UNKNOWN_ORDER: "no open order has this id",
    Reason.NOTHING_TO_CANCEL: "the trader has no open order there",
    Reason.NOTHING_DUE: "no order was due to expire",
    Reason.NOTHING_TO_REPLACE: "give a new qty, a new price, or both",
    Reason.REQUESTED: "cancelled on request",
    Reason.SELF_TRADE: "would have met an order of the same trader",
    Reason.REPLACED_BELOW_FILLED: "the new qty was filled already",
    Reason.IMMEDIATE: "what was left of an immediate order",
    Reason.NOT_FILLABLE: "could not be filled whole at once",
    Reason.TIME: "its time was over",
}
