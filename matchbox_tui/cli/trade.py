"""One-shot trading: buy, sell, cancel, cancel-all. Each waits for its outcome and prints it."""

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec
import typer

from matchbox_tui.cli import options
from matchbox_tui.cli.awaiting import await_events, check_timeout, patience
from matchbox_tui.cli.connected import with_client
from matchbox_tui.cli.outcome import ENDED, Outcome, print_outcome
from matchbox_tui.cli.output import print_json, print_line
from matchbox_tui.cli.running import EXIT_REJECTED, UsageError
from matchbox_tui.engine import (
    DEFAULT_MARKET,
    MAX_ID,
    MAX_NAME,
    CancelAll,
    CancelOrder,
    CancelRejected,
    Event,
    Market,
    NewOrder,
    OrderAccepted,
    OrderCancelled,
    OrderRejected,
    OrderType,
    Reason,
    refusal_of_terms,
)

if TYPE_CHECKING:
    from matchbox_tui.store import Client

T = TypeVar("T")

LOOK_SECONDS = 0.05
"""How often an order that waits in the queue is looked for in the journal."""

Qty = Annotated[int, typer.Argument(help="Contracts.", metavar="QTY")]
Price = Annotated[int, typer.Argument(help="Ticks; the limit.", metavar="PRICE")]
Trader = Annotated[
    str,
    typer.Option("--trader", envvar="MATCHBOX_TRADER", help="Who.", show_default="anonymous"),
]
Tif = Annotated[
    str, typer.Option("--tif", envvar="MATCHBOX_TIF", help="Time in force: GTC, IOC, FOK or GTD.")
]


def _order_command(side: str) -> Callable[..., int]:
    """`buy` and `sell`, which differ in one word."""

    def command(
        qty: Qty,
        price: Annotated[
            int | None, typer.Argument(help="Ticks; none for a market order.", metavar="PRICE")
        ] = None,
        redis_url: options.RedisUrl = options.DEFAULT_URL,
        prefix: options.Prefix = "",
        market: options.MarketName = DEFAULT_MARKET,
        trader: Trader = "",
        kind: Annotated[
            str, typer.Option("--type", envvar="MATCHBOX_TYPE", help="limit or market.")
        ] = "limit",
        tif: Tif = "GTC",
        expires_in: Annotated[
            int, typer.Option("--expires-in", envvar="MATCHBOX_EXPIRES_IN", help="Seconds, GTD.")
        ] = 0,
        post_only: Annotated[
            bool, typer.Option("--post-only", envvar="MATCHBOX_POST_ONLY", help="Never take.")
        ] = False,
        reduce_only: Annotated[
            bool, typer.Option("--reduce-only", envvar="MATCHBOX_REDUCE_ONLY", help="Only close.")
        ] = False,
        client_order_id: Annotated[
            str,
            typer.Option(
                "--client-order-id",
                envvar="MATCHBOX_CLIENT_ORDER_ID",
                help="Makes a second try safe.",
            ),
        ] = "",
        self_trade: Annotated[
            str,
            typer.Option(
                "--self-trade",
                envvar="MATCHBOX_SELF_TRADE",
                help="cancel_taker, cancel_maker, cancel_both or none.",
            ),
        ] = "cancel_taker",
        timeout: options.Timeout = 10,
        json: options.Json = False,
    ) -> int:
        check_timeout(timeout)
        now = time.time_ns()
        fields = {
            "id": 1,
            "market": market,
            "side": side,
            "type": kind,
            "price": price or 0,
            "qty": qty,
            "timestamp": now,
            "trader": trader,
            "time_in_force": tif.upper(),
            "expires_at": now + expires_in * 1_000_000_000 if expires_in else 0,
            "post_only": post_only,
            "reduce_only": reduce_only,
            "client_order_id": client_order_id,
            "self_trade_prevention": self_trade,
        }
        order = _checked(fields, has_price=price is not None)

        async def work(client: "Client") -> int:
            outcome = await _send(client, order, timeout)
            print_outcome(outcome, order, json)
            return EXIT_REJECTED if outcome.status == "rejected" else 0

        return with_client(redis_url, prefix, work)

    command.__name__ = side
    command.__doc__ = f"{side.capitalize()} QTY contracts at PRICE or better; print the outcome."
    return command


buy = _order_command("buy")
sell = _order_command("sell")


def cancel(
    order_id: Annotated[int, typer.Argument(help="The order.", metavar="ID")],
    redis_url: options.RedisUrl = options.DEFAULT_URL,
    prefix: options.Prefix = "",
    timeout: options.Timeout = 10,
    json: options.Json = False,
) -> int:
    """Cancel an open order; print what was left of it."""
    if not 1 <= order_id <= MAX_ID:
        raise UsageError(f"ID {order_id}: use the number that the order was given")
    check_timeout(timeout)
    command = CancelOrder(order_id, time.time_ns())
    return with_client(redis_url, prefix, lambda client: _cancel(client, command, timeout, json))


