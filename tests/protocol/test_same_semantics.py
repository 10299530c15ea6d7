"""The server's double does what a real server with the real scripts does.

The same operations run on both, through the project's own `Store`, `Client` and `Link`. Every
reply, every refusal and everything that is in the keys afterwards must be the same: this is what
makes the simulator's results mean something.
"""

import asyncio
import itertools
import os
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matchbox_tui.engine import (
    CancelAll,
    CancelOrder,
    Exchange,
    NewOrder,
    Side,
    TradeExecuted,
    dump_parts,
    encode_events,
)
from matchbox_tui.store import (
    Client,
    Commit,
    EmbeddedServer,
    Header,
    Keys,
    Server,
    Store,
    StoreError,
    Tip,
    chained,
    fill_message,
)
from matchbox_tui.store.scripts import CUT, PEEK, SUBMIT
from tests.protocol.direct import DirectServer, real_ms
from tests.protocol.mutants import MUTANTS
from tests.protocol.server import ServerDouble

HOUR = 3_600_000

ODD_ELEMENTS = (
    b"",
    b"\0",
    b"junk",
    b"a\0b\0",
    b'{"id":7,"side":"buy","price":50,"qty":1}',
    b"x" * (CUT - 1),
    b"x" * CUT,
    b"x" * (CUT + 1),
    b"x" * (2 * CUT),
    bytes(range(256)),
)

_venues = itertools.count(1)


class World:
    """One server seen through the project's own code, and what its clients remember."""

    def __init__(self, server: Server, keys: Keys) -> None:
        self.keys = keys
        self.stores = {name: Store(server, keys, name) for name in ("a", "b")}
        self.client = Client(server, keys)
        self.link = server.link("matchbox-looking")
        self.commits: list[tuple[str, Commit]] = []

    async def close(self) -> None:
        for store in self.stores.values():
            await store.close()
        await self.client.close()
        await self.link.close()

    async def look(self) -> dict[bytes, Any]:
        """Every key of the venue: type, content, and whether it expires."""
        names = sorted(await self.link.call("KEYS", f"{self.keys.prefix}*"))
        found = {}
        for name in names:
            kind, left = await self.link.calls([("TYPE", name), ("PTTL", name)])
            found[name] = (kind, left > 0, await self._content(name, kind))
        return found

    async def _content(self, name: bytes, kind: bytes) -> Any:
        link, key = self.link, name.decode()
        if kind == b"string":
            return await link.call("GET", key)
        if kind == b"list":
            return await link.call("LRANGE", key, 0, -1)
        if kind == b"hash":
            flat = await link.call("HGETALL", key)
            held = dict(zip(flat[::2], flat[1::2], strict=True))
            # Each server counts its connections itself.
            return {field: text for field, text in held.items() if field != b"connection"}
        if kind == b"zset":
            members = await link.call("ZRANGE", key, 0, -1)
            # Scores are times, by which equal ones and others may differ.
            return sorted(members) if key == self.keys.instances else members
        facts, groups = await link.calls([("XINFO", "STREAM", key), ("XINFO", "GROUPS", key)])
        last = facts[facts.index(b"last-generated-id") + 1]
        read = [(flat[1], flat[flat.index(b"last-delivered-id") + 1]) for flat in groups]
        return last, read, await link.call("XRANGE", key, "-", "+")


# Operations. Each draws what it does from the number that it is given and from what its world has
# shown, which is the same for both.

Operation = Callable[[World, random.Random], Awaitable[Any]]


def _store(world: World, chance: random.Random) -> Store:
    return world.stores[chance.choice("aab")]


def _tip(chance: random.Random, tip: Tip) -> Tip:
    """Mostly the right one."""
    odd = Tip(tip.seq + chance.choice((-1, 1)), tip.chain), Tip(tip.seq, "another"), Tip()
    return chance.choice((*(tip,) * 6, *odd))


async def submit(world: World, chance: random.Random) -> Any:
    commands: list[Any] = []
    for _ in range(chance.randrange(1, 5)):
        kind = chance.random()
        if kind < 0.15:
            commands.append(CancelOrder(chance.randrange(5)))
        elif kind < 0.25:
            commands.append(CancelAll("\0 ä"))
        else:
            commands.append(
                NewOrder(
                    order_id=99,
                    side=Side.BUY,
                    price=50,
                    qty=chance.randrange(1, 9),
                    trader=chance.choice(("", "ann", "a:b", "a%3Ab")),
                    client_order_id=chance.choice(("", "", "x", "y", "ä\0")),
                )
            )
    return await world.client.submit(commands)


