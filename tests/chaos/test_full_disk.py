"""The disk under the append-only file is full: it is said, and nothing acknowledged is lost."""

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from matchbox_tui.engine import OrderAccepted
from matchbox_tui.store import Client, EmbeddedServer, Refused, SnapshotFiles, StoreError
from sim.cluster import Member
from tests.chaos.going_on import holds, opened
from tests.node.processes import cluster_of
from tests.node.venue import Venue, buy
from tests.servers import OwnServer
from tests.waiting import eventually, soon

on_linux = pytest.mark.skipif(
    not hasattr(resource, "prlimit"), reason="only Linux can limit the files of a running process"
)

ROOM = 3000


@pytest.fixture(params=["everysec", "always"])
def own(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OwnServer]:
    with OwnServer(tmp_path, "--appendfsync", request.param) as server:
        yield server


def _limit(pid: int, directory: Path, room: int | None) -> None:
    """Lets the server's file grow by so many bytes, or without bound."""
    file = next(directory.glob("appendonlydir/*.incr.aof"))
    limit = file.stat().st_size + room if room is not None else resource.RLIM_INFINITY
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit, hard))


@on_linux
@pytest.mark.parametrize("own", ["everysec"], indirect=True)
async def test_a_server_that_can_t_write_refuses_until_it_can(venue: Venue, own: OwnServer) -> None:
    await opened(venue)
    _limit(own.pid, own.directory, ROOM)
    acknowledged = await _fill(venue.client)
    with pytest.raises(Refused, match=r"can't write to its disk \(.*\) and takes no"):
        await venue.client.submit([buy(1)])
    _limit(own.pid, own.directory, None)
    await holds(venue)
    own.kill()
    own.start()
    await holds(venue)
    assert set(acknowledged) <= await _accepted(venue)


@on_linux
@pytest.mark.parametrize("own", ["always"], indirect=True)
async def test_a_server_that_syncs_always_ends_rather_than_lose_what_it_said_yes_to(
    venue: Venue, own: OwnServer
) -> None:
    await opened(venue)
    _limit(own.pid, own.directory, ROOM)
    acknowledged = await _fill(venue.client)
    soon(lambda: not own.answers())
    own.stop()
    own.start()
    await holds(venue)
    assert set(acknowledged) <= await _accepted(venue)


async def _fill(client: Client) -> list[int]:
    """Submits until that fails; the ids of what was acknowledged."""
    acknowledged: list[int] = []
    while True:
        try:
            acknowledged += await client.submit([buy(30)])
        except StoreError:
            return acknowledged


async def _accepted(venue: Venue) -> set[int]:
    return {one.order_id for one in await venue.events() if isinstance(one, OrderAccepted)}


@on_linux
async def test_the_embedded_server_says_what_ended_it(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path) as server:
        client = await Client.connect(server.url)
        _limit(server.pid, tmp_path / "server", ROOM)
        acknowledged = await _fill(client)
        soon(lambda: not server.alive())
        said = server.complaint()
        assert said.startswith("it can't write to its disk")
        assert said.endswith(f"make room for {tmp_path / 'server'}")
    with EmbeddedServer(tmp_path) as server:
        client = await Client.connect(server.url)
        assert (await client.submit([buy(1)]))[0] > len(acknowledged)
        await client.close()


@on_linux
@pytest.mark.parametrize("own", ["always"], indirect=True)
async def test_an_instance_that_can_t_write_its_files_says_so_and_goes_on(
    client: Client, url: str, tmp_path: Path
) -> None:
    env = {"MATCHBOX_SNAPSHOT_INTERVAL_MS": "200", "MATCHBOX_DATA_DIR": str(tmp_path / "data")}
    with cluster_of(["node-1"], url, "", tmp_path, **env) as cluster:
        files = SnapshotFiles(tmp_path / "data")
        node = cluster.nodes["node-1"]
        await client.submit([buy(30 + n % 9) for n in range(900)])
        await eventually(lambda: _newest(files), lambda seq: seq >= 900)
        before = sorted(path.name for path in files.directory.iterdir())
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        # More than its log has, less than a snapshot.
        resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (100_000, hard))

        await client.submit([buy(30)])
        await eventually(lambda: _logged(node, "No snapshot files in"))
        assert await client.submit([buy(30)]) == [902]
        await eventually(client.cluster, lambda status: status.seq == 902)
        assert sorted(path.name for path in files.directory.iterdir()) == before
        assert await _newest(files) >= 900
        assert node.alive()

        resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        await client.submit([buy(30)])
        await eventually(lambda: _newest(files), lambda seq: seq >= 903)


async def _newest(files: SnapshotFiles) -> int:
    """The place of the newest snapshot in the files that holds, 0 where there is none."""
    return max([base.replica.seq async for base in files.bases()], default=0)


async def _logged(node: Member, words: str) -> bool:
    return words in node.log.read_text()
