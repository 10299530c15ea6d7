"""A client of the venue: what the app, the traders, the gateway and the commands share."""

import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence

import msgspec

from matchbox_tui.engine import (
    BookSnapshot,
    NewOrder,
    Tagged,
    decode_command,
    encode_command,
)
from matchbox_tui.store.analytics_board import AnalyticsBoard
from matchbox_tui.store.archive import PUBLISHER
from matchbox_tui.store.cluster import ClusterStatus, StateHash, number, read_cluster, read_hashes
from matchbox_tui.store.errors import JournalBroken, SnapshotUnusable, StoreSetBack
from matchbox_tui.store.fills import FillMessage
from matchbox_tui.store.groups import ConsumerGroup, read_groups, remove_group
from matchbox_tui.store.journal import Entry, Tip, parse_entry
from matchbox_tui.store.keys import Keys
from matchbox_tui.store.link import Argument, Reply, Server
from matchbox_tui.store.memory import MemoryStatus, read_memory
from matchbox_tui.store.replica import Replica
from matchbox_tui.store.restore import NO_PLACE, bases, check_continued
from matchbox_tui.store.scripts import FIND, SUBMIT
from matchbox_tui.store.server_check import check_server
from matchbox_tui.store.snapshot import Header, list_snapshots, parse_header
from matchbox_tui.store.store import read_tail, read_unparsed

MAX_BATCH = 1000
"""Most commands that one submit may carry."""

QUEUE_LIMIT = 200_000
"""Commands that may wait before submits are refused with `Overloaded`."""

FIND_AT_ONCE = 1000
"""Queue elements that one search step looks at, so that no step holds the server for long."""

FIRST_READ = 8
MOST_READ = 256
"""Entries of the journal that are asked for at once."""

READ_BYTES = 1 << 20
"""About as much of the journal as is read at once. Under load an entry holds hundreds of commands:
256 of those take so long to come that the reader falls behind, and stay in its memory for ever.
"""

REMEMBER_MS = 24 * 3600 * 1000
"""How long a client_order_id is known."""


