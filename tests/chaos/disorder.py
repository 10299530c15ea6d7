"""Faults at random, several at once: to the instances, to the server, and between them."""

import asyncio
import contextlib
import random
import signal
import time
from collections.abc import Awaitable, Callable, Iterator

from matchbox_tui.entry import EXIT_INTERRUPTED
from matchbox_tui.store import Link, StoreError
from sim.cluster import Cluster, Member
from tests.servers import OwnServer

LEASE_SECONDS = 0.6
SETTINGS = {
    "MATCHBOX_LEASE_MS": str(int(1000 * LEASE_SECONDS)),
    "MATCHBOX_RENEW_MS": "150",
    "MATCHBOX_SNAPSHOT_INTERVAL_MS": "1000",
    "MATCHBOX_HISTORY": "1000",
}
MOST_AT_ONCE = 3
NO_SERVER = 3
"""Exit code of an instance that can't reach the server when it begins."""

Fault = Callable[[], Awaitable[None]]


class Disorder:
    """Injects faults drawn from a seed. `told` says what was done when, in seconds."""

    def __init__(self, seed: int, cluster: Cluster, server: OwnServer, link: Link) -> None:
        self._chance = random.Random(seed)
        self._cluster = cluster
        self._server = server
        self._link = link
        self._busy: set[str] = set()
        self._began = time.monotonic()
        self._faults: dict[str, Fault] = {
            "kill": self._kill,
            "pause": self._pause,
            "stop": self._stop,
            "kill the server": self._kill_server,
            "pause the server": self._pause_server,
            "cut": self._cut,
            "forget the scripts": self._forget_scripts,
        }
        self._log_before: dict[str, int] = {}
        self.told: list[str] = []

    async def torment(self, seconds: float) -> None:
        """One fault after the other and on top of it, and in the end all are over."""
        end = time.monotonic() + seconds
        async with asyncio.TaskGroup() as under_way:
            running: list[asyncio.Task[None]] = []
            while time.monotonic() < end:
                await asyncio.sleep(self._chance.uniform(0.02, 0.6))
                running = [task for task in running if not task.done()]
                if len(running) < MOST_AT_ONCE:
                    name = self._chance.choice(list(self._faults))
                    running.append(under_way.create_task(self._one(name)))

    async def supervise(self) -> None:
        """Starts again whoever found no server when it began. Others have no reason to end."""
        while True:
            for name in set(self._cluster.nodes) - self._busy:
                member = self._cluster.nodes[name]
                if not member.alive():
                    self._expect(member, set())
                    self._start(name)
            await asyncio.sleep(0.05)

    async def _one(self, name: str) -> None:
        with contextlib.suppress(StoreError):
            await self._faults[name]()

    def _tell(self, what: str) -> None:
        self.told.append(f"{time.monotonic() - self._began:.2f} {what}")

    def _victim(self) -> str | None:
        """An instance that no other fault has now."""
        free = sorted(set(self._cluster.nodes) - self._busy)
        return self._chance.choice(free) if free else None

    async def _kill(self) -> None:
        await self._end(signal.SIGKILL)

    async def _stop(self) -> None:
        await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> None:
        name = self._victim()
        if name is None:
            return
        with self._at(name):
            self._tell(f"{number.name} {name}")
            member = self._cluster.nodes[name]
            member.signal(number)
            await asyncio.to_thread(member.wait, 10)
            # One that has only just begun does not know of a clean end yet: it is interrupted.
            early = {EXIT_INTERRUPTED, 0} if number is signal.SIGTERM else set()
            self._expect(member, {-number} | early)
            await asyncio.sleep(self._chance.uniform(0, 1))
            self._start(name)

    def _start(self, name: str) -> None:
        log = self._cluster.nodes[name].log
        self._log_before[name] = log.stat().st_size if log.exists() else 0
        self._cluster.start_node(name)

    def _expect(self, member: Member, codes: set[int]) -> None:
        """That it ended as it should; one that found no server when it began may end with 3."""
        code = member.process.returncode
        with member.log.open() as log:
            log.seek(self._log_before.get(member.name, 0))
            if code == NO_SERVER and "stands by" not in log.read():
                return
        assert code in codes, f"{member.name} ended with {code}: {member.last_words()}"

    async def _pause(self) -> None:
        name = self._victim()
        if name is None:
            return
        with self._at(name):
            seconds = self._chance.uniform(0.3, 2) * LEASE_SECONDS
            self._tell(f"pause {name} for {seconds:.2f} s")
            member = self._cluster.nodes[name]
            member.signal(signal.SIGSTOP)
            await asyncio.sleep(seconds)
            member.signal(signal.SIGCONT)

    async def _kill_server(self) -> None:
        if "server" in self._busy:
            return
        with self._at("server"):
            self._tell("kill the server")
            await asyncio.to_thread(self._server.kill)
            await asyncio.sleep(self._chance.uniform(0, 0.5))
            await asyncio.to_thread(self._server.start)

    async def _pause_server(self) -> None:
        if "server" in self._busy:
            return
        with self._at("server"):
            seconds = self._chance.uniform(0.05, LEASE_SECONDS)
            self._tell(f"pause the server for {seconds:.2f} s")
            self._server.signal(signal.SIGSTOP)
            await asyncio.sleep(seconds)
            self._server.signal(signal.SIGCONT)

    async def _cut(self) -> None:
        """Some of the connections are gone, whoever's they are."""
        lines = (await self._link.call("CLIENT", "LIST", "TYPE", "normal")).decode().splitlines()
        ids = [line.partition(" ")[0].removeprefix("id=") for line in lines]
        unlucky = self._chance.sample(ids, self._chance.randint(1, len(ids)))
        self._tell(f"cut {len(unlucky)} connections")
        await self._link.calls([("CLIENT", "KILL", "ID", each) for each in unlucky])

    async def _forget_scripts(self) -> None:
        self._tell("forget the scripts")
        await self._link.call("SCRIPT", "FLUSH")

    @contextlib.contextmanager
    def _at(self, victim: str) -> Iterator[None]:
        self._busy.add(victim)
        try:
            yield
        finally:
            self._busy.discard(victim)
