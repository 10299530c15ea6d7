"""The exchange as a Tracebook conformance candidate: one process, JSON lines on stdin and stdout.

It translates and nothing more: decimals to integers on the grids of ticks and of contracts, its
operations to our commands, our reasons to its codes. All matching is `Exchange.apply`.
"""

import hashlib
import json
import sys
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from matchbox_tui.engine import (
    CancelOrder,
    Command,
    CreateMarket,
    Event,
    Exchange,
    Market,
    NewOrder,
    Order,
    OrderRejected,
    OrderType,
    Reason,
    ReplaceOrder,
    ReplaceRejected,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TradeExecuted,
)

ANONYMOUS = -1
CONTRACT_PLACES = 9
"""The engine's largest order is 10**12 contracts, so that twelve places would leave room for just
one unit. A quantity that nine can't hold is an error, never rounded."""

POLICIES = {
    "NONE": SelfTradePrevention.NONE,
    "CANCEL_INCOMING": SelfTradePrevention.CANCEL_TAKER,
    "CANCEL_RESTING": SelfTradePrevention.CANCEL_MAKER,
}
CODES = {
    Reason.DUPLICATE_ORDER_ID: "DUPLICATE_ORDER_ID",
    Reason.UNKNOWN_ORDER: "ORDER_NOT_ACTIVE",
}


