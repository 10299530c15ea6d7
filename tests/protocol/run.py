"""Runs one seed: production instances under a schedule, then peace, then the questions."""

import asyncio
import contextlib
import gc
import logging
import random
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace

from matchbox_tui.engine import NewOrder, Side
from matchbox_tui.node import Node, Role
from matchbox_tui.node import leader as leader_module
from matchbox_tui.node import node as node_module
from matchbox_tui.store import Client, JournalBroken, Keys, Store
from tests.protocol import check
from tests.protocol.loop import Process, VirtualLoop
from tests.protocol.network import Effect, Exit, Network, Trap
from tests.protocol.schedule import Act, Happening, Schedule, draw
from tests.protocol.server import Backup, ServerDouble
from tests.protocol.traders import Book, Stranger, Trader

PEACE_SECONDS = 15.0
"""Virtual time, after the last fault, in which everything must be in order again."""

LOOK_SECONDS = 0.02
COLLECT_EVERY = 50
GENESIS_NS = 1_000_000_000


@dataclass(frozen=True)
class Parts:
    """What a mutant may replace."""

    server: type[ServerDouble] = ServerDouble
    exit: type[Exit] = Exit


@dataclass
class Result:
    """What a run came to: `wrong` is empty where everything held."""

    seed: int
    wrong: list[str]
    trace: list[str]
    fingerprint: str


