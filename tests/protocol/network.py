"""What lies between the processes and the server: time, and everything that can go wrong there.

The project's own `Link`, `Store` and `Client` run on it; only the line under them is a double.
"""

import asyncio
import contextvars
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from redis import exceptions as redis_errors

from tests.protocol.keyspace import Reply
from tests.protocol.loop import Process, VirtualLoop
from tests.protocol.server import ServerDouble, Wait
from tests.protocol.wire import Command, Message, Wire, kind_of

FASTEST, SLOWEST = 0.0002, 0.004
"""Seconds that a request travels on a good day; its reply is quicker than that."""

SPLIT = 0.1
"""How often the commands of one pipeline are not carried out one right after the other."""

ODD: tuple[tuple[type[Exception], str], ...] = (
    (redis_errors.ConnectionError, "Connection closed by server."),
    (redis_errors.TimeoutError, "Timeout reading from socket"),
    (ConnectionResetError, "Connection reset by peer"),
    (AttributeError, "'NoneType' object has no attribute 'readline'"),
    (RuntimeError, "unable to perform operation on a closed transport"),
)
"""How redis-py says that a connection died."""


class Effect(Enum):
    """What befalls one message."""

    LOST = auto()
    """It never arrives, and the connection breaks."""
    UNANSWERED = auto()
    """It arrives, and the connection breaks before the reply does."""
    SILENT = auto()
    """It never arrives, and nobody says so."""
    MUTE = auto()
    """It arrives, its reply doesn't, and nobody says so."""
    LATE = auto()
    """The connection breaks, and the message arrives long after that."""
    REPEATED = auto()
    """It arrives, and once more later."""
    CRASH_BEFORE = auto()
    """Its sender dies before it is sent."""
    CRASH_AFTER = auto()
    """Its sender dies as soon as it is sent."""
    PAUSE_AFTER = auto()
    """Its sender is stopped as soon as it is sent."""
    BACKUP = auto()
    """A backup is taken while it travels."""
    REWIND = auto()
    """The server is set back to a backup while it travels."""


@dataclass
class Trap:
    """Waits for the `skip`-th next message of a kind and lets something befall it.

    `who` is a process's name, or None for whoever leads; `kind` is a script's or a command's name,
    or None for any; `seconds` is how late or how long.
    """

    effect: Effect
    who: str | None
    kind: str | None
    skip: int
    seconds: float


