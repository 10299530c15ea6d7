"""What became of an order, folded from its own events, and how it is told."""

import msgspec

from matchbox_tui.cli.output import print_json, print_line
from matchbox_tui.engine import (
    Event,
    NewOrder,
    Order,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderRejected,
    OrderReplaced,
    OrderRested,
    Reason,
    TradeExecuted,
)

ENDED = "ended"
"""The status of an order that is over, and of which the journal no longer tells how."""


class Outcome(msgspec.Struct):
    """An order's state, in contracts and ticks; a fill is (qty, price).

    `cum_qty` may be more than the fills: those before the journal's beginning are not known.
    """

    order_id: int
    status: str = "pending"
    cum_qty: int = 0
    leaves_qty: int = 0
    fills: list[tuple[int, int]] = msgspec.field(default_factory=list)
    reason: str = ""
    repeated: bool = False

    def rest(self, order: Order) -> None:
        """Takes the state from an order that rests in a book."""
        self.status = "open"
        self.cum_qty, self.leaves_qty = order.cum_qty, order.leaves_qty

    def fold(self, event: Event) -> None:
        """Takes in one event of the journal; those of other orders change nothing."""
        if isinstance(event, TradeExecuted):
            if self.order_id in (event.taker_order_id, event.maker_order_id):
                self._trade(event.qty, event.price)
            return
        if getattr(event, "order_id", 0) != self.order_id:
            return
        match event:
            case OrderRejected():
                self.status, self.reason = "rejected", event.reason
            case OrderAccepted():
                self.status, self.leaves_qty = "filled", event.order.qty
            case OrderRested():
                self.status = "open"
            case OrderReplaced():
                self.leaves_qty = event.leaves_qty
            case OrderExpired():
                self.status, self.reason, self.leaves_qty = "expired", event.reason, 0
            case OrderCancelled():
                self.status, self.reason, self.leaves_qty = "cancelled", event.reason, 0
            case _:
                pass

    def _trade(self, qty: int, price: int) -> None:
        self.fills.append((qty, price))
        self.cum_qty += qty
        self.leaves_qty -= qty
        if self.leaves_qty == 0:
            self.status = "filled"


def print_outcome(outcome: Outcome, order: NewOrder, json: bool) -> None:
    if json:
        print_json(outcome)
        return
    words = f"order {outcome.order_id}: {outcome.status}"
    if outcome.status == ENDED:
        words += " before the journal's beginning"
    if outcome.repeated:
        words += " (sent before under this client order id)"
    if outcome.reason:
        words += f" ({Reason(outcome.reason).words})"
    earlier = outcome.cum_qty - sum(qty for qty, _ in outcome.fills)
    if earlier:
        words += f", {earlier} filled before the journal's beginning"
    if outcome.fills:
        words += ", " + " + ".join(f"{qty} @ {price}" for qty, price in outcome.fills)
    if outcome.status == "open":
        words += f", {outcome.leaves_qty} resting"
        # Under an id that was used before, another price may have been asked for.
        words += "" if outcome.repeated else f" at {order.price}"
    print_line(words)
