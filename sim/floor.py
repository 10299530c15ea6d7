"""The traders' own record of what they were told by a venue."""

from collections.abc import Iterable

import msgspec

from matchbox_tui.engine import NewOrder
from sim.agents import Action


class Doubt(msgspec.Struct, frozen=True, array_like=True):
    """An order of which its trader doesn't know whether it was queued."""

    trader: str
    client_order_id: str


class FloorRecord(msgspec.Struct):
    """The traders' own record of what they were told.

    `order_ids` are the acknowledged new orders as ranges [first, last], in order. `in_doubt` are
    commands of all kinds; the new orders among them that can be told apart, since they have a
    client_order_id, are in `doubts`.
    """

    commands: int = 0
    acknowledged: int = 0
    in_doubt: int = 0
    overloaded: int = 0
    unsent: int = 0
    order_ids: list[list[int]] = msgspec.field(default_factory=list)
    doubts: list[Doubt] = msgspec.field(default_factory=list)

    def acknowledge(self, ids: Iterable[int]) -> None:
        for order_id in ids:
            self.acknowledged += 1
            if order_id <= 0:
                continue
            if self.order_ids and self.order_ids[-1][1] == order_id - 1:
                self.order_ids[-1][1] = order_id
            else:
                self.order_ids.append([order_id, order_id])

    def doubt(self, actions: list[Action]) -> None:
        self.in_doubt += len(actions)
        self.doubts += [
            Doubt(action.trader, action.client_order_id)
            for action in actions
            if isinstance(action, NewOrder) and action.client_order_id
        ]

    def joined(self, other: "FloorRecord") -> "FloorRecord":
        """What both were told. O(n log n) in the ranges."""
        ranges: list[list[int]] = []
        for first, last in sorted(self.order_ids + other.order_ids):
            if ranges and ranges[-1][1] == first - 1:
                ranges[-1][1] = last
            else:
                ranges.append([first, last])
        return FloorRecord(
            commands=self.commands + other.commands,
            acknowledged=self.acknowledged + other.acknowledged,
            in_doubt=self.in_doubt + other.in_doubt,
            overloaded=self.overloaded + other.overloaded,
            unsent=self.unsent + other.unsent,
            order_ids=ranges,
            doubts=self.doubts + other.doubts,
        )