class Instance:
    """A node with its process, over its lives."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.process = Process(name)
        self.node: Node | None = None
        self.task: asyncio.Task[None] | None = None

    @property
    def runs(self) -> bool:
        return self.task is not None and not self.task.done() and not self.process.ended


class Run:
    """One seed's venue."""

    def __init__(self, schedule: Schedule, parts: Parts, trace: list[str] | None = None) -> None:
        self.schedule = schedule
        self.loop = VirtualLoop()  # type: ignore[abstract]  # as much as is needed
        self.chance = random.Random(~schedule.seed)
        self.keys = Keys()
        self.server = parts.server(self.keys, lambda: 1000 + int(self.loop.time() * 1000))
        self.network = Network(self.loop, self.server, self.chance)
        self.network.is_leader = self._is_leader
        self.network.on_trap = self._on_trap
        if trace is not None:
            self.network.trace = self.server.trace = self.trace
        self.book = Book()
        self.instances = [Instance(name) for name in schedule.names]
        self.wrong: list[str] = []
        self._trace = trace
        self._parts = parts
        self._backups: list[Backup] = []
        self._peace = False
        self._over = False
        self._gone: list[asyncio.Task[None]] = []

    def run(self) -> None:
        handler = _Errors(self)
        node_log = logging.getLogger("matchbox_tui.node")
        node_log.addHandler(handler)
        try:
            self.loop.run_until_complete(self._main())
        finally:
            node_log.removeHandler(handler)
            self.loop.close()
        self.wrong += self.loop.errors

    def trace(self, *words: object) -> None:
        if self._trace is not None:
            self._trace.append(f"{self.loop.time():8.4f}  {' '.join(map(str, words))}")

    # The course of events

    async def _main(self) -> None:
        for instance in self.instances:
            self._start(instance)
        trading = list(self._traders())
        for happening in self.schedule.happenings:
            await asyncio.sleep(max(0.0, happening.at - self.loop.time()))
            self._happen(happening)
        await asyncio.sleep(max(0.0, self.schedule.seconds - self.loop.time()))
        self._make_peace()
        trading.append(self.loop.create_task(self._probe()))
        await self._settle(trading)
        self.wrong += check.everything(self)
        await self._end()

    def _traders(self) -> Iterator["asyncio.Task[None]"]:
        schedule = self.schedule
        markets = ("MAIN", *(market.symbol for market in schedule.markets))
        for n in range(schedule.traders + schedule.strangers):
            name = f"t{n}" if n < schedule.traders else "s0"
            process = Process(name)
            chance = random.Random(schedule.seed * 10 + n)
            exit_ = self._parts.exit(self.network, process, schedule.timeout_s)
            client = Client(exit_, self.keys, name)
            trader = Trader(client, self.book, chance, self._now_ns, markets)
            if name != "s0":
                work = trader.run(schedule.submits, schedule.seconds)
            else:
                stranger = Stranger(exit_.link(name), self.keys, trader, self.book, chance)
                work = stranger.run(schedule.submits, schedule.seconds)
            yield self.loop.spawn(process, work)

    async def _probe(self) -> None:
        """Two more orders, when all is well again: they are answered for, and one is a fill."""
        client = Client(
            self._parts.exit(self.network, Process("probe"), self.schedule.timeout_s), self.keys
        )
        trader = Trader(client, self.book, self.chance, self._now_ns, ("MAIN",))
        for side, price in ((Side.SELL, 1), (Side.BUY, 1000)):
            token = self.book.next_token
            await trader.submit(
                [
                    NewOrder(
                        order_id=0,
                        side=side,
                        price=price,
                        qty=1,
                        timestamp=token,
                        client_order_id=f"c{token}",
                    )
                ]
            )
        await client.close()

    def _now_ns(self) -> int:
        return GENESIS_NS + int(self.loop.time() * 1e9)

    def _skewed_ns(self) -> int:
        return self._now_ns() + self.schedule.skew_ns

    # Lives and deaths

    def _start(self, instance: Instance) -> None:
        instance.process = Process(instance.name)
        store = Store(
            self._parts.exit(self.network, instance.process, self.schedule.timeout_s),
            self.keys,
            instance.name,
        )
        instance.node = Node(store, self.schedule.settings, self.schedule.markets, self._skewed_ns)
        instance.task = self.loop.spawn(instance.process, instance.node.run())
        instance.task.add_done_callback(lambda task: self._ended(instance, task))

    def _ended(self, instance: Instance, task: "asyncio.Task[None]") -> None:
        if task is not instance.task or instance.process.ended:
            return
        instance.process.ended = True
        self.trace(instance.name, "has ended")
        error = None if task.cancelled() else task.exception()
        if error is None:
            return
        self.trace(instance.name, "ENDED BY ITSELF:", error)
        if not isinstance(error, JournalBroken) or not self.server.record.rewinds:
            self.wrong.append(f"{instance.name} ended by itself: {error!r}")
        self.network.vanish(instance.process, seen=True)
        self.loop.call_later(0.1, self._revive, instance)

    def _revive(self, instance: Instance) -> None:
        if instance.process.ended and not self._over:
            self.trace(instance.name, "starts again")
            self._start(instance)

    def _crash(self, instance: Instance, seconds: float, *, seen: bool) -> None:
        """It is no more. `seen`: the server hears of it."""
        process, task = instance.process, instance.task
        if process.ended or task is None:
            return
        self.trace(instance.name, "CRASHES")
        process.ended = True
        self.loop.resume(process)
        self.network.vanish(process, seen=seen)
        task.cancel()
        self._gone.append(task)
        self.loop.call_later(seconds, self._revive, instance)

    def _stop(self, instance: Instance, seconds: float) -> None:
        if instance.runs and instance.node is not None:
            self.trace(instance.name, "is asked to stop")
            instance.node.stop()
            self.loop.call_later(seconds, self._revive_when_ended, instance)

    def _revive_when_ended(self, instance: Instance) -> None:
        if instance.process.ended:
            self._revive(instance)
        else:
            self.loop.call_later(0.05, self._revive_when_ended, instance)

    def _pause(self, instance: Instance, seconds: float) -> None:
        if instance.runs and not instance.process.paused:
            self.trace(instance.name, "is PAUSED for", f"{seconds:.3f}")
            self.loop.pause(instance.process)
            self.loop.call_later(seconds, self._resume, instance.process)

    def _resume(self, process: Process) -> None:
        if process.paused:
            self.trace(process, "goes on")
            self.loop.resume(process, timers_first=self.chance.random() < 0.5)

    def _cut(self, instance: Instance, seconds: float) -> None:
        self.trace(instance.name, "is CUT OFF for", f"{seconds:.3f}")
        self.network.cut_off(instance.process)
        self.loop.call_later(seconds, self.network.cut.discard, instance.name)

    # Faults

    def _happen(self, one: Happening) -> None:
        instance = self._target(one.who)
        if one.act is Act.CRASH:
            self._crash(instance, one.seconds, seen=self.chance.random() < 0.7)
        elif one.act is Act.STOP:
            self._stop(instance, one.seconds)
        elif one.act is Act.PAUSE:
            self._pause(instance, one.seconds)
        elif one.act is Act.CUT:
            self._cut(instance, one.seconds)
        elif one.act is Act.RESTART_SERVER:
            self.trace("the SERVER is restarted")
            self.server.restart()
            self.network.break_all()
        elif one.act is Act.BACKUP:
            self._back_up()
        elif one.act is Act.REWIND:
            self._rewind()
        elif one.act is Act.FORGET_LEADER:
            self.trace("the leader's key is LOST")
            self.server.venue.delete(self.keys.leader.encode())
        elif one.trap is not None:
            self.network.traps.append(Trap(**vars(one.trap)))

    def _back_up(self) -> None:
        self.trace("a backup of", len(self.server.venue.asked), "commands")
        self._backups.append(self.server.backup())

    def _rewind(self) -> None:
        """Restores a backup: by starting the server from it, or in place, key by key."""
        if not self._backups or self._peace:
            return
        backup = self._backups[-1 if self.chance.random() < 0.6 else 0]
        in_place = self.chance.random() < 0.4
        where = "in place" if in_place else "with a restart"
        self.trace("the store is SET BACK to", len(backup.asked), "commands", where)
        self.server.rewind(backup)
        if not in_place:
            self.server.restart()
            self.network.break_all()

    def _on_trap(self, trap: Trap, process: Process) -> None:
        if trap.effect is Effect.REWIND:
            self._rewind()
        elif trap.effect is Effect.BACKUP:
            self._back_up()
        for instance in self.instances:
            if instance.process is not process:
                continue
            if trap.effect in (Effect.CRASH_BEFORE, Effect.CRASH_AFTER):
                self._crash(instance, trap.seconds, seen=self.chance.random() < 0.7)
            elif trap.effect is Effect.PAUSE_AFTER:
                self._pause(instance, trap.seconds)

    def _target(self, who: str | None) -> Instance:
        for instance in self.instances:
            if instance.name == who or (who is None and self._is_leader(instance.name)):
                return instance
        return self.instances[0]

    def _is_leader(self, name: str) -> bool:
        return any(
            one.name == name and one.node is not None and one.node.role is not Role.FOLLOWER
            for one in self.instances
        )

    # Peace

    def _make_peace(self) -> None:
        self.trace("PEACE")
        self._peace = True
        self.network.traps.clear()
        self.network.cut.clear()
        for instance in self.instances:
            self._resume(instance.process)
            self._revive(instance)

    async def _settle(self, trading: "list[asyncio.Task[None]]") -> None:
        until = self.loop.time() + PEACE_SECONDS
        while self.loop.time() < until:
            await asyncio.sleep(LOOK_SECONDS)
            if all(task.done() for task in trading) and not check.unsettled(self):
                return
        self.wrong += [
            f"still in {PEACE_SECONDS} s of peace: {one}" for one in check.unsettled(self)
        ]
        self.wrong += [f"a client still waits: {task}" for task in trading if not task.done()]

    async def _end(self) -> None:
        """Ends everything, now and then by the book."""
        self._over = True
        if self.schedule.ends_cleanly:
            for instance in self.instances:
                if instance.runs and instance.node is not None:
                    instance.node.stop()
            await asyncio.sleep(3.0)
            self.wrong += check.ended_cleanly(self)
        for instance in self.instances:
            self._crash(instance, 1e9, seen=True)
        await asyncio.sleep(0.01)
        for task in self._gone:
            if not task.done():
                self.wrong.append("an instance runs on after it was cancelled")


