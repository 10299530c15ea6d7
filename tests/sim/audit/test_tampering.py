"""Real venues that somebody tampered with: it is told on its line."""

from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
import pytest

from matchbox_tui.engine import (
    decode_events,
    dump_parts,
    encode_events,
)
from matchbox_tui.store import Client, Header, Link, Unreachable, chained
from matchbox_tui.store.snapshot import write_snapshot
from sim.audit import audit_venue
from tests.node.venue import Venue, buy
from tests.sim.audited import CALM, audited, record_of, some_trades
from tests.sim.evidence import failing, place
from tests.waiting import eventually


@pytest.fixture
async def venue(url: str, prefix: str, client: Client, link: Link) -> AsyncIterator[Venue]:
    opened = Venue(url, prefix, client, link)
    yield opened
    await opened.stop()


Change = Callable[[Venue], Awaitable[object]]
Fields = dict[bytes, bytes]


async def entry_deleted(venue: Venue) -> None:
    await venue.link.call("XDEL", venue.keys.log, "4-0")


async def entry_altered(venue: Venue) -> None:
    """In place, as somebody at the server's files would."""
    await _rewrite(venue, _another_reason)


async def epoch_falls(venue: Venue) -> None:
    await _rewrite(venue, lambda fields: fields | {b"e": b"0"})


async def history_forged(venue: Venue) -> None:
    """By somebody who makes the chain fit, and the cursor as well."""
    await _rewrite(venue, _another_reason, rechain=True)


def _another_reason(fields: Fields) -> Fields:
    (event,) = decode_events(fields[b"b"])
    return fields | {b"b": encode_events([msgspec.structs.replace(event, reason="invalid_qty")])}


async def _rewrite(venue: Venue, change: Callable[[Fields], Fields], rechain: bool = False) -> None:
    """Writes the journal anew, with entry 5 changed."""
    entries = await venue.link.call("XRANGE", venue.keys.log, "-", "+")
    await venue.link.call("DEL", venue.keys.log)
    chain = ""
    for entry_id, flat in entries:
        fields = dict(zip(flat[::2], flat[1::2], strict=True))
        if entry_id == b"5-0":
            fields = change(fields)
        if rechain:
            chain = chained(chain, fields[b"b"])
            fields[b"c"] = chain.encode()
        parts = [part for pair in fields.items() for part in pair]
        await venue.link.call("XADD", venue.keys.log, entry_id, *parts)
    if rechain:
        await venue.link.call("HSET", venue.keys.cursor, "chain", chain)


async def cursor_moved(venue: Venue) -> None:
    await venue.link.call("HSET", venue.keys.cursor, "seq", 9)


async def cursor_gone(venue: Venue) -> None:
    await venue.link.call("DEL", venue.keys.cursor)


async def journal_is_no_stream(venue: Venue) -> None:
    await venue.link.calls([("DEL", venue.keys.log), ("SET", venue.keys.log, "x")])


async def cursor_is_no_hash(venue: Venue) -> None:
    await venue.link.calls([("DEL", venue.keys.cursor), ("SET", venue.keys.cursor, "x")])


async def fill_dropped(venue: Venue) -> None:
    (first,) = await venue.link.call("XRANGE", venue.keys.fills_stream, "-", "+", "COUNT", 1)
    await venue.link.call("XDEL", venue.keys.fills_stream, first[0])


async def fill_made_up(venue: Venue) -> None:
    await venue.link.call("XADD", venue.keys.fills_stream, "9-0", "event", "{}")


async def fills_are_no_stream(venue: Venue) -> None:
    key = venue.keys.fills_stream
    await venue.link.calls([("DEL", key), ("SET", key, "x")])


async def queue_is_no_list(venue: Venue) -> None:
    await venue.link.calls([("DEL", venue.keys.queue), ("SET", venue.keys.queue, "x")])


async def order_repeated(venue: Venue) -> None:
    """Its id was acknowledged once; a second order under it waits."""
    await venue.link.call("RPUSH", venue.keys.queue, '{"id":3,"side":"buy","price":1,"qty":1}')


async def orders_swapped(venue: Venue) -> None:
    await venue.client.submit([buy(40), buy(41)])
    queue = venue.keys.queue
    await venue.link.call("LMOVE", queue, queue, "LEFT", "RIGHT")


async def wrong_hash(venue: Venue) -> None:
    fields = ("id", "b", "role", "follower", "epoch", 1, "seq", 5, "hash", "0" * 40)
    await venue.link.call("XADD", venue.keys.hashes, "*", *fields)


