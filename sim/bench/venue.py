"""A venue for a benchmark: a private server, a gateway beside a hello, and a count of orders."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator

from matchbox_tui.store import Client, EmbeddedServer
from sim.bench.counting import Count, Counting
from sim.bench.processes import Failed, Process, Processes

START_SECONDS = 30.0
LOOK_SECONDS = 0.02
DRAIN_SECONDS = 60.0


class BenchVenue:
    """The running parts, each a process of its own."""

    def __init__(
        self,
        url: str,
        client: Client,
        gateway: Process,
        hello: Process,
        workers: tuple[Process, Process],
        server_pid: int = 0,
    ) -> None:
        self.url = url
        self.server_pid = server_pid
        self.gateway = gateway
        self.hello = hello
        self.workers = workers
        self.gateway_port = 0
        self.hello_port = 0
        self._client = client
        self._link = client.server.link("matchbox-bench:keep")
        self._counting = Counting(client, self._link)

    async def open(self) -> None:
        """Waits until both serve and the instance leads. Raises `Failed`."""
        await self._counting.open()
        self.gateway_port = await self.gateway.port()
        self.hello_port = await self.hello.port()
        deadline = time.monotonic() + START_SECONDS
        while (await self._client.cluster()).leader is None:
            self.gateway.check()
            if time.monotonic() > deadline:
                raise Failed("nobody became leader in time")
            await asyncio.sleep(LOOK_SECONDS)

    async def close(self) -> None:
        await self._link.close()

    async def drain(self) -> float:
        """Waits until nothing is queued, and returns how many seconds that took."""
        began = time.monotonic()
        while (await self._client.cluster()).queue_depth:
            self.gateway.check()
            if time.monotonic() - began > DRAIN_SECONDS:
                raise Failed("the engine did not work off its queue in time")
            await asyncio.sleep(LOOK_SECONDS)
        return time.monotonic() - began

    async def count(self) -> Count:
        """What the journal tells of since the last count, once nothing is queued."""
        await self.drain()
        return await self._counting.count()


@contextlib.asynccontextmanager
async def open_venue() -> AsyncIterator[BenchVenue]:
    """A venue that nobody else knows of; at the end nothing of it is left.

    Raises `Failed`, or a `StoreError` where there is no server to be had.
    """
    with EmbeddedServer() as server, Processes(environment(server.url), server.directory) as start:
        gateway = start.start(
            *("serve", "matchbox_tui", "serve", "--until-eof"),
            *("--host", "127.0.0.1", "--port", "0"),
        )
        hello = start.start("hello", "sim.bench.hello")
        workers = (
            start.start("worker-1", "sim.bench.worker"),
            start.start("worker-2", "sim.bench.worker"),
        )
        client = await Client.connect(server.url, name="bench")
        venue = BenchVenue(server.url, client, gateway, hello, workers, server.pid)
        try:
            await venue.open()
            yield venue
        finally:
            await venue.close()
            await client.close()


def environment(url: str) -> dict[str, str]:
    """What the children get: nobody's settings are any of this venue's."""
    ours = ("REDIS_URL", "LOG_LEVEL", "PORT", "HOST")
    plain = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("MATCHBOX_") and name not in ours
    }
    return plain | {"REDIS_URL": url, "LOG_LEVEL": "warning"}
