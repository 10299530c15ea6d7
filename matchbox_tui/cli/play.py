"""``matchbox play``, a whole market in one command, and ``matchbox tui`` for one that runs."""

import asyncio
import contextlib
import getpass
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from matchbox_tui.cli import options
from matchbox_tui.cli.output import is_terminal, print_json, print_table
from matchbox_tui.cli.running import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    STOP_SIGNALS,
    UsageError,
    run,
    say,
    unwinding,
)

if TYPE_CHECKING:
    from matchbox_tui.engine import Market
    from matchbox_tui.store import Client, ClusterStatus, Replica
    from sim import Census, Cluster, Summary

DEFAULT_SECONDS = 15
SETTLE_SECONDS = 5.0
MAX_TRADER = 64

Trader = Annotated[
    str,
    typer.Option(
        "--trader",
        envvar="MATCHBOX_TRADER",
        help="Who trades here.",
        show_default="the user's name",
    ),
]


def play(
    instances: Annotated[
        int, typer.Option("--instances", envvar="MATCHBOX_INSTANCES", help="Engine instances.")
    ] = 3,
    traders: Annotated[
        int, typer.Option("--traders", envvar="MATCHBOX_TRADERS", help="Random traders.")
    ] = 20,
    rate: Annotated[
        int, typer.Option("--rate", envvar="MATCHBOX_RATE", help="Their commands a second.")
    ] = 200,
    markets: Annotated[
        str,
        typer.Option(
            "--markets", envvar="MATCHBOX_MARKETS", help="How many to make up, or symbols: A,B."
        ),
    ] = "3",
    seed: options.Seed = 1,
    trader: Trader = "",
    data_dir: options.DataDir = None,
    redis_url: Annotated[
        str,
        typer.Option(
            "--redis-url",
            envvar="REDIS_URL",
            help="Use this server.",
            show_default="a private one",
            metavar="URL",
        ),
    ] = "",
    prefix: options.Prefix = "",
    headless: Annotated[
        bool, typer.Option("--headless", envvar="MATCHBOX_HEADLESS", help="No screen: a summary.")
    ] = False,
    duration: Annotated[
        int | None,
        typer.Option(
            "--duration",
            envvar="MATCHBOX_DURATION",
            help="Seconds to run.",
            show_default="15 without a screen",
        ),
    ] = None,
    json: options.Json = False,
) -> int:
    """Run a live market: a server, engine instances, random traders and the screen."""
    if not 1 <= instances <= 20:
        raise UsageError(f"--instances {instances}: use a number between 1 and 20")
    if not 0 <= traders <= 10_000:
        raise UsageError(f"--traders {traders}: use a number between 0 and 10000")
    if not 1 <= rate <= 100_000:
        raise UsageError(f"--rate {rate}: use a number between 1 and 100000")
    if duration is not None and duration < 1:
        raise UsageError(f"--duration {duration}: use 1 or more seconds")
    opened = _markets(markets, seed)
    with unwinding(), _server(redis_url, data_dir) as (url, log_dir):
        from sim import Cluster

        cluster = Cluster(url, log_dir, prefix=prefix, markets=opened)
        start = partial(cluster.start, instances, traders, rate, seed)
        try:
            if headless or not is_terminal():
                seconds = duration or DEFAULT_SECONDS
                return run(_headless(cluster, start, url, prefix, seconds, json))
            run(_check(url, prefix))
            start()
            return run(_screen(url, prefix, trader, opened[0].symbol, duration))
        finally:
            cluster.stop()


def tui(
    redis_url: options.RedisUrl = options.DEFAULT_URL,
    prefix: options.Prefix = "",
    trader: Trader = "",
    market: options.AnyMarket = None,
) -> int:
    """Open the screen on a running venue."""
    if not is_terminal():
        raise UsageError("the screen needs a terminal; 'matchbox play --headless' does not")

    async def work() -> int:
        await _check(redis_url, prefix)
        return await _screen(redis_url, prefix, trader, market, None)

    return run(work())


@contextlib.contextmanager
def _server(url: str, data_dir: Path | None) -> Iterator[tuple[str, Path]]:
    """The server's URL and a directory for logs, both there until the end."""
    from matchbox_tui.store import EmbeddedServer

    if url:
        logs = Path(tempfile.mkdtemp(prefix="matchbox-"))
        try:
            yield url, logs
        finally:
            shutil.rmtree(logs, ignore_errors=True)
        return
    with EmbeddedServer(data_dir) as server:
        yield server.url, server.directory


async def _check(url: str, prefix: str) -> None:
    """Raises a `StoreError` for a server that can't be used, before the screen is taken."""
    from matchbox_tui.store import Client

    client = await Client.connect(url, prefix, "tui")
    await client.close()
    for warning in client.warnings:
        say(f"matchbox: warning: {warning}")


