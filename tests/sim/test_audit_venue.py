"""Real venues: audited while they run, trim, and change leaders; and tampered with."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from matchbox_tui.engine import (
    CancelAll,
    NewOrder,
    ReplaceOrder,
    Side,
    TimeInForce,
    decode_events,
    dump_parts,
    encode_events,
)
from matchbox_tui.node import Settings
from matchbox_tui.store import Client, Header, Link, Replica, Server, Unreachable, chained
from matchbox_tui.store.snapshot import write_snapshot
from sim.audit import Verdict, audit_recording, audit_venue, collect
from sim.audit.collecting import Collector
from sim.floor import FloorRecord
from sim.recording import RecordingError
from tests.kinds import KINDS
from tests.node.processes import Submitter, cluster_of, leads, stand_by
from tests.node.venue import Venue, buy, order, sell
from tests.servers import OwnServer
from tests.sim.evidence import failing, place
from tests.waiting import eventually

NAMES = ["node-1", "node-2", "node-3"]
CALM = Settings(lease_ms=10_000, renew_ms=200, poll_ms=10, snapshot_ms=86_400_000)
"""Takes no snapshots, and a busy machine does not look like a dead leader."""

TRIMMING = Settings(
    lease_ms=10_000, renew_ms=200, poll_ms=10, snapshot_ms=100, history=50, hash_every=20
)


@pytest.fixture
async def venue(url: str, prefix: str, client: Client, link: Link) -> AsyncIterator[Venue]:
    opened = Venue(url, prefix, client, link)
    yield opened
    await opened.stop()


class Flow:
    """Batches of random orders around a price, as good as they come."""

    def __init__(self, seed: int, size: int = 10) -> None:
        self._chance = random.Random(seed)
        self._size = size

    def __call__(self) -> list[NewOrder]:
        chance = self._chance
        return [
            order(
                chance.randint(45, 55),
                0 if chance.random() < 0.01 else chance.randint(1, 9),
                chance.choice(list(Side)),
                trader=f"trader-{chance.randint(1, 5)}",
                time_in_force=chance.choice([TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC]),
            )
            for _ in range(self._size)
        ]


def record_of(ids: list[int]) -> FloorRecord:
    record = FloorRecord()
    record.acknowledge(ids)
    return record


async def audited(venue: Venue, record: FloorRecord | None = None) -> Verdict:
    return await audit_venue(venue.url, venue.prefix, record, wait_s=2)


async def some_trades(venue: Venue) -> FloorRecord:
    """Five commits with three fills, by a leader that has stopped since."""
    leader = await venue.lead("a", settings=CALM)
    ids: list[int] = []
    for batch in ([sell(52, 10), buy(50, 5)], [buy(52, 4)], [sell(50, 2)], [buy(0)], [sell(49, 9)]):
        ids += await venue.client.submit(batch)
        await venue.handled()
    await venue.client.submit([ReplaceOrder(order_id=1, qty=8), CancelAll("nobody")])
    await venue.handled()
    await eventually(venue.client.count_fills, lambda count: count == 3)
    await leader.stop()
    return record_of(ids)


# Nothing is wrong


async def test_an_empty_venue_passes(venue: Venue) -> None:
    verdict = await audited(venue)
    assert failing(verdict) == []
    assert verdict.last == 0


async def test_a_venue_that_rests_passes(venue: Venue) -> None:
    record = await some_trades(venue)
    verdict = await audited(venue, record)
    assert failing(verdict) == []
    assert verdict.check("I1").counts["lost"] == 0
    assert verdict.check("I3").counts["commands"] == 8
    assert verdict.check("I5").counts["fills"] == 3


async def test_a_venue_under_load_passes_again_and_again(venue: Venue) -> None:
    await venue.lead("a", settings=CALM)
    load = Submitter(venue.client, Flow(1), 0.002)
    seen = 0
    for _ in range(8):
        await load.passes(100)
        record = record_of(list(load.acknowledged))
        verdict = await audited(venue, record)
        assert failing(verdict) == []
        assert verdict.check("I1").counts["acknowledged"] == len(record_ids(record))
        assert verdict.last > seen
        seen = verdict.last
    await load.stop()


def record_ids(record: FloorRecord) -> list[int]:
    return [one for first, last in record.order_ids for one in range(first, last + 1)]


async def test_a_venue_that_trims_its_journal_is_audited_from_the_oldest_snapshot(
    venue: Venue,
) -> None:
    await venue.lead("a", settings=TRIMMING)
    venue.start("b", settings=TRIMMING)
    load = Submitter(venue.client, Flow(2), 0.002)
    firsts = []
    hashes = 0

    async def is_trimmed() -> bool:
        entries = await venue.link.call("XRANGE", venue.keys.log, "-", "+", "COUNT", 1)
        return bool(entries) and int(entries[0][0].partition(b"-")[0]) > 100

    await eventually(is_trimmed)
    for _ in range(8):
        await load.passes(60)
        verdict = await audited(venue, record_of(list(load.acknowledged)))
        assert failing(verdict) == []
        assert verdict.check("I1").counts["not_judged"] > 0
        firsts.append(verdict.first)
        hashes += verdict.check("I8").counts["hashes"]
    await load.stop()
    assert firsts[-1] > firsts[0] > 0
    assert hashes > 0


async def test_nothing_is_wrong_while_leaders_are_killed(
    client: Client, url: str, prefix: str, tmp_path: Path
) -> None:
    with cluster_of(NAMES, url, prefix, tmp_path, MATCHBOX_HASH_EVERY="50") as cluster:
        await stand_by(client, NAMES)
        load = Submitter(client, Flow(3), 0.01)
        for _ in range(2):
            await load.passes(200)
            leader = await leads(client)
            audits = [
                asyncio.ensure_future(audit_venue(url, prefix, record_of(list(load.acknowledged)))),
            ]
            cluster.nodes[leader].signal(signal.SIGKILL)
            for _ in range(3):
                record = record_of(list(load.acknowledged))
                audits.append(asyncio.ensure_future(audit_venue(url, prefix, record)))
                await asyncio.sleep(0.05)
            for verdict in await asyncio.gather(*audits):
                assert failing(verdict) == []
            await leads(client, leader)
            cluster.start_node(leader)
            await stand_by(client, NAMES)
        record = record_of(await load.stop())
        await eventually(client.cluster, lambda status: status.queue_depth == 0)
        verdict = await audit_venue(url, prefix, record)
    assert failing(verdict) == []
    counts = verdict.check("I1").counts
    assert (counts["lost"], counts["doubled"], counts["waiting"]) == (0, 0, 0)
    assert counts["acknowledged"] == counts["orders"] >= 400
    assert verdict.check("I3").counts["epochs"] >= 3
    assert verdict.check("I8").counts["hashes"] > 6


async def test_a_venue_whose_leader_died_with_fills_to_publish_passes(venue: Venue) -> None:
    await some_trades(venue)
    (last,) = await venue.link.call("XREVRANGE", venue.keys.fills_stream, "+", "-", "COUNT", 1)
    await venue.link.call("XDEL", venue.keys.fills_stream, last[0])
    verdict = await audited(venue)
    assert failing(verdict) == []
    assert verdict.check("I5").counts["unpublished"] == 1


async def test_what_waited_at_the_moment_is_compared_with_its_answers(
    venue: Venue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sim.audit.collecting.ANSWERS_SECONDS", 30.0)
    await venue.client.submit([sell(50, 5), buy(50, 2), CancelAll("ann")])
    await venue.link.call("RPUSH", venue.keys.queue, b"nonsense", b'{"id":7,"side":"up"}')
    directory = tmp_path / "run"
    collecting = asyncio.ensure_future(collect(venue.url, venue.prefix, directory, wait_s=2))

    async def is_past_the_moment() -> bool:
        return (directory / "queue.gz").exists()

    await eventually(is_past_the_moment)
    await venue.lead("a", settings=CALM)
    await collecting
    verdict = await audit_recording(directory)
    assert failing(verdict) == []
    assert verdict.last == 0
    assert verdict.check("I2").counts == {
        "orders": 0,
        "overtaken": 0,
        "waiting": 3,
        "continued": 5,
    }


async def test_a_journal_that_is_trimmed_while_it_is_read_is_read_anew(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as that happens now and then; else the audit says so."""
    await some_trades(venue)
    for seq in (3, 6):
        await snapshot_at(venue, seq)
    moment = Collector._moment
    trims = iter([4, 6])

    async def trim_first(collector: Collector) -> object:
        await venue.link.call("XTRIM", venue.keys.log, "MINID", f"{next(trims, 0)}-0")
        return await moment(collector)

    monkeypatch.setattr(Collector, "_moment", trim_first)
    verdict = await audited(venue)
    assert failing(verdict) == []
    # From the beginning, from 3 and at last from 6.
    assert (verdict.first, verdict.last) == (6, 8)
    monkeypatch.setattr("sim.audit.collecting.ATTEMPTS", 0)
    with pytest.raises(RecordingError, match="trimmed 0 times while it was read"):
        await audited(venue)


