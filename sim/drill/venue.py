"""A venue of the drill's own: server, instances and traders as processes, and who watches them."""

import contextlib
import random
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from matchbox_tui.store import StoreError, Unusable
from sim.cluster import Cluster
from sim.drill.hash_board import HashBoard
from sim.faults import KINDS, THROUGH_PROXY, Unhealed
from sim.private_venue import Ground, PrivateVenue, private_ground, private_settings
from sim.questions import make_markets

MARKETS = 3
OPENING_SECONDS = 30.0
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


class DrillVenue(PrivateVenue):
    """The parts of a running drill, and the board on which the instances' hashes stand."""

    def __init__(self, plan: Plan, ground: Ground) -> None:
        self._plan = plan
        cluster = Cluster(
            ground.url,
            plan.out or ground.server.directory,
            markets=make_markets(MARKETS, plan.seed),
            settings=private_settings(plan.lease_ms, max(1, plan.rate // HASHES_A_SECOND)),
        )
        super().__init__(ground, cluster, plan.seed, plan.lease_ms)
        self.board = HashBoard(ground.client)

    async def open(self) -> None:
        """Starts everybody and waits until all are there and trade. Raises a `StoreError`."""
        plan, watcher = self._plan, self.watcher
        await self.watch("drill")
        self.cluster.start(plan.instances, 0, 0, 0)
        self.cluster.start_traders(plan.traders, plan.rate, plan.seed, client_order_ids=True)
        try:
            await self.faults.heal(OPENING_SECONDS)
        except Unhealed as error:
            raise Unusable(f"the venue did not open: {error}") from None
        goal = watcher.seq + plan.rate // 2
        if await watcher.first(lambda one: one.seq > goal, watcher.mark(), OPENING_SECONDS) is None:
            problem = self.cluster.failed() or watcher.broken or "nobody trades"
            raise Unusable(f"the venue did not open: {problem}")

    async def watch_no_more(self) -> None:
        """Ends the watch, after a last look at the hashes."""
        await super().watch_no_more()
        with contextlib.suppress(StoreError):
            await self.board.refresh()

    async def close(self) -> None:
        try:
            await super().close()
        finally:
            await self.board.close()


@contextlib.asynccontextmanager
async def private_venue(plan: Plan) -> AsyncIterator[DrillVenue]:
    """A venue that nobody else knows of; at the end nothing of it is left.

    Raises a `StoreError` where there is no server to be had.
    """
    proxied = bool(THROUGH_PROXY & set(plan.kinds))
    async with private_ground("drill", proxied=proxied) as ground:
        venue = DrillVenue(plan, ground)
        try:
            yield venue
        finally:
            await venue.close()
