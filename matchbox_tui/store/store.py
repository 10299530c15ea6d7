"""What an engine node does with the server: the lead, the queue's head, the journal's tip."""

import asyncio
import enum
import hashlib
import logging
from collections.abc import Sequence

import msgspec

from matchbox_tui.engine import MAX_ID, encode_command
from matchbox_tui.engine.commands import Tagged
from matchbox_tui.store.archive import PUBLISHER, Archive
from matchbox_tui.store.cluster import InstanceStatus, number, parse_instance
from matchbox_tui.store.errors import JournalBroken, Refused, StoreError
from matchbox_tui.store.fills import FillMessage
from matchbox_tui.store.journal import VERSION, Entry, Tip, parse_entry
from matchbox_tui.store.keys import Keys
from matchbox_tui.store.link import Link, Reply, Server
from matchbox_tui.store.refusals import NoGroup, OutOfMemory, UnknownScript, WrongValue
from matchbox_tui.store.restore import read_tip
from matchbox_tui.store.scripts import (
    COMMIT,
    CUT,
    ELECT,
    ID_MARGIN,
    PEEK,
    PUBLISH,
    RAISE,
    RELEASE,
    RENEW,
    USURP,
    Script,
)

log = logging.getLogger(__name__)

PEEK_BYTES = 1024 * 1024
"""Most of the queue that one peek looks at, as long as it is more than one element."""

LOOK_SECONDS = 0.05
"""How often the queue is looked at where it can't be waited for."""

FILLS_A_CALL = 1000
"""Fills published in one script call, so that no call holds the server for long; and as many as a
full batch makes, as a rule: with two calls a commit the publisher would fall behind.
"""


NO_EXPIRY = -1
"""What PTTL says of a key that never goes away."""

HASHES_KEPT = 10_000

_encoder = msgspec.json.Encoder()


class Tenure(msgspec.Struct, frozen=True):
    """A lead that was won: its epoch, and the journal's tip at that moment."""

    epoch: int
    tip: Tip


class Outcome(enum.Enum):
    """What became of a commit. After anything but OK and DUP the leader's state is void."""

    OK = "OK"
    DUP = "DUP"
    FENCED = "FENCED"
    CAS = "CAS"
    INPUT = "INPUT"


class Commit(msgspec.Struct, frozen=True):
    """One batch, matched: what it takes from the queue and what it adds to the journal."""

    epoch: int
    before: Tip
    after: Tip
    elements: list[bytes]
    blob: bytes
    books: dict[str, bytes]


class LeaderView(msgspec.Struct, frozen=True):
    """What a follower sees of the lead, and of the journal's tip.

    `gone` says that the leader's own connection has left the server: its process is dead.
    """

    leader: str | None
    epoch: int
    gone: bool
    tip: Tip = Tip()


