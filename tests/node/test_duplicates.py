"""The same client_order_id again, at once, later or across a change of leader: one order."""

import asyncio
import signal
from pathlib import Path

import pytest

from matchbox_tui.engine import NewOrder, OrderAccepted
from matchbox_tui.store import Client, Replica
from tests.node.processes import cluster_of, leads
from tests.node.venue import Venue, buy
from tests.waiting import eventually

CLIENTS = 4
NAMES = 25


def _named(n: int) -> NewOrder:
    return buy(40 + n % 5, 1 + n % 3, trader="ann", client_order_id=f"c{n}")


async def _race(clients: list[Client], answers: dict[str, set[int]]) -> None:
    """All clients send the same orders at once, each in its own order."""

    async def send(client: Client, first: int) -> None:
        for n in range(NAMES):
            order = _named((first + n) % NAMES)
            (number,) = await client.submit([order])
            answers.setdefault(order.client_order_id, set()).add(abs(number))

    await asyncio.gather(*(send(client, 6 * k) for k, client in enumerate(clients)))


async def _accepted(client: Client) -> list[tuple[str, int]]:
    found = []
    async for entry in client.follow(Replica(), until=(await client.cluster()).seq):
        found += [
            (event.order.client_order_id, event.order_id)
            for event in entry.events
            if isinstance(event, OrderAccepted)
        ]
    return found


@pytest.fixture
async def clients(url: str, prefix: str) -> list[Client]:
    return [await Client.connect(url, prefix) for _ in range(CLIENTS)]


async def test_duplicates_across_changes_of_leader_are_one_order_with_one_id(
    venue: Venue, clients: list[Client]
) -> None:
    for name in "abc":
        venue.start(name)
    answers: dict[str, set[int]] = {}
    for _ in range(3):
        leader = await venue.leader()
        await asyncio.gather(_race(clients, answers), venue.instances.pop(leader).stop())
    venue.start("d")
    await _race(clients, answers)
    await venue.handled()
    for client in clients:
        await client.close()
    assert all(len(ids) == 1 for ids in answers.values()), answers
    assert sorted(await _accepted(venue.client)) == sorted(
        (name, order_id) for name, (order_id,) in answers.items()
    )


async def test_an_order_sent_again_after_its_leader_was_killed_is_the_same_one(
    url: str, prefix: str, client: Client, clients: list[Client], tmp_path: Path
) -> None:
    answers: dict[str, set[int]] = {}
    with cluster_of(["a", "b"], url, prefix, tmp_path, MATCHBOX_LEASE_MS="1000") as cluster:
        leader = await leads(client)
        racing = asyncio.ensure_future(_race(clients, answers))
        cluster.nodes[leader].signal(signal.SIGKILL)
        await racing
        await leads(client, leader)
        await _race(clients, answers)
        for one in clients:
            await one.close()
        await eventually(client.cluster, lambda status: status.queue_depth == 0)
    assert all(len(ids) == 1 for ids in answers.values()), answers
    assert sorted(await _accepted(client)) == sorted(
        (name, order_id) for name, (order_id,) in answers.items()
    )
