"""``matchbox play --record``: persistence and analytics beside a market, to its very end."""

import asyncio
import os
import re
import signal
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from matchbox_tui.cli.consume import default_database
from matchbox_tui.cli.running import STOP_SIGNALS, say

if TYPE_CHECKING:
    from sim import Cluster
    from sim.cluster import Member

PERSISTENCE, ANALYTICS = "persistence", "analytics"

START_SECONDS = 30.0
"""How long persistence may take until it follows the journal."""

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds before a service that has ended is started again, longer each time."""

OTHERS_TURN_SECONDS = 6.0
"""Longer than the turn of a copy of persistence that has ended without a word."""

STEADY_SECONDS = 10.0
"""Who has run for so long is started again soon."""

DRAIN_SECONDS = 120.0
"""How long what is left may take to be read; a service gives up by itself long before."""

TELL_SECONDS = 1.0
"""Whoever waits for longer is told what for."""


class Recording:
    """Both services as processes of a cluster's venue.

    They are looked after while the market runs, and at its end they read all that it has left.
    """

    def __init__(self, cluster: "Cluster", url: str, prefix: str, database: str) -> None:
        """`database` is the database's URL; nothing is started yet."""
        self.shown = without_password(database)
        self._cluster = cluster
        self._url = url
        self._prefix = prefix
        # A copy that is started again goes on with the turn that it had.
        self._copy = f"play-{os.getpid()}"
        self._settings = {"DATABASE_URL": database, "MATCHBOX_ID": self._copy}
        self._services: dict[str, Member] = {}
        self._started: dict[str, float] = {}
        self._pauses: dict[str, float] = {}
        self._due: dict[str, float] = {}
        self._works = False
        self._other = ""

    def start(self) -> None:
        """Starts persistence; to be followed by `await_work`."""
        self._start(PERSISTENCE)

    async def await_work(self) -> None:
        """Waits until persistence follows the journal, says where to, and starts the analytics.

        They may have need of the database. Raises `Unusable` where persistence can't work.
        """
        await self._await_persistence()
        self._start(ANALYTICS)

    async def _await_persistence(self) -> None:
        from matchbox_tui.store import Client, Unusable

        client = await Client.connect(self._url, self._prefix, "play")
        link = client.server.link("matchbox-play")
        began = time.monotonic()
        member = self._services[PERSISTENCE]
        try:
            while member.alive():
                elapsed = time.monotonic() - began
                holder = await link.call("GET", client.keys.consumer(PERSISTENCE))
                if holder not in (None, self._copy.encode()):
                    # It may be one that is gone, until its turn is over.
                    if elapsed > OTHERS_TURN_SECONDS:
                        self._other = holder.decode(errors="replace")
                        say(f"{self._other} records this venue, where it was told to")
                        return
                    await asyncio.sleep(0.02)
                    continue
                for group in await client.consumer_groups():
                    idle = group.idle_ms if group.name == f"consumer:{PERSISTENCE}" else None
                    if idle is not None and idle < elapsed * 1000:
                        self._works = True
                        say(f"Recording in {self.shown}")
                        return
                if elapsed > START_SECONDS:
                    raise Unusable(f"persistence did not begin within {START_SECONDS:.0f} s")
                await asyncio.sleep(0.02)
        finally:
            await link.close()
            await client.close()
        raise Unusable(f"persistence ended: {member.ending()}")

    def look(self) -> list[str]:
        """Starts again what has ended, when it is time; says what happened since the last look."""
        news = []
        now = time.monotonic()
        for name, member in list(self._services.items()):
            if member.alive():
                continue
            if name not in self._due:
                steady = now - self._started[name] > STEADY_SECONDS
                pause = FIRST_PAUSE if steady else self._pauses.get(name, FIRST_PAUSE)
                self._pauses[name] = min(2 * pause, LONGEST_PAUSE)
                self._due[name] = now + pause
                again = f"it is started again in {pause:.0f} s"
                news.append(f"{name} ended: {member.ending()} ({again})")
            elif now >= self._due[name]:
                del self._due[name]
                self._start(name)
                news.append(f"{name} is started again")
        return news

    def finish(self) -> bool:
        """Has both read the journal to its end, and ends them; whether they did.

        To be called when nobody writes to it any more.
        """
        if not self._works and not self._other:
            self.drop()
            return False
        whole = True
        for member in self._services.values():
            member.ask_to_stop()
        for name in list(self._services):
            problem = self._finished(name)
            if problem:
                whole = False
                say(f"matchbox: not all is recorded: {name}: {problem}")
        self._services.clear()
        if not self._works:
            # Whoever else recorded says so; ours may have taken over meanwhile.
            return whole
        look = f": matchbox trades --database-url {self.shown}"
        say(f"Recorded in {self.shown}{look if self.shown.startswith('sqlite') else ''}")
        return whole

    def drop(self) -> None:
        """Ends them with whatever they have read so far."""
        for member in self._services.values():
            member.ask_to_stop()
        for member in self._services.values():
            # Its closed input asks it a second time, which is to end at once.
            member.wait(FIRST_PAUSE)
        self._services.clear()

    def kill(self) -> None:
        """Ends them at once; what they have written is whole."""
        for member in self._services.values():
            member.kill()

    def _start(self, name: str, *options: str) -> "Member":
        member = self._cluster.start_service(
            name, ["consume", name, "--drain", *options], self._settings
        )
        self._services[name] = member
        self._started[name] = time.monotonic()
        return member

    def _finished(self, name: str) -> str:
        """Waits for the end of a service that was asked to; returns what it has left undone."""
        member = self._services[name]
        _await_end(member)
        if member.process.returncode < 0 or name in self._due:
            # It was killed, or had not yet begun to listen: another one reads what is left.
            member = self._start(name, "--once")
            _await_end(member)
        return member.ending() if member.process.returncode else ""


def _await_end(member: "Member") -> None:
    """Waits for a member that was asked to end; kills one that never will."""
    began = time.monotonic()
    told = False
    while member.alive():
        waited = time.monotonic() - began
        if waited > DRAIN_SECONDS:
            member.kill()
        elif waited > TELL_SECONDS and not told:
            told = True
            say(f"Waiting for {member.name} to read what is left; Ctrl-C ends at once.")
        time.sleep(0.02)
    member.wait(0)


def recording_database(database_url: str, data_dir: Path | None, *, private: bool) -> str:
    """The URL of the database that a market is recorded in.

    A private market whose data go at the end has a history of its own, and so a file of its own.
    Raises `UsageError` where there can't be one.
    """
    if database_url:
        return database_url
    url = default_database(data_dir)
    if not private or data_dir is not None:
        return url
    now = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    return f"{url.removesuffix('matchbox.db')}play-{now}-{os.getpid()}.db"


def without_password(url: str) -> str:
    """A database's URL as everybody may see it."""
    if url.startswith("sqlite"):
        return url
    return re.sub(r"//.*@", "//", url.partition("?")[0])


def end_market(cluster: "Cluster", recording: Recording | None, *, drain: bool) -> bool:
    """Ends all processes: traders, engines, and then whoever reads what they have done.

    With `drain` they read all of it; returns whether they did. Interrupted once more, it kills
    whatever is left.
    """
    try:
        cluster.stop()
        if recording is None:
            return True
        if drain:
            return recording.finish()
        recording.drop()
        return False
    except BaseException:
        before = {number: signal.signal(number, signal.SIG_IGN) for number in STOP_SIGNALS}
        try:
            cluster.kill()
            if recording is not None:
                recording.kill()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        raise
