"""Recovery snapshots: whole or not there, and whoever reads one knows which."""

import asyncio
import contextlib
import itertools
import logging
import zlib
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchbox_tui.engine import Exchange, Part, dump_parts, state
from matchbox_tui.store import (
    Archive,
    Header,
    JournalBroken,
    Keys,
    Link,
    Replica,
    Server,
    SnapshotUnusable,
    Store,
    Tip,
)
from matchbox_tui.store import snapshot as snapshot_module
from matchbox_tui.store.client import Client
from matchbox_tui.store.scripts import KEEP
from matchbox_tui.store.snapshot import (
    DRAFT_MS,
    VERSION,
    list_snapshots,
    load_snapshot,
    prune_snapshots,
    sealed,
    superfluous,
    write_snapshot,
)
from tests.engine.workload import Workload
from tests.store.build import altered, content
from tests.store.states import (
    SEQ,
    Past,
    busy,
    elements_of,
    head_of,
    point_at,
    put_snapshot,
    rich,
    write_as_version_1,
)

pytestmark = pytest.mark.usefixtures("unsynced")

HEAD = Header(SEQ, "c", 3, 77, 1_700_000_000_000)


async def _write(link: Link, keys: Keys, exchange: Exchange, head: Header = HEAD) -> None:
    await point_at(link, keys, head.seq, head.chain)
    await write_snapshot(link, keys, "a", head, dump_parts(exchange))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every snapshot has many parts, which go and come one by one."""
    monkeypatch.setattr(state, "PART_SIZE", 20)
    monkeypatch.setattr(snapshot_module, "SEND_BYTES", 1)
    monkeypatch.setattr(snapshot_module, "READ_PARTS", 1)


# There and back


@pytest.mark.parametrize(
    ("part", "send", "read", "seed"),
    [(500, 64 * 1024, 8, 1), (1, 900, 1, 2), (7, 1, 3, 3), (40, 1, 100, 4)],
)
async def test_what_is_written_is_read(
    link: Link,
    keys: Keys,
    monkeypatch: pytest.MonkeyPatch,
    part: int,
    send: int,
    read: int,
    seed: int,
) -> None:
    monkeypatch.setattr(state, "PART_SIZE", part)
    monkeypatch.setattr(snapshot_module, "SEND_BYTES", send)
    monkeypatch.setattr(snapshot_module, "READ_PARTS", read)
    exchange = busy(seed)
    await _write(link, keys, exchange)
    assert await list_snapshots(link, keys) == [SEQ]
    head, replica = await load_snapshot(link, keys, SEQ)
    assert replica.exchange.state_hash() == exchange.state_hash()
    assert (replica.tip, replica.epoch) == (Tip(SEQ, "c"), 3)
    assert msgspec.structs.replace(head, parts=0, crc32=0) == HEAD
    assert head.parts == len(await elements_of(link, keys, SEQ)) - 1
    assert await link.call("PTTL", keys.snapshot(SEQ)) == -1


@pytest.mark.parametrize("seq", [2**53 - 2, 2**53 - 1])
async def test_numbers_of_any_size_are_kept(link: Link, keys: Keys, seq: int) -> None:
    exchange = rich()
    exchange.seq = seq
    head = Header(seq, "c", 2**40, 2**53 - 1, 2**45)
    await _write(link, keys, exchange, head)
    await put_snapshot(link, keys, seq - 1, [b"?"])
    assert await list_snapshots(link, keys) == [seq - 1, seq]
    found, replica = await load_snapshot(link, keys, seq)
    assert (found.order_id, found.epoch) == (2**53 - 1, 2**40)
    assert replica.exchange.state_hash() == exchange.state_hash()


async def test_a_venue_without_orders_or_markets_is_kept(link: Link, keys: Keys) -> None:
    for seq, exchange in ((1, Exchange()), (2, Exchange(()))):
        exchange.seq = seq
        await _write(link, keys, exchange, Header(seq, "c", 1, 0, 0))
        _, replica = await load_snapshot(link, keys, seq)
        assert replica.exchange.dump() == exchange.dump()


async def test_a_second_snapshot_of_one_place_takes_the_place_of_the_first(
    link: Link, keys: Keys
) -> None:
    await put_snapshot(link, keys, SEQ, [b"something torn"])
    await _write(link, keys, busy(1))
    assert (await load_snapshot(link, keys, SEQ))[0].seq == SEQ


async def test_a_snapshot_of_version_1_is_read(link: Link, keys: Keys) -> None:
    exchange = busy(3)
    await write_as_version_1(link, keys, HEAD, exchange)
    raw = await elements_of(link, keys, SEQ)
    assert b'"version":1' in raw[-1]
    assert raw[0].startswith(b"{")
    head, replica = await load_snapshot(link, keys, SEQ)
    assert head.order_id == 77
    assert replica.exchange.state_hash() == exchange.state_hash()


async def test_nothing_else_can_run_for_longer_than_a_part_takes(link: Link, keys: Keys) -> None:
    """Whoever shares the loop gets a turn at every part, in writing and in reading."""
    exchange = busy(1)
    turns = itertools.count()

    async def others() -> None:
        while True:
            next(turns)
            await asyncio.sleep(0)

    def counted(parts: Iterator[Part]) -> Iterator[Part]:
        for part in parts:
            seen.append(next(turns))
            yield part

    seen: list[int] = []
    running = asyncio.ensure_future(others())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(state, "PART_SIZE", 5)
        await point_at(link, keys, SEQ)
        await write_snapshot(link, keys, "a", HEAD, counted(dump_parts(exchange)))
        began = next(turns)
        await load_snapshot(link, keys, SEQ)
        ended = next(turns)
    running.cancel()
    assert len(seen) > 40
    assert all(later - earlier > 1 for earlier, later in itertools.pairwise(seen))
    assert ended - began > len(seen)


# Torn and altered


def _torn(raw: list[bytes]) -> dict[str, list[bytes]]:
    *parts, header = raw
    return {
        "all of it gone": [],
        "the header gone": parts,
        "the header alone": [header],
        "the first part gone": [*parts[1:], header],
        "the last part gone": [*parts[:-1], header],
        "a part twice": [parts[0], *parts, header],
        "two parts swapped": [parts[1], parts[0], *parts[2:], header],
        "half a part": [parts[0][: len(parts[0]) // 2], *parts[1:], header],
        "an empty part": [b"", *parts[1:], header],
        "half a header": [*parts, header[: len(header) // 2]],
        "another's header": [*parts, b'{"version":2}'],
        "a header that is no JSON": [*parts, b"\xff\x00"],
        "a part that is no part": [zlib.compress(b'{"type":"cake"}'), *parts[1:], header],
    }


@pytest.mark.parametrize("what", list(_torn([b"", b"", b""])))
async def test_a_torn_snapshot_is_recognised(
    link: Link, keys: Keys, small: None, what: str
) -> None:
    await _write(link, keys, busy(1))
    torn = _torn(await elements_of(link, keys, SEQ))[what]
    await put_snapshot(link, keys, SEQ, torn)
    with pytest.raises(SnapshotUnusable) as caught:
        await load_snapshot(link, keys, SEQ)
    assert str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_byte_altered_anywhere_is_recognised(link: Link, keys: Keys, small: None) -> None:
    exchange = busy(5, 40)
    await _write(link, keys, exchange)
    raw = await elements_of(link, keys, SEQ)
    places = [(n, at) for n, element in enumerate(raw) for at in range(len(element))]
    for n, at in places[:: max(1, len(places) // 60)]:
        element = bytearray(raw[n])
        element[at] ^= 1 << (at % 7)
        await put_snapshot(link, keys, SEQ, [*raw[:n], bytes(element), *raw[n + 1 :]])
        with pytest.raises(SnapshotUnusable):
            await load_snapshot(link, keys, SEQ)


@pytest.mark.parametrize(
    "change",
    [
        {"seq": SEQ + 1},
        {"chain": "d"},
        {"epoch": 4},
        {"order_id": 78},
        {"created": 0},
        {"version": 1},
        {"parts": 2},
        {"parts": -1},
        {"parts": 2**60},
        {"crc32": 5},
    ],
    ids=str,
)
async def test_an_altered_field_of_the_header_is_recognised(
    link: Link, keys: Keys, small: None, change: dict[str, int | str]
) -> None:
    await _write(link, keys, busy(1))
    *parts, raw = await elements_of(link, keys, SEQ)
    header = {**msgspec.json.decode(raw), **change}
    await put_snapshot(link, keys, SEQ, [*parts, msgspec.json.encode(header)])
    with pytest.raises(SnapshotUnusable):
        await load_snapshot(link, keys, SEQ)


@pytest.mark.parametrize("version", [0, -1, VERSION + 1, 2**70])
async def test_a_snapshot_of_an_unknown_version_is_not_read_even_if_it_is_sealed(
    link: Link, keys: Keys, version: int
) -> None:
    strange = sealed(msgspec.structs.replace(HEAD, version=version), 0, 0)
    await put_snapshot(link, keys, SEQ, [msgspec.json.encode(strange)])
    with pytest.raises(SnapshotUnusable, match=f"version {version}, this program reads up to 2"):
        await load_snapshot(link, keys, SEQ)


async def test_a_part_that_holds_an_order_twice_is_refused_though_it_is_sealed(
    link: Link, keys: Keys
) -> None:
    raw = max(map(snapshot_module.encode_part, dump_parts(busy(1))), key=len)
    head = sealed(HEAD, 2, zlib.crc32(raw, zlib.crc32(raw)))
    await put_snapshot(link, keys, SEQ, [raw, raw, msgspec.json.encode(head)])
    with pytest.raises(SnapshotUnusable, match="there twice"):
        await load_snapshot(link, keys, SEQ)


# Drafts


class Killed(BaseException):
    pass


def _killed_after(parts: Iterator[Part], count: int) -> Iterator[Part]:
    yield from itertools.islice(parts, count)
    raise Killed


@pytest.mark.parametrize("count", [0, 1, 8])
async def test_a_draft_whose_writer_was_killed_never_shows_and_goes(
    link: Link, keys: Keys, small: None, count: int
) -> None:
    exchange = busy(1)
    await point_at(link, keys, SEQ)
    with pytest.raises(Killed):
        await write_snapshot(link, keys, "a", HEAD, _killed_after(dump_parts(exchange), count))
    assert await list_snapshots(link, keys) == []
    assert await link.call("EXISTS", keys.snapshot(SEQ)) == 0
    draft = keys.snapshot_draft("a")
    assert await link.call("LLEN", draft) == count
    assert count == 0 or 0 < await link.call("PTTL", draft) <= DRAFT_MS
    # The next life of the same instance begins anew.
    await _write(link, keys, exchange)
    assert (await load_snapshot(link, keys, SEQ))[1].exchange.state_hash() == exchange.state_hash()
    assert await link.call("EXISTS", draft) == 0


@pytest.mark.parametrize("when", [3, 11])
async def test_a_draft_that_is_lost_becomes_no_snapshot(
    link: Link, keys: Keys, small: None, when: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    await point_at(link, keys, SEQ)
    push = snapshot_module._push
    pushes = itertools.count(1)

    async def push_and_lose(*args: object) -> None:
        await push(*args)  # type: ignore[arg-type]
        if next(pushes) == when:
            await link.call("DEL", keys.snapshot_draft("a"))

    monkeypatch.setattr(snapshot_module, "_push", push_and_lose)
    with pytest.raises(SnapshotUnusable, match="its draft was lost"):
        await write_snapshot(link, keys, "a", HEAD, dump_parts(busy(1)))
    assert next(pushes) > when
    assert await list_snapshots(link, keys) == []
    assert await link.call("EXISTS", keys.snapshot(SEQ)) == 0


async def test_two_that_write_at_once_both_leave_whole_ones(
    link: Link, keys: Keys, url: str, small: None
) -> None:
    other = Server(url).link()
    await point_at(link, keys, SEQ)
    one, two = busy(1), busy(2)
    await asyncio.gather(
        write_snapshot(link, keys, "a", HEAD, dump_parts(one)),
        write_snapshot(other, keys, "b", Header(SEQ - 1, "b", 3, 0, 0), dump_parts(two)),
        return_exceptions=True,
    )
    await other.close()
    for seq in await list_snapshots(link, keys):
        await load_snapshot(link, keys, seq)
    _, replica = await load_snapshot(link, keys, SEQ)
    assert replica.exchange.state_hash() == one.state_hash()


async def test_two_of_one_name_that_write_at_once_leave_nothing_that_is_mixed(
    link: Link, keys: Keys, url: str, small: None, caplog: pytest.LogCaptureFixture
) -> None:
    others = [Server(url).link() for _ in range(2)]
    await point_at(link, keys, SEQ)
    await asyncio.gather(
        *(
            write_snapshot(other, keys, "same", HEAD, dump_parts(busy(seed)))
            for seed, other in enumerate(others)
        ),
        return_exceptions=True,
    )
    for other in others:
        await other.close()
    hashes = {busy(seed).state_hash() for seed in range(2)}
    for seq in await list_snapshots(link, keys):
        with contextlib.suppress(SnapshotUnusable):
            assert (await load_snapshot(link, keys, seq))[1].exchange.state_hash() in hashes


# What KEEP refuses, and what would happen if it didn't


def _use(monkeypatch: pytest.MonkeyPatch, *changes: tuple[str, str]) -> None:
    monkeypatch.setattr(snapshot_module, "KEEP", altered(KEEP, *changes))


LOST = ("redis.call('LLEN', KEYS[1]) ~= tonumber(ARGV[3])", "false")
AHEAD = ("tonumber(ARGV[2]) > tonumber(tip)", "false")
LATE = ("redis.call('ZCOUNT', KEYS[3], '(' .. ARGV[2], tip) > 0", "false")


async def _write_and_lose(link: Link, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    """A draft that was cut before it was kept."""
    run = Link.run

    async def run_late(self: Link, *args: object) -> object:
        await link.call("LTRIM", keys.snapshot_draft("a"), 0, -2)
        return await run(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Link, "run", run_late)
    await _write(link, keys, busy(1))


async def test_without_the_count_half_a_draft_is_named_a_snapshot(
    link: Link, keys: Keys, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SnapshotUnusable, match="draft was lost"):
        await _write_and_lose(link, keys, monkeypatch)
    assert await list_snapshots(link, keys) == []
    _use(monkeypatch, LOST)
    await _write_and_lose(link, keys, monkeypatch)
    assert await list_snapshots(link, keys) == [SEQ]
    with pytest.raises(SnapshotUnusable):
        await load_snapshot(link, keys, SEQ)


async def test_without_the_tip_a_lost_history_is_kept(
    link: Link, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    await point_at(link, keys, SEQ - 1)
    with pytest.raises(SnapshotUnusable, match="4000 is not kept: the journal ends before it"):
        await write_snapshot(link, keys, "a", HEAD, dump_parts(busy(1)))
    assert await list_snapshots(link, keys) == []
    _use(monkeypatch, AHEAD)
    await write_snapshot(link, keys, "a", HEAD, dump_parts(busy(1)))
    assert await list_snapshots(link, keys) == [SEQ]


async def _late(store: Store, link: Link, keys: Keys) -> list[int]:
    """One that writes so slowly that two others were taken, and the journal trimmed, meanwhile.

    Where one can begin afterwards.
    """
    past = await Past.of(store, link, keys, 1)
    slow = head_of(past.replica)
    parts = list(dump_parts(past.replica.exchange))
    archive = Archive(link, keys, "a")
    for _ in range(2):
        await past.go_on(2, orders=25)
        await archive.write(head_of(past.replica), dump_parts(past.replica.exchange), 1000)
    await store.published(past.replica.seq)
    assert await archive.trim() > 0
    with contextlib.suppress(SnapshotUnusable):
        await archive.write(slow, parts, 1000)
    return [base.replica.seq async for base in archive.bases()]


async def test_without_looking_for_newer_ones_a_late_snapshot_leaves_nothing_to_begin_at(
    store: Store, link: Link, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await _late(store, link, keys) == [101, 51]
    await link.call("DEL", *await link.call("KEYS", f"{keys.prefix}*"))
    _use(monkeypatch, LATE)
    # As it would be if whoever writes took its own for the newest.
    monkeypatch.setattr("matchbox_tui.store.archive.prune_snapshots", _prune_beyond_1)
    assert await _late(store, link, keys) == []


async def _prune_beyond_1(link: Link, keys: Keys, history: int) -> None:
    found = await list_snapshots(link, keys)
    if 1 in found:
        await link.call("ZREM", keys.snapshots, *superfluous(found, 1, history))


async def test_a_refusal_changes_nothing(link: Link, keys: Keys, prefix: str) -> None:
    for seq in (SEQ - 1, SEQ + 2):
        exchange = busy(1)
        await _write(link, keys, exchange, msgspec.structs.replace(HEAD, seq=seq))
    before = await content(link, prefix)
    for seq in (SEQ, SEQ + 3):
        with pytest.raises(SnapshotUnusable):
            await write_snapshot(
                *(link, keys, "a", msgspec.structs.replace(HEAD, seq=seq)), dump_parts(busy(2))
            )
        await link.call("DEL", keys.snapshot_draft("a"))
        assert await content(link, prefix) == before


# Which stay


SEQS = st.lists(st.integers(1, 2**53 - 1), unique=True, min_size=1, max_size=8).map(sorted)


@given(SEQS, st.data(), st.integers(0, 2**53))
def test_the_newest_stays_and_the_oldest_within_the_history(
    found: list[int], data: st.DataObject, history: int
) -> None:
    newest = data.draw(st.sampled_from(found))
    drop = superfluous(found, newest, history)
    left = [seq for seq in found if seq not in drop]
    assert set(drop) < set(found)
    assert newest == left[-1]
    assert len(left) <= 2
    older = [seq for seq in found if seq < newest]
    if not older:
        assert left == [newest]
    elif newest - older[0] <= history:
        assert left == [older[0], newest]
    else:
        assert left == [older[-1], newest]


@given(st.lists(st.integers(1, 400), min_size=1, max_size=60), st.integers(0, 2000))
def test_over_time_the_journal_goes_back_for_the_history_but_not_much_further(
    steps: list[int], history: int
) -> None:
    found: list[int] = []
    for now in itertools.accumulate(steps):
        found.append(now)
        drop = superfluous(found, now, history)
        found = [seq for seq in found if seq not in drop]
        assert len(found) <= 2
        assert now - found[0] <= history + max(steps)


@pytest.mark.parametrize(("history", "left"), [(0, [30, 40]), (29, [30, 40]), (30, [10, 40])])
async def test_pruning_leaves_two_and_what_is_listed_is_there(
    link: Link, keys: Keys, history: int, left: list[int]
) -> None:
    await point_at(link, keys, 45)
    for seq in (10, 20, 30, 40, 50, 60):
        await put_snapshot(link, keys, seq, [b"x"])
    await prune_snapshots(link, keys, history)
    assert await list_snapshots(link, keys) == left
    for seq in (10, 20, 30, 40, 50, 60):
        assert await link.call("EXISTS", keys.snapshot(seq)) == (seq in left)


async def test_where_all_that_is_listed_is_of_a_lost_history_nothing_is_dropped_yet(
    link: Link, keys: Keys
) -> None:
    for seq in (10, 20):
        await put_snapshot(link, keys, seq, [b"x"])
    await prune_snapshots(link, keys, 5)
    assert await list_snapshots(link, keys) == [10, 20]


async def test_names_in_the_list_that_are_none_are_passed_over(link: Link, keys: Keys) -> None:
    await link.call("ZADD", keys.snapshots, 3, "3", 4, "x", 5, "-5")
    assert await list_snapshots(link, keys) == [3]


# Where one can begin


async def _venue(store: Store, link: Link, keys: Keys) -> Past:
    """Snapshots at 5 and 10 of a journal of 12 commits."""
    past = await Past.of(store, link, keys)
    for _ in range(2):
        await past.go_on(5)
        await past.snapshot()
    await past.go_on(2)
    return past


async def _ends_at(client: Client, past: Past, *, oldest: bool = False) -> int:
    """Where a restored replica began; that it arrives at the same state is checked."""
    replica = await client.restore(oldest=oldest)
    began = replica.seq
    await client.catch_up(replica)
    assert replica.tip == past.replica.tip
    assert replica.exchange.state_hash() == past.replica.exchange.state_hash()
    return began


async def test_a_reader_begins_at_the_newest_or_as_far_back_as_it_can(
    client: Client, store: Store, link: Link, keys: Keys
) -> None:
    past = await _venue(store, link, keys)
    assert await _ends_at(client, past) == 10
    assert await _ends_at(client, past, oldest=True) == 0
    await link.call("XTRIM", keys.log, "MINID", "6-0")
    assert await _ends_at(client, past, oldest=True) == 5
    archive = Archive(link, keys, "a")
    assert [base.replica.seq async for base in archive.bases()] == [10, 5]


async def test_an_empty_venue_begins_at_its_beginning(client: Client) -> None:
    for oldest in (False, True):
        assert (await client.restore(oldest=oldest)).tip == Tip()


UNUSABLE = {
    "torn": "can't be used: it is cut off after 1 parts",
    "altered": "can't be used: its checksum differs",
    "gone": "can't be used: it is not there",
    "future": "can't be used: it has version 3, this program reads up to 2",
    "ahead": "can't be used: the journal ends before it, at 12: it was set back",
    "elsewhere": "can't be used: it is of another history than the journal",
}


async def _spoil(link: Link, keys: Keys, past: Past, how: str, seq: int = 10) -> None:
    *parts, header = await elements_of(link, keys, seq)
    head = msgspec.json.decode(header, type=Header)
    if how == "torn":
        await put_snapshot(link, keys, seq, [header])
    elif how == "altered":
        changed = header.replace(b'"order_id":0', b'"order_id":1')
        await put_snapshot(link, keys, seq, [*parts, changed])
    elif how == "gone":
        await link.call("DEL", keys.snapshot(seq))
    elif how == "future":
        changed = header.replace(b'"version":2', b'"version":3')
        await put_snapshot(link, keys, seq, [*parts, changed])
    else:
        crc = 0
        for part in parts:
            crc = zlib.crc32(part, crc)
        change = {"seq": 15} if how == "ahead" else {"chain": "another"}
        head = sealed(msgspec.structs.replace(head, **change), len(parts), crc)
        await put_snapshot(link, keys, head.seq, [*parts, msgspec.json.encode(head)])


@pytest.mark.parametrize("how", list(UNUSABLE))
async def test_what_can_t_be_used_is_skipped_with_the_reason(
    client: Client,
    store: Store,
    link: Link,
    keys: Keys,
    how: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    past = await _venue(store, link, keys)
    await _spoil(link, keys, past, how)
    if how == "ahead":
        await link.call("ZREM", keys.snapshots, 10)
    caplog.set_level(logging.WARNING)
    assert await _ends_at(client, past) == 5
    assert [record.getMessage() for record in caplog.records] == [
        f"Snapshot {15 if how == 'ahead' else 10} {UNUSABLE[how]}"
    ]


@pytest.mark.parametrize("how", ["torn", "altered", "gone", "future", "elsewhere"])
async def test_the_oldest_that_can_be_used_is_taken_where_the_beginning_is_gone(
    client: Client, store: Store, link: Link, keys: Keys, how: str
) -> None:
    past = await _venue(store, link, keys)
    await link.call("XTRIM", keys.log, "MINID", "6-0")
    await _spoil(link, keys, past, how, 5)
    assert await _ends_at(client, past, oldest=True) == 10


async def test_a_reader_with_nowhere_to_begin_says_so(
    client: Client, store: Store, link: Link, keys: Keys, caplog: pytest.LogCaptureFixture
) -> None:
    past = await _venue(store, link, keys)
    for seq in (5, 10):
        await _spoil(link, keys, past, "torn", seq)
    assert await _ends_at(client, past) == 0
    await link.call("XTRIM", keys.log, "MINID", "12-0")
    for oldest in (False, True):
        with pytest.raises(JournalBroken, match=r"beginning is gone.*backup"):
            await client.restore(oldest=oldest)
    await link.call("DEL", keys.log)
    with pytest.raises(JournalBroken, match="beginning is gone"):
        await client.restore()


async def test_what_can_t_be_read_at_the_beginning_is_passed_over_by_who_looks_back(
    client: Client, store: Store, link: Link, keys: Keys, caplog: pytest.LogCaptureFixture
) -> None:
    """As after an upgrade: entries of an older version, which snapshots have left behind."""
    past = await _venue(store, link, keys)
    whole = await link.call("XRANGE", keys.log, "-", "+")
    await link.call("DEL", keys.log)
    for entry_id, flat in whole:
        old = int(entry_id.partition(b"-")[0]) <= 8
        fields = [b"0" if old and name == b"v" else value for name, value in _pairs(flat)]
        await link.call("XADD", keys.log, entry_id, *_flat(flat, fields))
    assert await _ends_at(client, past, oldest=True) == 10
    assert await _ends_at(client, past) == 10
    assert "can't begin at 5: journal entry 6-0 has version 0" in caplog.text
    await link.call("DEL", keys.snapshots)
    for oldest in (False, True):
        with pytest.raises(JournalBroken, match="1-0 has version 0"):
            await client.restore(oldest=oldest)


def _pairs(flat: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
    return zip(flat[::2], flat[1::2], strict=True)


def _flat(flat: list[bytes], values: list[bytes]) -> list[bytes]:
    return [part for pair in zip(flat[::2], values, strict=True) for part in pair]


async def test_a_snapshot_whose_journal_was_trimmed_or_lost_is_not_used(
    client: Client, store: Store, link: Link, keys: Keys, caplog: pytest.LogCaptureFixture
) -> None:
    past = await _venue(store, link, keys)
    await link.call("XTRIM", keys.log, "MINID", "12-0")
    with pytest.raises(JournalBroken):
        await client.restore()
    assert "the journal after it begins at 12" in caplog.text
    await link.call("DEL", keys.log)
    with pytest.raises(JournalBroken):
        await client.restore()
    assert "the journal after it is gone, up to 12" in caplog.text
    assert await past.snapshot() == 12
    assert (await client.restore()).tip == past.replica.tip


async def test_a_journal_that_moves_on_while_one_looks_is_no_other_history(
    client: Client,
    store: Store,
    link: Link,
    keys: Keys,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    past = await Past.of(store, link, keys, 3)
    seq = await past.snapshot()
    call = Link.call

    async def then_a_commit(self: Link, *command: str, **more: float) -> object:
        reply = await call(self, *command, **more)
        if self is client._asking and past.replica.seq < seq + 20:
            await past.go_on(1)
        return reply

    monkeypatch.setattr(Link, "call", then_a_commit)
    assert (await client.restore()).seq == seq
    assert caplog.text == ""


async def test_the_first_commit_that_comes_while_one_looks_is_no_lost_beginning(
    client: Client, store: Store, link: Link, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    past = await Past.of(store, link, keys)
    call = Link.call

    async def then_a_commit(self: Link, *command: str, **more: float) -> object:
        reply = await call(self, *command, **more)
        if self is client._asking:
            await past.go_on(1)
        return reply

    monkeypatch.setattr(Link, "call", then_a_commit)
    assert (await client.restore()).tip == Tip()


async def test_who_took_so_long_that_all_is_renewed_begins_at_what_is_there_now(
    client: Client, store: Store, link: Link, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    past = await _venue(store, link, keys)
    await link.call("XTRIM", keys.log, "MINID", "6-0")
    call = Link.call
    done: list[int] = []

    async def meanwhile(self: Link, *command: str, **more: float) -> object:
        if self is client._asking and command[0] == "LRANGE" and not done:
            done.append(1)
            for _ in range(2):
                await past.go_on(3)
                await past.snapshot()
            for seq in (5, 10):
                await link.call("DEL", keys.snapshot(seq))
                await link.call("ZREM", keys.snapshots, seq)
            await link.call("XTRIM", keys.log, "MINID", "16-0")
        return await call(self, *command, **more)

    monkeypatch.setattr(Link, "call", meanwhile)
    assert await _ends_at(client, past) == 18


async def test_a_loaded_state_goes_on_as_the_one_that_was_written(
    link: Link, keys: Keys, small: None
) -> None:
    exchange = busy(9)
    await _write(link, keys, exchange)
    _, replica = await load_snapshot(link, keys, SEQ)
    assert isinstance(replica, Replica)
    for command in Workload(77, ids=400, depth=8).commands(600):
        assert replica.exchange.apply(command) == exchange.apply(command)
    assert replica.exchange.state_hash() == exchange.state_hash()
