"""One-shot looking: book, orders, positions, fills, status."""

from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import structs

from matchbox_tui.cli import history, options
from matchbox_tui.cli.connected import known_market, read_exchange, with_client
from matchbox_tui.cli.groups import print_groups, print_memory
from matchbox_tui.cli.output import print_csv, print_json, print_line, print_table
from matchbox_tui.cli.running import UsageError
from matchbox_tui.engine import DEFAULT_MARKET, BookSnapshot, TradeExecuted

if TYPE_CHECKING:
    from matchbox_tui.store import Client, FillMessage

AnyTrader = Annotated[
    str | None,
    typer.Option("--trader", envvar="MATCHBOX_TRADER", help="Only this trader's."),
]


def book(
    redis_url: options.RedisUrl = options.DEFAULT_URL,
    prefix: options.Prefix = "",
    market: options.MarketName = DEFAULT_MARKET,
    depth: Annotated[
        int, typer.Option("--depth", envvar="MATCHBOX_DEPTH", help="Levels a side, to 100.")
    ] = 10,
    json: options.Json = False,
) -> int:
    """Print a market's book, best prices first."""
    if not 1 <= depth <= 100:
        raise UsageError(f"--depth {depth}: use a number between 1 and 100")

    async def work(client: "Client") -> int:
        shown = await client.published_book(market)
        if shown is None:
            known_market(await read_exchange(client), market)
            shown = BookSnapshot((), (), 0)
        shown = BookSnapshot(shown.bids[:depth], shown.asks[:depth], shown.sequence)
        if json:
            print_json(shown)
            return 0
        rows: list[tuple[object, ...]] = [
            ("", "", level.price, level.qty) for level in reversed(shown.asks)
        ]
        rows += [(level.qty, level.price, "", "") for level in shown.bids]
        print_table(("qty", "bid", "ask", "qty"), rows)
        return 0

    return with_client(redis_url, prefix, work)


def orders(
    redis_url: options.RedisUrl = options.DEFAULT_URL,
    prefix: options.Prefix = "",
    trader: AnyTrader = None,
    market: options.AnyMarket = None,
    every: Annotated[
        bool,
        typer.Option("--all", envvar="MATCHBOX_ALL", help="Of every status, from the database."),
    ] = False,
    status: Annotated[
        str | None,
        typer.Option(
            "--status",
            envvar="MATCHBOX_STATUS",
            help="With --all: open, filled, cancelled, expired, rejected or unknown.",
        ),
    ] = None,
    since: options.Since = None,
    limit: options.LastRows = None,
    database_url: options.DatabaseUrl = "",
    data_dir: options.DatabaseDir = None,
    csv: options.Csv = False,
    json: options.Json = False,
) -> int:
    """List open orders, by id; with --all every order there was, oldest first.

    Past orders are in the database that 'matchbox consume persistence' writes.
    """
    history.check_output(limit, csv=csv, json=json)
    if every:
        where = history.where(database_url, data_dir, prefix)
        return history.orders(where, since, trader, market, status, limit, csv=csv, json=json)
    if status not in (None, "open"):
        raise UsageError(f"--status {status}: only open orders are listed without --all")
    if since is not None:
        raise UsageError("--since: only with --all, which asks the database")

    async def work(client: "Client") -> int:
        exchange = await read_exchange(client)
        if market is not None:
            known_market(exchange, market)
        found = [
            exchange.orders[order_id]
            for order_id in sorted(exchange.orders)
            if trader in (None, exchange.orders[order_id].trader)
            and market in (None, exchange.orders[order_id].market)
        ]
        columns = (
            *("id", "market", "side", "price", "qty", "cum_qty", "leaves_qty", "trader"),
            *("time_in_force", "client_order_id", "timestamp"),
        )
        last = found if limit is None else found[len(found) - min(limit, len(found)) :]
        rows = [[getattr(order, column) for column in columns] for order in last]
        if json:
            print_json([dict(zip(columns, row, strict=True)) for row in rows])
        elif csv:
            print_csv(columns, [rows])
        else:
            print_table(columns[:9], [row[:9] for row in rows])
        return 0

    return with_client(redis_url, prefix, work)


