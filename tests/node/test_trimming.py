"""The journal stays bounded, and the fills stay exact meanwhile."""

import asyncio
import operator
import re
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any

import msgspec
import pytest

from matchbox_tui.engine import OrderAccepted, TradeExecuted
from matchbox_tui.store import (
    Client,
    Entry,
    FillMessage,
    Refused,
    Replica,
    Store,
    fill_message,
)
from matchbox_tui.store.snapshot import list_snapshots
from tests.node.often import OFTEN, Load, Writers
from tests.node.venue import QUIET, Venue, buy, sell
from tests.subscriber import subscribed
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("unsynced")


async def test_the_journal_stays_bounded_and_everybody_goes_on(
    venue: Venue, writers: Writers
) -> None:
    for name in "abc":
        venue.start(name, settings=OFTEN)
    await venue.leader()
    reader = Replica()
    reading = asyncio.ensure_future(_follow(venue.client, reader))
    load = Load(venue.client)
    begins = 1
    for _ in range(5):
        begins = await eventually(_beginning(venue), partial(operator.lt, begins))
    acknowledged = await load.stop()
    assert await venue.handled() == len(acknowledged)

    async def kept() -> int:
        return len(await list_snapshots(venue.link, venue.keys))

    # Somebody may just have written one, and not yet dropped the oldest.
    await eventually(kept, lambda count: count == 2)
    expected = (await venue.restored()).exchange.state_hash()
    for instance in venue.instances.values():
        assert (await venue.caught_up(instance)).exchange.state_hash() == expected
    await eventually(_at(reader), lambda seq: seq == len(acknowledged))
    assert reader.exchange.state_hash() == expected
    reading.cancel()


def _at(replica: Replica) -> Callable[[], Awaitable[int]]:
    async def seq() -> int:
        return replica.seq

    return seq


async def _follow(client: Client, replica: Replica) -> None:
    async for _ in client.follow(replica):
        pass


async def test_a_consumer_group_holds_the_journal_until_it_has_read(
    venue: Venue, writers: Writers
) -> None:
    for name in "ab":
        venue.start(name, settings=OFTEN)
    await venue.leader()
    await venue.link.call("XGROUP", "CREATE", venue.keys.log, "analytics", "0", "MKSTREAM")
    load = Load(venue.client)
    await writers.count(5)
    first = await venue.link.call("XRANGE", venue.keys.log, "-", "+", "COUNT", 1)
    told = await venue.link.call(
        *("XREADGROUP", "GROUP", "analytics", "x", "COUNT", 100_000, "NOACK"),
        *("STREAMS", venue.keys.log, ">"),
    )
    assert told[0][1][0] == first[0]
    replica = Replica()
    assert await venue.client.restore(oldest=True)
    await venue.client.catch_up(replica)
    await eventually(_beginning(venue), lambda seq: seq > 100)
    await load.stop()


def _beginning(venue: Venue, stream: str = "") -> Callable[[], Awaitable[int]]:
    """The sequence of the first entry, of the journal if of no other stream."""

    async def seq() -> int:
        entries = await venue.link.call(*("XRANGE", stream or venue.keys.log, "-", "+", "COUNT", 1))
        return int(entries[0][0].partition(b"-")[0]) if entries else 0

    return seq


