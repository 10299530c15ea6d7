"""A venue that nobody else knows of: server, instances and traders as processes, and a watch."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import msgspec

from matchbox_tui.store import Client, EmbeddedServer, Entry, StoreError, Unusable
from sim.cluster import Cluster
from sim.faults import Faults
from sim.faults.proxy import Proxy
from sim.watcher import Watcher

SETTLE_SECONDS = 10.0
LOOK_SECONDS = 0.1


class Ground(msgspec.Struct, frozen=True):
    """What a private venue stands on. `client` reaches the server directly, `url` is for who is to
    go through the proxy, where there is one.
    """

    server: EmbeddedServer
    client: Client
    proxy: Proxy | None

    @property
    def url(self) -> str:
        return self.proxy.url if self.proxy is not None else self.server.url


@contextlib.asynccontextmanager
async def private_ground(name: str, *, proxied: bool) -> AsyncIterator[Ground]:
    """A server of our own, and a client of this name; at the end nothing of it is left.

    Raises a `StoreError` where there is no server to be had.
    """
    async with contextlib.AsyncExitStack() as stack:
        server = stack.enter_context(EmbeddedServer())
        proxy = None
        if proxied:
            directory = server.directory
            proxy = Proxy(directory / "server.sock", directory / "proxy.sock")
            await stack.enter_async_context(proxy)
        client = await Client.connect(server.url, "", name)
        stack.push_async_callback(client.close)
        yield Ground(server, client, proxy)


def private_settings(lease_ms: int, hash_every: int) -> dict[str, str]:
    """What the instances of a private venue are told by their environment."""
    return {
        "MATCHBOX_LEASE_MS": str(lease_ms),
        "MATCHBOX_RENEW_MS": str(min(500, lease_ms // 4)),
        "MATCHBOX_HASH_EVERY": str(hash_every),
        # Somebody else's snapshots are none of this venue.
        "MATCHBOX_DATA_DIR": "",
    }


class PrivateVenue:
    """A running cluster on ground of its own. The client and the watcher reach the server directly;
    only instances and traders go through the proxy, where there is one.
    """

    def __init__(
        self,
        ground: Ground,
        cluster: Cluster,
        seed: int,
        lease_ms: int,
        saw: Callable[[Entry], None] | None = None,
    ) -> None:
        """`seed` is for what is random about faults; `saw` hears of each journal entry."""
        self._server = ground.server
        self.directory = ground.server.directory
        self.client = ground.client
        self.cluster = cluster
        self.watcher = Watcher(ground.client, saw)
        self.faults = Faults(
            *(cluster, ground.server, ground.client, self.watcher, ground.proxy),
            random.Random(seed),
            lease_ms / 1000,
        )
        self.watching: asyncio.Future[None] | None = None

    async def watch(self, name: str) -> None:
        """Begins to watch, and keeps the journal from being trimmed, as a consumer of this name
        that has read nothing of it. Raises a `StoreError`.
        """
        link = self.client.server.link(f"matchbox-{name}:keep")
        try:
            await link.call("XGROUP", "CREATE", self.client.keys.log, name, "0", "MKSTREAM")
        finally:
            await link.close()
        self.watching = asyncio.ensure_future(self.watcher.run())

    async def collapse(self) -> None:
        """Waits for the server to end by itself, and raises `Unusable` then."""
        server = self._server
        while True:
            # While it is killed and not yet started again it has no process id.
            if server.pid != 0 and not server.alive():
                raise Unusable(f"the private server ended by itself: {server.complaint()}")
            await asyncio.sleep(LOOK_SECONDS)

    async def unless(
        self, stopped: Coroutine[Any, Any, object], work: Coroutine[Any, Any, None]
    ) -> bool:
        """Whether the work came to its end; it is dropped once `stopped` is over. Raises what the
        work raises, and `Unusable` where the server ends by itself meanwhile.
        """
        working = asyncio.ensure_future(work)
        collapsing = asyncio.ensure_future(self.collapse())
        others = (asyncio.ensure_future(stopped), collapsing)
        try:
            await asyncio.wait((working, *others), return_when=asyncio.FIRST_COMPLETED)
            if collapsing.done():
                collapsing.result()
            if working.done():
                working.result()
            return working.done()
        finally:
            for future in (working, *others):
                future.cancel()
            await asyncio.gather(working, *others, return_exceptions=True)

    def died(self, but: str = "") -> str | None:
        """Who ended without having been asked to, and its last words."""
        for member in [*self.cluster.nodes.values(), self.cluster.traders]:
            if member is not None and member.name != but and not member.alive():
                return f"{member.name} ended by itself: {member.last_words()}"
        return None

    async def settle(self) -> str | None:
        """Waits until all that was asked for has happened and was told; else says what has not."""
        watcher, words = self.watcher, "the server can't be read"
        deadline = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < deadline and watcher.broken is None:
            with contextlib.suppress(StoreError):
                status, told = await self.client.cluster(), await self.client.count_fills()
                if status.queue_depth == 0 and status.seq == watcher.seq and told == watcher.fills:
                    return None
                words = f"{status.queue_depth} commands wait, {watcher.fills} fills, {told} told"
            await asyncio.sleep(0.05)
        return f"the venue did not come to rest: {watcher.broken or words}"

    async def watch_no_more(self) -> None:
        """Ends the watch."""
        if self.watching is not None:
            self.watching.cancel()
            await asyncio.gather(self.watching, return_exceptions=True)

    async def close(self) -> None:
        """Ends every process and connection but the server's."""
        try:
            await self.watch_no_more()
            await self.faults.close()
        finally:
            # In a thread: without the proxy, which lives here, nobody could say goodbye.
            await asyncio.to_thread(self.cluster.stop)
