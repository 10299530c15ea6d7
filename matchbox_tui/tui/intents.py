"""What was asked for and is not known yet: sent, queued, or in doubt, until the journal tells."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from matchbox_tui.engine import (
    CancelRejected,
    Event,
    MarketHalted,
    MarketResumed,
    NewOrder,
    Order,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderRejected,
    OrderReplaced,
    OrderType,
    Reason,
    ReplaceRejected,
    Side,
)
from matchbox_tui.tui.figures import grouped, plural

QUIET_POLLS = 3
"""After so many looks at an empty queue and a journal read to its end, an intent has no trace."""


class Standing(StrEnum):
    """How far an intent is known to have come."""

    SENT = "sent"
    QUEUED = "queued"
    DOUBT = "in doubt"


@dataclass(frozen=True)
class Intent:
    """One request of this trader.

    A new order has `order`, a cancel `order_id`, a cancel of all in a market the ids in `all_of`, a
    change `moves` (the order's id).
    """

    key: str
    market: str
    words: str
    order: NewOrder | None = None
    order_id: int = 0
    all_of: frozenset[int] = frozenset()
    moves: int = 0
    standing: Standing = Standing.SENT
    quiet: int = 0

    @property
    def resting_price(self) -> int:
        """Where a new limit order would rest, 0 where it is none."""
        order = self.order
        return order.price if order is not None and order.type is OrderType.LIMIT else 0

    @property
    def at(self) -> tuple[str, int]:
        """The market, and the price in it where a new order would rest."""
        return self.market, self.resting_price

    def ends(self, order_id: int) -> bool:
        """Whether this intent asks for the end of an order."""
        return self.order_id == order_id or order_id in self.all_of


class Intents:
    """The open intents of one trader, oldest first."""

    def __init__(self, trader: str) -> None:
        self.trader = trader
        self._open: dict[str, Intent] = {}

    def __iter__(self) -> Iterator[Intent]:
        return iter(self._open.values())

    def __len__(self) -> int:
        return len(self._open)

    def add(self, intent: Intent) -> None:
        self._open[intent.key] = intent

    def stands(self, key: str, standing: Standing) -> None:
        """Notes how far the intent came; one that the journal has settled stays settled."""
        if key in self._open:
            self._open[key] = replace(self._open[key], standing=standing)

    def get(self, key: str) -> Intent | None:
        return self._open.get(key)

    def drop(self, key: str) -> Intent | None:
        return self._open.pop(key, None)

    def resting(self, market: str) -> Iterator[tuple[Side, int, int]]:
        """(side, price, qty) of the new limit orders whose outcome is open."""
        for intent in self._open.values():
            if intent.market == market and intent.order is not None and intent.resting_price:
                yield intent.order.side, intent.resting_price, intent.order.qty

    def ending(self, order_id: int) -> bool:
        """Whether the order's end was asked for and is not known yet."""
        return any(intent.ends(order_id) for intent in self._open.values())

    def moving(self, order_id: int) -> bool:
        """Whether a change of the order was asked for and is not known yet."""
        return any(intent.moves == order_id for intent in self._open.values())

    def settle(self, event: Event) -> Intent | None:
        """Drops and returns what the event decides. O(1) but for a cancel of all."""
        if not self._open:
            return None
        if isinstance(event, OrderAccepted):
            return self._settle_order(event.order)
        if isinstance(event, OrderRejected) and event.order is not None:
            return self._settle_order(event.order)
        if isinstance(event, MarketHalted | MarketResumed | OrderRejected):
            return self.drop(status_key(event.market))
        if isinstance(event, OrderReplaced | ReplaceRejected):
            return self.drop(move_key(event.order_id))
        if isinstance(event, OrderCancelled | OrderExpired):
            return self.ended(event.order_id)
        if isinstance(event, CancelRejected):
            if event.order_id:
                return self.drop(cancel_key(event.order_id))
            if event.reason is Reason.NOTHING_TO_CANCEL:
                return self.drop(cancel_all_key(event.market))
        return None

    def quiet(self) -> list[Intent]:
        """Notes that queue and journal hold no more; returns and drops what left no trace."""
        lost = []
        for key, intent in list(self._open.items()):
            if intent.standing is Standing.SENT:
                continue
            if intent.quiet + 1 >= QUIET_POLLS:
                lost.append(self._open.pop(key))
            else:
                self._open[key] = replace(intent, quiet=intent.quiet + 1)
        return lost

    def _settle_order(self, order: NewOrder) -> Intent | None:
        return self.drop(order.client_order_id) if order.trader == self.trader else None

    def ended(self, order_id: int) -> Intent | None:
        """An order is no longer open, for whatever reason: nothing more can come of a cancel."""
        if not self._open:
            return None
        for key, intent in list(self._open.items()):
            if order_id in intent.all_of:
                left = intent.all_of - {order_id}
                if left:
                    self._open[key] = replace(intent, all_of=left)
                else:
                    self.drop(key)
        self.drop(move_key(order_id))
        return self.drop(cancel_key(order_id))


def cancel_key(order_id: int) -> str:
    return f"cancel {order_id}"


def move_key(order_id: int) -> str:
    return f"replace {order_id}"


def cancel_all_key(market: str) -> str:
    return f"cancel all {market}"


def status_key(market: str) -> str:
    return f"status {market}"


def status_intent(market: str, *, halt: bool) -> Intent:
    return Intent(status_key(market), market, f"{'halt' if halt else 'resume'} {market}")


def cancel_intent(order: Order) -> Intent:
    words = f"cancel #{order.id} {order.side.value} {grouped(order.leaves_qty)}"
    words += f" @ {grouped(order.price)}"
    return Intent(cancel_key(order.id), order.market, words, order_id=order.id)


def move_intent(order: Order, price: int, leaves: int) -> Intent:
    words = f"replace #{order.id} by {grouped(leaves)} @ {grouped(price)}"
    return Intent(move_key(order.id), order.market, words, moves=order.id)


def cancel_all_intent(market: str, order_ids: frozenset[int]) -> Intent:
    words = f"cancel all in {market}"
    if order_ids:
        words += f" ({plural(len(order_ids), 'order')})"
    return Intent(cancel_all_key(market), market, words, all_of=order_ids)
