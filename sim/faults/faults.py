"""Real faults on a running cluster: processes, the server and the network between them.

`inject` does one and waits until the market goes on; `heal` brings back what was lost.
"""

import asyncio
import contextlib
import random
import signal
import time

from matchbox_tui.store import Client, EmbeddedServer, Server, StoreError, Unusable
from sim.cluster import Cluster
from sim.faults.proxy import Proxy, instance
from sim.faults.recovery import KINDS, Recovery
from sim.faults.route import Held
from sim.faults.standstill import Stopped
from sim.faults.wire import FENCED, REFUSALS, commit_marker, submit_marker, traders
from sim.watcher import Sighting, Watcher

THROUGH_PROXY = frozenset({"pause", "cut", "reply-lost"})
"""Faults that need the instances to reach the server through a `Proxy`."""

RECOVERY_SECONDS = 30.0
"""A market that does not go on within this time never does."""

TRAP_SECONDS = 5.0
"""Longest wait for a request that is to be caught."""

END_SECONDS = 10.0
"""An instance that was asked to stop and still runs after that is killed."""

CUT_SECONDS = 0.5
"""How long a leader stays cut off once another one leads."""

LOOK_SECONDS = 0.005


class Unhealed(Exception):
    """The cluster did not come back to full strength; `str()` says what is missing."""


