"""An account of a venue, read from its keys and folded without any code of the product."""

import json
from collections import Counter
from typing import Any

from matchbox_tui.store import Keys, Server


class Ledger:
    """The journal from sequence `after` on, counted; the books as all of it leaves them."""

    def __init__(self, events: list[dict[str, Any]], after: int) -> None:
        self.counts = Counter(event["type"] for event in events if event["seq"] > after)
        self.fills = [
            (f"{event['seq']}-{event['n']}", event["price"], event["qty"])
            for event in events
            if event["type"] == "trade.executed"
        ]
        self.traded = sum(
            event["qty"]
            for event in events
            if event["type"] == "trade.executed" and event["seq"] > after
        )
        self.last = max((event["seq"] for event in events), default=0)
        self.resting: dict[int, dict[str, Any]] = {}
        sides: dict[int, str] = {}
        for event in events:
            match event["type"]:
                case "order.accepted":
                    sides[event["order"]["id"]] = event["order"]["side"]
                case "order.rested":
                    self.resting[event["order_id"]] = dict(event, side=sides[event["order_id"]])
                case "trade.executed":
                    maker = self.resting[event["maker_order_id"]]
                    maker["qty"] -= event["qty"]
                    if maker["qty"] == 0:
                        del self.resting[event["maker_order_id"]]
                case "order.cancelled" | "order.expired":
                    self.resting.pop(event["order_id"], None)
                case _:
                    pass

    def best(self, market: str, side: str) -> int | None:
        prices = [
            order["price"]
            for order in self.resting.values()
            if (order["market"], order["side"]) == (market, side)
        ]
        return (max(prices) if side == "buy" else min(prices)) if prices else None

    def open_orders(self, market: str) -> int:
        return sum(order["market"] == market for order in self.resting.values())


async def read_ledger(url: str, prefix: str, after: int = 0) -> tuple[Ledger, list[Any]]:
    """The ledger, and the fills of `events_stream` as (id, price, qty)."""
    keys = Keys(prefix)
    link = Server(url, timeout_s=20).link()
    try:
        entries = await link.call("XRANGE", keys.log, "-", "+")
        stream = await link.call("XRANGE", keys.fills_stream, "-", "+")
    finally:
        await link.close()
    events = [event for _, flat in entries for event in json.loads(flat[flat.index(b"b") + 1])]
    published = []
    for entry_id, flat in stream:
        fill = json.loads(flat[flat.index(b"event") + 1])
        assert entry_id.decode() == fill["trade_id"]
        published.append((fill["trade_id"], fill["price"], fill["qty"]))
    return Ledger(events, after), published
