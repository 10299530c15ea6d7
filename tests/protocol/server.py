"""A server in memory: connections, commands and scripts, blocking calls, restarts and backups.

Its clock is given, so that it runs in virtual time or in real time. Beside the keys it keeps a
record of what was ever asked and done, for whoever checks a run.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from redis._parsers import BaseParser

from matchbox_tui.store import Keys, trim_scripts
from matchbox_tui.store import scripts as real
from tests.protocol.commands import COMMANDS
from tests.protocol.keyspace import Keyspace, Reply, ServerError
from tests.protocol.scripts import Args, Scripts

Argument = str | bytes | int

NAMES: dict[str, str] = {
    script.text: name
    for module in (real, trim_scripts)
    for name, script in vars(module).items()
    if isinstance(script, real.Script)
}

SHAS: dict[bytes, str] = {real.Script(text).sha.encode(): text for text in NAMES}


@dataclass(eq=False)
class Session:
    """A connection as the server knows it."""

    id: int
    name: bytes = b""


@dataclass(frozen=True)
class Wait:
    """A blocking command that found nothing yet."""

    seconds: float
    again: Callable[[], Reply]


@dataclass(frozen=True)
class Backup:
    """Everything at one moment."""

    keys: Any
    asked: list[bytes]
    written: list[tuple[bytes, list[bytes]]]


@dataclass(frozen=True)
class Deed:
    """What a script did about the lead: `took` it, or answered a commit.

    `sure` says that whoever sent it still listened.
    """

    what: str
    who: str
    epoch: int
    seq: int = 0
    sure: bool = True


class VenueKeys(Keyspace):
    """The keys of one venue, and all that was ever put into its queue and its journal."""

    def __init__(self, keys: Keys, now_ms: Callable[[], int]) -> None:
        super().__init__(now_ms)
        self.names = keys
        self.asked: list[bytes] = []
        """What was queued, in order, as far as it survives."""
        self.written: list[tuple[bytes, list[bytes]]] = []
        """The journal's entries, as far as they survive, whether trimmed or not."""
        self.ids_at_risk = False
        """After a rewind, until somebody who knows better has moved the id counter on."""
        self.risky: set[int] = set()
        """Ids that were handed out meanwhile."""
        self._queue, self._log = keys.queue.encode(), keys.log.encode()
        self._counter = keys.order_id.encode()

    def set(self, key: bytes, value: bytes, px: int | None = None) -> None:
        super().set(key, value, px)
        if key == self._counter:
            self.ids_at_risk = False

    def incrby(self, key: bytes, by: int) -> int:
        value = super().incrby(key, by)
        if key == self._counter and self.ids_at_risk:
            self.risky.update(range(value - by + 1, value + 1))
        return value

    def rpush(self, key: bytes, elements: list[bytes]) -> int:
        length = super().rpush(key, elements)
        if key == self._queue:
            self.asked.extend(elements)
        return length

    def xadd(self, key: bytes, entry_id: bytes, flat: list[bytes]) -> bytes:
        new = super().xadd(key, entry_id, flat)
        if key == self._log:
            self.written.append((new, flat))
        return new


@dataclass
class Record:
    """What happened, whatever became of it."""

    deeds: list[Deed] = field(default_factory=list)
    wiped: list[bytes] = field(default_factory=list)
    """Queue elements that a rewind undid."""
    told: list[bytes] = field(default_factory=list)
    """What was published on the channel."""
    rewinds: int = 0


