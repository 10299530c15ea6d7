"""Real processes: a leader that is killed, paused or stopped is followed by the next."""

import signal
from pathlib import Path

from matchbox_tui.store import Client, Replica
from tests.node.processes import cluster_of, leads, stand_by
from tests.node.venue import buy, sell
from tests.waiting import eventually, soon

NAMES = ["node-1", "node-2"]


async def _handled(client: Client, seq: int) -> None:
    await eventually(client.cluster, lambda status: status.seq == seq)


async def _bids(client: Client) -> list[tuple[int, int]]:
    book = await client.published_book("MAIN")
    assert book is not None
    return [(level.price, level.qty) for level in book.bids]


async def test_a_killed_leader_is_followed_long_before_its_lease_ends(
    client: Client, url: str, prefix: str, tmp_path: Path
) -> None:
    # With a lease longer than the test's patience, only the lost connection can tell.
    with cluster_of(NAMES, url, prefix, tmp_path, MATCHBOX_LEASE_MS="600000") as cluster:
        await stand_by(client, NAMES)
        await client.submit([buy(50, 10)])
        await _handled(client, 1)
        leader = await leads(client)
        cluster.nodes[leader].signal(signal.SIGKILL)
        await client.submit([sell(50, 4)])
        await _handled(client, 2)
        assert await leads(client) != leader
        assert await _bids(client) == [(50, 6)]


async def test_a_stopped_leader_hands_over_and_leaves(
    client: Client, url: str, prefix: str, tmp_path: Path
) -> None:
    with cluster_of(NAMES, url, prefix, tmp_path, MATCHBOX_LEASE_MS="600000") as cluster:
        await stand_by(client, NAMES)
        leader = await leads(client)
        cluster.nodes[leader].signal(signal.SIGTERM)
        await client.submit([buy(50, 10)])
        await _handled(client, 1)
        soon(lambda: not cluster.nodes[leader].alive())
        assert cluster.nodes[leader].process.returncode == 0
        status = await client.cluster()
        assert [one.id for one in status.instances] == [name for name in NAMES if name != leader]
        (survivor,) = status.instances
        log = tmp_path / f"{survivor.id}.log"
        # The order may have been the old leader's last one, so that nobody waits for the new one.
        soon(lambda: f"Became engine leader: {survivor.id}, epoch 2" in log.read_text())


async def test_a_paused_leader_is_followed_fenced_and_follows(
    client: Client, url: str, prefix: str, tmp_path: Path
) -> None:
    times = {"MATCHBOX_LEASE_MS": "600", "MATCHBOX_RENEW_MS": "100"}
    with cluster_of(NAMES, url, prefix, tmp_path, **times) as cluster:
        await stand_by(client, NAMES)
        await client.submit([buy(50, 10)])
        await _handled(client, 1)
        zombie = await leads(client)
        cluster.nodes[zombie].signal(signal.SIGSTOP)
        # What the zombie would have matched had it not been paused.
        await client.submit([sell(50, 1)])
        await _handled(client, 2)
        successor = await leads(client)
        assert successor != zombie
        cluster.nodes[zombie].signal(signal.SIGCONT)
        for _ in range(20):
            await client.submit([sell(50, 1), buy(49, 1)])
        await _handled(client, 42)
        await stand_by(client, NAMES)
        status = await eventually(
            client.cluster, lambda status: {one.seq for one in status.instances} == {42}
        )
        assert status.epoch >= 2
        replica = Replica()
        await client.catch_up(replica)
        assert replica.exchange.book().snapshot() == await client.published_book("MAIN")
        assert all(member.alive() for member in cluster.nodes.values())


async def test_an_instance_ends_when_whoever_started_it_does(
    client: Client, url: str, prefix: str, tmp_path: Path
) -> None:
    with cluster_of(NAMES[:1], url, prefix, tmp_path) as cluster:
        await stand_by(client, NAMES[:1])
        member = cluster.nodes["node-1"]
        assert member.process.stdin is not None
        member.process.stdin.close()
        soon(lambda: not member.alive())
        status = await client.cluster()
        assert (status.leader, status.instances) == (None, ())
        member.process.stdin = None
