"""The venue of a live run."""

import contextlib
import time
from collections.abc import AsyncIterator

from matchbox_tui.engine import CreateMarket
from matchbox_tui.store import Unusable
from sim.cluster import Cluster
from sim.faults import Unhealed
from sim.live.chronicle import Chronicle
from sim.private_venue import Ground, PrivateVenue, private_ground, private_settings
from sim.scenario import Cut, Pause, Scenario

OPENING_SECONDS = 30.0

HASH_EVERY = 250
"""Commands between two state hashes of an instance."""

NS_PER_MS = 1_000_000


class LiveVenue(PrivateVenue):
    """The instances and markets of a scenario. Nobody trades before `hire`."""

    def __init__(self, ground: Ground, scenario: Scenario, seed: int) -> None:
        self._scenario = scenario
        self._seed = seed
        lease_ms = max(1, scenario.lease // NS_PER_MS)
        cluster = Cluster(
            ground.url, ground.server.directory, settings=private_settings(lease_ms, HASH_EVERY)
        )
        self.looking = ground.client.server.link("matchbox-sim:look")
        self.chronicle = Chronicle(self.looking, ground.client.keys)
        super().__init__(ground, cluster, seed, lease_ms, self.chronicle.see)

    async def open(self) -> None:
        """Starts the instances and waits until they are there and the markets open.

        Raises a `StoreError`.
        """
        await self.watch("sim")
        self.cluster.start(self._scenario.instances, 0, 0, 0)
        try:
            await self.faults.heal(OPENING_SECONDS)
        except Unhealed as error:
            raise Unusable(f"the venue did not open: {error}") from None
        now = time.time_ns()
        for plan in self._scenario.markets:
            await self.client.submit([CreateMarket(plan.market, now)])
        goal = len(self._scenario.markets)
        if not await self.watcher.first(lambda one: one.seq >= goal, 0, OPENING_SECONDS):
            problem = self.cluster.failed() or self.watcher.broken or "no market opens"
            raise Unusable(f"the venue did not open: {problem}")

    def hire(self, text: str, start: int) -> None:
        """Starts the traders of the scenario of this text, who act from `start` on (ns)."""
        path = self.directory / "scenario.toml"
        path.write_text(text, encoding="utf-8")
        self.cluster.start_scenario_traders(path, self._seed, start)

    async def close(self) -> None:
        try:
            await super().close()
        finally:
            await self.looking.close()


@contextlib.asynccontextmanager
async def live_venue(scenario: Scenario, seed: int) -> AsyncIterator[LiveVenue]:
    """A venue that nobody else knows of; at the end nothing of it is left.

    Raises a `StoreError` where there is no server to be had.
    """
    proxied = any(isinstance(one, Pause | Cut) for one in scenario.happenings)
    async with private_ground("sim", proxied=proxied) as ground:
        venue = LiveVenue(ground, scenario, seed)
        try:
            yield venue
        finally:
            await venue.close()
