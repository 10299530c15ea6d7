"""The commands that run until they are stopped: engine, redis, traders."""

import asyncio
from typing import Annotated

import typer

from matchbox_tui.cli import options
from matchbox_tui.cli.leaving import leave
from matchbox_tui.cli.running import UsageError, on_stop, run, say, set_up_logging

STOP_SECONDS = 3.0
"""How long an instance may take to end before what it still waits for is broken off."""


def engine(
    redis_url: options.RedisUrl = options.DEFAULT_URL,
    prefix: options.Prefix = "",
    instance_id: options.InstanceId = "",
    markets: options.OpenMarkets = "",
    lease_ms: options.LeaseMs = 2000,
    renew_ms: options.RenewMs = 500,
    poll_ms: options.PollMs = 20,
    snapshot_ms: options.SnapshotMs = 10_000,
    history: options.History = 100_000,
    data_dir: options.SnapshotDir = None,
    hash_every: options.HashEvery = 0,
    until_eof: options.UntilEof = False,
    log_level: options.LogLevel = "info",
) -> None:
    """Run one engine instance."""
    from matchbox_tui.cli.instance import Instance

    set_up_logging(log_level)
    instance = Instance.of(
        *(redis_url, prefix, instance_id, markets, lease_ms, renew_ms, poll_ms, snapshot_ms),
        *(history, data_dir, hash_every),
    )

    async def work() -> None:
        node = await instance.start()

        def stop() -> None:
            node.stop()
            # Where the server hangs, each of the last calls would wait its time for an answer.
            asyncio.get_running_loop().call_later(STOP_SECONDS, leave, 0)

        on_stop(stop, until_eof=until_eof)
        await node.run()

    run(work())


def redis(
    port: Annotated[
        int, typer.Option("--port", envvar="MATCHBOX_REDIS_PORT", help="Where it listens.")
    ] = 6379,
    data_dir: options.DataDir = None,
) -> None:
    """Run the embedded server on 127.0.0.1 in the foreground."""
    from matchbox_tui.store import EmbeddedServer, Unusable

    if not 1 <= port <= 65535:
        raise UsageError(f"--port {port}: use a number between 1 and 65535")

    async def work() -> None:
        stopping = asyncio.Event()
        on_stop(stopping.set)
        server = EmbeddedServer(data_dir, port)
        with server:
            say(f"Serving at {server.url}; Ctrl-C stops it.")
            while not stopping.is_set():
                if not server.alive():
                    raise Unusable(f"the server ended by itself: {server.complaint()}")
                await asyncio.wait((asyncio.ensure_future(stopping.wait()),), timeout=0.5)

    run(work())


def traders(
    redis_url: options.RedisUrl = options.DEFAULT_URL,
    prefix: options.Prefix = "",
    count: options.Traders = 20,
    rate: options.Rate = 200,
    markets: Annotated[
        str, typer.Option("--markets", envvar="MATCHBOX_MARKETS", help="Where: A,B (default all).")
    ] = "",
    seed: options.Seed = 1,
    duration: Annotated[
        int,
        typer.Option("--duration", envvar="MATCHBOX_DURATION", help="Seconds; 0 for ever."),
    ] = 0,
    client_order_ids: Annotated[
        bool,
        typer.Option(
            "--client-order-ids",
            envvar="MATCHBOX_CLIENT_ORDER_IDS",
            help="Name every order, so that one in doubt can be traced; a key each for a day.",
        ),
    ] = False,
    until_eof: options.UntilEof = False,
    json: options.Json = False,
    log_level: options.LogLevel = "info",
) -> None:
    """Let random traders trade on a running venue."""
    from matchbox_tui.cli.output import print_json
    from matchbox_tui.store import Client
    from sim import TradingFloor

    set_up_logging(log_level)
    if not 1 <= count <= 10_000:
        raise UsageError(f"--traders {count}: use a number between 1 and 10000")
    if not 1 <= rate <= 100_000:
        raise UsageError(f"--rate {rate}: use a number between 1 and 100000")
    if duration < 0:
        raise UsageError(f"--duration {duration}: use 0 or more seconds")
    symbols = tuple(filter(None, (part.strip() for part in markets.split(","))))

    async def work() -> None:
        client = await Client.connect(redis_url, prefix, "traders")
        try:
            floor = TradingFloor(
                client,
                traders=count,
                rate=rate,
                seed=seed,
                markets=symbols,
                client_order_ids=client_order_ids,
            )
            on_stop(floor.stop, until_eof=until_eof)
            if duration:
                asyncio.get_running_loop().call_later(duration, floor.stop)
            record = await floor.run()
        finally:
            await client.close()
        if json:
            print_json(record)
        else:
            say(f"{record.acknowledged} commands acknowledged, {record.in_doubt} in doubt")

    run(work())
