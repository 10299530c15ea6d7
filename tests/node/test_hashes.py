"""State hashes: whoever follows finds the same ones, at the same places."""

import random
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from matchbox_tui.engine import NewOrder, Side, encode_command
from matchbox_tui.node import hashes
from matchbox_tui.node.hashes import HashMarks
from matchbox_tui.store import Header, Replica, SnapshotFiles
from tests.node.venue import PATIENT, QUIET, Venue, buy, order
from tests.waiting import eventually

EVERY_50 = msgspec.structs.replace(PATIENT, renew_ms=20, hash_every=50)


class Reported(NamedTuple):
    id: str
    role: str
    epoch: int
    seq: int
    chain: str
    hash: str


async def _reported(venue: Venue) -> list[Reported]:
    found = []
    for _, flat in await venue.link.call("XRANGE", venue.keys.hashes, "-", "+"):
        fields = {flat[n].decode(): flat[n + 1].decode() for n in range(0, len(flat), 2)}
        found.append(
            Reported(
                *(fields["id"], fields["role"], int(fields["epoch"]), int(fields["seq"])),
                *(fields["chain"], fields["hash"]),
            )
        )
    return found


def _orders(seed: int, count: int) -> list[NewOrder]:
    chance = random.Random(seed)
    return [
        order(
            *(chance.randint(40, 60), chance.randint(1, 9), chance.choice(list(Side))),
            trader=f"t{chance.randint(1, 4)}",
        )
        for _ in range(count)
    ]


async def _all_there(venue: Venue, names: str) -> dict[int, list[Reported]]:
    """What was reported by place, once each of these has told of the last one."""
    replica = Replica()
    places: list[int] = []
    marks = HashMarks(50)
    seq = (await venue.client.cluster()).seq
    async for _ in venue.client.follow(replica, until=seq):
        marks.passed(places[-1] if places else 0, replica)
        places.append(replica.seq)
    expected = {tip.seq: (tip.chain, text) for tip, text in marks.take()}
    last = max(expected)
    reported = await eventually(
        lambda: _reported(venue),
        lambda found: {one.id for one in found if one.seq == last} >= set(names),
    )
    by_place = defaultdict(list)
    for one in reported:
        by_place[one.seq].append(one)
        assert (one.chain, one.hash) == expected[one.seq]
    return by_place


async def test_all_instances_find_the_same_hash_at_the_same_places(venue: Venue) -> None:
    await venue.lead("a", settings=EVERY_50)
    for name in "bc":
        venue.start(name, settings=EVERY_50)
    await eventually(venue.client.cluster, lambda status: len(status.instances) == 3)
    for seed in range(10):
        await venue.client.submit(_orders(seed, 33))
        await venue.handled()
    by_place = await _all_there(venue, "abc")
    assert len(by_place) == 6
    for number, seq in enumerate(sorted(by_place), 1):
        assert seq >= 50 * number
        told = by_place[seq]
        assert sorted((one.id, one.role) for one in told) == [
            ("a", "leading"),
            ("b", "follower"),
            ("c", "follower"),
        ]
    # At a commit's end: every batch was at most 33.
    assert all(seq < 50 * number + 33 for number, seq in enumerate(sorted(by_place), 1))


async def test_they_agree_across_a_failover_and_after_a_recovery_from_files(
    venue: Venue, tmp_path: Path
) -> None:
    """Orders that spell their market out among them, as other programs do."""
    first = await venue.lead("a", settings=EVERY_50)
    foreign = encode_command(buy(41, order_id=900_000)).replace(
        b'"side"', b'"market":"MAIN","side"'
    )
    assert b'"market":"MAIN"' in foreign
    await venue.link.call("RPUSH", venue.keys.queue, foreign)
    await venue.client.submit(_orders(1, 60))
    await venue.handled()
    replica = await venue.restored()
    await SnapshotFiles(tmp_path).write(Header(61, replica.chain, 1, 60, 0), replica.exchange)
    keys = await venue.link.call("KEYS", f"{venue.prefix}engine:snapshot*")
    if keys:
        await venue.link.call("DEL", *keys)
    await venue.link.call("SET", venue.keys.snapshot_turn, "nobody")
    venue.start("b", settings=EVERY_50, data_dir=tmp_path)
    await venue.caught_up(venue.instances["b"])
    await first.stop()
    del venue.instances["a"]
    await venue.leads("b")
    venue.start("c", settings=EVERY_50)
    await venue.caught_up(venue.instances["c"])
    for seed in range(4):
        await venue.client.submit(_orders(seed, 30))
        await venue.handled()
    by_place = await _all_there(venue, "bc")
    assert {one.id for told in by_place.values() for one in told} == {"a", "b", "c"}
    assert 900_000 in (await venue.restored()).exchange.orders


async def test_nothing_is_hashed_where_the_book_is_large(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashes, "LARGEST_BOOK", 100)
    await venue.lead("a", settings=EVERY_50)
    for _ in range(4):
        await venue.client.submit([buy(1, 1)] * 50)
        await venue.handled()
    await eventually(lambda: _reported(venue), lambda found: len(found) == 2)
    await venue.instances["a"].stop()
    assert [one.seq for one in await _reported(venue)] == [50, 100]


def test_the_largest_book_that_is_hashed_is_as_documented() -> None:
    assert hashes.LARGEST_BOOK == 20_000


async def test_by_default_nothing_is_hashed(venue: Venue) -> None:
    assert QUIET.hash_every == PATIENT.hash_every == 0
    await venue.lead("a", settings=QUIET)
    venue.start("b", settings=QUIET)
    await venue.client.submit(_orders(1, 300))
    await venue.handled()
    await venue.caught_up(venue.instances["b"])
    await venue.stop()
    assert await _reported(venue) == []


def test_hashes_that_nobody_takes_are_dropped_the_oldest_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hashes, "WAITING", 3)
    marks, replica = HashMarks(2), Replica()
    for n in range(1, 11):
        replica.exchange.apply(buy(order_id=n))
        marks.passed(n - 1, replica)
    assert [tip.seq for tip, _ in marks.take()] == [6, 8, 10]
    assert marks.take() == []


async def test_the_stream_of_hashes_is_capped(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("matchbox_tui.store.store.HASHES_KEPT", 200)
    instance = await venue.lead("a", settings=QUIET)
    tip = (await venue.restored()).tip
    for _ in range(10):
        await instance.node.store.report_hashes("leading", 1, [(tip, "x")] * 100)
    assert 200 <= await venue.link.call("XLEN", venue.keys.hashes) < 500
