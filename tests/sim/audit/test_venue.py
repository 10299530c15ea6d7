"""Real venues, audited while they run, trim and change leaders: nothing is wrong."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from matchbox_tui.engine import (
    CancelAll,
)
from matchbox_tui.node import Settings
from matchbox_tui.store import Client, Link, Server
from sim.audit import audit_recording, audit_venue, collect
from sim.audit.collecting import Collector
from sim.floor import FloorRecord
from sim.recording import RecordingError
from tests.kinds import KINDS
from tests.node.processes import Submitter, cluster_of, leads, stand_by
from tests.node.venue import Venue, buy, sell
from tests.servers import OwnServer
from tests.sim.audited import CALM, Flow, audited, record_of, snapshot_at, some_trades
from tests.sim.evidence import failing
from tests.waiting import eventually

NAMES = ["node-1", "node-2", "node-3"]

TRIMMING = Settings(
    lease_ms=10_000,
    renew_ms=200,
    poll_ms=10,
    snapshot_ms=100,
    history=50,
    hash_every=20,
    fills_kept=0,
)


@pytest.fixture
async def venue(url: str, prefix: str, client: Client, link: Link) -> AsyncIterator[Venue]:
    opened = Venue(url, prefix, client, link)
    yield opened
    await opened.stop()


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
        "back_in_time": 0,
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
        until = next(trims, 0)
        if until == 6:
            await venue.link.call("ZREM", venue.keys.snapshots, 3)
        await venue.link.call("XTRIM", venue.keys.log, "MINID", f"{until}-0")
        return await moment(collector)

    monkeypatch.setattr(Collector, "_moment", trim_first)
    verdict = await audited(venue)
    assert failing(verdict) == []
    # From the beginning, from 3 and at last from 6.
    assert (verdict.first, verdict.last) == (6, 8)
    monkeypatch.setattr("sim.audit.collecting.ATTEMPTS", 0)
    with pytest.raises(RecordingError, match="trimmed 0 times while it was read"):
        await audited(venue)


async def test_fills_that_are_trimmed_while_the_journal_is_read_are_not_missed(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    await some_trades(venue)
    for seq in (3, 6):
        await snapshot_at(venue, seq)
    leader = Collector._leader
    trims = iter([4, 4])

    async def trim_first(collector: Collector, fills_end: tuple[int, int]) -> str | None:
        """Between the journal and its fills."""
        for key in (venue.keys.log, venue.keys.fills_stream):
            await venue.link.call("XTRIM", key, "MINID", f"{next(trims, 0)}-0")
        return await leader(collector, fills_end)

    monkeypatch.setattr(Collector, "_leader", trim_first)
    verdict = await audited(venue)
    assert failing(verdict) == []
    assert verdict.first == 3
    assert verdict.check("I5").counts["fills"] > 0
    # Without the journal's there is no reason for them to go.
    await venue.link.call("XTRIM", venue.keys.fills_stream, "MINID", "5-0")
    assert failing(await audited(venue)) == ["I5"]


@pytest.mark.parametrize("gone", ["the first entry", "the whole journal", "entries and the list"])
async def test_a_beginning_that_nobody_may_trim_is_missed(venue: Venue, gone: str) -> None:
    """An audit must not just begin later, at what is left."""
    await some_trades(venue)
    for seq in (3, 6):
        await snapshot_at(venue, seq)
    log = venue.keys.log
    await venue.link.call("XTRIM", log, "MINID", "4-0")
    assert failing(await audited(venue)) == []
    if gone == "the whole journal":
        await venue.link.call("DEL", log)
    else:
        (first, _), *_ = await venue.link.call("XRANGE", log, "-", "+", "COUNT", 1)
        await venue.link.call("XDEL", log, first)
    if gone == "entries and the list":
        await venue.link.call("DEL", venue.keys.snapshots)
    verdict = await audited(venue)
    assert "I3" in failing(verdict)


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
            for key in (venue.keys.queue, venue.keys.fills_stream):
                await link.calls([("DEL", key), ("SET", key, "x")])
            assert failing(await audited(venue, record)) == ["I2", "I5"]
        finally:
            await venue.stop()
            await client.close()
            await link.close()