async def submit_raw(world: World, chance: random.Random) -> Any:
    """Limits, floors of the id, and bodies that are no JSON."""
    names, bodies = [], []
    for _ in range(chance.randrange(1, 5)):
        body = chance.choice((b'"side":', b"{x", b"{\0}", b'"\0"}', b"*", b'*"a"', b"*\0"))
        if body.startswith(b"*"):
            names.append(world.keys.client_order("", chance.choice("xy")))
        bodies.append(body)
    limit, highest = chance.choice((3, 10, 10**6)), chance.choice((0, 0, 5, 2**40))
    keys = [world.keys.queue, world.keys.order_id, *names]
    return await world.link.run(SUBMIT, keys, [limit, HOUR, highest, *bodies])


async def push(world: World, chance: random.Random) -> Any:
    elements = [chance.choice(ODD_ELEMENTS) for _ in range(chance.randrange(1, 5))]
    return await world.link.call("RPUSH", world.keys.queue, *elements)


async def push_many(world: World, chance: random.Random) -> Any:
    return await world.link.call("RPUSH", world.keys.queue, *[b"{}"] * chance.choice((31, 32, 70)))


async def peek(world: World, chance: random.Random) -> Any:
    return await _store(world, chance).peek(chance.choice((1, 2, 5, 32, 33, 1000)))


async def peek_raw(world: World, chance: random.Random) -> Any:
    args = chance.choice((1, 3, 32, 64)), chance.choice((0, 1, 10, CUT, 3 * CUT, 10**9))
    return await world.link.run(PEEK, [world.keys.queue], args)


async def wait(world: World, chance: random.Random) -> Any:
    return await _store(world, chance).wait_for_command(0.001)


async def elect(world: World, chance: random.Random) -> Any:
    return await _store(world, chance).elect(HOUR)


async def usurp(world: World, chance: random.Random) -> Any:
    store = _store(world, chance)
    epoch = await world.link.call("GET", world.keys.epoch)
    seen = int(epoch) if epoch is not None and epoch.isdigit() else 0
    return await store.usurp(seen - chance.choice((0, 0, 1)), HOUR)


async def renew(world: World, chance: random.Random) -> Any:
    store = _store(world, chance)
    return await store.renew(await _epoch(world, chance), 2 * HOUR)


async def release(world: World, chance: random.Random) -> Any:
    store = _store(world, chance)
    return await store.release(await _epoch(world, chance))


async def view(world: World, chance: random.Random) -> Any:
    return await _store(world, chance).view()


async def beat(world: World, chance: random.Random) -> Any:
    store = _store(world, chance)
    return await store.heartbeat("leading", 3, 4, "host", 5, 6, HOUR)


async def vanish(world: World, chance: random.Random) -> Any:
    """The process ends, and so do its connections."""
    return await _store(world, chance).close()


async def depart(world: World, chance: random.Random) -> Any:
    return await _store(world, chance).depart()


async def commit(world: World, chance: random.Random) -> Any:
    """A commit that is right, or wrong in one of many ways."""
    name = chance.choice("aab")
    store = world.stores[name]
    tip = await store.tip()
    elements = await store.peek(chance.choice((1, 2, 3, 40)))
    if not elements or chance.random() < 0.1:
        elements = [*elements, chance.choice(ODD_ELEMENTS)]
    elif chance.random() < 0.1:
        elements = elements[1:]
    before = _tip(chance, tip)
    seq = before.seq + len(elements)
    trade = TradeExecuted(seq, 0, "MAIN", 1, 2, 50, 1, Side.BUY, "", "", 0)
    blob = encode_events([trade])
    books = {market: b"{}" for market in ("MAIN", "RAIN") if chance.random() < 0.5}
    after = Tip(seq, chained(before.chain, blob))
    made = Commit(await _epoch(world, chance), before, after, elements, blob, books)
    world.commits.append((name, made))
    return await store.commit(made, HOUR, 3)


async def commit_again(world: World, chance: random.Random) -> Any:
    """As a leader that lost the reply, or a zombie."""
    if not world.commits:
        return None
    name, made = chance.choice(world.commits[-3:])
    return await world.stores[name].commit(made, HOUR, 3)


async def read(world: World, chance: random.Random) -> Any:
    return await _store(world, chance).read(chance.randrange(0, 20), chance.choice((1, 2, 100)))


async def tail(world: World, chance: random.Random) -> Any:
    return await _store(world, chance).tail(chance.randrange(0, 20), chance.choice((1, 100)), 1)


