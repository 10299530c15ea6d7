"""A venue for a benchmark: a private server, a gateway beside a hello, and a count of orders."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator

import msgspec

from matchbox_tui.engine import OrderAccepted, TradeExecuted
from matchbox_tui.store import Client, EmbeddedServer, Entry
from sim.bench.processes import Failed, Process, Processes

START_SECONDS = 30.0
LOOK_SECONDS = 0.02
DRAIN_SECONDS = 60.0
CONSUMER = "bench"


class Count(msgspec.Struct, frozen=True):
    """Orders that were accepted and fills. `wrong` tells of ids that didn't rise: the order of the
    queue is kept.
    """

    orders: int
    fills: int
    wrong: list[str]


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
        self._seen = 0
        self._last_id = 0

    async def open(self) -> None:
        """Waits until both serve and the instance leads. Raises `Failed`."""
        key = self._client.keys.log
        # The journal is not trimmed beyond what a consumer has not read.
        await self._link.call("XGROUP", "CREATE", key, CONSUMER, "0", "MKSTREAM")
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
        tip = (await self._client.cluster()).seq
        orders = fills = 0
        wrong: list[str] = []
        async for entry in self._entries(tip):
            for event in entry.events:
                if isinstance(event, TradeExecuted):
                    fills += 1
                elif isinstance(event, OrderAccepted):
                    orders += 1
                    if event.order_id <= self._last_id:
                        wrong.append(f"order {event.order_id} came after {self._last_id}")
                    self._last_id = event.order_id
        key = self._client.keys.log
        await self._link.call("XGROUP", "SETID", key, CONSUMER, f"{self._seen}-0")
        return Count(orders, fills, wrong)

    async def _entries(self, tip: int) -> AsyncIterator[Entry]:
        if tip <= self._seen:
            return
        async for entry in self._client.entries(self._seen):
            self._seen = entry.seq
            yield entry
            if entry.seq >= tip:
                return


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
