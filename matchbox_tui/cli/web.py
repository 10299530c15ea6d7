"""``matchbox web``: the screen in a browser, for a venue that runs."""

import asyncio
import os
import signal
import socket
import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from matchbox_tui.cli import options, play
from matchbox_tui.cli.output import printable
from matchbox_tui.cli.running import (
    EXIT_INTERRUPTED,
    EXIT_USAGE,
    UsageError,
    fail,
    on_stop,
    run,
    say,
)

if TYPE_CHECKING:
    from matchbox_tui.web import WebServer

MAX_SCREENS = 1000


def web(
    port: Annotated[
        int, typer.Option("--port", "-p", envvar="MATCHBOX_WEB_PORT", help="Where the page is.")
    ] = 8000,
    host: Annotated[
        str,
        typer.Option(
            "--host",
            envvar="MATCHBOX_WEB_HOST",
            help="On which of this machine's addresses. Whoever reaches it can trade.",
        ),
    ] = "127.0.0.1",
    screens: Annotated[
        int,
        typer.Option(
            "--screens",
            envvar="MATCHBOX_WEB_SCREENS",
            help="How many may be open at a time; each is a process.",
        ),
    ] = 16,
    redis_url: options.RedisUrl = options.DEFAULT_URL,
    prefix: options.Prefix = "",
    trader: play.Trader = "",
    market: options.AnyMarket = None,
    theme: play.Theme = "dark",
) -> int:
    """Serve the screen to a browser, for a running venue."""
    from matchbox_tui.web import Admission, App, WebServer

    if not 0 <= port <= 65535:
        raise UsageError(f"--port {port}: use a number between 1 and 65535")
    if not 1 <= screens <= MAX_SCREENS:
        raise UsageError(f"--screens {screens}: use a number between 1 and {MAX_SCREENS}")
    play.check_trader(trader)
    # Read here only to complain of it before anybody waits for a page.
    play.read_look(theme)
    trader = trader or play.user_name()
    app = App(
        (sys.executable, "-m", "matchbox_tui", "tui"),
        {
            # Not on the command line, which every user of the machine can read.
            "REDIS_URL": redis_url,
            "MATCHBOX_KEY_PREFIX": prefix,
            "MATCHBOX_TRADER": trader,
            "MATCHBOX_MARKET": market,
            "MATCHBOX_THEME": theme,
        },
    )
    run(play.check_venue(redis_url, prefix))
    listener = _listener(host, port)
    server = WebServer(
        app,
        Admission((host,)),
        title=f"{trader} - Matchbox",
        limit=screens,
        tell=_tell,
    )
    say(f"Serving at http://{_address(listener)}; Ctrl-C stops it.")
    return run(_serve(server, listener))


async def _serve(server: "WebServer", listener: socket.socket) -> int:
    """Serves until a signal comes; returns the exit code."""
    ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def end(code: int) -> None:
        if ended.done():
            # Whoever signals once more doesn't want to wait; the screens end by themselves.
            os._exit(EXIT_INTERRUPTED)
        ended.set_result(code)

    on_stop(partial(end, 0))
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, end, EXIT_INTERRUPTED)
    await server.start(listener)
    try:
        return await ended
    finally:
        await server.stop()


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
    except (OSError, UnicodeError) as error:
        named = isinstance(error, socket.gaierror | UnicodeError)
        why = "no such address" if named else os.strerror(getattr(error, "errno", None) or 0)
        other = "--host" if named else "--host or --port"
        fail(f"can't listen on {host}:{port} ({why}): use another {other}", EXIT_USAGE)
    listener.setblocking(False)
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _tell(words: str) -> None:
    said = printable(words).removeprefix("matchbox: ")
    say(f"matchbox: {said}")