async def publish(world: World, chance: random.Random) -> Any:
    """The fills of one of the journal's commits, or of none of them, after the right or any id."""
    store = _store(world, chance)
    entries = await store.read(0, 100)
    entry = chance.choice(entries) if entries else None
    place = Tip(entry.seq, entry.chain) if entry is not None else Tip(1, "x")
    last = await store.last_published()
    last = chance.choice((last, last, last, (0, -1), (1, 0)))
    trades = [event for event in entry.events if isinstance(event, TradeExecuted)] if entry else []
    fills = [(trade.seq, trade.n, fill_message(trade)) for trade in trades]
    return await store.publish(_tip(chance, place), last, fills * chance.choice((1, 1, 2)))


async def recent_fills(world: World, chance: random.Random) -> Any:
    client = world.client
    return await client.recent_fills(chance.choice((1, 3))), await client.published_fills()


async def last_published(world: World, chance: random.Random) -> Any:
    return await _store(world, chance).last_published()


async def note_published(world: World, chance: random.Random) -> Any:
    return await _store(world, chance).published(chance.randrange(0, 9))


async def snapshot(world: World, chance: random.Random) -> Any:
    seq = chance.randrange(1, 9)
    head = Header(seq, "chain", 1, 5, 0)
    archive = _store(world, chance).archive
    return await archive.write(head, dump_parts(Exchange()), chance.choice((0, 3, 1000)))


async def snapshot_turn(world: World, chance: random.Random) -> Any:
    seq, growth = chance.randrange(1, 20), chance.choice((1, 5, 100))
    return await _store(world, chance).archive.take_turn(HOUR, seq, growth)


async def snapshot_turn_end(world: World, chance: random.Random) -> Any:
    return await _store(world, chance).archive.end_turn(HOUR, chance.choice((0, 2 * HOUR)))


async def list_bases(world: World, chance: random.Random) -> Any:
    return [base.replica.tip async for base in _store(world, chance).archive.bases()]


async def count_up(world: World, chance: random.Random) -> Any:
    return await world.link.call("INCR", world.keys.order_id)


async def set_counter_back(world: World, chance: random.Random) -> Any:
    return await world.link.call("SET", world.keys.order_id, chance.choice((0, 1, 1000)))


async def set_counter(world: World, chance: random.Random) -> Any:
    value = chance.choice((b"%d" % 2**52, b"no number", b"1.5", b""))
    return await world.link.call("SET", world.keys.order_id, value)


async def set_epoch(world: World, chance: random.Random) -> Any:
    value = chance.choice((b"1", b"40", b"no number"))
    return await world.link.call("SET", world.keys.epoch, value)


async def set_cursor_epoch(world: World, chance: random.Random) -> Any:
    value = chance.choice((b"3", b"90", b"", b"no number"))
    return await world.link.call("HSET", world.keys.cursor, "epoch", value)


async def lose(world: World, chance: random.Random) -> Any:
    """A key is gone, as a lease that has run out is."""
    keys = world.keys
    lost = chance.choice((keys.leader, keys.leader, keys.leader, keys.epoch, keys.fills_stream))
    return await world.link.call("DEL", lost)


async def spoil(world: World, chance: random.Random) -> Any:
    """A key holds what does not belong there; now and then all are gone, for a new beginning."""
    keys = world.keys
    name = chance.choice(
        (keys.queue, keys.leader, keys.epoch, keys.cursor, keys.order_id, keys.fills_stream)
    )
    await world.link.call("DEL", name)
    return await world.link.call("HSET" if name == keys.queue else "RPUSH", name, "x", "y")


async def start_over(world: World, chance: random.Random) -> Any:
    names = sorted(await world.link.call("KEYS", f"{world.keys.prefix}*"))
    return await world.link.call("DEL", "nothing", *names)


async def _epoch(world: World, chance: random.Random) -> int:
    """Mostly the one there is."""
    held = await world.link.call("GET", world.keys.epoch)
    epoch = int(held) if held is not None and held.isdigit() else 0
    return epoch + chance.choice((0, 0, 0, 0, 0, -1, 1))


COMMON: tuple[Operation, ...] = (submit, push, elect, commit, commit, commit_again, publish, view)
RARE: tuple[Operation, ...] = (
    *(submit_raw, push_many, peek, peek_raw, wait, usurp, renew, release, beat, vanish, depart),
    *(read, tail, last_published, recent_fills, note_published, snapshot),
    *(snapshot_turn, snapshot_turn_end),
    *(list_bases, count_up),
    *(set_counter_back, set_epoch, set_cursor_epoch, lose, lose),
)
ODD: tuple[Operation, ...] = (set_counter, spoil, start_over)


async def _done(operation: Operation, world: World, number: int) -> Any:
    """What came of it: what it returned, or in what words it was refused."""
    try:
        return await operation(world, random.Random(number))
    except StoreError as error:
        return type(error), str(error)


