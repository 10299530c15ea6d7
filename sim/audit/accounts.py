"""I6: every contract that was asked for went somewhere."""

from matchbox_tui.engine import (
    Event,
    Exchange,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderReplaced,
    OrderRested,
    TradeExecuted,
)
from sim.audit.inspection import Inspection, some


class Account:
    """One open order: what it is for, what of it was filled, and whether it rests."""

    __slots__ = ("filled", "qty", "rests")

    def __init__(self, qty: int, filled: int = 0, rests: bool = False) -> None:
        self.qty = qty
        self.filled = filled
        self.rests = rests

    @property
    def leaves(self) -> int:
        return self.qty - self.filled


class AccountsInspection(Inspection):
    """Keeps an account of each open order from the events alone; closed ones only count."""

    name = "I6"

    def __init__(self, base: Exchange) -> None:
        """`base` is the state that the journal begins at."""
        super().__init__()
        self.inspected = True
        self._open: dict[int, Account] = {}
        self._orders = 0
        self._asked = self._filled = self._cancelled = self._expired = 0
        for order in base.orders.values():
            if not 0 < order.leaves_qty <= order.qty:
                self.accuse(
                    base.seq,
                    f"at most {order.qty} contracts of order {order.id} to rest",
                    f"{order.leaves_qty}",
                )
            self._open[order.id] = Account(order.qty, order.cum_qty, rests=True)
            self._orders += 1
            self._asked += order.qty
            self._filled += order.cum_qty

    def read(self, seq: int, events: list[Event]) -> None:
        for event in events:
            match event:
                case OrderAccepted():
                    self._open[event.order_id] = Account(event.order.qty)
                    self._orders += 1
                    self._asked += event.order.qty
                case TradeExecuted():
                    self._fill(seq, event.maker_order_id, event.qty)
                    self._fill(seq, event.taker_order_id, event.qty)
                case OrderRested():
                    if self._leaves(seq, event.order_id, event.qty, "rest"):
                        self._open[event.order_id].rests = True
                case OrderReplaced():
                    self._replace(seq, event)
                case OrderCancelled():
                    if self._leaves(seq, event.order_id, event.qty, "be cancelled"):
                        self._cancelled += event.qty
                        del self._open[event.order_id]
                case OrderExpired():
                    if self._leaves(seq, event.order_id, event.qty, "expire"):
                        self._expired += event.qty
                        del self._open[event.order_id]
                case _:
                    pass
        # Only the order that a command is about can be left in the air at its end.
        if isinstance(events[0], OrderAccepted | OrderReplaced):
            self._settled(seq, events[0].order_id)

    def _settled(self, seq: int, order_id: int) -> None:
        account = self._open.get(order_id)
        if account is not None and not account.rests:
            self.accuse(
                seq,
                f"the other {account.leaves} of the {account.qty} contracts of order {order_id}"
                " to rest or end",
                "nothing of that",
            )

    def _fill(self, seq: int, order_id: int, qty: int) -> None:
        account = self._open.get(order_id)
        leaves = account.leaves if account is not None else 0
        if account is None or not 0 < qty <= leaves:
            self.accuse(seq, f"a fill of at most {leaves} of order {order_id}", f"one of {qty}")
            return
        account.filled += qty
        self._filled += qty
        if not account.leaves:
            del self._open[order_id]

    def _leaves(self, seq: int, order_id: int, qty: int, what: str) -> bool:
        """Whether the order has exactly so many contracts left."""
        account = self._open.get(order_id)
        leaves = account.leaves if account is not None else 0
        if account is None or leaves != qty:
            self.accuse(seq, f"{leaves} contracts of order {order_id} to {what}", f"{qty}")
            return False
        return True

    def _replace(self, seq: int, event: OrderReplaced) -> None:
        account = self._open.get(event.order_id)
        filled = account.filled if account is not None else 0
        if account is None or event.qty - filled != event.leaves_qty:
            self.accuse(
                seq,
                f"order {event.order_id} to have {event.qty - filled} left of {event.qty}",
                f"{event.leaves_qty}",
            )
            return
        self._asked += event.qty - account.qty
        account.qty = event.qty
        account.rests = event.priority_kept

    def finish(self, seq: int, exchange: Exchange) -> None:
        """The books at the end hold what the accounts have left, and nothing else."""
        for order in exchange.orders.values():
            account = self._open.get(order.id)
            leaves = account.leaves if account is not None else 0
            if leaves != order.leaves_qty:
                self.accuse(
                    seq, f"{leaves} contracts of order {order.id} to rest", f"{order.leaves_qty}"
                )
        for order_id in self._open:
            if order_id not in exchange.orders:
                self.accuse(seq, f"order {order_id} to rest", "nothing of it")

    def counts(self) -> dict[str, int]:
        return {
            "orders": self._orders,
            "asked": self._asked,
            "filled": self._filled,
            "cancelled": self._cancelled,
            "expired": self._expired,
            "resting": sum(account.leaves for account in self._open.values()),
        }

    def words(self) -> str:
        sums = self.counts()
        return (
            f"{some(self._orders, 'order')} of {some(sums['asked'], 'contract')}:"
            f" {sums['filled']:,} filled, {sums['cancelled']:,} cancelled,"
            f" {sums['expired']:,} expired, {sums['resting']:,} resting"
        )
