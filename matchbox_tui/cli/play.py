"""``matchbox play``, a whole market in one command, and ``matchbox tui`` for one that runs."""

import asyncio
import contextlib
import gc
import getpass
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from matchbox_tui.cli import options
from matchbox_tui.cli.operator import HASH_EVERY, PlayOperator
from matchbox_tui.cli.output import is_terminal
from matchbox_tui.cli.recording import Recording, end_market, recording_database
from matchbox_tui.cli.running import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    UsageError,
    check_level,
    crash,
    run,
    say,
    unwinding,
)
from matchbox_tui.engine import MAX_NAME

if TYPE_CHECKING:
    from matchbox_tui.engine import Market
    from matchbox_tui.store import EmbeddedServer
    from matchbox_tui.tui import Look

SIGNALLED = 128
"""The app's return code after a signal is more than this."""

LOOK_SECONDS = 0.5
"""How often the screen's server is looked at."""

ALLOCATIONS = 5000
"""Objects that are made before the collector looks for cycles: more than a frame and what is read
meanwhile are made of, so that it does not look at the same ones again and again.
"""

Trader = Annotated[
    str,
    typer.Option(
        "--trader",
        envvar="MATCHBOX_TRADER",
        help="Who trades here.",
        show_default="the user's name",
    ),
]


Theme = Annotated[
    str,
    typer.Option(
        "--theme", envvar="MATCHBOX_THEME", help="dark, light or contrast.", metavar="NAME"
    ),
]


def play(
    instances: options.Instances = 3,
    traders: options.Traders = 20,
    rate: options.Rate = 200,
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
    api_port: Annotated[
        int,
        typer.Option(
            "--api-port",
            envvar="MATCHBOX_API_PORT",
            help="The instances serve the HTTP + WebSocket API, from this port on; 0: not.",
            metavar="N",
        ),
    ] = 0,
    headless: Annotated[
        bool, typer.Option("--headless", envvar="MATCHBOX_HEADLESS", help="No screen: a summary.")
    ] = False,
    record: Annotated[
        bool,
        typer.Option(
            "--record",
            envvar="MATCHBOX_RECORD",
            help="Write orders and trades into a database, and compute candles and statistics.",
        ),
    ] = False,
    database_url: Annotated[
        str,
        typer.Option(
            "--database-url",
            envvar="DATABASE_URL",
            help="Where to record, and where the API reads on: SQLite or PostgreSQL.",
            metavar="URL",
            show_default="matchbox.db in --data-dir, or a new file of the user's",
        ),
    ] = "",
    duration: Annotated[
        int | None,
        typer.Option(
            "--duration",
            envvar="MATCHBOX_DURATION",
            help="Seconds to run.",
            show_default="15 without a screen",
        ),
    ] = None,
    theme: Theme = "dark",
    json: options.Json = False,
    log_level: options.LogLevel = "info",
) -> int:
    """Run a live market: server, engines, traders and screen."""
    if not 1 <= instances <= 20:
        raise UsageError(f"--instances {instances}: use a number between 1 and 20")
    if not 0 <= traders <= 10_000:
        raise UsageError(f"--traders {traders}: use a number between 0 and 10000")
    if not 1 <= rate <= 100_000:
        raise UsageError(f"--rate {rate}: use a number between 1 and 100000")
    if duration is not None and duration < 1:
        raise UsageError(f"--duration {duration}: use 1 or more seconds")
    check_trader(trader)
    check_level(log_level)
    # Read before anything is started, and not at all where there is no screen.
    look = None if headless or not is_terminal() else read_look(theme)
    ports = _free_ports(api_port, instances)
    opened = _markets(markets, seed)
    from matchbox_tui.cli.headless import DEFAULT_SECONDS, play_headless
    from sim import API_HOST, Cluster

    with unwinding(), _server(redis_url, data_dir) as (url, log_dir, server):
        settings = {"MATCHBOX_DATA_DIR": str(data_dir)} if data_dir is not None else {}
        if look is not None:
            settings["MATCHBOX_HASH_EVERY"] = str(HASH_EVERY)
        database = database_url
        if record:
            database = recording_database(database_url, data_dir, private=server is not None)
        if database:
            # The API reads there what is no longer in memory.
            settings["DATABASE_URL"] = database
        cluster = Cluster(
            *(url, log_dir),
            prefix=prefix,
            markets=opened,
            settings=settings,
            log_level=log_level,
            api_port=api_port,
        )
        start = partial(cluster.start, instances, traders, rate, seed)
        recording = Recording(cluster, url, prefix, database) if record else None
        if ports:
            say(f"Serving at {', '.join(f'http://{API_HOST}:{port}' for port in ports)}")
        try:
            if recording is not None:
                recording.start()
            if look is None:
                seconds = duration or DEFAULT_SECONDS
                code = run(play_headless(cluster, start, url, prefix, seconds, json, recording))
            else:
                run(check_venue(url, prefix, opened))
                start()
                if recording is not None:
                    run(recording.await_work())
                symbol = opened[0].symbol
                operator = PlayOperator(cluster, server, recording)
                code = run(_screen(url, prefix, trader, symbol, duration, look, server, operator))
        finally:
            drain = server is None or server.alive()
            whole = end_market(cluster, recording, drain=drain)
        return code if whole else EXIT_FAILED


