"""``matchbox serve``: an engine instance and the HTTP + WebSocket API in one process."""

import asyncio
import gc
import socket
from typing import TYPE_CHECKING, Annotated

import typer

from matchbox_tui.cli import options
from matchbox_tui.cli.leaving import leave
from matchbox_tui.cli.output import printable
from matchbox_tui.cli.running import (
    EXIT_INTERRUPTED,
    EXIT_UNREACHABLE,
    EXIT_USAGE,
    UsageError,
    fail,
    on_eof,
    on_stop,
    run,
    say,
    set_up_logging,
)

if TYPE_CHECKING:
    from matchbox_tui.api import ApiServer
    from matchbox_tui.cli.instance import Instance
    from matchbox_tui.consumers.persistence import DatabasePast
    from matchbox_tui.node import Node

STOP_SECONDS = 3.5
"""How long the end may take before what still runs is broken off."""

BREAK_SECONDS = 0.7
"""How long what was broken off may take to tidy up. On a server that hangs it would ask that in
vain, again and again.
"""

ALLOCATIONS = 5000
"""Objects that are made before the collector looks for cycles: more than belong to the requests
under way at any time, so that it does not look at the same ones again and again.
"""


def serve(
    port: Annotated[
        int, typer.Option("--port", "-p", envvar="PORT", help="Where the API listens.")
    ] = 8080,
    host: Annotated[
        str, typer.Option("--host", envvar="HOST", help="On which of this machine's addresses.")
    ] = "127.0.0.1",
    token: Annotated[
        str,
        typer.Option(
            "--token",
            envvar="MATCHBOX_API_TOKEN",
            help="What a request must send as Authorization: Bearer (default: nothing).",
        ),
    ] = "",
    rate_limit: Annotated[
        int,
        typer.Option(
            "--rate-limit",
            envvar="MATCHBOX_API_RATE_LIMIT",
            help="Requests a second that one address may make; 0 any number.",
        ),
    ] = 0,
    redis_url: options.RedisUrl = options.DEFAULT_URL,
    prefix: options.Prefix = "",
    database_url: options.HistoryUrl = "",
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
    """Run one instance with the HTTP + WebSocket API."""
    from matchbox_tui.api import listen
    from matchbox_tui.cli.instance import Instance

    set_up_logging(log_level)
    if not 0 <= port <= 65535:
        raise UsageError(f"--port {port}: use a number between 1 and 65535")
    if rate_limit < 0:
        raise UsageError(f"--rate-limit {rate_limit}: use 0 or more requests a second")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError("--token: use letters, digits and signs of ASCII, without blanks")
    instance = Instance.of(
        *(redis_url, prefix, instance_id, markets, lease_ms, renew_ms, poll_ms, snapshot_ms),
        *(history, data_dir, hash_every),
    )
    past = open_past(database_url, prefix)
    try:
        listener = listen(host, port)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "no such address"
        other = (
            "--host" if isinstance(error, socket.gaierror | UnicodeError) else "--host or --port"
        )
        fail(f"can't listen on {host}:{port} ({why}): use another {other}", EXIT_USAGE)
    run(_serve(instance, past, listener, token, rate_limit, until_eof))


def open_past(database_url: str, prefix: str) -> "DatabasePast | None":
    """The database to ask about the past; None where there is none, and then nothing of it loads.

    Nothing is connected to yet: where it is away, history alone is.
    """
    if not database_url:
        return None
    from matchbox_tui.consumers.persistence import DatabaseError, DatabasePast

    try:
        return DatabasePast(database_url, prefix)
    except DatabaseError as error:
        fail(printable(str(error)), EXIT_UNREACHABLE)


async def _serve(
    instance: "Instance",
    past: "DatabasePast | None",
    listener: socket.socket,
    token: str,
    rate_limit: int,
    until_eof: bool,
) -> None:
    from matchbox_tui.api import (
        ApiServer,
        Feeds,
        FeedSettings,
        Gateway,
        Limits,
        address_of,
        create_app,
        open_many_files,
    )
    from matchbox_tui.store import Client

    gc.set_threshold(ALLOCATIONS)
    node = await instance.start()
    client = await Client.connect(instance.url, instance.prefix, "api")
    gateway = Gateway(client, instance.name, node, past)
    clients = open_many_files()
    feeds = gateway.feeds = Feeds(gateway, FeedSettings(token=token, connections=clients))
    server = ApiServer(
        create_app(gateway, token=token, rate_limit=rate_limit),
        listener,
        meter=gateway.meter,
        limits=Limits(connections=clients),
        ws=feeds.connection,
    )
    try:
        reading = asyncio.create_task(gateway.run())
        _stop_when_told(server, node, until_eof)
        say(f"Serving at http://{address_of(listener)}; Ctrl-C stops it.")
        await _live(server, node, reading)
        await gateway.finish()
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await client.close()
        if past is not None:
            past.close()
    leave(0)


def _stop_when_told(server: "ApiServer", node: "Node", until_eof: bool) -> None:
    def stop() -> None:
        server.stop()
        node.stop()

    def obey() -> None:
        stop()
        # Whoever signals once more doesn't want to wait.
        on_stop(lambda: leave(EXIT_INTERRUPTED))

    on_stop(obey)
    if until_eof:
        # That is no signal: whoever starts this as a child may send one and close stdin as well.
        on_eof(stop)


async def _live(server: "ApiServer", node: "Node", reading: asyncio.Task[None]) -> None:
    """Serves until it is stopped or a part fails; raises what that failed with."""
    parts = {asyncio.create_task(server.run_until_stopped()), asyncio.create_task(node.run())}
    await asyncio.wait({*parts, reading}, return_when=asyncio.FIRST_COMPLETED)
    server.stop()
    node.stop()
    _, late = await asyncio.wait(parts, timeout=STOP_SECONDS)
    for part in late:
        part.cancel()
    if late:
        await asyncio.wait(late, timeout=BREAK_SECONDS)
    for part in (*parts, reading):
        if part.done() and not part.cancelled():
            part.result()
