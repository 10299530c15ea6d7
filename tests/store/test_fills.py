"""PUBLISH: every fill once in the stream and once on the channel, whoever repeats it."""

import asyncio

import msgspec
import pytest

from matchbox_tui.engine import Side
from matchbox_tui.store import FillMessage, Keys, Link, Refused, Server, Store, Tip
from matchbox_tui.store import store as store_module
from matchbox_tui.store.archive import PUBLISHER
from matchbox_tui.store.scripts import PUBLISH
from tests.servers import OwnServer
from tests.store.build import altered, content
from tests.subscriber import subscribed
from tests.waiting import eventually

Fills = list[tuple[int, int, FillMessage]]


def _fills(*ids: tuple[int, int]) -> Fills:
    return [
        (seq, n, FillMessage(1, 2, 50, 10, 3, "MAIN", f"{seq}-{n}", Side.BUY)) for seq, n in ids
    ]


async def _ids(link: Link, keys: Keys) -> list[str]:
    return [entry[0].decode() for entry in await link.call("XRANGE", keys.fills_stream, "-", "+")]


NONE = (0, -1)


async def _committed(link: Link, keys: Keys, seq: int) -> Tip:
    """A commit in the journal, whatever is in it."""
    await link.call("XADD", keys.log, f"{seq}-0", "v", "1", "c", f"chain {seq}", "b", "[]")
    return Tip(seq, f"chain {seq}")


async def test_fills_have_their_own_ids_and_the_json_of_the_contract(
    store: Store, link: Link, keys: Keys
) -> None:
    commit = await _committed(link, keys, 7)
    assert await store.publish(commit, NONE, _fills((3, 1), (3, 2), (7, 1)))
    assert await _ids(link, keys) == ["3-1", "3-2", "7-1"]
    ((_, (field, event)),) = await link.call("XRANGE", keys.fills_stream, "7-1", "7-1")
    assert field == b"event"
    assert msgspec.json.decode(event) == {
        "maker_order_id": 1,
        "taker_order_id": 2,
        "price": 50,
        "qty": 10,
        "timestamp": 3,
        "market": "MAIN",
        "trade_id": "7-1",
        "taker_side": "buy",
    }


async def test_what_is_published_already_is_neither_added_nor_told_again(
    store: Store, rival: Store, link: Link, url: str, keys: Keys
) -> None:
    third, fourth = await _committed(link, keys, 3), await _committed(link, keys, 4)
    async with subscribed(url, keys.fills_channel) as heard:
        assert await store.publish(third, NONE, _fills((3, 1), (3, 2)))
        assert not await rival.publish(third, NONE, _fills((3, 1), (3, 2)))
        assert not await rival.publish(third, (3, 1), _fills((3, 2)))
        assert await rival.publish(fourth, (3, 2), _fills((4, 1)))
        assert await _ids(link, keys) == ["3-1", "3-2", "4-1"]

        async def told() -> list[str]:
            return [fill.trade_id for fill in heard]

        await eventually(told, lambda ids: "4-1" in ids)
        assert await told() == ["3-1", "3-2", "4-1"]


async def test_two_publishers_side_by_side_leave_no_gap_and_no_double(
    store: Store, rival: Store, link: Link, keys: Keys
) -> None:
    commit = await _committed(link, keys, 199)
    fills = _fills(*((seq, 1) for seq in range(1, 200)))

    async def publish(instance: Store) -> int:
        published = 0
        while True:
            last = await instance.last_published()
            left = [fill for fill in fills if fill[:2] > last][:3]
            if not left:
                return published
            published += await instance.publish(commit, last, left)

    await link.call("HSET", keys.cursor, "seq", 199)
    assert sum(await asyncio.gather(publish(store), publish(rival))) == 67
    assert await _ids(link, keys) == [f"{seq}-1" for seq in range(1, 200)]


async def test_many_fills_go_in_several_calls(store: Store, link: Link, keys: Keys) -> None:
    commit = await _committed(link, keys, 1)
    fills = _fills(*((1, n) for n in range(2000)))
    assert await store.publish(commit, NONE, fills)
    assert await link.call("XLEN", keys.fills_stream) == 2000
    assert await store.publish(commit, (1, 1999), [])


@pytest.mark.parametrize("found", [Tip(2, "chain 2"), Tip(3, "another history"), Tip(4, "")])
async def test_fills_of_a_commit_that_was_undone_are_not_published(
    store: Store, link: Link, keys: Keys, prefix: str, found: Tip
) -> None:
    await _committed(link, keys, 3)
    before = await content(link, prefix)
    assert not await store.publish(found, NONE, _fills((found.seq, 0)))
    assert await content(link, prefix) == before


