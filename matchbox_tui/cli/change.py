"""One-shot changes of what is there: replace an order, halt and resume a market."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from matchbox_tui.cli import options
from matchbox_tui.cli.awaiting import await_events, check_timeout
from matchbox_tui.cli.connected import with_client
from matchbox_tui.cli.output import print_json, print_line
from matchbox_tui.cli.running import EXIT_REJECTED, UsageError
from matchbox_tui.engine import (
    MAX_ID,
    MAX_NAME,
    MAX_PRICE,
    MAX_QTY,
    Event,
    HaltMarket,
    MarketHalted,
    MarketResumed,
    OrderCancelled,
    OrderRejected,
    OrderReplaced,
    OrderRested,
    Reason,
    ReplaceOrder,
    ReplaceRejected,
    ResumeMarket,
    TradeExecuted,
)

if TYPE_CHECKING:
    from matchbox_tui.store import Client


def replace(
    order_id: Annotated[int, typer.Argument(help="The order.", metavar="ID")],
    qty: Annotated[
        int | None,
        typer.Option("--qty", envvar="MATCHBOX_QTY", help="New total, what was filled included."),
    ] = None,
    price: Annotated[
        int | None, typer.Option("--price", envvar="MATCHBOX_PRICE", help="New limit, ticks.")
    ] = None,
    redis_url: options.RedisUrl = options.DEFAULT_URL,
    prefix: options.Prefix = "",
    timeout: options.Timeout = 10,
    json: options.Json = False,
) -> int:
    """Give an open order another price or size; print what became of it."""
    if not 1 <= order_id <= MAX_ID:
        raise UsageError(f"ID {order_id}: use the number that the order was given")
    if qty is None and price is None:
        raise UsageError("--qty or --price is missing: give one, or both")
    if qty is not None and not 1 <= qty <= MAX_QTY:
        raise UsageError(f"--qty {qty}: {Reason.INVALID_QTY.words}")
    if price is not None and not 1 <= price <= MAX_PRICE:
        raise UsageError(f"--price {price}: {Reason.INVALID_PRICE.words}")
    check_timeout(timeout)
    command = ReplaceOrder(order_id=order_id, qty=qty, price=price, timestamp=time.time_ns())
    return with_client(redis_url, prefix, lambda client: _replace(client, command, timeout, json))


def _status_command(
    name: str, kind: type[HaltMarket] | type[ResumeMarket], words: str
) -> Callable[..., int]:
    """`halt` and `resume`, which differ in what they send."""

    def command(
        market: Annotated[str, typer.Argument(help="The market.", metavar="MARKET")],
        redis_url: options.RedisUrl = options.DEFAULT_URL,
        prefix: options.Prefix = "",
        timeout: options.Timeout = 10,
        json: options.Json = False,
    ) -> int:
        asked = kind(_checked(market), time.time_ns())
        check_timeout(timeout)
        return with_client(redis_url, prefix, lambda client: _switch(client, asked, timeout, json))

    command.__name__ = name
    command.__doc__ = words
    return command


halt = _status_command("halt", HaltMarket, "Halt a market: from then on it takes cancels only.")
resume = _status_command("resume", ResumeMarket, "Open a halted market again.")


def _checked(market: str) -> str:
    if not 1 <= len(market) <= MAX_NAME:
        raise UsageError(f"MARKET {market[:80]!r}: use 1 to {MAX_NAME} characters")
    return market


async def _replace(client: "Client", command: ReplaceOrder, seconds: int, json: bool) -> int:
    def is_told(event: Event) -> bool:
        return (
            isinstance(event, OrderReplaced | ReplaceRejected | OrderCancelled)
            and event.order_id == command.order_id
            and event.timestamp == command.timestamp
        )

    tip = (await client.cluster()).seq
    await client.submit([command])
    events = await await_events(client, tip, seconds, "the replace", is_told)
    fills = [(e.qty, e.price) for e in events if isinstance(e, TradeExecuted)]
    told = next(event for event in events if is_told(event))
    rested = [event for event in events if isinstance(event, OrderRested)]
    status, reason, leaves, at = "filled", "", 0, command.price
    match told:
        case ReplaceRejected():
            status, reason = "rejected", told.reason.value
        case OrderCancelled():
            status, reason = "cancelled", told.reason.value
        case OrderReplaced() if told.priority_kept:
            status, leaves, at = "open", told.leaves_qty, told.price
        case _ if rested:
            status, leaves, at = "open", rested[0].qty, rested[0].price
        case _:
            ended = [event for event in events if isinstance(event, OrderCancelled)]
            if any(event.order_id == command.order_id for event in ended):
                status, reason = "cancelled", ended[-1].reason.value
    if json:
        print_json(
            {
                "order_id": command.order_id,
                "status": status,
                "leaves_qty": leaves,
                "price": at,
                "fills": fills,
                "reason": reason,
            }
        )
    else:
        words = f"order {command.order_id}: {status}"
        words += f" ({Reason(reason).words})" if reason else ""
        words += ", " + " + ".join(f"{qty} @ {price}" for qty, price in fills) if fills else ""
        print_line(words + (f", {leaves} resting at {at}" if leaves else ""))
    return EXIT_REJECTED if status == "rejected" else 0


async def _switch(
    client: "Client", command: HaltMarket | ResumeMarket, seconds: int, json: bool
) -> int:
    tip = (await client.cluster()).seq
    await client.submit([command])
    (event,) = await await_events(
        client,
        tip,
        seconds,
        "the command",
        lambda event: (
            isinstance(event, MarketHalted | MarketResumed | OrderRejected)
            and event.market == command.market
            and event.timestamp == command.timestamp
        ),
    )
    refused = event.reason if isinstance(event, OrderRejected) else None
    status = "halted" if isinstance(command, HaltMarket) else "open"
    if json:
        print_json(
            {
                "market": command.market,
                "status": "rejected" if refused else status,
                "reason": refused or "",
            }
        )
    else:
        print_line(f"{command.market}: {f'rejected ({refused.words})' if refused else status}")
    return EXIT_REJECTED if refused else 0
