"""Recovery snapshots: what is written is read, and what was torn or altered is recognised."""

import asyncio
import itertools
import re
import zlib
from collections.abc import Iterator

import msgspec
import pytest

from matchbox_tui.engine import Exchange, Part, dump_parts, state
from matchbox_tui.store import (
    Header,
    Keys,
    Link,
    Replica,
    SnapshotUnusable,
    Tip,
)
from matchbox_tui.store import snapshot as snapshot_module
from matchbox_tui.store.snapshot import (
    VERSION,
    list_snapshots,
    load_snapshot,
    sealed,
    write_snapshot,
)
from tests.engine.workload import Workload
from tests.store.states import (
    HEAD,
    SEQ,
    busy,
    elements_of,
    point_at,
    put_snapshot,
    rich,
    write,
    write_as_version_1,
)

pytestmark = pytest.mark.usefixtures("unsynced")

# There and back


@pytest.mark.parametrize(
    ("part", "send", "read", "seed"),
    [(500, 64 * 1024, 8, 1), (1, 900, 1, 2), (7, 1, 3, 3), (40, 1, 100, 4)],
)
async def test_what_is_written_is_read(
    link: Link,
    keys: Keys,
    monkeypatch: pytest.MonkeyPatch,
    part: int,
    send: int,
    read: int,
    seed: int,
) -> None:
    monkeypatch.setattr(state, "PART_SIZE", part)
    monkeypatch.setattr(snapshot_module, "SEND_BYTES", send)
    monkeypatch.setattr(snapshot_module, "READ_PARTS", read)
    exchange = busy(seed)
    await write(link, keys, exchange)
    assert await list_snapshots(link, keys) == [SEQ]
    head, replica = await load_snapshot(link, keys, SEQ)
    assert replica.exchange.state_hash() == exchange.state_hash()
    assert (replica.tip, replica.epoch) == (Tip(SEQ, "c"), 3)
    assert head.orders == len(exchange.orders)
    bare = msgspec.structs.replace(head, parts=0, crc32=0, orders=msgspec.UNSET)
    assert bare == HEAD
    assert head.parts == len(await elements_of(link, keys, SEQ)) - 1
    assert await link.call("PTTL", keys.snapshot(SEQ)) == -1


async def test_a_header_without_a_count_of_orders_is_read_as_before(link: Link, keys: Keys) -> None:
    """And one with a count has the checksum that whoever does not know of it expects."""
    await write(link, keys, busy(1))
    *parts, raw = await elements_of(link, keys, SEQ)
    older = re.sub(rb',"orders":\d+', b"", raw)
    assert older != raw
    await put_snapshot(link, keys, SEQ, [*parts, older])
    head, _ = await load_snapshot(link, keys, SEQ)
    assert head.orders is msgspec.UNSET
    assert msgspec.json.encode(head) == older


@pytest.mark.parametrize("seq", [2**53 - 2, 2**53 - 1])
async def test_numbers_of_any_size_are_kept(link: Link, keys: Keys, seq: int) -> None:
    exchange = rich()
    exchange.seq = seq
    head = Header(seq, "c", 2**40, 2**53 - 1, 2**45)
    await write(link, keys, exchange, head)
    await put_snapshot(link, keys, seq - 1, [b"?"])
    assert await list_snapshots(link, keys) == [seq - 1, seq]
    found, replica = await load_snapshot(link, keys, seq)
    assert (found.order_id, found.epoch) == (2**53 - 1, 2**40)
    assert replica.exchange.state_hash() == exchange.state_hash()


async def test_a_venue_without_orders_or_markets_is_kept(link: Link, keys: Keys) -> None:
    for seq, exchange in ((1, Exchange()), (2, Exchange(()))):
        exchange.seq = seq
        await write(link, keys, exchange, Header(seq, "c", 1, 0, 0))
        _, replica = await load_snapshot(link, keys, seq)
        assert replica.exchange.dump() == exchange.dump()


async def test_a_second_snapshot_of_one_place_takes_the_place_of_the_first(
    link: Link, keys: Keys
) -> None:
    await put_snapshot(link, keys, SEQ, [b"something torn"])
    await write(link, keys, busy(1))
    assert (await load_snapshot(link, keys, SEQ))[0].seq == SEQ


async def test_a_snapshot_of_version_1_is_read(link: Link, keys: Keys) -> None:
    exchange = busy(3)
    await write_as_version_1(link, keys, HEAD, exchange)
    raw = await elements_of(link, keys, SEQ)
    assert b'"version":1' in raw[-1]
    assert raw[0].startswith(b"{")
    head, replica = await load_snapshot(link, keys, SEQ)
    assert head.order_id == 77
    assert replica.exchange.state_hash() == exchange.state_hash()


