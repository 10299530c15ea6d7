"""Venues to audit: their trading, and what was acknowledged."""

import random

from matchbox_tui.engine import (
    CancelAll,
    NewOrder,
    ReplaceOrder,
    Side,
    TimeInForce,
    dump_parts,
)
from matchbox_tui.node import Settings
from matchbox_tui.store import Header, Replica
from matchbox_tui.store.snapshot import write_snapshot
from sim.audit import Verdict, audit_venue
from sim.floor import FloorRecord
from tests.node.venue import Venue, buy, order, sell
from tests.waiting import eventually

CALM = Settings(lease_ms=10_000, renew_ms=200, poll_ms=10, snapshot_ms=86_400_000)
"""Takes no snapshots, and a busy machine does not look like a dead leader."""


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


async def snapshot_at(venue: Venue, seq: int) -> None:
    """A snapshot as an instance would have taken it after command `seq`."""
    replica = Replica()
    async for _ in venue.client.follow(replica, until=seq):
        pass
    head = Header(replica.seq, replica.chain, replica.epoch, 0, 0)
    await write_snapshot(venue.link, venue.keys, "me", head, dump_parts(replica.exchange))
