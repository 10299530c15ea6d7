"""A market without a screen: a status line a second, and at the end what was counted."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from matchbox_tui.cli.markets import open_markets
from matchbox_tui.cli.output import print_json, print_line, print_table
from matchbox_tui.cli.running import EXIT_FAILED, EXIT_INTERRUPTED, STOP_SIGNALS, say
from matchbox_tui.cli.told_fills import ToldFills

if TYPE_CHECKING:
    from matchbox_tui.cli.recording import Recording
    from matchbox_tui.store import Client, ClusterStatus, Replica
    from sim import Census, Cluster, Summary

DEFAULT_SECONDS = 15
SETTLE_SECONDS = 5.0
OPENING_SECONDS = 30


async def play_headless(
    cluster: "Cluster",
    start: Callable[[], None],
    url: str,
    prefix: str,
    seconds: int,
    json: bool,
    recording: "Recording | None" = None,
) -> int:
    """Runs the cluster that `start` starts; returns the exit code. Raises a `StoreError`."""
    from matchbox_tui.engine import TradeExecuted
    from matchbox_tui.store import Client
    from sim import Census, FloorRecord

    interrupted = asyncio.Event()
    for number in STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, interrupted.set)
    client = await Client.connect(url, prefix, "play")
    for warning in client.warnings:
        say(f"matchbox: warning: {warning}")
    try:
        _, last = await client.published_fills()
        told, fills_before = ToldFills(client, last), 0
        replica = await client.restore(oldest=True)
        before = await client.cluster()
        # A leader that was killed may have left some to be published.
        async for entry in client.follow(replica, until=before.seq):
            fills_before += sum(
                isinstance(event, TradeExecuted) and (event.seq, event.n) > last
                for event in entry.events
            )
        census = Census(replica, before.epoch)
        await open_markets(client, replica.exchange, cluster.markets)
        start()
        if recording is not None:
            await recording.await_work()
        following = asyncio.ensure_future(_count(client, replica, census))
        try:
            await _await_opening(cluster, client, replica, following, interrupted)
            opened = not interrupted.is_set()
            began = time.monotonic()
            watched = following, seconds, interrupted, recording
            await _watch(cluster, client, census, told, *watched)
            ran = round(time.monotonic() - began)
            record = await asyncio.to_thread(cluster.stop_traders)
            if record is None and not opened:
                # Interrupted before they had begun.
                record = FloorRecord()
            status = await _settle(client, replica, census, told, fills_before)
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
        published = await told.count() - fills_before
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


async def _await_opening(
    cluster: "Cluster",
    client: "Client",
    replica: "Replica",
    following: "asyncio.Future[None]",
    interrupted: asyncio.Event,
) -> None:
    """Waits for a leader that has opened the markets: only then does the time run."""
    from matchbox_tui.store import Unusable

    deadline = time.monotonic() + OPENING_SECONDS
    while not interrupted.is_set():
        _check_health(cluster, following)
        status = await client.cluster()
        if status.leader and all(name in replica.exchange.books for name in cluster.symbols):
            return
        if time.monotonic() > deadline:
            raise Unusable(f"no engine instance took the lead within {OPENING_SECONDS} s")
        await asyncio.sleep(0.02)


def _check_health(cluster: "Cluster", following: "asyncio.Future[None]") -> None:
    """Raises the reason why the market can't go on, if there is one."""
    from matchbox_tui.store import Unusable

    if following.done():
        following.result()
    problem = cluster.failed()
    if problem is not None:
        raise Unusable(problem)


async def _watch(
    cluster: "Cluster",
    client: "Client",
    census: "Census",
    told: ToldFills,
    following: "asyncio.Future[None]",
    seconds: int,
    interrupted: asyncio.Event,
    recording: "Recording | None",
) -> None:
    """A status line a second, until the time is over or a signal comes."""
    for elapsed in range(1, seconds + 1):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(interrupted.wait(), 1)
        if interrupted.is_set():
            return
        _check_health(cluster, following)
        for words in recording.look() if recording is not None else ():
            say(f"matchbox: {words}")
        status = await client.cluster()
        await told.count()
        say(
            f"{elapsed:3d} s  leader {status.leader or '-'}  epoch {status.epoch}"
            f"  commands {census.commands}  fills {census.fills}  queue {status.queue_depth}"
        )


async def _settle(
    client: "Client", replica: "Replica", census: "Census", told: ToldFills, fills_before: int
) -> "ClusterStatus":
    """Waits until all that was asked for has happened and was told."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        status = await client.cluster()
        fills = await told.count() - fills_before
        quiet = status.queue_depth == 0 and status.seq == replica.seq and fills == census.fills
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
        print_line(f"{book.market}: {bids} | {asks}  ({book.resting_orders} orders)")
    for error in summary.errors:
        say(f"matchbox: wrong: {error}")