def next_read(replies: Sequence[Reply], limit: int) -> int:
    """How many entries to ask for next, when `limit` were asked for and these came.

    Fewer of big ones. More than `FIRST_READ` only while there is more to read, and then step by
    step: what is written while a reader is held up may be a hundred times as big as what was.
    """
    most = min(MOST_READ, 2 * limit) if len(replies) == limit else FIRST_READ
    size = sum(len(value) for _, fields in replies for value in fields)
    return max(1, min(most, READ_BYTES * len(replies) // size)) if size else most


class Client:
    """Submits commands, follows the journal and reads the cluster's status.

    Each of the three has a connection of its own, so that none waits for another, and so does the
    reading of many fills.
    """

    def __init__(self, server: Server, keys: Keys, name: str = "client") -> None:
        self.server = server
        self.keys = keys
        self.warnings: tuple[str, ...] = ()
        self._highest_id = 0
        self._submitting = server.link(f"matchbox-{name}:submit")
        self._following = server.link(f"matchbox-{name}:follow")
        self._asking = server.link(f"matchbox-{name}:ask")
        self._reading = server.link(f"matchbox-{name}:read")
        self.analytics = AnalyticsBoard(self._reading, keys)
        """What the analytics say, where they run."""

    @classmethod
    async def connect(cls, url: str, prefix: str = "", name: str = "client") -> "Client":
        """A client of the venue at `url`. Raises `Unreachable` or `Unusable`."""
        client = cls(Server(url), Keys(prefix), name)
        try:
            client.warnings = await check_server(client._asking, client.keys)
        except BaseException:
            await client.close()
            raise
        return client

    async def close(self) -> None:
        for link in (self._submitting, self._following, self._asking, self._reading):
            await link.close()

    async def submit(self, commands: Sequence[NewOrder | Tagged]) -> list[int]:
        """Queues up to 1000 commands, all or none, in their order.

        Returns one number a command: the id that a new order got (whatever id it came with),
        or 0. A client_order_id that its trader has used before queues nothing and returns the
        first order's id, negative. Raises `Overloaded` and other `Refused` where nothing was
        queued, `Unreachable` where nothing was sent, `InDoubt` where that is unknown.
        """
        if not 1 <= len(commands) <= MAX_BATCH:
            raise ValueError(f"a batch holds 1 to {MAX_BATCH} commands")
        keys, args = submission(self.keys, commands, self._highest_id, QUEUE_LIMIT)
        numbers = list(await self._submitting.run(SUBMIT, keys, args))
        self._highest_id = max(self._highest_id, *numbers)
        return numbers

    async def restore(self, *, oldest: bool = False) -> Replica:
        """The state from the newest snapshot that holds, or the empty one, to be followed on.

        With `oldest` from as far back as the journal can be followed. Raises `JournalBroken` where
        there is no such place, and other `StoreError`s.
        """
        async for base in bases(self._asking, self.keys, oldest=oldest):
            return base.replica
        raise JournalBroken(NO_PLACE)

    async def follow(
        self, replica: Replica, *, wait_ms: int = 500, until: int | None = None
    ) -> AsyncIterator[Entry]:
        """Applies the journal after the replica's place to it, yielding entry by entry.

        Waits for more at the tip, or ends at sequence `until`. Raises `StoreError` when the
        connection is lost: call it again with the same replica, and nothing is missed. After a
        `JournalBroken` go on with a replica from `restore`: what comes next was trimmed while
        nobody read here, or the store was set back (`StoreSetBack`).
        """
        if until is not None and replica.seq >= until:
            return
        async for entry in self.entries(replica.seq, wait_ms=wait_ms, chain=replica.chain):
            replica.apply(entry)
            yield entry
            if until is not None and entry.seq >= until:
                return

    async def entries(
        self, after: int, *, wait_ms: int = 500, chain: str | None = None
    ) -> AsyncIterator[Entry]:
        """The journal's entries after sequence `after`, without folding them; never ends.

        `chain` is the journal's up to there, where it is known. Raises `StoreError` when the
        connection is lost, `StoreSetBack` where the store has an older or another journal.
        """
        limit = FIRST_READ
        while True:
            replies = await read_unparsed(self._following, self.keys, after, limit, wait_ms)
            if not replies:
                await self._check_not_set_back(after, chain)
            limit = next_read(replies, limit)
            replies.reverse()
            while replies:
                # Each goes as it is read: all of them would be held until the last is handed out.
                entry = parse_entry(replies.pop())
                yield entry
                after, chain = entry.seq, entry.chain

    async def _check_not_set_back(self, seq: int, chain: str | None = None) -> None:
        found, end = await self._following.call("HMGET", self.keys.cursor, "seq", "chain")
        tip = number(found)
        if tip < seq:
            raise StoreSetBack(f"the store was set back from {seq} to {tip}")
        if tip == seq and chain not in (None, (end or b"").decode()):
            # It was set back, and has grown again just so far.
            raise StoreSetBack(f"the store was set back: it has another journal up to {seq}")

    async def catch_up(self, replica: Replica) -> None:
        """Applies everything that is in the journal now. Raises `StoreError` as `follow` does."""
        goal = (await self.cluster()).seq
        limit = FIRST_READ
        while replica.seq < goal:
            replies = await read_unparsed(self._following, self.keys, replica.seq, limit, wait_ms=1)
            if not replies:
                await self._check_not_set_back(goal)
                raise JournalBroken(f"the journal has nothing after {replica.seq}, up to {goal}")
            limit = next_read(replies, limit)
            for reply in replies:
                replica.apply(parse_entry(reply))

    async def count_fills(self) -> int:
        """How many fills `events_stream` holds."""
        return int(await self._asking.call("XLEN", self.keys.fills_stream))

    async def published_fills(self) -> tuple[int, tuple[int, int]]:
        """How many fills `events_stream` holds, and the (seq, n) of the last; (0, -1) for none."""
        key = self.keys.fills_stream
        count, last = await self._asking.calls(
            [("XLEN", key), ("XREVRANGE", key, "+", "-", "COUNT", 1)]
        )
        for reply in (count, last):
            if isinstance(reply, Exception):
                raise reply
        if not last:
            return 0, (0, -1)
        seq, _, n = last[0][0].partition(b"-")
        return count, (int(seq), int(n))

    async def recent_fills(self, limit: int) -> list[FillMessage]:
        """The last `limit` fills of `events_stream`, oldest first."""
        reply = await self._asking.call(
            "XREVRANGE", self.keys.fills_stream, "+", "-", "COUNT", limit
        )
        return _fills_of(reversed(reply))

    async def fills_after(self, seq: int, n: int, limit: int) -> list[FillMessage]:
        """Up to `limit` fills of `events_stream` that come after trade `<seq>-<n>`, oldest first.

        Over a connection of its own, since it may be asked for much. Raises `StoreError`.
        """
        reply = await self._reading.call(
            "XRANGE", self.keys.fills_stream, f"{seq}-{n + 1}", "+", "COUNT", limit
        )
        return _fills_of(reply)

    async def has_fills_after(self, seq: int, n: int) -> bool:
        """Whether `events_stream` still has each fill after trade `<seq>-<n>` that it was told.

        Where all that is left came later, it may have been told some more. Raises `StoreError`.
        """
        key = self.keys.fills_stream
        left = await self._reading.call("XRANGE", key, "-", "+", "COUNT", 1)
        if left:
            first_seq, _, first_n = left[0][0].partition(b"-")
            if (int(first_seq), int(first_n)) <= (seq, n):
                return True
        # It is never trimmed further than the journal is.
        entries = await self.entries_after(0, 1)
        return not entries or entries[0].first_seq <= seq + 1

    async def entries_after(self, seq: int, limit: int, wait_ms: int = 1) -> list[Entry]:
        """Up to `limit` entries of the journal that end after `seq`, waiting for the first.

        Raises `StoreError`.
        """
        return await read_tail(self._reading, self.keys, seq, limit, wait_ms)

    async def check_place(self, place: Tip) -> None:
        """Raises `StoreSetBack` where the journal ends before this place, or there with another
        chain.
        """
        await self._check_not_set_back(place.seq, place.chain)

    async def check_continued(self, place: Tip) -> None:
        """Raises `SnapshotUnusable` where the journal does not go on from this place."""
        await check_continued(self._asking, self.keys, place)

    async def snapshots(self) -> list[Header]:
        """What the venue's recovery snapshots say of themselves, oldest first.

        Leaves out those that can't be read. Raises `StoreError`.
        """
        found = []
        for seq in await list_snapshots(self._asking, self.keys):
            last = await self._asking.call("LINDEX", self.keys.snapshot(seq), -1)
            with contextlib.suppress(SnapshotUnusable):
                if last is not None:
                    found.append(parse_header(last))
        return found

    async def published_seq(self) -> int:
        """The sequence up to which every fill is known to be in `events_stream`.

        The journal is never trimmed beyond it. Raises `StoreError`.
        """
        reply = await self._reading.call("XINFO", "GROUPS", self.keys.log)
        for flat in reply:
            group = dict(zip(flat[::2], flat[1::2], strict=True))
            if group[b"name"] == PUBLISHER.encode():
                return int(group[b"last-delivered-id"].partition(b"-")[0])
        return 0

    async def published_book(self, market: str) -> BookSnapshot | None:
        """The book as the leader publishes it with each commit; None before the first."""
        reply = await self._asking.call("GET", self.keys.book(market))
        return msgspec.json.decode(reply, type=BookSnapshot) if reply is not None else None

    async def queued_order(self, order_id: int) -> NewOrder | None:
        """The order if it is in the queue, with an id that was handed out. O(queue)."""
        key = self.keys.queue
        if order_id > number(await self._asking.call("GET", self.keys.order_id)):
            return None
        pattern = f'"id"%s*:%s*{order_id}[%s,}}]'
        # From the back, where it most likely is: what leaves the front meanwhile moves nothing.
        last = -1
        while True:
            found, looked_at, place = await self._asking.run(
                FIND, (key,), (last - FIND_AT_ONCE + 1, last, pattern)
            )
            if found is not None:
                order = decode_command(found)
                if isinstance(order, NewOrder) and order.order_id == order_id:
                    return order
                # Something else that names the id; the order may stand just before it.
                last -= looked_at - place + 1
                continue
            if looked_at < FIND_AT_ONCE:
                return None
            last -= FIND_AT_ONCE

    async def state_hashes(self, after: str = "-") -> tuple[str, list[StateHash]]:
        """The state hashes that instances published after a place, and the place after those."""
        return await read_hashes(self._asking, self.keys.hashes, after)

    async def cluster(self) -> ClusterStatus:
        return await read_cluster(self._asking, self.keys)

    async def consumer_groups(self) -> list[ConsumerGroup]:
        """Who reads the journal and the fills by a group. Raises `StoreError`."""
        return await read_groups(self._asking, self.keys)

    async def memory(self, groups: Sequence[ConsumerGroup]) -> MemoryStatus:
        """What journal and fills take of the server's memory, with the groups that there are.

        Raises `StoreError`.
        """
        return await read_memory(self._asking, self.keys, groups)

    async def remove_group(self, group: ConsumerGroup) -> bool:
        """Removes a group, which nothing waits for then; whether it was there.

        Raises `StoreError`.
        """
        return await remove_group(self._asking, group)


def submission(
    keys: Keys,
    commands: Sequence[NewOrder | Tagged],
    highest_id: int,
    limit: int,
) -> tuple[list[str], list[Argument]]:
    """What `SUBMIT` takes for these commands: its keys and its arguments.

    `highest_id` is the highest that the submitter was ever given, `limit` the longest that the
    queue may become.
    """
    names = [keys.queue, keys.order_id]
    args: list[Argument] = [limit, REMEMBER_MS, highest_id]
    for command in commands:
        if isinstance(command, NewOrder):
            if command.client_order_id:
                names.append(keys.client_order(command.trader, command.client_order_id))
            args.append(_without_id(command))
        else:
            args.append(encode_command(command))
    return names, args


def _fills_of(reply: Iterable[Reply]) -> list[FillMessage]:
    """The fills in entries of `events_stream`. Raises `JournalBroken` for one that is damaged."""
    fills = []
    for entry_id, flat in reply:
        try:
            fill = msgspec.json.decode(flat[flat.index(b"event") + 1], type=FillMessage)
        except (ValueError, msgspec.MsgspecError):
            raise JournalBroken(f"the fill {entry_id.decode()} can't be read") from None
        fills.append(fill)
    return fills


def _without_id(order: NewOrder) -> bytes:
    encoded = encode_command(order)
    start = encoded.index(b",") + 1
    return (b"*" if order.client_order_id else b"") + encoded[start:]