async def test_a_follower_that_was_left_behind_starts_over(
    venue: Venue, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As of a process that was paused for long."""
    await venue.lead("a", settings=QUIET)
    paused = venue.start("b", settings=QUIET)
    await venue.client.submit([buy()] * 10)
    await venue.handled()
    await venue.caught_up(paused)
    gate, tail = asyncio.Event(), paused.node.store.tail

    async def held(after: int, limit: int, wait_ms: int) -> list[Entry]:
        await gate.wait()
        return await tail(after, limit, wait_ms)

    monkeypatch.setattr(paused.node.store, "tail", held)
    # What it waits for now came before the gate.
    await venue.client.submit([buy()])
    await venue.handled()
    for _ in range(3):
        await venue.client.submit([buy()] * 10)
        await venue.handled()
    await venue.snapshot()
    await venue.link.call("XTRIM", venue.keys.log, "MINID", "41-0")
    gate.set()
    replica = await venue.caught_up(paused)
    assert replica.tip == (await venue.restored()).tip
    assert re.search(r"Starting over from the journal: the journal has \d+ after 11", caplog.text)


# Fills


async def _fills(entries: Iterable[Entry]) -> list[FillMessage]:
    return [
        fill_message(event)
        for entry in entries
        for event in entry.events
        if type(event) is TradeExecuted
    ]


class Witness:
    """Reads the journal all the time, and so has also what was trimmed since."""

    def __init__(self, venue: Venue) -> None:
        self._client = venue.client
        self.replica = Replica()
        self.entries: list[Entry] = []
        self._task = asyncio.ensure_future(self._run())

    async def _run(self) -> None:
        async for entry in self._client.follow(self.replica):
            self.entries.append(entry)  # it has no end

    async def stop(self, seq: int) -> list[Entry]:
        await eventually(_at(self.replica), lambda at: at >= seq or self._task.done())
        self._task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await self._task
        return self.entries


class Ledger:
    """A group on the fills that takes its time, and keeps what it reads."""

    def __init__(self, venue: Venue) -> None:
        self._link = venue.link
        self._stream = venue.keys.fills_stream
        self.fills: list[tuple[str, Any]] = []

    async def register(self) -> None:
        await self._link.call("XGROUP", "CREATE", self._stream, "ledger", "0", "MKSTREAM")

    async def read(self, count: int) -> None:
        """Reads so many, and acknowledges them."""
        reply = await self._link.call(
            *("XREADGROUP", "GROUP", "ledger", "x", "COUNT", count, "STREAMS", self._stream, ">")
        )
        for entry_id, flat in reply[0][1] if reply else []:
            self.fills.append((entry_id.decode(), msgspec.json.decode(flat[1])))
            await self._link.call("XACK", self._stream, "ledger", entry_id)


async def test_across_trims_and_failovers_every_fill_is_told_and_kept_once(
    venue: Venue, writers: Writers
) -> None:
    ledger = Ledger(venue)
    await ledger.register()
    for name in "abc":
        venue.start(name, settings=OFTEN)
    await venue.leader()
    witness = Witness(venue)
    async with subscribed(venue.url, venue.keys.fills_channel) as heard:
        load = Load(venue.client)
        for round_ in range(4):
            await writers.count(2)
            await ledger.read(30)
            name = await venue.leader()
            instance = venue.instances.pop(name)
            await (instance.crash() if round_ % 2 else instance.stop())
            venue.start(f"{name}{round_}", settings=OFTEN)
            await venue.leader()
        acknowledged = await load.stop()
        seq = await venue.handled()
        entries = await witness.stop(seq)
        fills = await _fills(entries)

        async def read() -> int:
            await ledger.read(500)
            return len(ledger.fills)

        await eventually(read, lambda count: count >= len(fills))
        assert ledger.fills == [(fill.trade_id, msgspec.to_builtins(fill)) for fill in fills]

        async def told() -> int:
            return len(heard)

        await eventually(told, lambda count: count >= len(fills))
        assert heard == fills
    accepted = [e.order_id for x in entries for e in x.events if type(e) is OrderAccepted]
    assert accepted == acknowledged
    assert await _beginning(venue)() > entries[0].seq
    assert len(fills) > 100


async def test_the_fills_that_nobody_waits_for_go_with_the_journal(
    venue: Venue, writers: Writers
) -> None:
    ledger = Ledger(venue)
    await ledger.register()
    for name in "ab":
        venue.start(name, settings=OFTEN)
    await venue.leader()
    witness = Witness(venue)
    load = Load(venue.client)
    await eventually(_beginning(venue), lambda seq: seq > 300)
    # Not even while the journal went on, for the ledger has read nothing.
    first = await venue.link.call("XRANGE", venue.keys.fills_stream, "-", "+", "COUNT", 1)
    assert int(first[0][0].partition(b"-")[0]) < 5
    await venue.link.call("XGROUP", "DESTROY", venue.keys.fills_stream, "ledger")
    await eventually(_beginning(venue, venue.keys.fills_stream), lambda seq: seq > 200)
    await load.stop()
    seq = await venue.handled()
    for instance in list(venue.instances.values()):
        await instance.stop()
    entries = await witness.stop(seq)
    begins = (await venue.client.entries_after(0, 1))[0].first_seq
    reply = await venue.link.call("XRANGE", venue.keys.fills_stream, "-", "+")
    fills = [fill.trade_id for fill in await _fills(entries)]
    left = [entry_id.decode() for entry_id, _ in reply]
    assert left == fills[-len(left) :]
    # What the journal still tells of is there.
    assert {name for name in fills if int(name.partition("-")[0]) >= begins} <= set(left)
    assert begins > 1


async def test_while_no_fill_can_be_published_nothing_is_trimmed(
    venue: Venue, writers: Writers, monkeypatch: pytest.MonkeyPatch
) -> None:
    await Ledger(venue).register()
    for name in "ab":
        venue.start(name, settings=OFTEN)
    await venue.leader()
    publish = Store.publish

    async def refused(*_: object) -> bool:
        raise Refused("the stream is full")

    monkeypatch.setattr(Store, "publish", refused)
    witness = Witness(venue)
    load = Load(venue.client)
    await writers.count(5)
    await load.stop()
    tip = await venue.handled()
    begins = await _beginning(venue)()
    monkeypatch.setattr(Store, "publish", publish)
    await venue.client.submit([sell(50, 2), buy(50, 2)])
    assert await venue.handled() == tip + 2
    entries = await witness.stop(tip + 2)
    with_fills = [entry.seq for entry in entries if await _fills([entry])]
    # However many commands the first of these commits took.
    assert begins <= with_fills[0]
    fills = await _fills(entries)
    await eventually(venue.client.count_fills, lambda count: count == len(fills))
