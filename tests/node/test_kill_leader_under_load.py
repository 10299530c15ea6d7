"""The leader is killed under load, again and again; the market goes on and nothing is lost."""

import itertools
import random
import signal
from functools import partial
from pathlib import Path

import msgspec

from matchbox_tui.engine import (
    Event,
    NewOrder,
    OrderAccepted,
    OrderRejected,
    Side,
    TradeExecuted,
)
from matchbox_tui.store import (
    Client,
    ClusterStatus,
    Entry,
    FillMessage,
    Keys,
    Link,
    Replica,
    fill_message,
)
from tests.node.processes import Submitter, cluster_of, leads, stand_by
from tests.node.venue import order
from tests.waiting import eventually

NAMES = ["node-1", "node-2", "node-3"]
KILLS = 4
BATCH = 20
PAUSE = 0.01
"""With the batch, some 1,500 orders a second."""


class Flow:
    """Random orders around a price; about one in a hundred is rejected."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def __call__(self) -> list[NewOrder]:
        chance = self._chance
        return [
            order(
                chance.randint(45, 55),
                0 if chance.random() < 0.01 else chance.randint(1, 9),
                chance.choice(list(Side)),
                trader=f"trader-{chance.randint(1, 5)}",
            )
            for _ in range(BATCH)
        ]


async def test_nothing_acknowledged_is_lost_doubled_or_reordered(
    client: Client, link: Link, keys: Keys, url: str, prefix: str, tmp_path: Path
) -> None:
    with cluster_of(NAMES, url, prefix, tmp_path) as cluster:
        await stand_by(client, NAMES)
        load = Submitter(client, Flow(7), PAUSE)
        for _ in range(KILLS):
            await load.passes(600)
            leader = await leads(client)
            epoch = (await client.cluster()).epoch
            cluster.nodes[leader].signal(signal.SIGKILL)
            killed_at = (await client.cluster()).seq
            # The market goes on before the killed one is back.
            await eventually(client.cluster, partial(_went_on, epoch, killed_at))
            cluster.start_node(leader)
            await stand_by(client, NAMES)
        acknowledged = await load.stop()
        await eventually(client.cluster, lambda status: status.queue_depth == 0)
        await stand_by(client, NAMES)

        replica, entries = await _replayed(client)
        assert load.in_doubt == 0
        assert acknowledged == list(range(1, len(acknowledged) + 1))
        assert _first_outcomes(entries) == acknowledged
        epochs = [entry.epoch for entry in entries]
        assert epochs == sorted(epochs)
        assert len(set(epochs)) >= KILLS
        await _fills_agree(client, link, keys, entries)
        await _everybody_agrees(client, replica, set(NAMES))

        # Whoever takes over from here holds the same book.
        leader = await leads(client)
        cluster.nodes[leader].signal(signal.SIGKILL)
        await leads(client, leader)
        await client.submit(Flow(8)())
        await eventually(client.cluster, lambda status: status.seq == replica.seq + BATCH)
        again, _ = await _replayed(client)
        await _everybody_agrees(client, again, set(NAMES) - {leader})


def _went_on(epoch: int, seq: int, status: ClusterStatus) -> bool:
    return status.epoch > epoch and status.seq > seq


async def _replayed(client: Client) -> tuple[Replica, list[Entry]]:
    """A fresh replay, which checks the sequence, the chain and the epochs."""
    replica, entries = Replica(), []
    seq = (await client.cluster()).seq
    async for entry in client.follow(replica, until=seq):
        entries.append(entry)  # noqa: PERF401  # the place to stop is the iterator's
    return replica, entries


def _first_outcomes(entries: list[Entry]) -> list[int]:
    """The orders' ids in the order in which they were first answered."""
    events: itertools.chain[Event] = itertools.chain.from_iterable(
        entry.events for entry in entries
    )
    return [event.order_id for event in events if isinstance(event, OrderAccepted | OrderRejected)]


async def _fills_agree(client: Client, link: Link, keys: Keys, entries: list[Entry]) -> None:
    fills = [
        fill_message(event)
        for entry in entries
        for event in entry.events
        if isinstance(event, TradeExecuted)
    ]
    assert len(fills) > 100
    await eventually(client.count_fills, lambda count: count >= len(fills))
    reply = await link.call("XRANGE", keys.fills_stream, "-", "+")
    stream = [
        (entry_id.decode(), msgspec.json.decode(flat[1], type=FillMessage))
        for entry_id, flat in reply
    ]
    assert stream == [(fill.trade_id, fill) for fill in fills]


async def _everybody_agrees(client: Client, replica: Replica, names: set[str]) -> None:
    """The published book is the replay's, and every living instance is at its place."""
    assert await client.published_book("MAIN") == replica.exchange.book().snapshot(100)
    await eventually(
        client.cluster,
        lambda status: (
            {(one.id, one.seq) for one in status.instances if one.id in names}
            == {(name, replica.seq) for name in names}
        ),
    )