class ServerDouble(Scripts):
    """The server. `execute` is its whole protocol."""

    def __init__(self, keys: Keys, now_ms: Callable[[], int]) -> None:
        self.venue = VenueKeys(keys, now_ms)
        super().__init__(self.venue)
        self.record = Record()
        self.trace: Callable[..., None] = lambda *words: None
        self.known: set[str] = set()
        """The scripts that it has seen since it started."""
        self.sessions: dict[int, Session] = {}
        self.life = 0
        """How often it was started anew."""
        self._last_session = 0

    # Connections, restarts, backups

    def open(self) -> Session:
        self._last_session += 1
        session = self.sessions[self._last_session] = Session(self._last_session)
        return session

    def shut(self, session: Session) -> None:
        if self.sessions.get(session.id) is session:
            del self.sessions[session.id]

    def restart(self) -> None:
        """Forgets what a server keeps in memory only; ids of connections start anew."""
        self.life += 1
        self.known.clear()
        self.sessions.clear()
        self._last_session = 0

    def backup(self) -> Backup:
        venue = self.venue
        return Backup(venue.backup(), list(venue.asked), list(venue.written))

    def rewind(self, backup: Backup) -> None:
        """Restores an older state."""
        venue = self.venue
        kept = set(backup.asked)
        self.record.wiped += [element for element in venue.asked if element not in kept]
        self.record.rewinds += 1
        venue.restore(backup.keys)
        venue.asked, venue.written = list(backup.asked), list(backup.written)
        venue.ids_at_risk = True

    # Commands

    def execute(self, session: Session, command: Sequence[Argument], *, sure: bool = True) -> Reply:
        """The reply, an error among them, or a `Wait`. `sure`: the sender listens."""
        args = [
            arg if isinstance(arg, bytes) else arg.encode() if isinstance(arg, str) else b"%d" % arg
            for arg in command
        ]
        name = args[0]
        try:
            if name == b"EVALSHA":
                text = SHAS.get(args[1], "")
                if text not in self.known:
                    raise ServerError("NOSCRIPT No matching script.")
                return self._run(text, args, sure)
            if name == b"EVAL":
                text = args[1].decode()
                self.known.add(text)
                return self._run(text, args, sure)
            if name == b"CLIENT":
                return self._client(session, args)
            if name == b"BLMOVE":
                return self._wait_for_head(args)
            if name not in COMMANDS:
                raise NotImplementedError(f"the double of the server has no {name.decode()}")
            reply = COMMANDS[name](self.venue, args[1:])
            if name == b"XREAD" and reply is None and b"BLOCK" in args:
                seconds = int(args[args.index(b"BLOCK") + 1]) / 1000
                return Wait(seconds, lambda: COMMANDS[name](self.venue, args[1:]))
            return reply
        except ServerError as error:
            # As redis-py makes it out of the reply.
            return BaseParser.parse_error(str(error))  # type: ignore[no-untyped-call]

    def _run(self, text: str, args: Args, sure: bool) -> Reply:
        count = int(args[2])
        names, argv = args[3 : 3 + count], args[3 + count :]
        if text not in self.by_text:
            raise NotImplementedError(f"the double of the server has no script {NAMES[text]}")
        reply = self.by_text[text](names, argv)
        if text == real.SUBMIT.text:
            self.trace("server: SUBMIT gave", *reply)
        elif text == real.COMMIT.text:
            self._note(reply.decode(), argv[0], int(argv[1]), int(argv[4]), sure)
        elif text in (real.ELECT.text, real.USURP.text) and reply is not None:
            self._note("took", argv[0], reply[0], int(reply[1]), sure)
        return reply

    def _note(self, what: str, who: bytes, epoch: int, seq: int, sure: bool) -> None:
        deed = Deed(what, who.decode(), epoch, seq, sure)
        self.record.deeds.append(deed)
        told = f"took the lead at {seq}" if what == "took" else f"commit up to {seq}: {what}"
        self.trace(f"server: {deed.who} of epoch {epoch}:", told)

    def tell(self, channel: bytes, message: bytes) -> None:
        self.record.told.append(message)

    def _wait_for_head(self, args: Args) -> Reply:
        key = args[1]
        assert args[2:5] == [key, b"LEFT", b"LEFT"], "only the peek of a waiting leader"

        found = self.head(key)
        return found if found is not None else Wait(float(args[5]), lambda: self.head(key))

    def head(self, queue: bytes) -> bytes | None:
        held = self.venue.elements(queue)
        return held[0] if held else None

    def _client(self, session: Session, args: Args) -> Reply:
        what = args[1].upper()
        if what == b"ID":
            return session.id
        if what == b"SETNAME":
            session.name = args[2]
            return b"OK"
        assert what == b"LIST"
        ids = [int(text) for text in args[3:]] if len(args) > 2 else list(self.sessions)
        return b"".join(
            b"id=%d addr=? name=%b age=0\n" % (found.id, found.name)
            for found in map(self.sessions.get, ids)
            if found is not None
        )
