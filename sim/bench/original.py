"""The loop of the original design, in Python: an order at a time, popped before it is matched.

LPOP, match, PUBLISH of each fill, SET of the book: each of them waits for its answer. Not a part of
the product, which loses and repeats nothing; this is what its rate is compared with.
"""

import json
import time
from bisect import insort
from collections import deque
from typing import Any

import redis

from matchbox_tui.engine import encode_command
from sim.bench.line_jobs import Done, OriginalJob
from sim.bench.orders import make_orders

QUEUE, FILLS, BOOK = "bench:queue", "bench:fills", "bench:book"
AT_ONCE = 1000

Order = dict[str, Any]


class Side:
    """Prices in order, the best one last, and for each of them its orders, first come first."""

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.prices: list[int] = []
        self.levels: dict[int, deque[Order]] = {}

    def rest(self, order: Order) -> None:
        price = order["price"]
        if price not in self.levels:
            self.levels[price] = deque()
            insort(self.prices, price, key=lambda one: one * self.sign)
        self.levels[price].append(order)

    def shown(self) -> list[dict[str, int]]:
        return [
            {"price": price, "qty": sum(order["qty"] for order in self.levels[price])}
            for price in reversed(self.prices)
        ]


class Book:
    """Limit orders by price and time."""

    def __init__(self) -> None:
        self.buy, self.sell = Side(1), Side(-1)

    def match(self, taker: Order) -> list[Order]:
        """The fills; what is left of the taker rests."""
        mine, other = self.buy, self.sell
        if taker["side"] == "sell":
            mine, other = other, mine
        fills = []
        while taker["qty"] and other.prices:
            price = other.prices[-1]
            if (price - taker["price"]) * mine.sign > 0:
                break
            level = other.levels[price]
            maker = level[0]
            qty = min(taker["qty"], maker["qty"])
            taker["qty"] -= qty
            maker["qty"] -= qty
            fills.append(
                {
                    "maker_order_id": maker["id"],
                    "taker_order_id": taker["id"],
                    "price": price,
                    "qty": qty,
                    "timestamp": taker["timestamp"],
                }
            )
            if not maker["qty"]:
                level.popleft()
            if not level:
                del other.levels[price]
                other.prices.pop()
        if taker["qty"]:
            mine.rest(taker)
        return fills

    def shown(self) -> Order:
        return {"bids": self.buy.shown(), "asks": self.sell.shown()}


def run_original(job: OriginalJob) -> Done:
    """Does the job: orders a second of the loop, on a queue that is there already."""
    client: Any = redis.Redis.from_url(job.url)
    orders = [encode_command(order) for order in make_orders(AT_ONCE, 1)]
    for _ in range(0, job.orders, AT_ONCE):
        client.rpush(QUEUE, *orders)
    book, count = Book(), 0
    began = time.perf_counter()
    while (passed := time.perf_counter() - began) < job.seconds:
        raw = client.lpop(QUEUE)
        if raw is None:
            break
        for fill in book.match(json.loads(raw)):
            client.publish(FILLS, json.dumps(fill))
        client.set(BOOK, json.dumps(book.shown()))
        count += 1
    client.delete(QUEUE, BOOK)
    client.close()
    return Done(count, passed)
