"""One-shot trading: buy, sell, cancel, cancel-all. Each waits for its outcome and prints it."""

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from matchbox_tui.cli import options
from matchbox_tui.cli.connected import read_exchange, with_client
from matchbox_tui.cli.output import print_json
from matchbox_tui.cli.running import EXIT_REJECTED, UsageError
from matchbox_tui.engine import (
    DEFAULT_MARKET,
    MAX_ID,
    CancelAll,
    CancelOrder,
    CancelRejected,
    Event,
    Market,
    NewOrder,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderRejected,
    OrderRested,
    OrderType,
    Reason,
    TradeExecuted,
    refusal_of_terms,
)

if TYPE_CHECKING:
    from matchbox_tui.store import Client

Qty = Annotated[int, typer.Argument(help="Contracts.", metavar="QTY")]
Price = Annotated[int, typer.Argument(help="Ticks; the limit.", metavar="PRICE")]
Trader = Annotated[
    str,
    typer.Option("--trader", envvar="MATCHBOX_TRADER", help="Who.", show_default="anonymous"),
]
Tif = Annotated[
    str, typer.Option("--tif", envvar="MATCHBOX_TIF", help="Time in force: GTC, IOC, FOK or GTD.")
]
Timeout = Annotated[
    int,
    typer.Option("--timeout", envvar="MATCHBOX_TIMEOUT", help="Seconds to wait for the outcome."),
]


class Outcome(msgspec.Struct, omit_defaults=True):
    """What became of an order at once, in contracts and ticks."""

    order_id: int
    status: str
    cum_qty: int = 0
    leaves_qty: int = 0
    fills: list[tuple[int, int]] = msgspec.field(default_factory=list)
    reason: str = ""
    repeated: bool = False


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
        timeout: Timeout = 10,
        json: options.Json = False,
    ) -> int:
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
            _print_outcome(outcome, order, json)
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
    timeout: Timeout = 10,
    json: options.Json = False,
) -> int:
    """Cancel an open order; print what was left of it."""
    if not 1 <= order_id <= MAX_ID:
        raise UsageError(f"ID {order_id}: use the number that the order was given")
    command = CancelOrder(order_id, time.time_ns())
    return with_client(redis_url, prefix, lambda client: _cancel(client, command, timeout, json))


def cancel_all(
    redis_url: options.RedisUrl = options.DEFAULT_URL,
    prefix: options.Prefix = "",
    trader: Trader = "",
    market: options.AnyMarket = None,
    timeout: Timeout = 10,
    json: options.Json = False,
) -> int:
    """Cancel every open order of a trader (without --trader: the anonymous ones)."""
    command = CancelAll(trader, market, time.time_ns())
    return with_client(redis_url, prefix, lambda client: _cancel(client, command, timeout, json))


def _checked(fields: dict[str, Any], *, has_price: bool) -> NewOrder:
    """The order of these fields. Raises `UsageError` for what no market could take."""
    try:
        order = msgspec.convert(fields, NewOrder)
    except msgspec.ValidationError as error:
        field = _OPTIONS.get(str(error).rpartition("$.")[2].rstrip("`"), "")
        raise UsageError(f"{field}: {str(error).partition(' - at')[0]}") from None
    if order.type is OrderType.LIMIT and not has_price:
        raise UsageError("PRICE is missing: give one, or --type market")
    if order.type is OrderType.MARKET and has_price:
        raise UsageError("PRICE: a market order takes none; leave it out, or use --tif IOC")
    reason = refusal_of_terms(order, Market(order.market))
    if reason is not None:
        raise UsageError(reason.words)
    return order


_OPTIONS = {
    "qty": "QTY",
    "price": "PRICE",
    "type": "--type",
    "market": "--market",
    "trader": "--trader",
    "time_in_force": "--tif",
    "expires_at": "--expires-in",
    "client_order_id": "--client-order-id",
    "self_trade_prevention": "--self-trade",
}


async def _send(client: "Client", order: NewOrder, seconds: int) -> Outcome:
    tip = (await client.cluster()).seq
    order_id = (await client.submit([order]))[0]
    if order_id < 0:
        exchange = await read_exchange(client)
        resting = exchange.orders.get(-order_id)
        if resting is None:
            return Outcome(-order_id, "closed", repeated=True)
        return Outcome(-order_id, "open", resting.cum_qty, resting.leaves_qty, repeated=True)
    events = await _await_events(
        client, tip, seconds, f"order {order_id}", lambda event: _is_outcome(event, order_id)
    )
    return outcome_of(order_id, events)


def _is_outcome(event: Event, order_id: int) -> bool:
    return isinstance(event, OrderAccepted | OrderRejected) and event.order_id == order_id


def outcome_of(order_id: int, events: list[Event]) -> Outcome:
    """An order's outcome from the events of its own command."""
    outcome = Outcome(order_id, "filled")
    for event in events:
        match event:
            case OrderRejected():
                outcome.status, outcome.reason = "rejected", event.reason
            case OrderAccepted():
                outcome.leaves_qty = event.order.qty
            case TradeExecuted():
                outcome.fills.append((event.qty, event.price))
                outcome.cum_qty += event.qty
                outcome.leaves_qty -= event.qty
            case OrderRested():
                outcome.status = "open"
            case OrderExpired():
                outcome.status, outcome.reason, outcome.leaves_qty = "expired", event.reason, 0
            case OrderCancelled() if event.order_id == order_id:
                outcome.status, outcome.reason, outcome.leaves_qty = "cancelled", event.reason, 0
            case _:
                pass
    return outcome


def _print_outcome(outcome: Outcome, order: NewOrder, json: bool) -> None:
    if json:
        print_json(outcome)
        return
    words = f"order {outcome.order_id}: {outcome.status}"
    if outcome.repeated:
        words += " (sent before under this client order id)"
    if outcome.reason:
        words += f" ({Reason(outcome.reason).words})"
    if outcome.fills:
        words += ", " + " + ".join(f"{qty} @ {price}" for qty, price in outcome.fills)
    if outcome.status == "open":
        words += f", {outcome.leaves_qty} resting at {order.price}"
    typer.echo(words)


async def _cancel(
    client: "Client", command: CancelOrder | CancelAll, seconds: int, json: bool
) -> int:
    tip = (await client.cluster()).seq
    await client.submit([command])
    events = await _await_events(
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
            typer.echo(f"order {ended.order_id}: cancelled, {ended.qty} not filled")
        for refusal in refused:
            typer.echo(f"nothing cancelled: {refusal.reason.words}")
    return EXIT_REJECTED if refused else 0


async def _await_events(
    client: "Client",
    after: int,
    seconds: int,
    what: str,
    wanted: Callable[[Event], bool],
) -> list[Event]:
    """All events of the first command after `after` that has a wanted one."""
    from matchbox_tui.store import Unusable

    try:
        async with asyncio.timeout(seconds):
            async for entry in client.entries(after):
                for event in entry.events:
                    if wanted(event):
                        return [other for other in entry.events if other.seq == event.seq]
    except TimeoutError:
        pass
    raise Unusable(
        f"{what} is queued, but no leader took it within {seconds} s: start 'matchbox engine'"
    )