async def test_fills_that_were_undone_are_published_again(
    store: Store, link: Link, keys: Keys
) -> None:
    third, fourth = await _committed(link, keys, 3), await _committed(link, keys, 4)
    assert await store.publish(third, NONE, _fills((3, 0)))
    # As it was in a backup from between the commit and its fills.
    await link.call("DEL", keys.fills_stream)
    assert not await store.publish(fourth, (3, 0), _fills((4, 0)))
    assert await store.last_published() == NONE


async def test_the_last_published_fill_is_known(store: Store, link: Link, keys: Keys) -> None:
    assert await store.last_published() == NONE
    await store.publish(await _committed(link, keys, 12), NONE, _fills((3, 1), (12, 4)))
    await link.call("HSET", keys.cursor, "seq", 12)
    assert await store.last_published() == (12, 4)
    await link.call("XTRIM", keys.fills_stream, "MAXLEN", 0)
    assert await store.last_published() == (12, 4)


async def test_a_stream_that_a_consumer_made_before_the_first_fill_is_filled(
    store: Store, link: Link, keys: Keys
) -> None:
    await link.call("XGROUP", "CREATE", keys.fills_stream, "consumers", "0", "MKSTREAM")
    last = await store.last_published()
    assert await store.publish(await _committed(link, keys, 1), last, _fills((1, 0)))


async def test_a_stream_that_is_ahead_of_the_journal_is_refused(
    store: Store, link: Link, keys: Keys
) -> None:
    await link.call("XADD", keys.fills_stream, "*", "event", "{}")
    with pytest.raises(Refused, match="no fill of this journal"):
        await store.last_published()


async def test_a_stream_of_another_type_is_refused(store: Store, link: Link, keys: Keys) -> None:
    await link.call("SET", keys.fills_stream, "x")
    with pytest.raises(Refused, match=f"{keys.fills_stream} holds a value of type string"):
        await store.publish(await _committed(link, keys, 1), NONE, _fills((1, 1)))


# Each guard matters: without it, this happens.


def _without(monkeypatch: pytest.MonkeyPatch, *changes: tuple[str, str]) -> None:
    monkeypatch.setattr(store_module, "PUBLISH", altered(PUBLISH, *changes))


async def test_without_own_ids_and_the_last_one_a_repeated_fill_is_there_twice(
    store: Store, link: Link, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    _without(monkeypatch, ("id, 'event'", "'*', 'event'"), ("last ~= ARGV[4] or ", ""))
    commit = await _committed(link, keys, 3)
    for _ in range(2):
        assert await store.publish(commit, NONE, _fills((3, 1)))
    assert await link.call("XLEN", keys.fills_stream) == 2


async def test_without_the_last_one_a_fill_that_was_undone_is_left_out(
    store: Store, link: Link, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    _without(monkeypatch, ("last ~= ARGV[4] or ", ""))
    fourth = await _committed(link, keys, 4)
    assert await store.publish(fourth, (3, 0), _fills((4, 0)))
    assert await _ids(link, keys) == ["4-0"]


async def test_without_the_chain_a_fill_of_another_history_is_told(
    store: Store, link: Link, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    _without(monkeypatch, (" or chain ~= ARGV[3]", ""))
    await _committed(link, keys, 3)
    assert await store.publish(Tip(3, "another history"), NONE, _fills((3, 0)))
    assert await _ids(link, keys) == ["3-0"]


async def _place(link: Link, keys: Keys) -> str | None:
    """Up to where the publisher has noted that all fills are published."""
    groups = await link.call("XINFO", "GROUPS", keys.log)
    for flat in groups:
        facts = dict(zip(flat[::2], flat[1::2], strict=True))
        if facts[b"name"] == PUBLISHER.encode():
            return str(facts[b"last-delivered-id"].decode())
    return None


async def test_the_publishers_place_is_noted_where_nobody_noted_any(
    store: Store, link: Link, keys: Keys
) -> None:
    await store.published(0)
    assert await _place(link, keys) == "0-0"
    await link.call("XGROUP", "DESTROY", keys.log, PUBLISHER)
    await _committed(link, keys, 3)
    await store.published(3)
    assert await _place(link, keys) == "3-0"
    await store.published(2)
    assert await _place(link, keys) == "2-0"


async def test_a_place_that_may_not_be_noted_is_told_as_what_it_is(own: OwnServer) -> None:
    keys, server = Keys(""), Server(own.url)
    store, link = Store(server, keys, "a"), server.link()
    try:
        await store.published(1)
        await link.call("ACL", "SETUSER", "default", "-xgroup", "+xgroup|create")
        with pytest.raises(Refused, match="allow it with ACL SETUSER"):
            await store.published(2)
        assert await _place(link, keys) == "1-0"
    finally:
        await store.close()
        await link.close()