def positions(
    redis_url: options.RedisUrl = options.DEFAULT_URL,
    prefix: options.Prefix = "",
    trader: AnyTrader = None,
    market: options.AnyMarket = None,
    json: options.Json = False,
) -> int:
    """List positions: contracts held and cash, by trader and market."""

    async def work(client: "Client") -> int:
        exchange = await read_exchange(client)
        if market is not None:
            known_market(exchange, market)
        columns = ("trader", "market", "qty", "cash")
        rows = [
            (who, where, held.qty, held.cash)
            for who, where, held in exchange.positions.items()
            if trader in (None, who) and market in (None, where)
        ]
        if json:
            print_json([dict(zip(columns, row, strict=True)) for row in rows])
        else:
            print_table(columns, rows)
        return 0

    return with_client(redis_url, prefix, work)


def fills(
    redis_url: options.RedisUrl = options.DEFAULT_URL,
    prefix: options.Prefix = "",
    market: options.AnyMarket = None,
    limit: Annotated[
        int, typer.Option("--limit", envvar="MATCHBOX_LIMIT", help="How many of the last.")
    ] = 20,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", envvar="MATCHBOX_FOLLOW", help="And those to come.")
    ] = False,
    json: options.Json = False,
) -> int:
    """Print the last fills, oldest first; with --follow go on."""
    if not 0 <= limit <= 10_000:
        raise UsageError(f"--limit {limit}: use a number between 0 and 10000")

    from matchbox_tui.store import fill_message

    def show(fill: "FillMessage") -> None:
        if market not in (None, fill.market):
            return
        if json:
            print_json(fill)
        else:
            print_line(
                f"{fill.trade_id}  {fill.market}  {fill.taker_side.value} {fill.qty} @ {fill.price}"
                f"  maker {fill.maker_order_id}  taker {fill.taker_order_id}"
            )

    async def work(client: "Client") -> int:
        if market is not None:
            known_market(await read_exchange(client), market)
        shown = 0 if limit else (await client.cluster()).seq
        for fill in await _last_fills(client, market, limit) if limit else []:
            shown = int(fill.trade_id.partition("-")[0])
            show(fill)
        if not follow:
            return 0
        # From the last one shown, not from the tip: the stream may be behind the journal.
        async for entry in client.entries(shown):
            for event in entry.events:
                if isinstance(event, TradeExecuted) and event.seq > shown:
                    show(fill_message(event))
        return 0

    return with_client(redis_url, prefix, work)


async def _last_fills(client: "Client", market: str | None, limit: int) -> "list[FillMessage]":
    """The last `limit` fills of the market, looking back as far as that takes."""
    asked = limit
    while True:
        fills = await client.recent_fills(asked)
        found = [fill for fill in fills if market in (None, fill.market)]
        if len(found) >= limit or len(fills) < asked:
            return found[-limit:]
        asked *= 4


def status(
    redis_url: options.RedisUrl = options.DEFAULT_URL,
    prefix: options.Prefix = "",
    json: options.Json = False,
) -> int:
    """Print who leads, how each instance does, what memory is used, and who reads along."""

    async def work(client: "Client") -> int:
        cluster = await client.cluster()
        groups = await client.consumer_groups()
        memory = await client.memory(groups)
        if json:
            print_json({**structs.asdict(cluster), "consumers": groups, "memory": memory})
            return 0
        print_line(
            f"leader {cluster.leader or '-'}  epoch {cluster.epoch}  sequence {cluster.seq}"
            f"  queue {cluster.queue_depth}"
        )
        columns = ("id", "role", "epoch", "seq", "lag", "pid", "host")
        rows = [
            (i.id, i.role, i.epoch, i.seq, max(0, cluster.seq - i.seq), i.pid, i.host)
            for i in cluster.instances
        ]
        print_table(columns, rows)
        print_memory(memory)
        if groups:
            print_groups(groups)
        return 0

    return with_client(redis_url, prefix, work)
