"""PUBLISH: every fill once in the stream and once on the channel, whoever repeats it."""

import asyncio

import msgspec
import pytest

from matchbox_tui.engine import Side
from matchbox_tui.store import FillMessage, Keys, Link, Refused, Store
from matchbox_tui.store import store as store_module
from matchbox_tui.store.scripts import PUBLISH
from tests.store.build import altered
from tests.subscriber import subscribed
from tests.waiting import eventually

Fills = list[tuple[int, int, FillMessage]]


def _fills(*ids: tuple[int, int]) -> Fills:
    return [
        (seq, n, FillMessage(1, 2, 50, 10, 3, "MAIN", f"{seq}-{n}", Side.BUY)) for seq, n in ids
    ]


async def _ids(link: Link, keys: Keys) -> list[str]:
    return [entry[0].decode() for entry in await link.call("XRANGE", keys.fills_stream, "-", "+")]


async def test_fills_have_their_own_ids_and_the_json_of_the_contract(
    store: Store, link: Link, keys: Keys
) -> None:
    assert await store.publish(_fills((3, 1), (3, 2), (7, 1))) == 3
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
    async with subscribed(url, keys.fills_channel) as heard:
        await store.publish(_fills((3, 1), (3, 2)))
        assert await rival.publish(_fills((3, 1), (3, 2), (4, 1))) == 1
        assert await store.publish(_fills((3, 2), (4, 1))) == 0
        assert await store.publish(_fills((9, 1))) == 1
        assert await _ids(link, keys) == ["3-1", "3-2", "4-1", "9-1"]

        async def told() -> list[str]:
            return [fill.trade_id for fill in heard]

        await eventually(told, lambda ids: "9-1" in ids)
        assert await told() == ["3-1", "3-2", "4-1", "9-1"]


async def test_two_publishers_side_by_side_leave_no_gap_and_no_double(
    store: Store, rival: Store, link: Link, keys: Keys
) -> None:
    fills = _fills(*((seq, 1) for seq in range(1, 200)))

    async def publish(instance: Store) -> int:
        return sum([await instance.publish(fills[n : n + 3]) for n in range(0, len(fills), 3)])

    assert sum(await asyncio.gather(publish(store), publish(rival))) == 199
    assert await _ids(link, keys) == [f"{seq}-1" for seq in range(1, 200)]


async def test_many_fills_go_in_several_calls(store: Store, link: Link, keys: Keys) -> None:
    fills = _fills(*((1, n) for n in range(2000)))
    assert await store.publish(fills) == 2000
    assert await link.call("XLEN", keys.fills_stream) == 2000
    assert await store.publish([]) == 0


async def test_the_last_published_fill_is_known(store: Store, link: Link, keys: Keys) -> None:
    assert await store.last_published() == (0, -1)
    await store.publish(_fills((3, 1), (12, 4)))
    await link.call("HSET", keys.cursor, "seq", 12)
    assert await store.last_published() == (12, 4)
    await link.call("XTRIM", keys.fills_stream, "MAXLEN", 0)
    assert await store.last_published() == (12, 4)


async def test_a_stream_that_is_ahead_of_the_journal_is_refused(
    store: Store, link: Link, keys: Keys
) -> None:
    await link.call("XADD", keys.fills_stream, "*", "event", "{}")
    with pytest.raises(Refused, match="no fill of this journal"):
        await store.last_published()


async def test_a_stream_of_another_type_is_refused(store: Store, link: Link, keys: Keys) -> None:
    await link.call("SET", keys.fills_stream, "x")
    with pytest.raises(Refused, match=f"{keys.fills_stream} holds a value of type string"):
        await store.publish(_fills((1, 1)))


async def test_without_own_ids_a_repeated_fill_is_there_twice(
    store: Store, link: Link, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    anonymous = altered(PUBLISH, ("ARGV[i], 'event'", "'*', 'event'"))
    monkeypatch.setattr(store_module, "PUBLISH", anonymous)
    await store.publish(_fills((3, 1)))
    assert await store.publish(_fills((3, 1))) == 1
    assert await link.call("XLEN", keys.fills_stream) == 2
