"""The journal: a chain that shows where it was cut, altered or written by a stranger."""

import msgspec
import pytest

from matchbox_tui.engine import encode_events
from matchbox_tui.store import (
    Entry,
    JournalBroken,
    Keys,
    Link,
    Outcome,
    Replica,
    Store,
    chained,
)
from tests.store.build import LEASE, buy, elected, match, put, sell


@pytest.fixture
async def leader(store: Store, link: Link, keys: Keys) -> Replica:
    """Five commits of two orders each: what the leader holds after them."""
    await elected(store)
    replica = Replica()
    for n in range(5):
        await put(link, keys, buy(50 - n, 10, order_id=2 * n + 1), sell(50, 7, order_id=2 * n + 2))
        commit = match(await store.peek(10), replica, 1)
        assert await store.commit(commit, LEASE, 1) == (Outcome.OK, [])
    return replica


async def _fold(store: Store, replica: Replica | None = None) -> Replica:
    replica = replica if replica is not None else Replica()
    for entry in await store.read(replica.seq, 100):
        replica.apply(entry)
    return replica


async def _entries(store: Store) -> list[Entry]:
    return await store.read(0, 100)


async def test_a_replica_of_the_journal_equals_the_leader(leader: Replica, store: Store) -> None:
    replica = await _fold(store)
    assert replica.tip == leader.tip == await store.tip()
    assert replica.seq == 10
    assert replica.epoch == 1
    assert replica.exchange.state_hash() == leader.exchange.state_hash()


async def test_a_replica_goes_on_from_where_it_is(leader: Replica, store: Store) -> None:
    replica = Replica()
    for entry in (await _entries(store))[:2]:
        replica.apply(entry)
    assert replica.seq == 4
    assert (await _fold(store, replica)).tip == leader.tip


async def test_the_journal_is_read_a_part_at_a_time(leader: Replica, store: Store) -> None:
    assert [entry.seq for entry in await store.read(0, 2)] == [2, 4]
    assert [entry.seq for entry in await store.read(4, 2)] == [6, 8]
    assert await store.read(leader.seq, 2) == []
    assert [entry.seq for entry in await store.tail(6, 10, 10)] == [8, 10]
    assert await store.tail(leader.seq, 10, 1) == []


async def test_a_missing_entry_breaks_the_journal(
    leader: Replica, store: Store, link: Link, keys: Keys
) -> None:
    await link.call("XDEL", keys.log, "4-0")
    with pytest.raises(JournalBroken, match="has 5 after 2"):
        await _fold(store)


async def test_an_entry_applied_twice_breaks_the_journal(leader: Replica, store: Store) -> None:
    (first, *_) = await _entries(store)
    replica = Replica()
    replica.apply(first)
    with pytest.raises(JournalBroken, match="has 1 after 2"):
        replica.apply(first)


async def test_an_altered_entry_breaks_the_chain(leader: Replica, store: Store) -> None:
    first, second, *_ = await _entries(store)
    events = [
        msgspec.structs.replace(event, price=1) if hasattr(event, "price") else event
        for event in second.events
    ]
    forged = msgspec.structs.replace(second, events=events, blob=encode_events(events))
    replica = Replica()
    replica.apply(first)
    with pytest.raises(JournalBroken, match="chain breaks at 3"):
        replica.apply(forged)
    assert replica.tip.seq == 2
    replica.apply(second)


async def test_entries_of_another_history_don_t_fit(leader: Replica, store: Store) -> None:
    first, second, *_ = await _entries(store)
    other = Replica()
    commit = match([b"no order", b"none either"], other, 1)
    swapped = Entry(2, 1, commit.after.chain, commit.blob, [])
    replica = Replica()
    replica.apply(first)
    replica.chain = swapped.chain
    with pytest.raises(JournalBroken, match="chain breaks at 3"):
        replica.apply(second)


async def test_an_epoch_that_falls_breaks_the_journal(leader: Replica, store: Store) -> None:
    first, second, *_ = await _entries(store)
    replica = Replica()
    replica.apply(msgspec.structs.replace(first, epoch=2))
    with pytest.raises(JournalBroken, match="epoch falls from 2 to 1 at 3"):
        replica.apply(second)


async def test_events_that_contradict_the_state_break_the_journal(
    leader: Replica, store: Store
) -> None:
    _, second, *_ = await _entries(store)
    events = [event for event in second.events if type(event).__name__ != "OrderAccepted"]
    shifted = [msgspec.structs.replace(event, seq=event.seq - 2) for event in events]
    blob = encode_events(shifted)
    with pytest.raises(JournalBroken, match="contradicts itself"):
        Replica().apply(Entry(2, 1, chained("", blob), blob, shifted))


async def _raw(link: Link, keys: Keys, entry_id: str, **fields: bytes) -> None:
    """An entry as another program might have written it."""
    flat = [part for field in fields.items() for part in field]
    await link.call("XADD", keys.log, entry_id, *flat)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"v": b"2", "b": b"?"}, "has version 2, this program reads 1: upgrade matchbox"),
        ({"v": b"\xff", "b": b"?"}, "upgrade matchbox"),
        ({"b": b'[{"type":"order.teleported","seq":11}]'}, "can't be read.*order.teleported"),
        ({"b": b'[{"type":"order.rested","seq":11}]'}, "can't be read.*missing required field"),
        ({"b": b"not json"}, "can't be read"),
        ({"b": b"\xff\xfe"}, "can't be read"),
        ({"b": b"[]"}, "does not hold what its id says"),
        ({"b": b'[{"type":"market.halted","seq":9,"market":"X","timestamp":0}]'}, "id says"),
        ({"c": b"\xff", "b": b"[]"}, "can't be read"),
        ({"e": b"one", "b": b"[]"}, "can't be read"),
        ({"x": b"y"}, "can't be read"),
    ],
)
async def test_an_entry_that_this_version_can_t_read_is_told(
    leader: Replica, store: Store, link: Link, keys: Keys, fields: dict[str, bytes], words: str
) -> None:
    whole = {"v": b"1", "e": b"1", "c": b"c", **fields}
    await _raw(link, keys, "11-0", **(fields if "x" in fields else whole))
    for read in (store.read(10, 5), store.tail(10, 5, 10)):
        with pytest.raises(JournalBroken, match=f"^journal entry 11-0 .*{words}") as caught:
            await read
        assert "\n" not in str(caught.value)
