"""The app: a feed, a desk and a screen."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import tzinfo
from io import StringIO
from typing import Any

from rich.console import Console
from textual.app import App
from textual.driver import Driver
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from matchbox_tui.tui.actions import Actions
from matchbox_tui.tui.analytics_feed import AnalyticsFeed
from matchbox_tui.tui.browser import kept_to_its_server
from matchbox_tui.tui.desk import Desk
from matchbox_tui.tui.feed import Feed
from matchbox_tui.tui.hash_check import HashCheck
from matchbox_tui.tui.keys import KeyTable
from matchbox_tui.tui.lost_terminal import forgiving_terminal
from matchbox_tui.tui.operator import Operator
from matchbox_tui.tui.outcome import Tone
from matchbox_tui.tui.palette import DARK, PALETTES, Ink, Palette
from matchbox_tui.tui.screen import trade_screen
from matchbox_tui.tui.twins import shell_setup

_HANG_UP = 1
"""The number of SIGHUP, also where there is no such signal."""

_ENDINGS = ("SIGHUP", "SIGTERM", "SIGINT")


@dataclass(frozen=True)
class Look:
    """What its user has chosen: keys and colours."""

    keys: KeyTable = field(default_factory=KeyTable)
    palette: Palette = DARK


class MatchboxApp(App[None]):
    """A venue in a terminal. `run()` returns on a key, on a signal and on a lost terminal alike.

    Without a trader's name it only watches; without a market it shows the first lively one.
    """

    CSS_PATH = "app.tcss"
    TITLE = "matchbox"
    COMMANDS = {Actions}  # noqa: RUF012  # as Textual wants it
    COMMAND_PALETTE_DISPLAY = "^P"
    AUTO_FOCUS = None
    ALLOW_SELECT = False
    HORIZONTAL_BREAKPOINTS = [(0, "-slim"), (64, "-medium"), (120, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (5, "-low"), (14, "-tall")]  # noqa: RUF012

    def __init__(
        self,
        url: str,
        prefix: str = "",
        trader: str = "",
        market: str | None = None,
        *,
        feed: Feed | None = None,
        clock: Callable[[], int] = time.time_ns,
        zone: tzinfo | None = None,
        look: Look | None = None,
        operator: Operator | None = None,
    ) -> None:
        super().__init__()
        self._operator = operator
        self.look = look or Look()
        self.feed = feed or Feed.of(url, prefix, trader, clock)
        if operator is not None:
            self.feed.hashes = HashCheck(operator.hash_every)
        self.desk = Desk(self.feed.model, clock, market)
        self.desk.keys = self.look.keys
        self.desk.shell_setup = shell_setup(url, prefix)
        self._analytics = AnalyticsFeed(self.feed, self.desk, clock)
        self._ink = Ink(self.look.palette)
        self._zone = zone
        # Kept for whoever runs the app: a person at the terminal has no use for it.
        self.error_console = Console(file=StringIO(), width=100, highlight=False)
        for known in PALETTES.values():
            self.register_theme(known.theme())
        self.theme = self.look.palette.name

    async def run_async(self, **options: Any) -> Any:
        loop = asyncio.get_running_loop()

        def leave() -> None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self.exit, None, 128 + _HANG_UP)

        with forgiving_terminal(leave):
            return await super().run_async(**options)

    def get_driver_class(self) -> type[Driver]:
        return kept_to_its_server(super().get_driver_class())

    def get_default_screen(self) -> Screen[None]:
        return trade_screen(
            self.desk, self._ink, self.feed.send, self._zone, self.look.keys, self._operator
        )

    @property
    def crashed(self) -> str:
        """What the app ended of, in detail; empty where it ended well."""
        file = self.error_console.file
        text = file.getvalue() if isinstance(file, StringIO) else ""
        # Where a second error follows the first, Textual adds advice for those who develop it.
        return text.partition("\nNOTE: ")[0].strip()

    def on_mount(self) -> None:
        self._catch_signals()
        self.run_worker(self.feed.run(), group="feed", exit_on_error=False)
        self.run_worker(self.feed.watch(), group="cluster", exit_on_error=False)
        self.run_worker(self._analytics.run(), group="analytics", exit_on_error=False)

    async def on_unmount(self) -> None:
        await self.feed.close()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A worker that fails must not fail unseen."""
        if event.state is WorkerState.ERROR:
            error = event.worker.error
            self.desk.say(f"internal error in {event.worker.group}: {error!r}", Tone.ALARM)

    def _catch_signals(self) -> None:
        """A hang-up or a request to end leaves `run()` in the ordinary way."""
        loop = asyncio.get_running_loop()
        for name in _ENDINGS:
            number = getattr(signal, name, None)
            # Only the main thread may; elsewhere whoever runs us looks after signals.
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                if number is not None:
                    loop.add_signal_handler(number, self.exit, None, 128 + number)