async def _screen(
    url: str,
    prefix: str,
    trader: str,
    market: str | None,
    duration: int | None,
) -> int:
    from matchbox_tui.tui import MatchboxApp

    app = MatchboxApp(url, prefix, trader or _user(), market)
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, app.exit)
    if duration is not None:
        loop.call_later(duration, app.exit)
    await app.run_async()
    return app.return_code or 0


async def _headless(
    cluster: "Cluster",
    start: Callable[[], None],
    url: str,
    prefix: str,
    seconds: int,
    json: bool,
) -> int:
    from matchbox_tui.engine import TradeExecuted
    from matchbox_tui.store import Client, Replica
    from sim import Census

    interrupted = asyncio.Event()
    for number in STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, interrupted.set)
    client = await Client.connect(url, prefix, "play")
    for warning in client.warnings:
        say(f"matchbox: warning: {warning}")
    try:
        replica = Replica()
        before = await client.cluster()
        # Counted in the journal: a leader that was killed may have left some to be published.
        fills_before = 0
        async for entry in client.follow(replica, until=before.seq):
            fills_before += sum(isinstance(event, TradeExecuted) for event in entry.events)
        census = Census(replica, before.epoch)
        start()
        began = time.monotonic()
        following = asyncio.ensure_future(_count(client, replica, census))
        try:
            await _watch(cluster, client, census, following, seconds, interrupted)
            ran = round(time.monotonic() - began)
            record = await asyncio.to_thread(cluster.stop_traders)
            status = await _settle(client, replica, census, fills_before)
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
        published = await client.count_fills() - fills_before
        summary = census.summary(ran, record, status.leader, status.epoch, published)
    finally:
        await client.close()
    if json:
        print_json(summary)
    else:
        _print_summary(summary)
    if summary.errors:
        return EXIT_FAILED
    return EXIT_INTERRUPTED if interrupted.is_set() else 0


async def _count(client: "Client", replica: "Replica", census: "Census") -> None:
    async for entry in client.follow(replica, wait_ms=200):
        census.count(entry)


async def _watch(
    cluster: "Cluster",
    client: "Client",
    census: "Census",
    following: "asyncio.Future[None]",
    seconds: int,
    interrupted: asyncio.Event,
) -> None:
    """A status line a second, until the time is over or a signal comes."""
    from matchbox_tui.store import Unusable

    for elapsed in range(1, seconds + 1):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(interrupted.wait(), 1)
        if interrupted.is_set():
            return
        if following.done():
            following.result()
        problem = cluster.failed()
        if problem is not None:
            raise Unusable(problem)
        status = await client.cluster()
        say(
            f"{elapsed:3d} s  leader {status.leader or '-'}  epoch {status.epoch}"
            f"  commands {census.commands}  fills {census.fills}  queue {status.queue_depth}"
        )


async def _settle(
    client: "Client", replica: "Replica", census: "Census", fills_before: int
) -> "ClusterStatus":
    """Waits until all that was asked for has happened and was told."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        status = await client.cluster()
        told = await client.count_fills() - fills_before
        quiet = status.queue_depth == 0 and status.seq == replica.seq and told == census.fills
        if quiet or time.monotonic() > deadline:
            return status
        await asyncio.sleep(0.05)


def _print_summary(summary: "Summary") -> None:
    facts = {
        name: value
        for name, value in msgspec.structs.asdict(summary).items()
        if name not in ("books", "errors")
    }
    print_table(("what", "count"), facts.items())
    for book in summary.books:
        bids = " ".join(f"{qty}@{price}" for price, qty in reversed(book.bids[:3]))
        asks = " ".join(f"{qty}@{price}" for price, qty in book.asks[:3])
        typer.echo(f"{book.market}: {bids} | {asks}  ({book.resting_orders} orders)")
    for error in summary.errors:
        say(f"matchbox: wrong: {error}")


def _markets(text: str, seed: int) -> "list[Market]":
    """The markets to open: a number of made-up ones, or those named."""
    from matchbox_tui.cli.markets import named_markets
    from sim import make_markets

    if not text.strip().lstrip("+-").isdecimal():
        named = named_markets(text)
        if not named:
            raise UsageError("--markets: give a number, or symbols such as RAIN,SNOW")
        return named
    if not 1 <= int(text) <= 100:
        raise UsageError(f"--markets {text}: use a number between 1 and 100, or symbols")
    return make_markets(int(text), seed)


def _user() -> str:
    try:
        return getpass.getuser()[:MAX_TRADER]
    except (KeyError, OSError):
        return "you"
