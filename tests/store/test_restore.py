"""Where a reader can begin: at a snapshot that holds and that the journal goes on from."""

import logging
import zlib
from collections.abc import Iterator

import msgspec
import pytest

from matchbox_tui.store import (
    Archive,
    Header,
    JournalBroken,
    Keys,
    Link,
    Store,
    Tip,
)
from matchbox_tui.store.client import Client
from matchbox_tui.store.snapshot import (
    sealed,
)
from tests.store.states import (
    Past,
    elements_of,
    put_snapshot,
)

pytestmark = pytest.mark.usefixtures("unsynced")


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