@pytest.mark.parametrize(
    ("name", "change", "where"),
    [
        ("I1", order_repeated, "the queue"),
        ("I2", orders_swapped, "the queue"),
        ("I2", queue_is_no_list, "the queue"),
        ("I3", entry_deleted, "4"),
        ("I3", entry_altered, "5"),
        ("I3", cursor_moved, "8"),
        ("I3", cursor_gone, "8"),
        ("I3", epoch_falls, "5"),
        ("I3", journal_is_no_stream, "its beginning"),
        ("I3", cursor_is_no_hash, "8"),
        ("I4", history_forged, "5"),
        ("I5", fill_dropped, "3-0"),
        ("I5", fill_made_up, "9-0"),
        ("I5", fills_are_no_stream, "events_stream"),
        ("I8", wrong_hash, "5"),
    ],
)
async def test_tampering_is_told_on_its_line(
    name: str, change: Change, where: str, venue: Venue
) -> None:
    record = await some_trades(venue)
    await change(venue)
    if change is orders_swapped:
        record.acknowledge([7, 8])
    verdict = await audited(venue, record)
    assert failing(verdict) == [name]
    assert place(verdict, name) == where


async def test_a_journal_without_its_last_entry_lost_an_order_and_a_fill(venue: Venue) -> None:
    await some_trades(venue)
    record = record_of(await venue.client.submit([buy(52, 1)]))
    await venue.lead("b", settings=CALM)
    await venue.handled()
    await eventually(venue.client.count_fills, lambda count: count == 4)
    await venue.instances["b"].stop()
    await venue.link.call("XDEL", venue.keys.log, "9-0")
    verdict = await audited(venue, record)
    assert failing(verdict) == ["I1", "I3", "I5"]
    assert verdict.check("I1").counts["lost"] == 1


async def test_a_leader_that_does_not_publish_is_told(venue: Venue) -> None:
    await some_trades(venue)
    (last,) = await venue.link.call("XREVRANGE", venue.keys.fills_stream, "+", "-", "COUNT", 1)
    await venue.link.call("XDEL", venue.keys.fills_stream, last[0])
    await venue.link.call("SET", venue.keys.leader, "somebody")
    verdict = await audit_venue(venue.url, venue.prefix, wait_s=0.2)
    assert failing(verdict) == ["I5"]
    assert place(verdict, "I5") == last[0].decode()


async def test_a_beginning_that_is_gone_without_a_snapshot_is_told(venue: Venue) -> None:
    await some_trades(venue)
    (first,) = await venue.link.call("XRANGE", venue.keys.log, "-", "+", "COUNT", 1)
    await venue.link.calls([("XDEL", venue.keys.log, first[0]), ("DEL", venue.keys.snapshots)])
    verdict = await audited(venue)
    assert failing(verdict) == ["I3"]
    assert place(verdict, "I3") == "1"
    assert verdict.check("I4").status == "not checked"


async def test_a_snapshot_that_was_altered_is_told(venue: Venue) -> None:
    """Behind a checksum that fits: nothing but the replay can tell."""
    await some_trades(venue)
    state = await venue.replica()
    head = Header(state.seq, state.chain, state.epoch, 6, 0)
    await write_snapshot(venue.link, venue.keys, "me", head, dump_parts(state.exchange))
    verdict = await audited(venue)
    assert failing(verdict) == []
    assert verdict.check("I8").counts["snapshots"] == 1
    state.exchange.orders[1].amend(7, 4)
    await write_snapshot(venue.link, venue.keys, "me", head, dump_parts(state.exchange))
    verdict = await audited(venue)
    assert failing(verdict) == ["I8"]
    assert place(verdict, "I8") == "8"


async def test_a_snapshot_that_can_not_be_used_harms_nothing(venue: Venue) -> None:
    await some_trades(venue)
    await venue.link.call("ZADD", venue.keys.snapshots, 5, 5)
    await venue.link.call("RPUSH", venue.keys.snapshot(5), "torn")
    verdict = await audited(venue)
    assert failing(verdict) == []
    assert verdict.check("I8").counts["snapshots"] == 0


async def test_published_hashes_that_can_not_be_read_are_told(venue: Venue) -> None:
    await some_trades(venue)
    await venue.link.call("SET", venue.keys.hashes, "x")
    verdict = await audited(venue)
    assert failing(verdict) == []
    assert "what was published can't be read" in verdict.check("I8").counted


async def test_a_server_that_is_not_there() -> None:
    with pytest.raises(Unreachable):
        await audit_venue("redis://127.0.0.1:1")