async def test_nothing_else_can_run_for_longer_than_a_part_takes(link: Link, keys: Keys) -> None:
    """Whoever shares the loop gets a turn at every part, in writing and in reading."""
    exchange = busy(1)
    turns = itertools.count()

    async def others() -> None:
        while True:
            next(turns)
            await asyncio.sleep(0)

    def counted(parts: Iterator[Part]) -> Iterator[Part]:
        for part in parts:
            seen.append(next(turns))
            yield part

    seen: list[int] = []
    running = asyncio.ensure_future(others())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(state, "PART_SIZE", 5)
        await point_at(link, keys, SEQ)
        await write_snapshot(link, keys, "a", HEAD, counted(dump_parts(exchange)))
        began = next(turns)
        await load_snapshot(link, keys, SEQ)
        ended = next(turns)
    running.cancel()
    assert len(seen) > 40
    assert all(later - earlier > 1 for earlier, later in itertools.pairwise(seen))
    assert ended - began > len(seen)


async def test_a_loaded_state_goes_on_as_the_one_that_was_written(
    link: Link, keys: Keys, small_parts: None
) -> None:
    exchange = busy(9)
    await write(link, keys, exchange)
    _, replica = await load_snapshot(link, keys, SEQ)
    assert isinstance(replica, Replica)
    for command in Workload(77, ids=400, depth=8).commands(600):
        assert replica.exchange.apply(command) == exchange.apply(command)
    assert replica.exchange.state_hash() == exchange.state_hash()


# Torn and altered


def _torn(raw: list[bytes]) -> dict[str, list[bytes]]:
    *parts, header = raw
    return {
        "all of it gone": [],
        "the header gone": parts,
        "the header alone": [header],
        "the first part gone": [*parts[1:], header],
        "the last part gone": [*parts[:-1], header],
        "a part twice": [parts[0], *parts, header],
        "two parts swapped": [parts[1], parts[0], *parts[2:], header],
        "half a part": [parts[0][: len(parts[0]) // 2], *parts[1:], header],
        "an empty part": [b"", *parts[1:], header],
        "half a header": [*parts, header[: len(header) // 2]],
        "another's header": [*parts, b'{"version":2}'],
        "a header that is no JSON": [*parts, b"\xff\x00"],
        "a part that is no part": [zlib.compress(b'{"type":"cake"}'), *parts[1:], header],
    }


@pytest.mark.parametrize("what", list(_torn([b"", b"", b""])))
async def test_a_torn_snapshot_is_recognised(
    link: Link, keys: Keys, small_parts: None, what: str
) -> None:
    await write(link, keys, busy(1))
    torn = _torn(await elements_of(link, keys, SEQ))[what]
    await put_snapshot(link, keys, SEQ, torn)
    with pytest.raises(SnapshotUnusable) as caught:
        await load_snapshot(link, keys, SEQ)
    assert str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_byte_altered_anywhere_is_recognised(
    link: Link, keys: Keys, small_parts: None
) -> None:
    exchange = busy(5, 40)
    await write(link, keys, exchange)
    raw = await elements_of(link, keys, SEQ)
    places = [(n, at) for n, element in enumerate(raw) for at in range(len(element))]
    for n, at in places[:: max(1, len(places) // 60)]:
        element = bytearray(raw[n])
        element[at] ^= 1 << (at % 7)
        await put_snapshot(link, keys, SEQ, [*raw[:n], bytes(element), *raw[n + 1 :]])
        with pytest.raises(SnapshotUnusable):
            await load_snapshot(link, keys, SEQ)


@pytest.mark.parametrize(
    "change",
    [
        {"seq": SEQ + 1},
        {"chain": "d"},
        {"epoch": 4},
        {"order_id": 78},
        {"created": 0},
        {"version": 1},
        {"parts": 2},
        {"parts": -1},
        {"parts": 2**60},
        {"crc32": 5},
    ],
    ids=str,
)
async def test_an_altered_field_of_the_header_is_recognised(
    link: Link, keys: Keys, small_parts: None, change: dict[str, int | str]
) -> None:
    await write(link, keys, busy(1))
    *parts, raw = await elements_of(link, keys, SEQ)
    header = {**msgspec.json.decode(raw), **change}
    await put_snapshot(link, keys, SEQ, [*parts, msgspec.json.encode(header)])
    with pytest.raises(SnapshotUnusable):
        await load_snapshot(link, keys, SEQ)


@pytest.mark.parametrize("version", [0, -1, VERSION + 1, 2**70])
async def test_a_snapshot_of_an_unknown_version_is_not_read_even_if_it_is_sealed(
    link: Link, keys: Keys, version: int
) -> None:
    strange = sealed(msgspec.structs.replace(HEAD, version=version), 0, 0)
    await put_snapshot(link, keys, SEQ, [msgspec.json.encode(strange)])
    with pytest.raises(SnapshotUnusable, match=f"version {version}, this program reads up to 2"):
        await load_snapshot(link, keys, SEQ)


async def test_a_part_that_holds_an_order_twice_is_refused_though_it_is_sealed(
    link: Link, keys: Keys
) -> None:
    raw = max(map(snapshot_module.encode_part, dump_parts(busy(1))), key=len)
    head = sealed(HEAD, 2, zlib.crc32(raw, zlib.crc32(raw)))
    await put_snapshot(link, keys, SEQ, [raw, raw, msgspec.json.encode(head)])
    with pytest.raises(SnapshotUnusable, match="there twice"):
        await load_snapshot(link, keys, SEQ)