class Refused(Exception):
    """A request that was not carried out, with the code for it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Adapter:
    """One exchange behind the protocol's operations.

    Its order ids are unique within a symbol, ours within the exchange: each (symbol, id) gets a
    number of ours once and keeps it, so that reuse and duplicates are the engine's to judge.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        if config["matching_algorithm"] != "fifo":
            raise ValueError("only fifo is matched here")
        self.tick = Decimal(config["tick_size"])
        self.unit = Decimal(1).scaleb(-min(config["quantity_decimal_places"], CONTRACT_PLACES))
        self.mode = POLICIES[config["self_trade_policy"]]
        self.exchange = Exchange(())
        self.ids: dict[tuple[str, int], int] = {}
        self.sources: dict[int, int] = {}

    def handle(self, index: int, event: dict[str, Any]) -> dict[str, Any]:
        trades: list[dict[str, Any]] = []
        outcome = {"status": "applied", "reason": None, "message": None}
        try:
            operation = {
                "new": self.new,
                "cancel": self.cancel,
                "reduce": self.reduce,
                "replace": self.replace,
                "clear": self.clear,
            }[event["op"]]
            trades = [self.trade(e) for e in operation(event) if isinstance(e, TradeExecuted)]
        except Refused as refused:
            outcome = {"status": "rejected", "reason": refused.code, "message": None}
        state = self.state()
        canonical = json.dumps(state, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return {
            "type": "observation",
            "index": index,
            "outcome": outcome,
            "trades": trades,
            "state_hash": hashlib.sha256(canonical.encode()).hexdigest(),
            "resting_order_count": len(self.exchange.orders),
        }

    def new(self, event: dict[str, Any]) -> list[Event]:
        self.open_market(event["symbol"])
        kind = event["order_type"]
        owner = event["owner"]
        return self.send(
            NewOrder(
                order_id=self.number(event),
                market=event["symbol"],
                side=Side(event["side"].lower()),
                type=OrderType.MARKET if kind == "MARKET" else OrderType.LIMIT,
                price=self.ticks(event["price"]),
                qty=self.contracts(event["quantity"]),
                timestamp=event["timestamp_ns"] or 0,
                trader="" if owner == ANONYMOUS else str(owner),
                time_in_force=TimeInForce(kind) if kind in ("IOC", "FOK") else TimeInForce.GTC,
                self_trade_prevention=self.mode,
            )
        )

    def cancel(self, event: dict[str, Any]) -> list[Event]:
        return self.send(CancelOrder(order_id=self.resting(event).id))

    def reduce(self, event: dict[str, Any]) -> list[Event]:
        order = self.resting(event)
        less = self.contracts(event["quantity"])
        if less > order.leaves_qty:
            raise Refused("INVALID_ORDER")
        if less == order.leaves_qty:
            return self.send(CancelOrder(order_id=order.id))
        return self.send(ReplaceOrder(order_id=order.id, qty=order.qty - less))

    def replace(self, event: dict[str, Any]) -> list[Event]:
        """Its quantity is what shall rest, ours the total; and it always loses priority.

        Where ours would keep it, the same is said as a cancel and a new order.
        """
        order = self.resting(event)
        price = order.price if event["price"] is None else self.ticks(event["price"])
        leaves = order.leaves_qty
        if event["quantity"] is not None:
            leaves = self.contracts(event["quantity"])
        if price <= 0 or leaves <= 0:
            raise Refused("INVALID_REPLACEMENT")
        if price != order.price or leaves > order.leaves_qty:
            return self.send(
                ReplaceOrder(order_id=order.id, price=price, qty=order.cum_qty + leaves)
            )
        self.send(CancelOrder(order_id=order.id))
        return self.send(
            NewOrder(
                order_id=order.id,
                market=order.market,
                side=order.side,
                price=price,
                qty=leaves,
                trader=order.trader,
                self_trade_prevention=self.mode,
            )
        )

    def clear(self, event: dict[str, Any]) -> list[Event]:
        self.open_market(event["symbol"])
        book = self.exchange.book(event["symbol"])
        for order in [*book.queue(Side.BUY), *book.queue(Side.SELL)]:
            self.send(CancelOrder(order_id=order.id))
        return []

    def send(self, command: Command) -> list[Event]:
        events = self.exchange.apply(command)
        first = events[0]
        if isinstance(first, OrderRejected | ReplaceRejected):
            raise Refused(CODES.get(first.reason, "INVALID_ORDER"))
        return events

    def open_market(self, symbol: str) -> None:
        if symbol not in self.exchange.books:
            self.exchange.apply(CreateMarket(Market(symbol)))

    def number(self, event: dict[str, Any]) -> int:
        number = self.ids.setdefault((event["symbol"], event["order_id"]), len(self.ids) + 1)
        self.sources[number] = event["order_id"]
        return number

    def resting(self, event: dict[str, Any]) -> Order:
        order = self.exchange.orders.get(self.ids.get((event["symbol"], event["order_id"]), 0))
        if order is None:
            raise Refused(CODES[Reason.UNKNOWN_ORDER])
        return order

    def ticks(self, price: float | None) -> int:
        on_grid = Decimal(str(price or 0)) / self.tick
        return int(on_grid.to_integral_value(ROUND_HALF_EVEN))

    def contracts(self, quantity: float) -> int:
        exact = Decimal(str(quantity)) / self.unit
        if exact != exact.to_integral_value():
            raise ValueError(f"quantity {quantity} is finer than {self.unit}")
        return int(exact)

    def trade(self, trade: TradeExecuted) -> dict[str, Any]:
        maker = self.sources[trade.maker_order_id]
        taker = self.sources[trade.taker_order_id]
        buyer, seller = (taker, maker) if trade.taker_side is Side.BUY else (maker, taker)
        return {
            "symbol": trade.market,
            "buy_order_id": buyer,
            "sell_order_id": seller,
            "price": plain(trade.price * self.tick),
            "quantity": plain(trade.qty * self.unit),
        }

    def state(self) -> dict[str, Any]:
        return {
            "books": [
                {
                    "symbol": symbol,
                    "bids": [self.order(order) for order in book.queue(Side.BUY)],
                    "asks": [self.order(order) for order in book.queue(Side.SELL)],
                }
                for symbol, book in sorted(self.exchange.books.items())
            ]
        }

    def order(self, order: Order) -> dict[str, Any]:
        return {
            "order_id": self.sources[order.id],
            "price": plain(order.price * self.tick),
            "remaining_quantity": plain(order.leaves_qty * self.unit),
            "owner": int(order.trader) if order.trader else ANONYMOUS,
            "order_type": "LIMIT",
        }


def plain(number: Decimal) -> str:
    """The number without exponent or trailing zeros."""
    return format(number.normalize(), "f")


def serve() -> None:
    adapter = Adapter(hello())
    index = 0
    for line in sys.stdin:
        message = json.loads(line)
        if message["type"] == "event":
            index = message["index"]
            answer(adapter.handle(index, message["event"]))
        elif message["type"] == "snapshot":
            answer({"type": "snapshot", "index": index, "state": adapter.state()})
        elif message["type"] == "finish":
            answer({"type": "complete", "event_count": index})
            return


def hello() -> dict[str, Any]:
    message: dict[str, Any] = json.loads(sys.stdin.readline())
    engine = {"name": "matchbox", "version": "1", "language": "Python"}
    header = {key: message[key] for key in ("protocol", "protocol_version")}
    answer({"type": "ready", **header, "engine": engine})
    config: dict[str, Any] = message["config"]
    return config


def answer(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    serve()