async def snapshot_at(venue: Venue, seq: int) -> None:
    """A snapshot as an instance would have taken it after command `seq`."""
    replica = Replica()
    async for _ in venue.client.follow(replica, until=seq):
        pass
    head = Header(replica.seq, replica.chain, replica.epoch, 0, 0)
    await write_snapshot(venue.link, venue.keys, "me", head, dump_parts(replica.exchange))


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_of_server_can_be_audited(kind: str, tmp_path: Path) -> None:
    with OwnServer(tmp_path, kind=kind) as server:
        client = await Client.connect(server.url, "{venue}:", "test")
        link = Server(server.url).link()
        venue = Venue(server.url, "{venue}:", client, link)
        try:
            record = await some_trades(venue)
            await client.submit([buy(51), buy(52)])
            verdict = await audited(venue, record)
            assert failing(verdict) == []
            assert verdict.check("I2").counts["waiting"] == 2
            await queue_is_no_list(venue)
            await fills_are_no_stream(venue)
            assert failing(await audited(venue, record)) == ["I2", "I5"]
        finally:
            await venue.stop()
            await client.close()
            await link.close()


# Something is wrong


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


async def test_a_server_that_is_not_there() -> None:
    with pytest.raises(Unreachable):
        await audit_venue("redis://127.0.0.1:1")
