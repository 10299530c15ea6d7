"""Other order books in Python, as anybody can install them, and this one: behind one door.

Each is told the same commands, as the same typed messages. What a peer needs made of a message (its
own order, its own price) is made within its time; `Prepared` shows what it takes without that.
"""

import importlib.util
import sys
from collections.abc import Callable
from decimal import Decimal
from importlib import metadata
from types import ModuleType
from typing import Any, Protocol

from matchbox_tui.engine import (
    CancelOrder,
    Exchange,
    Market,
    NewOrder,
    Side,
    TimeInForce,
    TradeExecuted,
)
from sim.bench.commands import Asked

Trade = tuple[int, int, int, int]
"""Maker's id, taker's id, price, contracts."""

AKHIL4N = "akhil4n-orderbook"
DYN4MIK3 = "OrderBook"
PEERS = (AKHIL4N, DYN4MIK3)

_HOW = {
    AKHIL4N: 'pip install ".[bench]"',
    # What the package index has under this name, 0.1.2 of 2013, was written for Python 2.
    DYN4MIK3: "pip install six git+https://github.com/dyn4mik3/OrderBook",
}


class Missing(Exception):
    """A peer is not installed, or does not run here; `str()` says how to get it."""


class Entrant(Protocol):
    """An engine with an empty book."""

    def run(self, commands: list[Asked]) -> None:
        """Carries them out: what is timed."""

    def trades(self) -> list[Trade]:
        """All there were, first to last."""


class Ours:
    """The whole engine: messages in, events out, every kind of order allowed."""

    def __init__(self, market: Market, *, keep: bool = False) -> None:
        self._exchange = Exchange([market])
        self._keep = keep
        self._trades: list[Trade] = []

    def run(self, commands: list[Asked]) -> None:
        apply = self._exchange.apply
        if not self._keep:
            for command in commands:
                apply(command)
            return
        for command in commands:
            self._trades += [
                (event.maker_order_id, event.taker_order_id, event.price, event.qty)
                for event in apply(command)
                if type(event) is TradeExecuted
            ]

    def trades(self) -> list[Trade]:
        return self._trades


class Akhil4n:
    """akhil4n-orderbook: its ids are strings of its own, and it knows no immediate orders."""

    def __init__(self) -> None:
        module = load(AKHIL4N, "orderbook.py")
        self._book: Any = module.OrderBook()
        self._order: Any = module.Order
        self._sides = {Side.BUY: module.OrderSide.BID, Side.SELL: module.OrderSide.ASK}
        self._theirs: dict[int, str] = {}

    def run(self, commands: list[Asked]) -> None:
        add, cancel, make = self._book.add_limit_order, self._book.cancel_order, self._order
        buy, sell, ids = self._sides[Side.BUY], self._sides[Side.SELL], self._theirs
        for command in commands:
            if type(command) is NewOrder:
                side = buy if command.side is Side.BUY else sell
                order = make(side, Decimal(command.price), command.qty)
                ids[command.order_id] = order.order_id
                add(order)
                if command.time_in_force is TimeInForce.IOC and order.remaining_quantity:
                    cancel(order.order_id)
            else:
                cancel(ids[command.order_id])

    def trades(self) -> list[Trade]:
        ours = {theirs: order_id for order_id, theirs in self._theirs.items()}
        return [
            (ours[t.filler_id], ours[t.aggressor_id], int(t.price), int(t.quantity_filled))
            for t in self._book.trade_log
        ]


class Akhil4nPrepared:
    """The same without what it takes to make its orders, whose prices are plain integers."""

    def __init__(self) -> None:
        module = load(AKHIL4N, "orderbook.py")
        self._book: Any = module.OrderBook()
        self._order: Any = module.Order
        self._sides = {Side.BUY: module.OrderSide.BID, Side.SELL: module.OrderSide.ASK}
        self._theirs: dict[int, str] = {}

    def prepare(self, commands: list[Asked]) -> list[tuple[Any, bool | None]]:
        """(its order, whether it is immediate) or (its id, None) for a cancel."""
        found: list[tuple[Any, bool | None]] = []
        for command in commands:
            if isinstance(command, CancelOrder):
                found.append((self._theirs[command.order_id], None))
                continue
            order = self._order(self._sides[command.side], command.price, command.qty)
            self._theirs[command.order_id] = order.order_id
            found.append((order, command.time_in_force is TimeInForce.IOC))
        return found

    def run_prepared(self, prepared: list[tuple[Any, bool | None]]) -> None:
        add, cancel = self._book.add_limit_order, self._book.cancel_order
        for order, immediate in prepared:
            if immediate is None:
                cancel(order)
            else:
                add(order)
                if immediate and order.remaining_quantity:
                    cancel(order.order_id)


class Dyn4mik3:
    """dyn4mik3's OrderBook, as his repository has it: told by dicts, nothing immediate."""

    def __init__(self) -> None:
        module = load(DYN4MIK3, "orderbook/__init__.py")
        self._book: Any = module.OrderBook()
        self._sides: dict[int, str] = {}

    def run(self, commands: list[Asked]) -> None:
        process, cancel, sides = self._book.process_order, self._book.cancel_order, self._sides
        for command in commands:
            if type(command) is NewOrder:
                order_id = command.order_id
                side = "bid" if command.side is Side.BUY else "ask"
                quote = {
                    "type": "limit",
                    "side": side,
                    "quantity": command.qty,
                    "price": command.price,
                    "trade_id": order_id,
                    "order_id": order_id,
                    "timestamp": command.timestamp,
                }
                _, rests = process(quote, True, False)
                if command.time_in_force is not TimeInForce.IOC:
                    sides[order_id] = side
                elif rests is not None:
                    cancel(side, order_id)
            else:
                cancel(sides[command.order_id], command.order_id)

    def trades(self) -> list[Trade]:
        return [
            (t["party1"][0], t["party2"][0], int(t["price"]), int(t["quantity"]))
            for t in self._book.tape
        ]


ENTRANTS: dict[str, Callable[[], Entrant]] = {AKHIL4N: Akhil4n, DYN4MIK3: Dyn4mik3}


def load(name: str, file: str) -> ModuleType:
    """A peer's module, whichever of the two has the name `orderbook` to itself.

    Raises `Missing`.
    """
    own = "sim_bench_" + name.replace("-", "_").lower()
    if own in sys.modules:
        return sys.modules[own]
    try:
        path = metadata.distribution(name).locate_file(file)
    except metadata.PackageNotFoundError:
        raise Missing(f"{name} is not installed: {_HOW[name]}") from None
    spec = importlib.util.spec_from_file_location(own, str(path))
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[own] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (ImportError, SyntaxError, OSError) as error:
        del sys.modules[own]
        raise Missing(f"{name} does not run here ({error}): {_HOW[name]}") from None
    return module


def versions() -> dict[str, str]:
    """Those of the peers that are installed."""
    found = {}
    for name in PEERS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
