"""Orders, changes and cancels beside trades: the order-to-trade ratio."""

import msgspec

from matchbox_tui.engine import (
    CancelRejected,
    Event,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderRejected,
    OrderReplaced,
    Reason,
    ReplaceRejected,
    TradeExecuted,
)
from matchbox_tui.store import ActivityStats


class Activity(msgspec.Struct):
    """What was asked for in one market and came to pass, counted by order.

    Messages are orders that were accepted, changes, and cancels on request: the ratio is messages
    to trades. A cancel of ten orders at once counts ten times. What was refused is beside it.
    """

    orders: int = 0
    replaces: int = 0
    cancels: int = 0
    expiries: int = 0
    rejections: int = 0
    trades: int = 0

    def record(self, event: Event) -> None:
        kind = type(event)
        if kind is OrderAccepted:
            self.orders += 1
        elif kind is OrderCancelled:
            # Self-trade prevention is the engine's doing, not a message.
            self.cancels += event.reason is Reason.REQUESTED  # type: ignore[union-attr]
        elif kind is OrderReplaced:
            self.replaces += 1
        elif kind is TradeExecuted:
            self.trades += 1
        elif kind is OrderExpired:
            self.expiries += 1
        elif kind in (OrderRejected, CancelRejected, ReplaceRejected):
            self.rejections += 1

    def stats(self) -> ActivityStats:
        messages = self.orders + self.replaces + self.cancels
        return ActivityStats(
            messages,
            self.trades,
            self.orders,
            self.replaces,
            self.cancels,
            self.expiries,
            self.rejections,
        )
