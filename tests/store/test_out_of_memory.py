"""Memory has run out: what is new is refused, what was acknowledged still goes through."""

from collections.abc import AsyncIterator

import pytest

from matchbox_tui.engine import Side
from matchbox_tui.store import (
    Client,
    Commit,
    FillMessage,
    Keys,
    Link,
    Outcome,
    Refused,
    Replica,
    Server,
    Store,
    Tip,
)
from matchbox_tui.store import store as store_module
from matchbox_tui.store.scripts import COMMIT
from tests.servers import OwnServer
from tests.store.build import LEASE, altered, buy, cancel, content, elected, match, put

FILL = FillMessage(1, 2, 50, 10, 0, "MAIN", "1-1", Side.BUY)


@pytest.fixture
def url(own: OwnServer) -> str:
    return own.url


@pytest.fixture
def prefix() -> str:
    return ""


@pytest.fixture
async def rival(url: str, keys: Keys) -> AsyncIterator[Store]:
    opened = Store(Server(url), keys, "b")
    yield opened
    await opened.close()


async def _fill_up(link: Link) -> None:
    await link.call("CONFIG", "SET", "maxmemory", 1)


async def _make_room(link: Link) -> None:
    await link.call("CONFIG", "SET", "maxmemory", 0)


async def test_a_batch_is_refused_whole(client: Client, link: Link) -> None:
    await _fill_up(link)
    with pytest.raises(Refused, match=r"out of memory .* CONFIG SET maxmemory"):
        await client.submit([buy(client_order_id="1"), cancel(1)])
    assert await content(link, "") == {}
    await _make_room(link)
    assert await client.submit([buy(client_order_id="1"), cancel(1)]) == [1, 0]


async def test_a_known_order_is_still_answered(client: Client, link: Link) -> None:
    named = buy(client_order_id="1")
    await client.submit([named])
    await _fill_up(link)
    assert await client.submit([named]) == [-1]


async def _ready(store: Store, link: Link, keys: Keys) -> Commit:
    await elected(store)
    return match(await put(link, keys, buy(order_id=1), buy(order_id=2)), Replica(), 1)


async def test_what_was_acknowledged_is_still_committed(
    store: Store, link: Link, keys: Keys
) -> None:
    commit = await _ready(store, link, keys)
    await _fill_up(link)
    assert await store.commit(commit, LEASE, 10) == (Outcome.OK, [])
    assert await store.tip() == commit.after
    assert await store.commit(commit, LEASE, 10) == (Outcome.DUP, [])


async def test_a_commit_that_can_t_be_written_changes_nothing_either(
    store: Store, link: Link, keys: Keys, prefix: str
) -> None:
    commit = await _ready(store, link, keys)
    await link.call("XADD", keys.log, "9-0", "b", "[]")
    before = await content(link, prefix)
    await _fill_up(link)
    with pytest.raises(Refused, match="equal or smaller"):
        await store.commit(commit, LEASE, 10)
    assert await content(link, prefix) == before


async def test_the_lead_is_kept_and_taken(store: Store, rival: Store, link: Link) -> None:
    await elected(store)
    await _fill_up(link)
    assert await store.renew(1, LEASE)
    tenure = await rival.usurp(1, LEASE)
    assert tenure is not None
    assert tenure.epoch == 2
    assert await rival.release(2)
    tenure = await store.elect(LEASE)
    assert tenure is not None
    assert tenure.epoch == 3


async def test_the_queue_is_looked_at_where_it_can_t_be_waited_for(
    store: Store, link: Link, keys: Keys
) -> None:
    (element,) = await put(link, keys, buy(order_id=1))
    await _fill_up(link)
    assert await store.wait_for_command(0.01) == element
    await link.call("DEL", keys.queue)
    assert await store.wait_for_command(0.01) is None


async def test_fills_wait_until_there_is_room(store: Store, link: Link, keys: Keys) -> None:
    await link.call("XADD", keys.log, "1-0", "c", "chain")
    await _fill_up(link)
    with pytest.raises(Refused, match="out of memory"):
        await store.publish(Tip(1, "chain"), (0, -1), [(1, 1, FILL)])
    assert not await link.call("EXISTS", keys.fills_stream)
    await _make_room(link)
    assert await store.publish(Tip(1, "chain"), (0, -1), [(1, 1, FILL)])


async def test_without_its_first_write_a_commit_is_refused_and_the_queue_stands_still(
    store: Store, link: Link, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = await _ready(store, link, keys)
    await _fill_up(link)
    poor = altered(COMMIT, ("redis.call('HDEL', KEYS[1], '')", ""))
    monkeypatch.setattr(store_module, "COMMIT", poor)
    with pytest.raises(Refused, match="out of memory"):
        await store.commit(commit, LEASE, 10)
    assert await link.call("LLEN", keys.queue) == 2
