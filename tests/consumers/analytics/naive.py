"""The same figures the slow way: from the list of all that happened, each by its definition."""

from collections.abc import Iterable, Sequence
from typing import Any

from matchbox_tui.engine import (
    Event,
    Exchange,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderReplaced,
    Reason,
    Side,
    TradeExecuted,
)
from tests.engine.workload import MARKETS

Touch = tuple[int, Any]


def trades_of(happened: Iterable[list[Event]], market: str) -> list[TradeExecuted]:
    return [
        event
        for events in happened
        for event in events
        if isinstance(event, TradeExecuted) and event.market == market
    ]


def windows(touches: Sequence[Touch], span: int, limit: int) -> dict[int, list[Any]]:
    """What fell into each of the windows that are kept, oldest first.

    Kept are the `limit` windows that were touched last; each holds what came since it was last
    beyond that number.
    """
    starts = [time // span * span for time, _ in touches]
    order = sorted(set(starts), key=lambda start: len(starts) - starts[::-1].index(start))
    kept: dict[int, list[Any]] = {}
    for start in order[-limit:]:
        members: list[Any] = []
        others: set[int] = set()
        for touched, (_, what) in reversed(list(zip(starts, touches, strict=True))):
            if touched == start:
                others.clear()
                members.insert(0, what)
            elif members:
                others.add(touched)
                if len(others) == limit:
                    break
        kept[start] = members
    return kept


def candles(trades: Sequence[TradeExecuted], span: int, limit: int) -> dict[int, tuple[int, ...]]:
    touches = [(trade.timestamp, (trade.price, trade.qty)) for trade in trades]
    shown = {}
    for start, members in windows(touches, span, limit).items():
        prices = [price for price, _ in members]
        volume = sum(qty for _, qty in members)
        shown[start] = (prices[0], max(prices), min(prices), prices[-1], volume, len(prices))
    return shown


def tops(happened: Sequence[list[Event]], market: str) -> list[tuple[int, dict[Side, list[int]]]]:
    """(timestamp, best price and quantity by side) after each command that the market saw."""
    exchange = Exchange(MARKETS)
    seen = []
    for events in happened:
        book = exchange.books.get(market)
        before = book.sequence if book is not None else 0
        exchange.replay(events)
        book = exchange.books.get(market)
        if book is None or book.sequence == before:
            continue
        sides: dict[Side, list[int]] = {}
        for side, pick in ((Side.BUY, max), (Side.SELL, min)):
            resting = [order for order in exchange.orders.values() if order.market == market]
            resting = [order for order in resting if order.side is side]
            if resting:
                best = pick(order.price for order in resting)
                at_best = [order.leaves_qty for order in resting if order.price == best]
                sides[side] = [best, sum(at_best)]
        seen.append((events[0].timestamp, sides))
    return seen


def imbalance(before: dict[Side, list[int]], after: dict[Side, list[int]]) -> int:
    """One step of the order-flow imbalance, case by case as the paper words it."""
    total = 0
    for side, sign in ((Side.BUY, 1), (Side.SELL, -1)):
        old, new = before.get(side), after.get(side)
        if old is None or new is None:
            total += sign * ((new[1] if new else 0) - (old[1] if old else 0))
        elif new[0] == old[0]:
            total += sign * (new[1] - old[1])
        elif sign * new[0] > sign * old[0]:
            total += sign * new[1]
        else:
            total -= sign * old[1]
    return total


def activity(happened: Iterable[list[Event]], market: str) -> tuple[int, int, int, int]:
    """Orders, replaces, cancels, expiries."""
    mine = [event for events in happened for event in events if event.market == market]
    return (
        sum(isinstance(event, OrderAccepted) for event in mine),
        sum(isinstance(event, OrderReplaced) for event in mine),
        sum(
            isinstance(event, OrderCancelled) and event.reason is Reason.REQUESTED for event in mine
        ),
        sum(isinstance(event, OrderExpired) for event in mine),
    )
