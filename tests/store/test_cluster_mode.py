"""A server in cluster mode: a venue lives under a hash tag, and whoever forgets it is told."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from matchbox_tui.engine import TradeExecuted
from matchbox_tui.store import Client, Keys, Link, Refused, Server, Unusable, fill_message
from tests.kinds import KINDS, is_here, program
from tests.node.venue import Venue
from tests.servers import OwnServer
from tests.store.build import buy, cancel, sell
from tests.waiting import eventually

SLOTS = 16384


def _free_port() -> int:
    """A port that is free, as is the one for the cluster's own talk, 10,000 above."""
    while True:
        with socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", 0))
            port: int = one.getsockname()[1]
            try:
                other.bind(("127.0.0.1", port - 10_000))
            except OSError:
                continue
            return port - 10_000


def _node(directory: Path, kind: str) -> OwnServer:
    """A server that would be part of a cluster, with no slots yet."""
    directory.mkdir()
    options = ("--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf")
    return OwnServer(directory, *options, kind=kind, port=_free_port())


async def _serve_slots(server: OwnServer, slots: range) -> None:
    link = Server(server.url).link()
    # Not ADDSLOTSRANGE, which Redis 6.2 doesn't have.
    await link.call("CLUSTER", "ADDSLOTS", *slots)
    await link.close()


async def _ready(server: OwnServer) -> None:
    """Waits until the cluster serves, which a server that has just started puts off for 2 s."""
    link = Server(server.url).link()

    async def state() -> bytes:
        return bytes(await link.call("CLUSTER", "INFO"))

    await eventually(state, lambda info: b"cluster_state:ok" in info)
    await link.close()


@pytest.fixture(scope="session")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, OwnServer]]:
    """A cluster of a single shard of each kind of server, made together: each takes 2 s."""
    place = tmp_path_factory.mktemp("cluster")
    with contextlib.ExitStack() as stack:
        servers = {
            kind: stack.enter_context(_node(place / kind, kind)) for kind in KINDS if is_here(kind)
        }
        for server in servers.values():
            asyncio.run(_serve_slots(server, range(SLOTS)))
        for server in servers.values():
            asyncio.run(_ready(server))
        yield servers


@pytest.fixture
def url(kind: str, shards: dict[str, OwnServer]) -> str:
    program(kind)
    return shards[kind].url


@pytest.fixture
def prefix(prefix: str) -> str:
    return f"{{{prefix.rstrip(':')}}}:"


async def test_a_venue_under_a_hash_tag_trades(
    url: str, prefix: str, client: Client, link: Link
) -> None:
    venue = Venue(url, prefix, client, link)
    assert client.warnings == ()
    await venue.lead("a")
    second = venue.start("b")
    named = sell(50, 4, trader="ada", client_order_id="mine")
    assert await client.submit([buy(50, 10), named, named]) == [1, 2, -2]
    await client.submit([cancel(1)])
    await venue.handled()
    await venue.instances["a"].stop()
    await venue.leads("b")
    assert await client.submit([buy(49, 1)]) == [3]
    await venue.handled()

    (trade,) = [event for event in await venue.events() if isinstance(event, TradeExecuted)]
    assert await eventually(lambda: client.recent_fills(9)) == [fill_message(trade)]
    replica = await venue.replica()
    assert [order.id for order in replica.exchange.orders.values()] == [3]
    assert (await venue.caught_up(second)).tip == replica.tip
    assert await client.published_book("MAIN") == replica.exchange.book().snapshot(100)
    await venue.stop()


@pytest.mark.parametrize("untagged", ["", "venue:", "{}:", "}venue{:"])
async def test_a_prefix_without_hash_tag_is_refused(url: str, untagged: str) -> None:
    with pytest.raises(Unusable, match=r"set MATCHBOX_KEY_PREFIX to a hash tag, such as {venue}:"):
        await Client.connect(url, untagged)


async def test_who_didn_t_look_first_is_told_as_well(url: str) -> None:
    client = Client(Server(url), Keys("venue:"))
    with pytest.raises(Refused, match=r"set MATCHBOX_KEY_PREFIX to a hash tag, such as {venue}:"):
        await client.submit([buy()])
    await client.close()


async def test_a_venue_of_another_shard_s_is_told_where_to_go(tmp_path: Path) -> None:
    with _node(tmp_path / "one", KINDS[0]) as one, _node(tmp_path / "two", KINDS[0]) as two:
        link = Server(one.url).link()
        half = SLOTS // 2
        await _serve_slots(one, range(half))
        await _serve_slots(two, range(half, SLOTS))
        await link.call("CLUSTER", "MEET", "127.0.0.1", two.port)
        await asyncio.gather(_ready(one), _ready(two))
        homes = {}
        for name in ("{a}:", "{b}:", "{c}:", "{d}:"):
            slot = await link.call("CLUSTER", "KEYSLOT", name)
            homes.setdefault(slot < half, name)
        at_home = await Client.connect(one.url, homes[True])
        assert await at_home.submit([buy()]) == [1]
        with pytest.raises(Unusable, match=f"set REDIS_URL to redis://127.0.0.1:{two.port}$"):
            await Client.connect(one.url, homes[False])
        stray = Client(Server(one.url), Keys(homes[False]))
        with pytest.raises(Refused, match=f"set REDIS_URL to redis://127.0.0.1:{two.port}$"):
            await stray.submit([buy()])
        for each in (at_home, stray, link):
            await each.close()
