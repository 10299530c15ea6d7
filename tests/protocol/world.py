"""The simulated world: a server, a network, instances that live and die, and what befalls them."""

import asyncio
import logging
import random
from dataclasses import dataclass

from matchbox_tui.node import Node, Role
from matchbox_tui.store import JournalBroken, Keys, Store
from tests.protocol.loop import Process, VirtualLoop
from tests.protocol.network import SLOWEST, Effect, Network, Trap
from tests.protocol.schedule import Act, Happening, Schedule
from tests.protocol.server import Backup, ServerDouble
from tests.protocol.traders import Book
from tests.protocol.wire import Exit

GENESIS_NS = 1_000_000_000


@dataclass(frozen=True)
class Parts:
    """What a mutant may replace."""

    server: type[ServerDouble] = ServerDouble
    exit: type[Exit] = Exit


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


class World:
    """One seed's world. `wrong` collects what must not be."""

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
        self.killed: list[asyncio.Task[None]] = []
        self.wrong: list[str] = []
        self.over = False
        """Nobody starts again from now on."""
        self._trace = trace
        self._parts = parts
        self._backups: list[Backup] = []
        self._peace = False

    def trace(self, *words: object) -> None:
        if self._trace is not None:
            self._trace.append(f"{self.loop.time():8.4f}  {' '.join(map(str, words))}")

    def exit(self, process: Process) -> Exit:
        """The process's way to the server."""
        return self._parts.exit(self.network, process, self.schedule.timeout_s)

    def now_ns(self) -> int:
        return GENESIS_NS + int(self.loop.time() * 1e9)

    def _skewed_ns(self) -> int:
        return self.now_ns() + self.schedule.skew_ns

    # Lives and deaths

    def start(self, instance: Instance) -> None:
        instance.process = Process(instance.name)
        store = Store(self.exit(instance.process), self.keys, instance.name)
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
        if instance.process.ended and not self.over:
            self.trace(instance.name, "starts again")
            self.start(instance)

    def crash(self, instance: Instance, seconds: float, *, seen: bool) -> None:
        """It is no more. `seen`: the server hears of it."""
        process, task = instance.process, instance.task
        if process.ended or task is None:
            return
        self.trace(instance.name, "CRASHES")
        process.ended = True
        self.loop.resume(process)
        self.network.vanish(process, seen=seen)
        task.cancel()
        self.killed.append(task)
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

    def happen(self, one: Happening) -> None:
        instance = self._target(one.who)
        if one.act is Act.CRASH:
            self.crash(instance, one.seconds, seen=self.chance.random() < 0.7)
        elif one.act is Act.STOP:
            self._stop(instance, one.seconds)
        elif one.act is Act.PAUSE:
            self._pause(instance, one.seconds)
        elif one.act is Act.CUT:
            self._cut(instance, one.seconds)
        elif one.act is Act.SLOW:
            self.trace("everything is SLOW for", f"{one.seconds:.3f}")
            self.network.slowest = one.seconds
            self.loop.call_later(one.seconds, self._hurry)
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

    def _hurry(self) -> None:
        self.network.slowest = SLOWEST

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
                self.crash(instance, trap.seconds, seen=self.chance.random() < 0.7)
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

    def make_peace(self) -> None:
        self.trace("PEACE")
        self._peace = True
        self._hurry()
        self.network.traps.clear()
        self.network.cut.clear()
        for instance in self.instances:
            self._resume(instance.process)
            self._revive(instance)


class Errors(logging.Handler):
    """What instances say of errors: an unexpected one must never be, nor a false alarm."""

    def __init__(self, world: World) -> None:
        super().__init__(logging.ERROR)
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        said, world = record.getMessage(), self._world
        world.trace("log:", said)
        if record.exc_info:
            world.wrong.append(f"{said}: {record.exc_info[1]!r}")
        if "SET BACK" in said and not world.server.record.rewinds:
            world.wrong.append(f"a false alarm: {said}")