class Network:
    """Carries messages. `on_trap` is told what else a trap does than to the message."""

    def __init__(self, loop: VirtualLoop, server: ServerDouble, chance: random.Random) -> None:
        self.loop = loop
        self.server = server
        self.traps: list[Trap] = []
        self.cut: set[str] = set()
        """Processes that the server can't be reached from."""
        self.slowest = SLOWEST
        """Seconds that a request may travel."""
        self.is_leader: Callable[[str], bool] = lambda name: False
        self.on_trap: Callable[[Trap, Process], None] = lambda trap, process: None
        self.trace: Callable[..., None] = lambda *words: None
        self._chance = chance
        self._waiting: list[_Waiter] = []
        self._open: dict[Wire, None] = {}
        self._nobody = contextvars.Context()
        """What the network does stops with no process."""

    # What a connection asks

    def connect(self, wire: Wire) -> None:
        if wire.process.ended or wire.process.name in self.cut:
            raise self._odd()
        wire.session = self.server.open()
        wire.is_connected = True
        self._open[wire] = None

    def send(self, wire: Wire, commands: Sequence[Command]) -> None:
        process = wire.process
        if process.ended:
            raise redis_errors.ConnectionError("this process is no more")
        replies: asyncio.Future[list[Reply]] = self.loop.create_future()
        wire.replies = replies
        assert wire.session is not None
        message = Message(wire, wire.session, self.server.life, commands, replies)
        delay = FASTEST + (self.slowest - FASTEST) * self._chance.random() ** 3
        trap = self._sprung(process, commands) if self.traps else None
        if trap is None:
            self._after(delay, self._arrive, message)
        else:
            self._befall(trap, message, delay)

    def hang_up(self, wire: Wire) -> None:
        """The client's side closes; the server notices at once."""
        wire.is_connected = False
        self._open.pop(wire, None)
        if wire.session is not None:
            self.server.shut(wire.session)

    # Faults

    def cut_off(self, process: Process) -> None:
        """Its connections break, and there are no new ones until the cut is over."""
        self.cut.add(process.name)
        for wire in self._of(process):
            self._break(wire)

    def break_all(self) -> None:
        """The server is gone, and with it every connection."""
        for wire in list(self._open):
            self._break(wire)

    def vanish(self, process: Process, *, seen: bool) -> None:
        """The process is dead. `seen`: its kernel lives and closes its connections."""
        for wire in self._of(process):
            if not seen:
                wire.session = None
            self._break(wire)

    def _of(self, process: Process) -> list[Wire]:
        return [wire for wire in self._open if wire.process is process]

    def _odd(self) -> Exception:
        kind, text = self._chance.choice(ODD)
        return kind(text)

    def _break(self, wire: Wire) -> None:
        self.hang_up(wire)
        wire.hung_up = True
        replies = wire.replies
        if replies is not None and not replies.done():
            replies.set_exception(self._odd())

    # Messages

    def _sprung(self, process: Process, commands: Sequence[Command]) -> Trap | None:
        for trap in self.traps:
            if trap.who != process.name if trap.who else not self.is_leader(process.name):
                continue
            if trap.kind is not None and trap.kind != kind_of(commands):
                continue
            if trap.skip:
                trap.skip -= 1
                continue
            self.traps.remove(trap)
            return trap
        return None

    def _befall(self, trap: Trap, message: Message, delay: float) -> None:
        effect, wire = trap.effect, message.wire
        self.trace(wire.process, effect.name, kind_of(message.commands), f"{trap.seconds:.3f}")
        if effect in (Effect.LOST, Effect.LATE):
            self._after(delay, self._break, wire)
        if effect is Effect.LATE:
            self._after(trap.seconds, self._arrive, message.ghost())
        elif effect is Effect.UNANSWERED:
            # Which comes first, nobody knows.
            self._after(delay, self._arrive, message.ghost())
            self._after(delay * 2 * self._chance.random(), self._break, wire)
        elif effect is Effect.MUTE:
            self._after(delay, self._arrive, message.ghost())
        elif effect in (Effect.BACKUP, Effect.REWIND):
            # Arrives if its connection outlives this.
            self._after(delay, self._arrive, message)
        elif effect is Effect.REPEATED:
            self._after(delay, self._arrive, message)
            self._after(delay + trap.seconds, self._arrive, message.ghost())
        elif effect in (Effect.CRASH_AFTER, Effect.PAUSE_AFTER):
            late = trap.seconds * self._chance.choice((0, 0, 0.5, 1.2))
            copy = message.ghost() if late or effect is Effect.CRASH_AFTER else message
            self._after(delay + late, self._arrive, copy)
        self.on_trap(trap, wire.process)

    def _arrive(self, message: Message) -> None:
        if message.listens and not message.wire.is_connected:
            # It may have been there before its connection broke, unless the server is another.
            if message.life != self.server.life or self._chance.random() < 0.5:
                return
            message = message.ghost()
        commands = message.commands
        here = len(commands)
        if here > 1 and self._chance.random() < SPLIT:
            here = self._chance.randrange(1, here)
        for command in commands[:here]:
            reply = self.server.execute(message.session, command, sure=message.listens)
            if isinstance(reply, Wait):
                self._wait(_Waiter(message, reply))
                return
            message.answers.append(reply)
        self._serve_waiting()
        message.commands = commands[here:]
        if message.commands:
            self._after(FASTEST, self._arrive, message)
        else:
            message.answer()

    def _wait(self, waiter: "_Waiter") -> None:
        self._waiting.append(waiter)
        self._after(waiter.wait.seconds, self._give_up, waiter)

    def _give_up(self, waiter: "_Waiter") -> None:
        if waiter in self._waiting:
            self._waiting.remove(waiter)
            waiter.message.answers.append(None)
            waiter.message.answer()

    def _serve_waiting(self) -> None:
        touched = self.server.venue.touched
        if not touched:
            return
        touched.clear()
        for waiter in list(self._waiting):
            reply = waiter.wait.again()
            if reply is not None:
                self._waiting.remove(waiter)
                waiter.message.answers.append(reply)
                waiter.message.answer()

    def _after(self, seconds: float, callback: Callable[..., object], *args: object) -> None:
        self.loop.call_later(seconds, callback, *args, context=self._nobody)


@dataclass(eq=False)
class _Waiter:
    message: Message
    wait: Wait
