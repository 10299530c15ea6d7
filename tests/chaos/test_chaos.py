"""Real processes, a real server, every kind of fault at random, several at once: all exact."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from matchbox_tui.store import Client, ClusterStatus, Keys, Link, StoreError
from sim.cluster import Cluster
from sim.floor import FloorRecord
from tests.chaos.check import HASH_EVERY, check
from tests.chaos.disorder import SETTINGS, Disorder
from tests.chaos.traders import Trader, record_of
from tests.chaos.witness import Witness
from tests.kinds import KINDS, VALKEY
from tests.node.processes import cluster_of
from tests.node.venue import order
from tests.servers import OwnServer
from tests.waiting import eventually

INSTANCES = ["node-1", "node-2", "node-3"]
SECONDS = {VALKEY: 12.0}
SECONDS_ELSEWHERE = 4.0
KEYS = Keys()


@pytest.fixture(params=KINDS)
def own(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OwnServer]:
    with OwnServer(tmp_path, kind=request.param) as server:
        yield server


@pytest.fixture
def cluster(own: OwnServer, tmp_path: Path) -> Iterator[Cluster]:
    env = {**SETTINGS, "MATCHBOX_HASH_EVERY": str(HASH_EVERY)}
    with cluster_of(INSTANCES, own.url, "", tmp_path, **env) as running:
        yield running


@pytest.fixture
async def clients(url: str) -> AsyncIterator[list[Client]]:
    connected = [await Client.connect(url, name=f"trader-{n}") for n in range(2)]
    yield connected
    for each in connected:
        await each.close()


@pytest.fixture
def seed(pytestconfig: pytest.Config) -> int:
    return int(pytestconfig.getoption("--chaos-seed"))


@pytest.mark.timeout(0)
async def test_nothing_acknowledged_is_lost_doubled_or_reordered_whatever_fails(
    pytestconfig: pytest.Config,
    own: OwnServer,
    cluster: Cluster,
    seed: int,
    client: Client,
    link: Link,
    clients: list[Client],
) -> None:
    seconds = pytestconfig.getoption("--chaos-seconds") or SECONDS.get(own.kind, SECONDS_ELSEWHERE)
    await _at_full_strength(client)
    traders = [Trader(each, f"trader-{n}", seed) for n, each in enumerate(clients)]
    witness = Witness(clients[0])
    disorder = Disorder(seed, cluster, own, link)
    try:
        async with asyncio.timeout(seconds + 100), asyncio.TaskGroup() as tasks:
            supervising = tasks.create_task(disorder.supervise())
            await disorder.torment(seconds)
            record = await _at_rest(client, traders)
            supervising.cancel()
        await witness.stop((await client.cluster()).seq)
        await check(client, link, KEYS, record, witness.entries, instances=INSTANCES)
    except Exception as error:
        error.add_note(f"Again with: --chaos-seed {seed} --chaos-seconds {seconds}")
        error.add_note("\n".join(disorder.told))
        raise


async def _at_full_strength(client: Client) -> ClusterStatus:
    """Waits until one instance leads, the others follow, and nobody has anything left to do."""

    async def status() -> ClusterStatus | None:
        with contextlib.suppress(StoreError):
            return await client.cluster()
        return None

    def quiet(status: ClusterStatus | None) -> bool:
        return (
            status is not None
            and status.queue_depth == 0
            and sorted(one.role for one in status.instances) == ["follower", "follower", "leading"]
            and {one.id for one in status.instances} == set(INSTANCES)
            and all(one.seq == status.seq for one in status.instances)
        )

    found = await eventually(status, quiet)
    assert found is not None
    return found


async def _at_rest(client: Client, traders: list[Trader]) -> FloorRecord:
    """Stops the traders, and brings the journal to a place where all publish their state hash.

    Returns what was acknowledged.
    """
    for trader in traders:
        await trader.stop()
    seq = (await _at_full_strength(client)).seq
    record = record_of(traders)
    record.acknowledge(await client.submit([order(1)] * (HASH_EVERY - seq % HASH_EVERY)))
    await _at_full_strength(client)
    return record