async def _compare(
    url: str, steps: list[tuple[Operation, int]], double_class: type[ServerDouble] = ServerDouble
) -> None:
    keys = Keys(f"s{os.getpid()}-{next(_venues)}:")
    double = World(DirectServer(double_class(keys, real_ms)), keys)
    real = World(Server(url), keys)
    try:
        for operation, number in steps:
            expected = await _done(operation, real, number)
            assert await _done(operation, double, number) == expected, operation.__name__
            assert await double.look() == await real.look(), operation.__name__
    finally:
        names = await real.link.call("KEYS", f"{keys.prefix}*")
        await real.link.call("DEL", "nothing", *names)
        await real.close()
        await double.close()


STEPS = st.lists(
    st.tuples(st.sampled_from((*COMMON * 3, *RARE, *ODD)), st.integers(0, 2**32)),
    min_size=1,
    max_size=60,
)


@settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(steps=STEPS)
def test_any_operations_have_the_same_replies_and_leave_the_same(
    server: EmbeddedServer, steps: list[tuple[Operation, int]]
) -> None:
    asyncio.run(_compare(server.url, steps))


def _history(seed: int) -> list[tuple[Operation, int]]:
    """A long one, in which nothing is spoilt, so that commits follow on each other."""
    chance = random.Random(seed)
    return [(chance.choice((*COMMON * 6, *RARE)), chance.randrange(2**32)) for _ in range(300)]


@pytest.mark.parametrize("seed", range(6))
def test_long_histories_are_the_same(server: EmbeddedServer, seed: int) -> None:
    asyncio.run(_compare(server.url, _history(seed)))


@pytest.mark.parametrize(
    "mutant", [name for name in MUTANTS if MUTANTS[name].parts.server is not ServerDouble]
)
def test_a_double_without_a_guard_is_told_from_the_real_one(
    server: EmbeddedServer, mutant: str
) -> None:
    double_class = MUTANTS[mutant].parts.server

    async def compare() -> None:
        for seed in range(6):
            await _compare(server.url, _history(seed), double_class)

    with pytest.raises(AssertionError):
        asyncio.run(compare())


@pytest.mark.parametrize(
    ("snapshots", "published", "history", "dropped"),
    [
        ((200, 250), 300, 0, 200),
        ((200, 250), 100, 0, 100),
        ((200, 250), 300, 150, 100),
        ((200, 250), 300, 400, 0),
        ((200,), 300, 0, 0),
        ((200, 250), None, 0, 0),
    ],
)
async def test_the_journal_is_trimmed_as_far(
    url: str, snapshots: tuple[int, ...], published: int | None, history: int, dropped: int
) -> None:
    """Where whole nodes of the stream can go: the real one leaves what it would have to split."""
    keys = Keys(f"s{os.getpid()}-{next(_venues)}:")
    found = []
    for server in (Server(url), DirectServer(ServerDouble(keys, real_ms))):
        world = World(server, keys)
        await world.link.calls([("XADD", keys.log, f"{n}-0", "b", "") for n in range(1, 301)])
        for seq in snapshots:
            await world.link.call("ZADD", keys.snapshots, seq, str(seq))
        if published is not None:
            await world.stores["a"].published(published)
        assert await world.stores["a"].archive.trim(history) == dropped
        found.append(await world.look())
        await world.close()
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("given", "keep", "dropped"),
    [(None, 0, 200), ("0-0", 0, 0), ("100-0", 0, 100), (None, 200, 100), (None, 300, 0)],
)
async def test_the_fills_are_trimmed_as_far(
    url: str, given: str | None, keep: int, dropped: int
) -> None:
    """As above. A group was `given` fills up to there."""
    keys = Keys(f"s{os.getpid()}-{next(_venues)}:")
    found = []
    for server in (Server(url), DirectServer(ServerDouble(keys, real_ms))):
        world = World(server, keys)
        fills = [("XADD", keys.fills_stream, f"{n}-0", "event", "") for n in range(1, 301)]
        await world.link.calls(fills)
        blob = encode_events([TradeExecuted(201, 0, "MAIN", 1, 2, 50, 1, Side.BUY, "", "", 0)])
        entry = ("v", "1", "e", "1", "c", "chain", "b", blob)
        await world.link.call("XADD", keys.log, "201-0", *entry)
        if given is not None:
            await world.link.call("XGROUP", "CREATE", keys.fills_stream, "ledger", given)
        found.append((await world.stores["a"].archive.trim_fills(keep), await world.look()))
        await world.close()
    assert found[0] == found[1]
    assert found[0][0] == dropped