class _Errors(logging.Handler):
    """What instances say of errors: that one was unexpected must never be."""

    def __init__(self, run: Run) -> None:
        super().__init__(logging.WARNING if run._trace is not None else logging.ERROR)
        self._run = run

    def emit(self, record: logging.LogRecord) -> None:
        self._run.trace("log:", record.getMessage())
        if record.exc_info:
            self._run.wrong.append(f"{record.getMessage()}: {record.exc_info[1]!r}")
        if "SET BACK" in record.getMessage() and not self._run.server.record.rewinds:
            self._run.wrong.append(f"a false alarm: {record.getMessage()}")


@contextlib.contextmanager
def simulation() -> Iterator[None]:
    """Around any number of runs: what instances say is not heard, and the collector is left alone.

    An instance that takes the lead has all garbage collected, which takes longer than a whole run.
    What a run leaves behind is collected after it, now and then, without what was there before.
    """
    log = logging.getLogger("matchbox_tui")
    level, propagate = log.level, log.propagate
    log.setLevel(logging.ERROR)
    log.propagate = False
    silent = logging.NullHandler()
    log.addHandler(silent)
    quiet = SimpleNamespace(collect=lambda: 0, freeze=lambda: None, unfreeze=lambda: None)
    vars(node_module)["gc"] = quiet
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
        vars(node_module)["gc"] = gc
        log.removeHandler(silent)
        log.setLevel(level)
        log.propagate = propagate


def simulate(seed: int, parts: Parts | None = None, *, trace: bool = False) -> Result:
    """Runs one seed, within `simulation`."""
    schedule = draw(seed)
    lines: list[str] | None = [] if trace else None
    run = Run(schedule, parts or Parts(), lines)
    before = leader_module.MAX_BATCH
    leader_module.MAX_BATCH = schedule.max_batch
    try:
        run.run()
    finally:
        leader_module.MAX_BATCH = before
        if seed % COLLECT_EVERY == 0:
            gc.collect()
    return Result(seed, run.wrong, lines or [], check.fingerprint(run))
