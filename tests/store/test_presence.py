"""Presence: a leader whose connection is gone is dead; one that connected anew is not."""

from pathlib import Path

import pytest

from matchbox_tui.store import (
    Client,
    InDoubt,
    Keys,
    LeaderView,
    Link,
    Refused,
    Server,
    Store,
    Unreachable,
)
from tests.servers import OwnServer
from tests.store.build import LEASE, elected
from tests.waiting import eventually


async def _beat(store: Store, ttl_ms: int = LEASE) -> None:
    await store.heartbeat("leading", 1, 1, "host", 0, 0, ttl_ms)


async def _known(watcher: Store) -> None:
    """The watcher has looked often enough to know the leader's connection."""
    for _ in range(3):
        assert not (await watcher.view()).gone


async def test_nobody_leads_at_first(store: Store) -> None:
    assert await store.view() == LeaderView(None, 0, gone=False)


async def test_a_connected_leader_is_alive(store: Store, rival: Store) -> None:
    await elected(store)
    await _beat(store)
    await _known(rival)
    assert await rival.view() == LeaderView("a", 1, gone=False)


async def test_a_leader_whose_connection_is_gone_is_dead(store: Store, rival: Store) -> None:
    await elected(store)
    await _beat(store)
    await _known(rival)
    await store.close()
    assert (await eventually(rival.view, lambda view: view.gone)) == LeaderView("a", 1, gone=True)


async def test_a_leader_that_connected_anew_is_alive(store: Store, rival: Store) -> None:
    await elected(store)
    await _beat(store)
    await _known(rival)
    await store.close()
    await _beat(store)
    await _known(rival)


async def test_a_stranger_with_the_leader_s_connection_number_is_not_the_leader(
    store: Store, rival: Store, link: Link, keys: Keys
) -> None:
    await elected(store)
    await _beat(store)
    await link.call("HSET", keys.instance("a"), "connection", await link.call("CLIENT", "ID"))
    await rival.view()
    assert (await rival.view()).gone


async def test_a_leader_without_a_heartbeat_is_judged_by_its_lease_alone(
    store: Store, rival: Store, link: Link, keys: Keys
) -> None:
    await elected(store)
    await _known(rival)
    await link.call("DEL", keys.leader)
    assert await rival.view() == LeaderView(None, 1, gone=False)


async def test_a_new_leader_is_not_taken_for_the_dead_one(store: Store, rival: Store) -> None:
    await elected(store)
    await _beat(store)
    watcher = Store(Server(store._main._server.url), store.keys, "c")
    await _known(watcher)
    await store.close()
    await _beat(rival)
    assert await rival.usurp(1, LEASE)
    await _known(watcher)
    assert await watcher.view() == LeaderView("b", 2, gone=False)
    await watcher.close()


async def test_a_heartbeat_runs_out(store: Store, link: Link, keys: Keys) -> None:
    await _beat(store, ttl_ms=30)
    assert await link.call("HGET", keys.instance("a"), "connection") is not None
    await eventually(lambda: store.instance("a"), lambda instance: instance is None)


async def test_instances_that_are_long_gone_are_forgotten(
    store: Store, rival: Store, link: Link, keys: Keys
) -> None:
    await link.call("ZADD", keys.instances, 1, "ancient")
    await _beat(store)
    await _beat(rival)
    assert await link.call("ZRANGE", keys.instances, 0, -1) == [b"a", b"b"]
    await rival.depart()
    assert await link.call("ZRANGE", keys.instances, 0, -1) == [b"a"]
    assert await link.call("EXISTS", keys.instance("b")) == 0


@pytest.mark.parametrize("denied", ["-client", "-client|list"])
async def test_where_client_is_not_allowed_the_lease_decides(tmp_path: Path, denied: str) -> None:
    rules = ("--user", "ada", "on", ">pw", "~*", "&*", "+@all", denied)
    with OwnServer(tmp_path, *rules) as server:
        ours = Server(server.url.replace("unix://", "unix://ada:pw@"))
        store, rival = Store(ours, Keys(), "a"), Store(ours, Keys(), "b")
        await elected(store)
        await _beat(store)
        await _known(rival)
        await store.close()
        await _known(rival)
        await rival.close()


async def test_a_view_of_a_server_that_is_gone_says_so(tmp_path: Path) -> None:
    with OwnServer(tmp_path) as server:
        store = Store(Server(server.url), Keys(), "a")
        await store.view()
        server.stop()
        with pytest.raises((InDoubt, Unreachable)):
            await store.view()
        server.start()
        assert (await store.view()).leader is None
        await store.close()


@pytest.mark.parametrize("text", [b"abc", b"", b"-1", b"\xff"])
async def test_a_view_of_counters_that_are_none(
    store: Store, link: Link, keys: Keys, client: Client, text: bytes
) -> None:
    await link.call("SET", keys.epoch, text)
    await link.call("SET", keys.leader, b"\xff")
    view = await store.view()
    assert (view.epoch, view.leader) == (0, "\ufffd")
    status = await client.cluster()
    assert (status.epoch, status.seq, status.leader) == (0, 0, "\ufffd")


async def test_a_heartbeat_that_another_program_took_is_named_and_beats_again(
    store: Store, client: Client, link: Link, keys: Keys
) -> None:
    await _beat(store)
    key = keys.instance("a")
    await link.call("DEL", key)
    await link.call("SADD", key, "x")
    for failing in (client.cluster, lambda: _beat(store)):
        with pytest.raises(Refused, match=f"{key} holds a value of type set"):
            await failing()
    await _beat(store)
    assert [one.id for one in (await client.cluster()).instances] == ["a"]