def cancel_all(
    redis_url: options.RedisUrl = options.DEFAULT_URL,
    prefix: options.Prefix = "",
    trader: Trader = "",
    market: options.AnyMarket = None,
    timeout: options.Timeout = 10,
    json: options.Json = False,
) -> int:
    """Cancel all open orders of a trader, or all anonymous ones."""
    check_timeout(timeout)
    fields = {"op": "cancel_all", "trader": trader, "market": market, "timestamp": time.time_ns()}
    command = _converted(fields, CancelAll)
    return with_client(redis_url, prefix, lambda client: _cancel(client, command, timeout, json))


def _checked(fields: dict[str, Any], *, has_price: bool) -> NewOrder:
    """The order of these fields. Raises `UsageError` for what no market could take."""
    order = _converted(fields, NewOrder)
    if order.type is OrderType.LIMIT and not has_price:
        raise UsageError("PRICE is missing: give one, or --type market")
    if order.type is OrderType.MARKET and has_price:
        raise UsageError("PRICE: a market order takes none; leave it out, or use --tif IOC")
    reason = refusal_of_terms(order, Market(order.market))
    if reason is Reason.INVALID_EXPIRES_AT:
        raise UsageError("--expires-in and --tif GTD go together, with 1 or more seconds")
    if reason is not None:
        raise UsageError(reason.words)
    return order


def _converted(fields: dict[str, Any], kind: type[T]) -> T:
    """A command of these fields. Raises `UsageError` for one that could not be decoded."""
    try:
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError as error:
        field = str(error).rpartition("$.")[2].rstrip("`")
        option, use = _OPTIONS.get(field, (field, "use another"))
        given = "" if field == "expires_at" else f" {str(fields.get(field))[:80]!r}"
        raise UsageError(f"{option}{given}: {use}") from None


_OPTIONS = {
    "qty": ("QTY", Reason.INVALID_QTY.words),
    "price": ("PRICE", Reason.INVALID_PRICE.words),
    "type": ("--type", "use limit or market"),
    "market": ("--market", f"use at most {MAX_NAME} characters"),
    "trader": ("--trader", f"use at most {MAX_NAME} characters"),
    "time_in_force": ("--tif", "use GTC, IOC, FOK or GTD"),
    "expires_at": ("--expires-in", "use fewer seconds"),
    "client_order_id": ("--client-order-id", f"use at most {MAX_NAME} characters"),
    "self_trade_prevention": (
        "--self-trade",
        "use cancel_taker, cancel_maker, cancel_both or none",
    ),
}
"""Fields by the option that fills them, and what would be right there."""


async def _send(client: "Client", order: NewOrder, seconds: int) -> Outcome:
    tip = (await client.cluster()).seq
    order_id = (await client.submit([order]))[0]
    if order_id < 0:
        return await _find(client, -order_id, seconds)
    events = await await_events(
        client, tip, seconds, f"order {order_id}", lambda event: _is_outcome(event, order_id)
    )
    outcome = Outcome(order_id)
    for event in events:
        outcome.fold(event)
    return outcome


async def _find(client: "Client", order_id: int, seconds: int) -> Outcome:
    """What has become by now of an order that was sent before; it may still be in the queue."""
    replica = await client.restore(oldest=True)
    outcome = Outcome(order_id, repeated=True)
    resting = replica.exchange.orders.get(order_id)
    if resting is not None:
        outcome.rest(resting)
    async with patience(seconds, f"order {order_id}"):
        while True:
            tip = (await client.cluster()).seq
            async for entry in client.follow(replica, until=tip):
                for event in entry.events:
                    outcome.fold(event)
            if outcome.status != "pending":
                return outcome
            waiting = await client.queued_order(order_id)
            if waiting is None and (await client.cluster()).seq == replica.seq:
                # Neither to come nor told of: the journal begins after it.
                outcome.status = ENDED
                return outcome
            await asyncio.sleep(LOOK_SECONDS)


def _is_outcome(event: Event, order_id: int) -> bool:
    return isinstance(event, OrderAccepted | OrderRejected) and event.order_id == order_id


async def _cancel(
    client: "Client", command: CancelOrder | CancelAll, seconds: int, json: bool
) -> int:
    tip = (await client.cluster()).seq
    await client.submit([command])
    events = await await_events(
        client,
        tip,
        seconds,
        "the cancel",
        lambda event: (
            isinstance(event, OrderCancelled | CancelRejected)
            and event.timestamp == command.timestamp
        ),
    )
    refused = [event for event in events if isinstance(event, CancelRejected)]
    cancelled = [event for event in events if isinstance(event, OrderCancelled)]
    if json:
        print_json(
            {
                "status": "rejected" if refused else "cancelled",
                "orders": [{"order_id": e.order_id, "qty": e.qty} for e in cancelled],
                "reason": refused[0].reason if refused else "",
            }
        )
    else:
        for ended in cancelled:
            print_line(f"order {ended.order_id}: cancelled, {ended.qty} not filled")
        for refusal in refused:
            print_line(f"nothing cancelled: {refusal.reason.words}")
    return EXIT_REJECTED if refused else 0
