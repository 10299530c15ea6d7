"""A venue of the drill's own: server, instances and traders as processes, and who watches them."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from matchbox_tui.store import Client, EmbeddedServer, StoreError, Unusable
from sim.cluster import Cluster
from sim.faults import THROUGH_PROXY, Faults, Unhealed
from sim.hash_board import HashBoard
from sim.proxy import Proxy
from sim.questions import make_markets
from sim.recovery import KINDS
from sim.watcher import Watcher

MARKETS = 3
OPENING_SECONDS = 30.0
SETTLE_SECONDS = 10.0
LOOK_SECONDS = 0.1
HASHES_A_SECOND = 5


class Plan(msgspec.Struct, frozen=True):
    """What a drill does: `kills` faults in all, of these kinds in turn, in an order by `seed`.

    `rate` is commands a second; `out` a directory to record the venue into at the end.
    """

    kills: int = 12
    kinds: tuple[str, ...] = KINDS
    seed: int = 1
    rate: int = 2000
    instances: int = 3
    traders: int = 20
    lease_ms: int = 2000
    out: Path | None = None

    def faults(self, rng: random.Random) -> list[str]:
        """The faults in their order: every kind once before any comes again."""
        found: list[str] = []
        while len(found) < self.kills:
            found += rng.sample(self.kinds, len(self.kinds))
        return found[: self.kills]


class DrillVenue:
    """The parts of a running drill. The client, the watcher and the board reach the server
    directly; only instances and traders go through the proxy, where there is one.
    """

    def __init__(
        self, plan: Plan, server: EmbeddedServer, client: Client, proxy: Proxy | None
    ) -> None:
        self._plan = plan
        self._server = server
        self.directory = server.directory
        self.client = client
        self.cluster = Cluster(
            proxy.url if proxy is not None else server.url,
            plan.out or server.directory,
            markets=make_markets(MARKETS, plan.seed),
            settings={
                "MATCHBOX_LEASE_MS": str(plan.lease_ms),
                "MATCHBOX_RENEW_MS": str(min(500, plan.lease_ms // 4)),
                "MATCHBOX_HASH_EVERY": str(max(1, plan.rate // HASHES_A_SECOND)),
                # Somebody else's snapshots are none of this venue.
                "MATCHBOX_DATA_DIR": "",
            },
        )
        self.watcher = Watcher(client)
        self.board = HashBoard(client)
        self.faults = Faults(
            self.cluster, server, client, self.watcher, proxy, random.Random(plan.seed)
        )
        self._watching: asyncio.Future[None] | None = None

    async def open(self) -> None:
        """Starts everybody and waits until all are there and trade. Raises a `StoreError`."""
        plan, watcher = self._plan, self.watcher
        await self._keep_journal()
        self._watching = asyncio.ensure_future(watcher.run())
        self.cluster.start(plan.instances, 0, 0, 0)
        # Market makers act by their own clock, so that the others make up for them.
        agents = max(plan.traders, MARKETS + 1)
        rate = plan.rate * agents // (agents - MARKETS)
        self.cluster.start_traders(plan.traders, rate, plan.seed, client_order_ids=True)
        try:
            await self.faults.heal(OPENING_SECONDS)
        except Unhealed as error:
            raise Unusable(f"the venue did not open: {error}") from None
        goal = watcher.seq + plan.rate // 2
        if await watcher.first(lambda one: one.seq > goal, watcher.mark(), OPENING_SECONDS) is None:
            problem = self.cluster.failed() or watcher.broken or "nobody trades"
            raise Unusable(f"the venue did not open: {problem}")

    async def _keep_journal(self) -> None:
        """Keeps the journal from being trimmed, as a consumer that has read nothing of it."""
        link = self.client.server.link("matchbox-drill:keep")
        try:
            await link.call("XGROUP", "CREATE", self.client.keys.log, "drill", "0", "MKSTREAM")
        finally:
            await link.close()

    async def collapse(self) -> None:
        """Waits for the server to end by itself, and raises `Unusable` then."""
        server = self._server
        while True:
            # While it is killed and not yet started again it has no process id.
            if server.pid != 0 and not server.alive():
                raise Unusable(f"the private server ended by itself: {server.complaint()}")
            await asyncio.sleep(LOOK_SECONDS)

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
        """Ends the watch, after a last look at the hashes."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        with contextlib.suppress(StoreError):
            await self.board.refresh()

    async def close(self) -> None:
        """Ends every process and connection but the server's."""
        try:
            await self.watch_no_more()
            await self.faults.close()
        finally:
            # In a thread: without the proxy, which lives here, nobody could say goodbye.
            await asyncio.to_thread(self.cluster.stop)
            await self.board.close()


@contextlib.asynccontextmanager
async def private_venue(plan: Plan) -> AsyncIterator[DrillVenue]:
    """A venue that nobody else knows of; at the end nothing of it is left.

    Raises a `StoreError` where there is no server to be had.
    """
    async with contextlib.AsyncExitStack() as stack:
        server = stack.enter_context(EmbeddedServer())
        proxy = None
        if THROUGH_PROXY & set(plan.kinds):
            directory = server.directory
            proxy = Proxy(directory / "server.sock", directory / "proxy.sock")
            await stack.enter_async_context(proxy)
        client = await Client.connect(server.url, "", "drill")
        stack.push_async_callback(client.close)
        venue = DrillVenue(plan, server, client, proxy)
        stack.push_async_callback(venue.close)
        yield venue
