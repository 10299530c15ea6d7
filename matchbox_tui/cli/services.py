"""The commands that run until they are stopped: engine, redis, traders."""

import asyncio
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from matchbox_tui.cli import options
from matchbox_tui.cli.running import UsageError, on_stop, run, say, set_up_logging

UntilEof = Annotated[
    bool,
    typer.Option(
        "--until-eof",
        envvar="MATCHBOX_UNTIL_EOF",
        help="Stop when standard input closes (for whoever starts this as a child).",
    ),
]


def engine(
    redis_url: options.RedisUrl = options.DEFAULT_URL,
    prefix: options.Prefix = "",
    instance_id: Annotated[
        str,
        typer.Option(
            "--id", envvar="MATCHBOX_ID", help="The instance's name.", show_default="made up"
        ),
    ] = "",
    markets: Annotated[
        str,
        typer.Option(
            "--markets", envvar="MATCHBOX_MARKETS", help="Prediction markets (1..99) to open: A,B"
        ),
    ] = "",
    lease_ms: Annotated[
        int,
        typer.Option("--lease-ms", envvar="MATCHBOX_LEASE_MS", help="The lead ends after that."),
    ] = 2000,
    renew_ms: Annotated[
        int, typer.Option("--renew-ms", envvar="MATCHBOX_RENEW_MS", help="The lead is renewed.")
    ] = 500,
    poll_ms: Annotated[
        int, typer.Option("--poll-ms", envvar="MATCHBOX_POLL_MS", help="Followers look so often.")
    ] = 20,
    snapshot_ms: Annotated[
        int,
        typer.Option(
            "--snapshot-interval-ms",
            envvar="MATCHBOX_SNAPSHOT_INTERVAL_MS",
            help="A snapshot is taken so often.",
        ),
    ] = 10_000,
    history: Annotated[
        int,
        typer.Option(
            "--history", envvar="MATCHBOX_HISTORY", help="Commands that stay in the journal."
        ),
    ] = 100_000,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            "--data-dir",
            envvar="MATCHBOX_DATA_DIR",
            help="Write the snapshots to files there as well.",
            metavar="DIR",
        ),
    ] = None,
    hash_every: Annotated[
        int,
        typer.Option(
            "--hash-every",
            envvar="MATCHBOX_HASH_EVERY",
            help="Publish the state hash every so many commands; 0: never.",
        ),
    ] = 0,
    until_eof: UntilEof = False,
    log_level: options.LogLevel = "info",
) -> None:
    """Run one engine instance."""
    import socket
    import uuid

    from matchbox_tui.cli.markets import named_markets
    from matchbox_tui.node import Node, Settings
    from matchbox_tui.store import Keys, Server, SnapshotFiles, Store, check_server

    set_up_logging(log_level)
    try:
        settings = Settings(lease_ms, renew_ms, poll_ms, snapshot_ms, history, hash_every)
    except ValueError as error:
        raise UsageError(str(error)) from None
    opened = tuple(named_markets(markets))
    name = instance_id or f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}"
    if not name.isascii() or not name.isprintable() or " " in name:
        raise UsageError(f"--id {name!r}: use letters, digits and dashes")

    async def work() -> None:
        server = Server(redis_url, timeout_s=0.75 * lease_ms / 1000)
        probe = server.link()
        try:
            for warning in await check_server(probe, Keys(prefix)):
                say(f"matchbox: warning: {warning}")
        finally:
            await probe.close()
        # Several venues may share the directory, as they may share the server.
        place = data_dir / quote(prefix, safe="") if data_dir is not None else None
        files = SnapshotFiles(place) if place is not None else None
        node = Node(Store(server, Keys(prefix), name), settings, opened, files=files)
        on_stop(node.stop, until_eof=until_eof)
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
    count: Annotated[
        int, typer.Option("--traders", envvar="MATCHBOX_TRADERS", help="How many, over all.")
    ] = 20,
    rate: Annotated[
        int,
        typer.Option("--rate", envvar="MATCHBOX_RATE", help="Commands a second, all together."),
    ] = 200,
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
    until_eof: UntilEof = False,
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
