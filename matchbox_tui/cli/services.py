"""The commands that run until they are stopped: engine, redis, traders."""

import asyncio
import time
from typing import TYPE_CHECKING, Annotated

import typer

from matchbox_tui.cli import options
from matchbox_tui.cli.leaving import leave
from matchbox_tui.cli.output import printable
from matchbox_tui.cli.running import UsageError, on_stop, run, say, set_up_logging

if TYPE_CHECKING:
    from sim.crews import Crew

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
    scenario: Annotated[
        str,
        typer.Option(
            "--scenario",
            envvar="MATCHBOX_SCENARIO",
            help="The agents of this scenario instead, a file or a name of matchbox sim list.",
            metavar="FILE|NAME",
        ),
    ] = "",
    start_at: Annotated[
        int,
        typer.Option(
            "--start-at",
            envvar="MATCHBOX_START_AT",
            help="When they begin, in ns since 1970; 0: at once.",
            hidden=True,
        ),
    ] = 0,
    until_eof: options.UntilEof = False,
    json: options.Json = False,
    log_level: options.LogLevel = "info",
) -> None:
    """Let random traders trade on a running venue.

    There are at least so many of them; more where the rate takes more.
    """
    from matchbox_tui.cli.output import print_json
    from matchbox_tui.store import Client
    from sim import TradingFloor, standard_crew

    set_up_logging(log_level)
    if not 1 <= count <= 10_000:
        raise UsageError(f"--traders {count}: use a number between 1 and 10000")
    if not 1 <= rate <= 100_000:
        raise UsageError(f"--rate {rate}: use a number between 1 and 100000")
    if duration < 0:
        raise UsageError(f"--duration {duration}: use 0 or more seconds")
    symbols = tuple(filter(None, (part.strip() for part in markets.split(","))))
    crew = standard_crew(count, rate, seed, symbols)
    if scenario:
        crew = _crew_of(scenario, seed, start_at or time.time_ns())

    async def work() -> None:
        client = await Client.connect(redis_url, prefix, "traders")
        try:
            floor = TradingFloor(client, crew, start=start_at, client_order_ids=client_order_ids)
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


def _crew_of(name: str, seed: int, start: int) -> "Crew":
    """The agents of a scenario. Raises `UsageError` for one that can't be used."""
    from sim import scenario_crew
    from sim.scenario import ScenarioError, load

    try:
        loaded, _ = load(name)
    except ScenarioError as error:
        raise UsageError(f"--scenario: {printable(error.lines()[0])}") from None
    return scenario_crew(loaded, seed, start)
