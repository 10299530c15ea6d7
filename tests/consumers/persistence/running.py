"""The service on the loop of a test, and as a process."""

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

from matchbox_tui.consumers.persistence import Database, Persistence
from matchbox_tui.store import Client, Registration, Server
from matchbox_tui.store.restore import read_tip
from tests.cli.command import command_line, environment
from tests.node.venue import Venue
from tests.waiting import eventually


class Running:
    """One copy that runs."""

    def __init__(self, service: Persistence, task: "asyncio.Task[None]") -> None:
        self.service = service
        self.task = task

    async def reaches(self, seq: int) -> None:
        """Waits until it has written so far; fails with what ended it."""

        async def written() -> int:
            if self.task.done():
                self.task.result()
                raise AssertionError("it ended")
            return self.service.progress.place.seq

        await eventually(written, lambda place: place >= seq)

    async def ends(self) -> None:
        """Waits for its end and raises why."""
        async with asyncio.timeout(30):
            await self.task

    async def stop(self) -> None:
        self.service.stop()
        await self.ends()


@contextlib.asynccontextmanager
async def persisting(
    venue: Venue, url: str, copy: str = "one", *, rewind: bool = False, name: str = "persistence"
) -> AsyncIterator[Running]:
    client = await Client.connect(f"{venue.url}?socket_timeout=10", venue.prefix, "persisting")
    registration = Registration(Server(venue.url), venue.keys, name, copy)
    database = Database(url, venue.prefix)
    service = Persistence(client, registration, database)
    task = asyncio.ensure_future(service.run(rewind=rewind))
    running = Running(service, task)
    try:
        yield running
        if not task.done():
            await running.stop()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await registration.close()
        await client.close()
        database.close()


async def persisted(venue: Venue, url: str, *, rewind: bool = False) -> None:
    """Writes all that the journal has now, and stops."""
    await venue.handled()
    tip = await read_tip(venue.link, venue.keys)
    async with persisting(venue, url, rewind=rewind) as running:
        await running.reaches(tip.seq)

        async def chain() -> str:
            return running.service.progress.place.chain

        # Its sequence alone won't do where the store was set back.
        await eventually(chain, lambda chain: chain == tip.chain)


@contextlib.contextmanager
def process(env: Mapping[str, str], log: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """``matchbox consume persistence`` as a process, which ends with the block."""
    with log.open("ab") as stderr:
        started = subprocess.Popen(
            command_line("consume", "persistence", "--until-eof", *options),
            stdin=subprocess.PIPE,
            stderr=stderr,
            env=environment(env),
        )
    assert started.stdin is not None
    try:
        yield started
    finally:
        started.stdin.close()
        started.wait(30)
