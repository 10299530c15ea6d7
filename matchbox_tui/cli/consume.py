"""``matchbox consume``: the services that read the journal beside the engine."""

import asyncio
import socket
import uuid
from pathlib import Path
from typing import Annotated, Protocol

import typer

from matchbox_tui.cli import groups, options
from matchbox_tui.cli.leaving import leave
from matchbox_tui.cli.output import printable
from matchbox_tui.cli.running import (
    EXIT_FAILED,
    EXIT_UNREACHABLE,
    UsageError,
    fail,
    on_eof,
    on_stop,
    run,
    set_up_logging,
)

STOP_SECONDS = 10.0
"""How long the batch under way may take to end; breaking it off loses nothing."""

app = typer.Typer(rich_markup_mode=None, help="Services that read the journal, beside the engine.")

CopyId = Annotated[
    str,
    typer.Option("--id", envvar="MATCHBOX_ID", help="This copy's name.", show_default="made up"),
]


@app.command("persistence")
def persistence(
    redis_url: options.RedisUrl = options.DEFAULT_URL,
    prefix: options.Prefix = "",
    database_url: options.DatabaseUrl = "",
    data_dir: options.DatabaseDir = None,
    name: Annotated[
        str,
        typer.Option(
            "--name",
            envvar="MATCHBOX_CONSUMER",
            help="Of those with the same name one works; a second database needs another name.",
        ),
    ] = "persistence",
    copy_id: CopyId = "",
    drain: options.Drain = False,
    once: options.Once = False,
    rewind: Annotated[
        bool,
        typer.Option(
            "--rewind",
            envvar="MATCHBOX_REWIND",
            help="Follow a store that was set back: drop the rows that it knows nothing of.",
        ),
    ] = False,
    until_eof: options.UntilEof = False,
    log_level: options.LogLevel = "info",
) -> None:
    """Write orders and trades into a database, exactly once.

    Stop it for as long as you like, or kill it: it goes on where it was.
    """
    from matchbox_tui.consumers import Unread
    from matchbox_tui.consumers.persistence import Database, DatabaseError, Persistence
    from matchbox_tui.store import Client, Registration

    set_up_logging(log_level)
    copy = _copy_id(copy_id)
    _check_name("--name", name)

    async def work() -> None:
        database = Database(database_url or default_database(data_dir), prefix)
        try:
            await asyncio.to_thread(database.prepare)
            client = await Client.connect(redis_url, prefix, f"consumer-{name}")
            registration = Registration(client.server, client.keys, name, copy)
            try:
                service = Persistence(client, registration, database)
                _stop_on_signals(service, until_eof=until_eof, drain=drain, once=once)
                await service.run(rewind=rewind)
            finally:
                await registration.close()
                await client.close()
        finally:
            database.close()

    try:
        run(work())
    except DatabaseError as error:
        fail(printable(str(error)), EXIT_UNREACHABLE)
    except Unread as error:
        fail(f"persistence {printable(str(error))}", EXIT_FAILED)


def default_database(data_dir: Path | None, *, make: bool = True) -> str:
    """The URL of the database where none is named; `make` makes its directory.

    Raises `UsageError` where that can't be.
    """
    from platformdirs import user_data_path

    directory = data_dir or user_data_path("matchbox")
    try:
        if make:
            directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"--data-dir {directory}: can't make that directory ({error.strerror}): name another"
        ) from None
    return f"sqlite:///{directory / 'matchbox.db'}"


class _Service(Protocol):
    def stop(self) -> None: ...
    def drain(self) -> None: ...


def _stop_on_signals(service: _Service, *, until_eof: bool, drain: bool, once: bool) -> None:
    """Ends it on the first signal, or with `drain` on the second; with `once` by itself."""
    draining = once

    def stop() -> None:
        service.stop()
        asyncio.get_running_loop().call_later(STOP_SECONDS, leave, 0)

    def signalled() -> None:
        nonlocal draining
        if drain and not draining:
            draining = True
            service.drain()
        else:
            stop()

    if once:
        service.drain()
    on_stop(signalled)
    if until_eof:
        on_eof(stop)


def _copy_id(text: str) -> str:
    copy = text or f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}"
    _check_name("--id", copy)
    return copy


def _check_name(option: str, text: str) -> None:
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise UsageError(f"{option} {text!r}: use letters, digits and dashes")


@app.command("analytics")
def analytics(
    redis_url: options.RedisUrl = options.DEFAULT_URL,
    prefix: options.Prefix = "",
    database_url: options.DatabaseUrl = "",
    data_dir: options.DatabaseDir = None,
    copy_id: CopyId = "",
    drain: options.Drain = False,
    once: options.Once = False,
    until_eof: options.UntilEof = False,
    log_level: options.LogLevel = "info",
) -> None:
    """Compute candles and statistics, for GET /candles and /stats.

    Stop it for as long as you like, or kill it: it goes on where it was. Started late, it takes the
    trades that the journal has lost from the database of 'matchbox consume persistence'.
    """
    from matchbox_tui.consumers import Unread
    from matchbox_tui.consumers.analytics import NAME, Analytics, PastTrades, PastUnusable
    from matchbox_tui.store import Client

    set_up_logging(log_level)
    copy = _copy_id(copy_id)
    past = PastTrades(
        database_url or default_database(data_dir, make=False),
        prefix,
        required=bool(database_url),
    )

    async def work() -> None:
        client = await Client.connect(redis_url, prefix, f"consumer-{NAME}")
        try:
            service = Analytics(client, copy, past=past)
            _stop_on_signals(service, until_eof=until_eof, drain=drain, once=once)
            await service.run()
        finally:
            await client.close()

    try:
        run(work())
    except PastUnusable as error:
        fail(printable(str(error)), EXIT_UNREACHABLE)
    except Unread as error:
        fail(f"the analytics {error}", EXIT_FAILED)


app.command("list")(groups.list_groups)
app.command("remove")(groups.remove)
