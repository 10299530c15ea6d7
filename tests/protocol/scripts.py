"""The Lua scripts again, in Python, one method each.

`test_same_semantics` holds them against the real ones. COMMIT's guards are methods of their own,
so that a mutant can be without one of them.
"""

import hashlib
import re
from collections.abc import Callable
from typing import Any

import msgspec

from matchbox_tui.store import scripts as real
from matchbox_tui.store.trim_scripts import TRIM, TRIM_FILLS, TURN
from tests.protocol.keyspace import Keyspace, Reply, ServerError, Stream

Args = list[bytes]


def number(text: bytes | None) -> int | float | None:
    """As Lua's tonumber, for what is a decimal number."""
    if text is None or not re.fullmatch(rb"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", text):
        return None
    return int(text) if re.fullmatch(rb"\s*[+-]?\d+\s*", text) else float(text)


def known_number(text: bytes) -> int | float:
    value = number(text)
    assert value is not None
    return value


class Scripts:
    """The scripts on one server's keys. Each takes KEYS and ARGV and returns the reply."""

    def __init__(self, keys: Keyspace) -> None:
        self.keys = keys
        self.by_text: dict[str, Callable[[Args, Args], Reply]] = {
            real.SUBMIT.text: self.submit,
            real.ELECT.text: self.elect,
            real.USURP.text: self.usurp,
            real.RAISE.text: self.raise_,
            real.RENEW.text: self.renew,
            real.RELEASE.text: self.release,
            real.PEEK.text: self.peek,
            real.COMMIT.text: self.commit,
            real.PUBLISH.text: self.publish,
            real.KEEP.text: self.keep,
            TURN.text: self.turn,
            TRIM.text: self.trim,
            TRIM_FILLS.text: self.trim_fills,
        }

    def submit(self, names: Args, argv: Args) -> Reply:
        keys, commands = self.keys, argv[3:]
        queue, counter, *order_names = names
        queued = len(keys.elements(queue))
        if queued + len(commands) > known_number(argv[0]):
            raise ServerError(f"OVERLOADED the order queue holds {queued} commands")
        known = self.known_ids(order_names)
        fresh = list(known.values()).count(0) + sum(c.startswith(b'"') for c in commands)
        order_id = self.next_id(counter, fresh, int(known_number(argv[2]))) if fresh else 0
        replies, elements = [], []
        named = iter(order_names)
        for command in commands:
            if command.startswith(b"{"):
                elements.append(command)
                replies.append(0)
                continue
            name = next(named) if command.startswith(b"*") else b""
            if known.get(name):
                replies.append(-known[name])
                continue
            order_id += 1
            elements.append(b'{"id":%d,%b' % (order_id, command.removeprefix(b"*")))
            replies.append(order_id)
            if name:
                self.remember(name, b"%d" % order_id, int(argv[1]))
                known[name] = order_id
        if elements:
            keys.rpush(queue, elements)
        return replies

    def known_ids(self, names: Args) -> dict[bytes, int]:
        """The ids that the client_order_ids stand for, 0 for those that are new."""
        known = {}
        for name in names:
            held = self.keys.string(name)
            if held is not None and number(held) is None:
                raise ServerError(f"ERR {name.decode()} holds no order id")
            known[name] = int(known_number(held)) if held is not None else 0
        return known

    def next_id(self, counter: bytes, fresh: int, highest: int) -> int:
        """Takes so many ids and returns the one before them."""
        order_id = self.keys.incrby(counter, fresh) - fresh
        if order_id < highest:
            order_id = highest + real.ID_MARGIN
            self.keys.set(counter, b"%d" % (order_id + fresh))
        return order_id

    def remember(self, name: bytes, order_id: bytes, ms: int) -> None:
        self.keys.set(name, order_id, ms)

    # The lead

    def elect(self, names: Args, argv: Args) -> Reply:
        if self.keys.get(names[0]) is not None:
            return None
        return self.take(names, argv)

    def usurp(self, names: Args, argv: Args) -> Reply:
        if (self.keys.string(names[1]) or b"0") != argv[4]:
            return None
        return self.take(names, argv)

    def take(self, names: Args, argv: Args) -> Reply:
        leader, epoch_key, cursor, counter = names
        tip = self.keys.hash(cursor)
        # Read where nothing is written yet, as the script does: it may be no string.
        self.keys.string(counter)
        written = max(number(tip.get(b"epoch")) or 0, known_number(argv[2]))
        if written > (number(self.keys.string(epoch_key)) or 0):
            self.keys.set(epoch_key, b"%d" % written)
        epoch = self.next_epoch(epoch_key)
        self.raise_([counter], [argv[3]])
        self.keys.set(leader, argv[0], int(argv[1]))
        counted = self.keys.string(counter) or b"0"
        return [epoch, tip.get(b"seq", b"0"), tip.get(b"chain", b""), counted]

    def next_epoch(self, key: bytes) -> int:
        return self.keys.incrby(key, 1)

    def raise_(self, names: Args, argv: Args) -> Reply:
        seen = known_number(argv[0])
        if (number(self.keys.string(names[0])) or 0) >= seen:
            return 0
        self.keys.set(names[0], b"%d" % (seen + real.ID_MARGIN))
        return 1

    def renew(self, names: Args, argv: Args) -> Reply:
        if not self.may_renew(names, argv):
            return 0
        self.keys.set(names[0], argv[0], int(argv[2]))
        return 1

    def may_renew(self, names: Args, argv: Args) -> bool:
        leader, epoch = self.keys.string(names[0]), self.keys.string(names[1])
        return epoch == argv[1] and leader in (None, argv[0])

    def release(self, names: Args, argv: Args) -> Reply:
        if self.keys.string(names[1]) != argv[1] or self.keys.string(names[0]) != argv[0]:
            return 0
        return self.keys.delete(names[0])

    # Queue and journal

    def peek(self, names: Args, argv: Args) -> Reply:
        limit, room = int(argv[0]), int(argv[1])
        found: list[bytes] = []
        for element in self.keys.elements(names[0])[:limit]:
            room -= len(element)
            if room < 0 and found:
                break
            found.append(element[: real.CUT])
        return found

    def commit(self, names: Args, argv: Args) -> Reply:
        keys = self.keys
        cursor, epoch_key, leader_key, log, queue, *books = names
        me, epoch, seq0, chain0, seq1, chain1, n, digest, blob, version, lease = argv[:11]
        tip = keys.hash(cursor)
        at = (tip.get(b"seq", b"0"), tip.get(b"chain", b""))
        if self.is_in(at, (seq1, chain1)):
            return b"DUP"
        leads = keys.string(leader_key)
        if self.is_old(keys.string(epoch_key), epoch) or self.is_another(leads, me):
            return b"FENCED"
        if self.has_moved(at, (seq0, chain0)):
            return b"CAS"
        head = [element[: real.CUT] for element in keys.lrange(queue, 0, int(n) - 1)]
        if self.is_other_input(head, int(n), digest):
            return b"INPUT"
        keys.xadd(log, seq1 + b"-0", [b"v", version, b"e", epoch, b"c", chain1, b"b", blob])
        self.drop(queue, int(n))
        keys.hset(cursor, [b"seq", seq1, b"chain", chain1, b"epoch", epoch])
        for name, book in zip(books, argv[11:], strict=True):
            keys.set(name, book)
        keys.set(leader_key, me, int(lease))
        return b"OK"

    def is_in(self, at: tuple[bytes, bytes], after: tuple[bytes, bytes]) -> bool:
        return at == after

    def is_old(self, current: bytes | None, epoch: bytes) -> bool:
        return current != epoch

    def is_another(self, leader: bytes | None, me: bytes) -> bool:
        return leader not in (None, me)

    def has_moved(self, at: tuple[bytes, bytes], before: tuple[bytes, bytes]) -> bool:
        return at != before

    def is_other_input(self, head: list[bytes], n: int, digest: bytes) -> bool:
        found = hashlib.sha1(b"\0".join(head), usedforsecurity=False).hexdigest().encode()
        return len(head) != n or found != digest

    def drop(self, queue: bytes, n: int) -> None:
        self.keys.ltrim(queue, n)

    # The cold path

    def publish(self, names: Args, argv: Args) -> Reply:
        stream = self.keys.stream(names[0])
        last = b"%d-%d" % stream.last if stream is not None else b"0-0"
        if self.is_overtaken(last, argv[3]) or self.is_undone(names[1], argv[1], argv[2]):
            return 0
        for fill in argv[4].splitlines():
            entry_id = msgspec.json.decode(fill)["trade_id"].encode()
            self.keys.xadd(names[0], self.fill_id(entry_id), [b"event", fill])
            self.tell(argv[0], fill)
        return 1

    def is_overtaken(self, last: bytes, expected: bytes) -> bool:
        return last != expected

    def is_undone(self, log: bytes, entry_id: bytes, chain: bytes) -> bool:
        """Whether the commit is not, or no longer, in the journal."""
        return not self.is_there(self.keys.xrange(log, entry_id, 1), entry_id, chain)

    def is_there(self, entries: list[list[Any]], entry_id: bytes, chain: bytes) -> bool:
        """Whether the first of the entries is this one."""
        if not entries or entries[0][0] != entry_id:
            return False
        flat = entries[0][1]
        return dict(zip(flat[::2], flat[1::2], strict=True)).get(b"c") == chain

    def fill_id(self, entry_id: bytes) -> bytes:
        return entry_id

    def tell(self, channel: bytes, message: bytes) -> None:
        """PUBLISH: nobody of ours listens."""

    def keep(self, names: Args, argv: Args) -> Reply:
        keys = self.keys
        draft, snapshot, index, cursor = names
        if len(keys.elements(draft)) != int(argv[2]):
            return b"LOST"
        seq, tip = int(argv[1]), int(keys.hash(cursor).get(b"seq", b"0"))
        if seq > tip:
            return b"AHEAD"
        if any(seq < score <= tip for score in keys.zset(index).values()):
            return b"LATE"
        keys.rpush(draft, [argv[0]])
        parts = keys.elements(draft)
        keys.delete(draft)
        keys.delete(snapshot)
        keys.values[snapshot] = parts
        held: Any = keys.zset(index)
        held[argv[1]] = float(argv[1])
        keys.values[index] = held
        return b"KEPT"

    def turn(self, names: Args, argv: Args) -> Reply:
        keys = self.keys
        turn = keys.string(names[0])
        if turn is not None:
            early = re.search(rb" (\d+)$", turn)
            left = keys.expiries.get(names[0], keys.now_ms() - 1) - keys.now_ms()
            if early is None or left > int(early[1]):
                return 0
            newest = max(keys.zset(names[1]).values(), default=0)
            if known_number(argv[2]) - newest < known_number(argv[3]):
                return 0
        keys.set(names[0], argv[0], int(argv[1]))
        return 1

    def trim(self, names: Args, argv: Args) -> Reply:
        """Trims to the entry, which the real one does only now and then."""
        stream = self.keys.stream(names[0])
        kept = self.keys.zset(names[1])
        if len(kept) < 2 or stream is None or argv[0] not in stream.groups:
            return 0
        seqs = [int(score) for score in kept.values()]
        needed = min(min(seqs) + 1, max(seqs) - int(argv[2]) + 1, self.first_unread(stream))
        return stream.drop(sum(entry_id < (needed, 0) for entry_id in stream.ids))

    def first_unread(self, stream: Stream) -> int:
        return min(seq + 1 for seq, _ in stream.groups.values())

    def trim_fills(self, names: Args, argv: Args) -> Reply:
        """As exactly as `trim`."""
        stream = self.keys.stream(names[0])
        begins = self.is_there(self.keys.xrange(names[1], b"-", 1), argv[0], argv[1])
        if not begins or stream is None:
            return 0
        needed = min([(int(argv[2]), 0), *((seq, n + 1) for seq, n in stream.groups.values())])
        spare = len(stream.ids) - int(argv[3])
        older = sum(entry_id < needed for entry_id in stream.ids)
        return stream.drop(max(0, min(older, spare, int(argv[4]))))