def tui(
    redis_url: options.RedisUrl = options.DEFAULT_URL,
    prefix: options.Prefix = "",
    trader: Trader = "",
    market: options.AnyMarket = None,
    theme: Theme = "dark",
) -> int:
    """Open the screen on a running venue."""
    if not is_terminal():
        raise UsageError("the screen needs a terminal; 'matchbox play --headless' does not")

    check_trader(trader)
    look = read_look(theme)

    async def work() -> int:
        await check_venue(redis_url, prefix)
        return await _screen(redis_url, prefix, trader, market, None, look)

    return run(work())


@contextlib.contextmanager
def _server(url: str, data_dir: Path | None) -> "Iterator[tuple[str, Path, EmbeddedServer | None]]":
    """The server's URL, a directory for logs, and the server itself where it is a private one."""
    from matchbox_tui.store import EmbeddedServer

    if url:
        logs = Path(tempfile.mkdtemp(prefix="matchbox-"))
        try:
            yield url, logs, None
        finally:
            shutil.rmtree(logs, ignore_errors=True)
        return
    with EmbeddedServer(data_dir) as server:
        yield server.url, server.directory, server


async def check_venue(url: str, prefix: str, markets: "Sequence[Market]" = ()) -> None:
    """Opens the markets on a venue that others lead, before the screen is taken.

    Raises a `StoreError` for a server that can't be used.
    """
    from matchbox_tui.cli.connected import read_exchange
    from matchbox_tui.cli.markets import open_markets
    from matchbox_tui.store import Client

    client = await Client.connect(url, prefix, "tui")
    try:
        if markets and (await client.cluster()).leader is not None:
            await open_markets(client, await read_exchange(client), markets)
    finally:
        await client.close()
    for warning in client.warnings:
        say(f"matchbox: warning: {warning}")


async def _screen(
    url: str,
    prefix: str,
    trader: str,
    market: str | None,
    duration: int | None,
    look: "Look",
    server: "EmbeddedServer | None" = None,
    operator: "PlayOperator | None" = None,
) -> int:
    from matchbox_tui.store import Unusable
    from matchbox_tui.tui import MatchboxApp, Tone

    app = MatchboxApp(url, prefix, trader or user_name(), market, look=look, operator=operator)
    if duration is not None:
        asyncio.get_running_loop().call_later(duration, app.exit)
    gc.set_threshold(ALLOCATIONS)
    recording = operator.recording if operator is not None else None
    if recording is not None:
        app.desk.say(f"recording in {recording.shown}")
    screen = asyncio.ensure_future(app.run_async())
    frozen = None
    while not (await asyncio.wait((screen,), timeout=LOOK_SECONDS))[0]:
        if app.feed.replica is not frozen and app.feed.model.caught_up:
            # What lives now lives long: to look at all of it again would cost a frame or two.
            gc.unfreeze()
            gc.collect()
            gc.freeze()
            frozen = app.feed.replica
        for words in recording.look() if recording is not None else ():
            app.desk.say(words, Tone.ALARM)
        if operator is not None and operator.restarting:
            continue
        if server is not None and not server.alive():
            # Nothing could bring it back, so there is nothing to wait for.
            app.exit()
            await screen
            raise Unusable(f"the private server ended by itself: {server.complaint()}")
    screen.result()
    if app.crashed:
        crash(app.crashed.splitlines()[-1], app.crashed)
    code = app.return_code or 0
    return EXIT_INTERRUPTED if code > SIGNALLED else code


def read_look(theme: str) -> "Look":
    """The user's keys and colours. Raises `UsageError` for what can't be used."""
    from matchbox_tui.tui import PALETTES, Look, key_file, read_keys

    if theme not in PALETTES:
        raise UsageError(f"--theme {theme!r}: use {', '.join(PALETTES)}")
    try:
        return Look(read_keys(key_file()), PALETTES[theme])
    except ValueError as error:
        raise UsageError(str(error)) from None


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


def _free_ports(first: int, instances: int) -> range:
    """The ports for the instances' APIs, none for 0. Raises `UsageError` where one can't be had."""
    if not first:
        return range(0)
    from matchbox_tui.api import listen
    from sim import API_HOST

    last = 65536 - instances
    if not 1 <= first <= last:
        raise UsageError(f"--api-port {first}: use a number between 1 and {last}, or 0 for no API")
    ports = range(first, first + instances)
    for port in ports:
        try:
            listen(API_HOST, port).close()
        except OSError as error:
            raise UsageError(
                f"--api-port {first}: can't listen on {API_HOST}:{port} ({error.strerror}):"
                f" use another of which {instances} in a row are free"
            ) from None
    return ports


def check_trader(name: str) -> None:
    """Raises `UsageError` for a name that the engine would not take."""
    if len(name) > MAX_NAME:
        raise UsageError(f"--trader {name[:80]!r}: use at most {MAX_NAME} characters")


def user_name() -> str:
    """Who trades where nobody else is named."""
    try:
        return getpass.getuser()[:MAX_NAME]
    except (KeyError, OSError):
        return "you"