class Faults:
    """Injects faults into a cluster that trades.

    `client` reaches the server directly, whatever the faults do to the others. What is random
    (how a cut treats new connections) comes from `rng`; `lease_s` is the instances' lease.
    """

    def __init__(
        self,
        cluster: Cluster,
        server: EmbeddedServer,
        client: Client,
        watcher: Watcher,
        proxy: Proxy | None = None,
        rng: random.Random | None = None,
        lease_s: float = 2.0,
    ) -> None:
        self._cluster = cluster
        self._server = server
        self._client = client
        self._watcher = watcher
        self._proxy = proxy
        self._rng = rng or random.Random(0)
        self._lease_s = lease_s
        self._looking = Server(server.url).link("matchbox-faults:look")
        self._stopped: Stopped | None = None
        self._restarting: asyncio.Future[None] | None = None
        self._ending: asyncio.Future[bytes] | None = None
        self.recovery: Recovery | None = None
        """What is known of the last fault so far."""
        self.struck = 0.0
        """When the last fault hit, by the monotonic clock, in seconds."""
        self.refused = 0
        """Commits that the server refused, as the proxy saw it: all of them came too late."""
        if proxy is not None:
            proxy.on_reply = self._count_refusals

    async def inject(self, kind: str, who: str = "") -> Recovery:
        """Does the fault and waits until the market goes on, or can't be expected to.

        It hits the leader, or kill, stop, pause and cut the instance `who`. One that does not lead
        has no successor, and one that is all alone comes back before anything can go on.
        Raises `Unusable` where no instance of the cluster leads.
        """
        leader, epoch = await self._await_leader()
        who = who or leader
        if who not in self._cluster.nodes:
            raise ValueError(f"{who} is no instance: {', '.join(self._cluster.nodes)}")
        recovery = self.recovery = Recovery(kind, who, leader, leader, epoch, epoch)
        alone = not any(
            node.alive() for name, node in self._cluster.nodes.items() if name != leader
        )
        match kind:
            case "kill" | "stop" | "pause" | "cut" if who != leader:
                await self._disturb(recovery)
            case "kill" | "stop" | "pause" | "cut" if alone:
                await self._interrupt(recovery)
            case "kill":
                await self._signal(recovery, signal.SIGKILL)
            case "stop":
                await self._signal(recovery, signal.SIGTERM)
            case "pause":
                await self._pause(recovery)
            case "redis":
                await self._kill_server(recovery)
            case "cut":
                await self._cut(recovery)
            case "reply-lost":
                await self._lose_replies(recovery)
            case _:
                raise ValueError(f"{kind} is no fault: {', '.join(KINDS)}")
        with contextlib.suppress(StoreError):
            recovery.new_leader, recovery.new_epoch = await self._leader()
        return recovery

    async def heal(self, seconds: float = RECOVERY_SECONDS) -> None:
        """Brings back whatever is missing, and waits until all instances are there and up to date.

        Raises `Unhealed`.
        """
        await self.mend()
        for name, member in list(self._cluster.nodes.items()):
            if not member.alive():
                member.wait(0)
                self._cluster.start_node(name)
        goal, deadline = self._watcher.seq, time.monotonic() + seconds
        while missing := await self._missing(goal):
            if time.monotonic() > deadline:
                raise Unhealed(f"after {seconds:.0f} s still {missing}")
            await asyncio.sleep(4 * LOOK_SECONDS)

    async def mend(self) -> None:
        """Ends what lasts: the network is whole, the server is there, nobody stands still.

        An instance that was asked to end has ended.
        """
        if self._proxy is not None:
            self._proxy.mend()
        if self._stopped is not None:
            self._stopped.resume()
            self._stopped = None
        if self._restarting is not None:
            await self._restarting
            self._restarting = None
        if self._ending is not None:
            await self._ending
            self._ending = None

    async def close(self) -> None:
        """Mends, and closes the connection of its own."""
        try:
            await self.mend()
        finally:
            await self._looking.close()

    async def _missing(self, goal: int) -> str | None:
        """What is missing to full strength, in words."""
        try:
            status = await self._client.cluster()
        except StoreError as error:
            return str(error)
        there = {one.id: one for one in status.instances}
        for name, member in self._cluster.nodes.items():
            one = there.get(name)
            if not member.alive():
                return f"{name} ended: {member.last_words()}"
            if one is None or one.pid != member.process.pid:
                return f"{name} has not told that it is there"
            if one.role != ("leading" if name == status.leader else "follower"):
                return f"{name} is {one.role} while {status.leader or 'nobody'} leads"
            if one.seq < goal:
                return f"{name} is at {one.seq} and not yet at {goal}"
        return None if status.leader else "nobody leads"

    async def _signal(self, recovery: Recovery, number: signal.Signals) -> None:
        member = self._cluster.nodes[recovery.who]
        mark, at = self._strike()
        member.signal(number)
        self._ending = asyncio.ensure_future(asyncio.to_thread(member.wait, END_SECONDS))
        await self._successor(recovery, mark, at)
        await asyncio.shield(self._ending)
        recovery.exit_code = member.process.returncode

    async def _pause(self, recovery: Recovery) -> None:
        """The leader stops with a commit on its way, which arrives when another one leads."""
        assert self._proxy is not None, "pause needs a proxy"
        self._stopped = Stopped(self._cluster.nodes[recovery.who].process.pid)
        held = self._proxy.hold(instance(recovery.who, "main"), commit_marker(self._client.keys))
        try:
            caught = await _within(held.caught, TRAP_SECONDS)
            mark, at = self._strike()
            self._stopped.stop()
            await self._successor(recovery, mark, at)
        finally:
            held.release()
        if caught:
            recovery.commits_held = 1
            recovery.commits_refused = int(await _refused(held))

    async def _disturb(self, recovery: Recovery) -> None:
        """Hits one that does not lead: the market is to go on as if nothing had been."""
        mark, at = self._hit(recovery)
        sighting = await self._next_commit(mark)
        recovery.recovered_ms = _ms(at, sighting)
        await self._away(recovery, at)

    async def _interrupt(self, recovery: Recovery) -> None:
        """Hits the only one there is: the market goes on once that is back."""
        mark, at = self._hit(recovery)
        looking = asyncio.ensure_future(self._await_epoch(recovery, at))
        try:
            await self._away(recovery, at)
            if self._cluster.nodes[recovery.who].alive():
                await self.mend()
            else:
                self._cluster.start_node(recovery.who)
            recovery.recovered_ms = _ms(at, await self._next_commit(mark))
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)

    def _hit(self, recovery: Recovery) -> tuple[int, float]:
        """The fault itself; the watcher's mark and the time of it."""
        member = self._cluster.nodes[recovery.who]
        mark, at = self._strike()
        match recovery.kind:
            case "pause":
                self._stopped = Stopped(member.process.pid)
                self._stopped.stop()
            case "cut":
                assert self._proxy is not None, "cut needs a proxy"
                self._proxy.cut(instance(recovery.who), swallow=self._rng.random() < 0.5)
            case kind:
                member.signal(signal.SIGKILL if kind == "kill" else signal.SIGTERM)
                self._ending = asyncio.ensure_future(asyncio.to_thread(member.wait, END_SECONDS))
        return mark, at

    async def _away(self, recovery: Recovery, at: float) -> None:
        """Waits for as long as it is to be away; one that was to end has ended."""
        if self._ending is not None:
            await asyncio.shield(self._ending)
            recovery.exit_code = self._cluster.nodes[recovery.who].process.returncode
        else:
            seconds = self._lease_s if recovery.kind == "pause" else CUT_SECONDS
            await asyncio.sleep(max(0.0, at + seconds - time.monotonic()))

    async def _next_commit(self, mark: int) -> Sighting | None:
        """The first commit since this mark that was made from now on."""
        tip = 0
        with contextlib.suppress(StoreError):
            tip = await self._tip()
        return await self._watcher.first(lambda one: one.seq > tip, mark, RECOVERY_SECONDS)

    def _strike(self) -> tuple[int, float]:
        """This moment, by the watcher's mark and by the clock."""
        self.struck = time.monotonic()
        return self._watcher.mark(), self.struck

    async def _kill_server(self, recovery: Recovery) -> None:
        recovery.who = "server"
        mark, at = self._strike()
        self._server.kill()
        self._restarting = asyncio.ensure_future(asyncio.to_thread(self._server.restart))
        await asyncio.shield(self._restarting)
        recovery.back_ms = _ms_since(at)
        # What was committed before the fault may be seen only now.
        tip = await self._tip()
        sighting = await self._watcher.first(lambda one: one.seq > tip, mark, RECOVERY_SECONDS)
        recovery.recovered_ms = _ms(at, sighting)

    async def _cut(self, recovery: Recovery) -> None:
        assert self._proxy is not None, "cut needs a proxy"
        mark, at = self._strike()
        self._proxy.cut(instance(recovery.who), swallow=self._rng.random() < 0.5)
        await self._successor(recovery, mark, at)
        await asyncio.sleep(CUT_SECONDS)

    async def _lose_replies(self, recovery: Recovery) -> None:
        """The replies to a commit and to a submit are lost, each once."""
        assert self._proxy is not None, "reply-lost needs a proxy"
        keys = self._client.keys
        submit = self._proxy.lose_reply(traders, submit_marker(keys))
        commit = self._proxy.lose_reply(instance(recovery.who, "main"), commit_marker(keys))
        commit.add_done_callback(lambda _: self._strike())
        try:
            if not await _within(commit, TRAP_SECONDS):
                return
            mark = self._watcher.mark()
            # The commit itself is in, and may be seen only now.
            tip = await self._tip()
            sighting = await self._watcher.first(lambda one: one.seq > tip, mark, RECOVERY_SECONDS)
            recovery.recovered_ms = _ms(self.struck, sighting)
            await _within(submit, TRAP_SECONDS)
        finally:
            submit.cancel()

    async def _successor(self, recovery: Recovery, mark: int, at: float) -> None:
        """Waits for a leader of a higher epoch and its first commit."""
        looking = asyncio.ensure_future(self._await_epoch(recovery, at))
        try:
            sighting = await self._watcher.first(
                lambda one: one.epoch > recovery.old_epoch, mark, RECOVERY_SECONDS
            )
            recovery.recovered_ms = _ms(at, sighting)
            await asyncio.wait((looking,), timeout=20 * LOOK_SECONDS)
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)

    async def _await_epoch(self, recovery: Recovery, at: float) -> None:
        """Waits for a higher epoch."""
        while True:
            with contextlib.suppress(StoreError):
                leader, epoch = await self._leader()
                if epoch > recovery.old_epoch:
                    # With the time: a run may end before all of the fault is known.
                    recovery.elected_ms = _ms_since(at)
                    recovery.new_leader, recovery.new_epoch = leader, epoch
                    return
            await asyncio.sleep(LOOK_SECONDS)

    async def _await_leader(self) -> tuple[str, int]:
        deadline = time.monotonic() + RECOVERY_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(StoreError):
                leader, epoch = await self._leader()
                if leader in self._cluster.nodes:
                    return leader, epoch
            await asyncio.sleep(LOOK_SECONDS)
        raise Unusable("no instance of this cluster leads: there is nobody to be hit")

    async def _leader(self) -> tuple[str, int]:
        """Who leads, or "", and the epoch."""
        keys = self._client.keys
        leader, epoch = await self._looking.calls([("GET", keys.leader), ("GET", keys.epoch)])
        return (leader or b"").decode(), int(epoch or 0)

    async def _tip(self) -> int:
        return int(await self._looking.call("HGET", self._client.keys.cursor, "seq") or 0)

    def _count_refusals(self, name: str, reply: bytes) -> None:
        if name.endswith(":main") and reply.startswith(FENCED):
            self.refused += 1


async def _within(future: "asyncio.Future[None]", seconds: float) -> bool:
    """Whether it happened within this time; what has not is called off."""
    try:
        await asyncio.wait((future,), timeout=seconds)
    except asyncio.CancelledError:
        future.cancel()
        raise
    return not future.cancel()


async def _refused(held: Held) -> bool:
    await asyncio.wait((held.answer,), timeout=TRAP_SECONDS)
    return held.answer.done() and held.answer.result().startswith(REFUSALS)


def _ms(at: float, sighting: Sighting | None) -> float | None:
    return None if sighting is None else (sighting.at - at) * 1000


def _ms_since(at: float) -> float:
    return (time.monotonic() - at) * 1000