class Store:
    """One instance's access to one venue, over four connections.

    One carries the lead and the journal, one waits for the queue or the journal to grow, one is
    the archive's, and one is the instance's presence: the server closes it the moment that the
    process dies.

    It remembers the highest order id and epoch that it ever saw, so that none is used again
    where the store is set back to an older state.
    """

    def __init__(self, server: Server, keys: Keys, instance_id: str) -> None:
        self.instance_id = instance_id
        self.keys = keys
        name = f"matchbox:{instance_id}"
        self._main = server.link(f"{name}:main")
        self._waiting = server.link(f"{name}:wait")
        self.archive = Archive(server.link(f"{name}:archive"), keys, instance_id)
        self._presence = server.link(name)
        self._highest_id = 0
        self._highest_epoch = 0
        self._leader_connection: tuple[str, int] | None = None

    async def close(self) -> None:
        for link in (self._main, self._waiting, self.archive, self._presence):
            await link.close()

    @property
    def highest_id(self) -> int:
        """The highest order id that this instance has seen handed out."""
        return self._highest_id

    # The lead

    async def elect(self, lease_ms: int) -> Tenure | None:
        """Takes the lead where nobody has it."""
        return await self._take(ELECT, lease_ms)

    async def usurp(self, seen_epoch: int, lease_ms: int) -> Tenure | None:
        """Takes the lead from a leader that was seen dead in `seen_epoch`."""
        return await self._take(USURP, lease_ms, seen_epoch)

    async def _take(self, script: Script, lease_ms: int, *more: int) -> Tenure | None:
        keys = self.keys
        reply = await self._main.run(
            script,
            (keys.leader, keys.epoch, keys.cursor, keys.order_id),
            (self.instance_id, lease_ms, self._highest_epoch, self._highest_id, *more),
        )
        if reply is None:
            return None
        epoch, seq, chain, counter = reply
        self._highest_epoch = max(self._highest_epoch, int(epoch))
        self._remember_ids(number(counter))
        return Tenure(int(epoch), Tip(int(seq), chain.decode()))

    async def renew(self, epoch: int, lease_ms: int) -> bool:
        """Runs the lease anew; False where the lead is lost."""
        renewed, counter = await self._presence.run_then(
            RENEW,
            (self.keys.leader, self.keys.epoch),
            (self.instance_id, epoch, lease_ms),
            ("GET", self.keys.order_id),
        )
        await self.keep_ids_rising(number(_checked(counter)))
        return bool(renewed)

    async def keep_ids_rising(self, counter: int | None = None, *, seen: int = 0) -> None:
        """Remembers ids; moves the counter on where it stands behind one that was seen."""
        if counter is None:
            counter = number(await self._main.call("GET", self.keys.order_id))
        self._remember_ids(counter, seen)
        if counter < self._highest_id and await self._presence.run(
            RAISE, (self.keys.order_id,), (self._highest_id,)
        ):
            log.error(
                "The order id counter was set back from %d to %d; ids go on above that",
                self._highest_id,
                counter,
            )
            # The store may be set back again before anybody looks.
            self._highest_id += ID_MARGIN

    def _remember_ids(self, *seen: int) -> None:
        # Beyond that no counter gets, only a hand; what is left must last.
        for value in seen:
            if value <= MAX_ID // 2:
                self._highest_id = max(self._highest_id, value)

    async def release(self, epoch: int) -> bool:
        """Gives the lead up, so that the next one need not wait for the lease to end."""
        keys = (self.keys.leader, self.keys.epoch)
        return bool(await self._presence.run(RELEASE, keys, (self.instance_id, epoch)))

    async def view(self) -> LeaderView:
        """Who leads, and whether its process is still connected. One round trip as a rule."""
        known = self._leader_connection
        commands: list[tuple[str | int, ...]] = [
            # The epoch first: a leader elected in between must not be usurped as the one before.
            ("GET", self.keys.epoch),
            ("GET", self.keys.leader),
            ("HMGET", self.keys.cursor, "seq", "chain"),
            ("GET", self.keys.order_id),
            ("PTTL", self.keys.leader),
        ]
        if known is not None:
            commands.append(("CLIENT", "LIST", "ID", known[1]))
        replies = await self._main.calls(commands)
        epoch_raw, leader_raw = _checked(replies[0]), _checked(replies[1])
        leader = leader_raw.decode(errors="replace") if leader_raw is not None else None
        epoch, (seq, chain) = number(epoch_raw), _checked(replies[2])
        self._highest_epoch = max(self._highest_epoch, epoch)
        await self.keep_ids_rising(number(_checked(replies[3])))
        view = LeaderView(leader, epoch, False, Tip(number(seq), (chain or b"").decode()))
        if leader is None:
            self._leader_connection = None
            return view
        if _checked(replies[4]) == NO_EXPIRY:
            # No leader of ours put it there: its lease would never end.
            return msgspec.structs.replace(view, gone=True)
        if leader == self.instance_id:
            return msgspec.structs.replace(view, gone=await self._is_my_past())
        if known is None or known[0] != leader:
            await self._find_connection(leader)
            return view
        if isinstance(replies[5], Refused) or _is_listed(replies[5], leader):
            # Where CLIENT is not allowed, the lease alone decides.
            return view
        # It may have connected anew; its heartbeat would tell.
        await self._find_connection(leader)
        return msgspec.structs.replace(view, gone=self._leader_connection in (known, None))

    async def _is_my_past(self) -> bool:
        """Whether the leader of this instance's name is its own last life, which is over."""
        own, everybody = await self._presence.calls([("CLIENT", "ID"), ("CLIENT", "LIST")])
        if isinstance(own, Refused) or isinstance(everybody, Refused):
            return False
        others = (line for line in everybody.splitlines() if not line.startswith(b"id=%d " % own))
        return not any(_is_listed(line, self.instance_id) for line in others)

    async def _find_connection(self, leader: str) -> None:
        heartbeat = await self.instance(leader)
        connection = heartbeat.connection if heartbeat is not None else 0
        self._leader_connection = (leader, connection) if connection else None

    # Heartbeats

    async def heartbeat(
        self, role: str, epoch: int, pid: int, host: str, seq: int, started: int, ttl_ms: int
    ) -> None:
        """Says that this instance lives, over the connection that dies with it."""
        key = self.keys.instance(self.instance_id)
        connection, clock = await self._presence.calls([("CLIENT", "ID"), ("TIME",)])
        now_ms = int(_checked(clock)[0]) * 1000
        replies = await self._presence.calls(
            [
                (
                    *("HSET", key, "role", role, "epoch", epoch, "pid", pid, "host", host),
                    *("seq", seq, "started", started, "ttl", ttl_ms),
                    *("connection", 0 if isinstance(connection, Refused) else connection),
                ),
                ("PEXPIRE", key, ttl_ms),
                ("ZADD", self.keys.instances, now_ms + ttl_ms, self.instance_id),
                ("ZREMRANGEBYSCORE", self.keys.instances, "-inf", now_ms - 1000),
            ]
        )
        if isinstance(replies[0], WrongValue):
            # In the place of a heartbeat nothing else may last: the next one goes there again.
            await self._presence.call("UNLINK", key)
        for reply in replies:
            _checked(reply)

    async def depart(self) -> None:
        """Takes the heartbeat away at a clean stop."""
        await self._presence.calls(
            [
                ("DEL", self.keys.instance(self.instance_id)),
                ("ZREM", self.keys.instances, self.instance_id),
            ]
        )

    async def instance(self, instance_id: str) -> InstanceStatus | None:
        flat = await self._main.call("HGETALL", self.keys.instance(instance_id))
        return parse_instance(instance_id, flat) if flat else None

    # The queue

    async def peek(self, limit: int) -> list[bytes]:
        """At most `limit` first elements of the queue, which stay there; long ones are cut."""
        return list(await self._main.run(PEEK, (self.keys.queue,), (limit, PEEK_BYTES)))

    async def wait_for_command(self, seconds: float) -> bytes | None:
        """The queue's head as soon as there is one, or None; the queue stays as it is."""
        # Moving the head of a list to its own head changes nothing, but it blocks and wakes.
        reply: bytes | None
        try:
            reply = await self._waiting.call(
                *("BLMOVE", self.keys.queue, self.keys.queue, "LEFT", "LEFT", str(seconds)),
                timeout_s=seconds + 1.5,
            )
        except OutOfMemory:
            # The server takes it for a write. Looking again and again does as well.
            await asyncio.sleep(min(seconds, LOOK_SECONDS))
            reply = await self._waiting.call("LINDEX", self.keys.queue, 0)
        return reply[:CUT] if reply is not None else None

    async def ask(self, command: Tagged) -> None:
        """Queues a command of the node's own: an expiry that is due, a market to create."""
        await self._presence.call("RPUSH", self.keys.queue, encode_command(command))

    # The journal

    async def commit(self, commit: Commit, lease_ms: int, peek: int) -> tuple[Outcome, list[bytes]]:
        """Commits a batch, and in the same round trip peeks at the commands after it.

        Raises `InDoubt` where the outcome is unknown; sending the same commit again is safe.
        """
        digest = hashlib.sha1(b"\0".join(commit.elements), usedforsecurity=False).hexdigest()
        before, after = commit.before, commit.after
        keys = self.keys
        replies = await self._main.run_then(
            COMMIT,
            (
                *(keys.cursor, keys.epoch, keys.leader, keys.log, keys.queue),
                *(keys.book(market) for market in commit.books),
            ),
            (
                *(self.instance_id, commit.epoch, before.seq, before.chain, after.seq, after.chain),
                *(len(commit.elements), digest, commit.blob, VERSION, lease_ms),
                *commit.books.values(),
            ),
            ("EVALSHA", PEEK.sha, 1, keys.queue, peek, PEEK_BYTES),
        )
        outcome = Outcome(replies[0].decode())
        if isinstance(replies[1], UnknownScript):
            # A server that knows COMMIT need not know it.
            return outcome, await self.peek(peek)
        return outcome, list(_checked(replies[1]))

    async def tip(self) -> Tip:
        return await read_tip(self._main, self.keys)

    async def check_tip(self) -> None:
        """Raises `JournalBroken` where the cursor is behind the journal, which no commit leaves."""
        key = self.keys.log
        entries = await self._main.call("XREVRANGE", key, "+", "-", "COUNT", 1)
        if not entries:
            return
        last = parse_entry(entries[0])
        # The cursor second: it may move on at any time, but never back.
        seq = (await self.tip()).seq
        if seq < last.seq:
            fix = f"seq {last.seq} chain {last.chain} epoch {last.epoch}"
            raise JournalBroken(
                f"{self.keys.cursor} is at {seq}, but {key} goes up to {last.seq}:"
                f" put it right with HSET {self.keys.cursor} {fix}"
            )

    async def read(self, after: int, limit: int) -> list[Entry]:
        """At most `limit` journal entries after sequence `after`."""
        reply = await self._main.call("XRANGE", self.keys.log, f"({after}-0", "+", "COUNT", limit)
        return [parse_entry(entry) for entry in reply]

    async def tail(self, after: int, limit: int, wait_ms: int) -> list[Entry]:
        """As `read`, but waits for the next entry where there is none yet."""
        return await read_tail(self._waiting, self.keys, after, limit, wait_ms)

    # State hashes

    async def report_hashes(self, role: str, epoch: int, hashes: Sequence[tuple[Tip, str]]) -> None:
        """Publishes state hashes by sequence, for whoever compares instances."""
        commands = [
            (
                *("XADD", self.keys.hashes, "MAXLEN", "~", HASHES_KEPT, "*"),
                *("id", self.instance_id, "role", role, "epoch", epoch, "seq", tip.seq),
                *("chain", tip.chain, "hash", text),
            )
            for tip, text in hashes
        ]
        for reply in await self._presence.calls(commands):
            _checked(reply)

    # The fills

    async def last_published(self) -> tuple[int, int]:
        """The id after which `events_stream` takes fills; (0, -1) where there is no stream yet.

        Raises `Refused` where that lies beyond the journal, so that no fill could be added.
        """
        key = self.keys.fills_stream
        exists, facts = await self._presence.calls([("EXISTS", key), ("XINFO", "STREAM", key)])
        if not _checked(exists):
            return 0, -1
        flat = _checked(facts)
        last = flat[flat.index(b"last-generated-id") + 1]
        seq, _, n = last.partition(b"-")
        if int(seq) > (await self.tip()).seq:
            raise Refused(
                f"{key} has had an entry {last.decode()}, which is no fill of this journal,"
                " so it takes no more: rename or delete the key"
            )
        return int(seq), int(n)

    async def publish(
        self, commit: Tip, last: tuple[int, int], fills: Sequence[tuple[int, int, FillMessage]]
    ) -> bool:
        """Adds a commit's fills under their (seq, n) after the `last` one, and tells subscribers.

        False, and not all are added, where the stream's last fill is another one or the commit is
        not in the journal: ask `last_published` and go on from there.
        """
        for start in range(0, len(fills), FILLS_A_CALL):
            some = fills[start : start + FILLS_A_CALL]
            # As one text: an argument each would cost more than all the rest.
            lines = _encoder.encode_lines([fill for _, _, fill in some])
            place = f"{last[0]}-{max(last[1], 0)}"
            args = (self.keys.fills_channel, f"{commit.seq}-0", commit.chain, place, lines)
            if not await self._presence.run(PUBLISH, (self.keys.fills_stream, self.keys.log), args):
                return False
            last = some[-1][:2]
        return True

    async def published(self, seq: int) -> None:
        """Notes that every fill up to `seq` is in `events_stream`: the journal may be trimmed."""
        log_key = self.keys.log
        try:
            await self._presence.call("XGROUP", "SETID", log_key, PUBLISHER, f"{seq}-0")
        except NoGroup:
            create = ("XGROUP", "CREATE", log_key, PUBLISHER, f"{seq}-0", "MKSTREAM")
            await self._presence.call(*create)


async def read_tail(link: Link, keys: Keys, after: int, limit: int, wait_ms: int) -> list[Entry]:
    """The journal entries after `after`, waiting up to `wait_ms` for the first."""
    return [parse_entry(reply) for reply in await read_unparsed(link, keys, after, limit, wait_ms)]


async def read_unparsed(
    link: Link, keys: Keys, after: int, limit: int, wait_ms: int
) -> list[Reply]:
    """As `read_tail`, for whoever parses one at a time: all together may take a second."""
    reply = await link.call(
        *("XREAD", "COUNT", limit, "BLOCK", wait_ms, "STREAMS", keys.log, f"{after}-0"),
        timeout_s=wait_ms / 1000 + 1.5,
    )
    return list(reply[0][1]) if reply else []


def _checked(reply: Reply) -> Reply:
    if isinstance(reply, StoreError):
        raise reply
    return reply


def _is_listed(reply: bytes, leader: str) -> bool:
    # Ids start anew with the server, so the name must fit as well.
    return f" name=matchbox:{leader} ".encode() in reply
