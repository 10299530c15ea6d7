"""Snapshots are taken in turns, and never hold up an election."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from matchbox_tui.engine import state
from matchbox_tui.node import Role, recovery, snapshotter
from matchbox_tui.store import (
    Archive,
    Replica,
    Server,
    SnapshotFiles,
)
from matchbox_tui.store import snapshot as snapshot_module
from matchbox_tui.store.snapshot import list_snapshots, load_snapshot
from tests.node.often import OFTEN, Load, Writers
from tests.node.venue import QUIET, Instance, Venue, buy
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("unsynced")

# Turns


async def test_followers_take_them_in_turns_and_the_leader_none(
    venue: Venue, writers: Writers
) -> None:
    await venue.lead("a", settings=OFTEN)
    for name in "bc":
        venue.start(name, settings=OFTEN)
    await eventually(venue.client.cluster, lambda status: len(status.instances) == 3)
    load = Load(venue.client)
    await writers.count(12)
    await load.stop()
    assert {name for name, _ in writers.taken} == {"b", "c"}
    seqs = [seq for _, seq in writers.taken]
    assert len(set(seqs)) == len(seqs)


async def test_there_is_one_turn_for_all(venue: Venue) -> None:
    """Many look for their turn at once; one gets it."""
    archives = [Archive(Server(venue.url).link(), venue.keys, f"n{n}") for n in range(5)]
    for _ in range(3):
        turns = await asyncio.gather(*(archive.take_turn(60_000) for archive in archives))
        assert sorted(turns) == [False] * 4 + [True]
        holder = await venue.link.call("GET", venue.keys.snapshot_turn)
        assert holder == f"n{turns.index(True)}".encode()
        assert 0 < await venue.link.call("PTTL", venue.keys.snapshot_turn) <= 60_000
        await archives[0].end_turn(600_000, 600_000)
        assert 60_000 < await venue.link.call("PTTL", venue.keys.snapshot_turn) <= 600_000
        assert not await archives[1].take_turn(60_000)
        await venue.link.call("DEL", venue.keys.snapshot_turn)
    for archive in archives:
        await archive.close()


async def test_a_turn_comes_early_where_the_journal_has_grown(venue: Venue) -> None:
    archives = [Archive(Server(venue.url).link(), venue.keys, f"n{n}") for n in range(5)]
    one, other = archives[:2]
    ms = 60_000
    assert await one.take_turn(ms, 1, 10)
    # However much it has grown: there is one at work.
    assert not await other.take_turn(ms, 1000, 10)
    await one.end_turn(ms, 0)
    assert not await other.take_turn(ms)
    assert not await other.take_turn(ms, 9, 10)
    turns = await asyncio.gather(*(archive.take_turn(ms, 10, 10) for archive in archives))
    assert sorted(turns) == [False] * 4 + [True]
    # What was snapshotted since is not what it has grown by.
    await venue.link.call("ZADD", venue.keys.snapshots, 100, 100)
    await one.end_turn(ms, 0)
    assert not await other.take_turn(ms, 109, 10)
    assert await other.take_turn(ms, 110, 10)
    # There is a pause before.
    await other.end_turn(ms, ms - 1000)
    assert not await one.take_turn(ms, 110, 10)
    await other.end_turn(1000, ms)
    assert not await one.take_turn(ms, 110, 10)
    assert await venue.link.call("PTTL", venue.keys.snapshot_turn) > ms - 10_000
    await other.end_turn(ms, 100)
    await eventually(partial(one.take_turn, ms, 110, 10))
    for archive in archives:
        await archive.close()


@pytest.mark.parametrize(
    # A leader that is alone waits until all of the history is new.
    ("names", "history", "growth"),
    [("a", 600, 600), ("abc", 0, 300)],
)
async def test_a_journal_that_grows_is_trimmed_however_long_it_is_until_it_is_time(
    venue: Venue,
    writers: Writers,
    monkeypatch: pytest.MonkeyPatch,
    names: str,
    history: int,
    growth: int,
) -> None:
    monkeypatch.setattr(snapshotter, "GROWN", 300)
    monkeypatch.setattr(snapshotter, "LOOK_SECONDS", 0.01)
    settings = msgspec.structs.replace(OFTEN, snapshot_ms=86_400_000, history=history)
    for name in names:
        venue.start(name, settings=settings)
    await venue.leader()
    load = Load(venue.client)
    await writers.count(6)
    await load.stop()
    seqs = [0, *(seq for _, seq in writers.taken)]
    # The first comes at once, for there was none.
    assert all(after - before >= growth for before, after in pairwise(seqs[1:]))

    async def begins() -> int:
        return (await venue.client.entries_after(0, 1))[0].first_seq

    # Two are kept.
    await eventually(begins, lambda seq: seq > seqs[-3])


async def test_the_journal_has_its_history_and_hardly_more_whenever_it_is_trimmed(
    venue: Venue, writers: Writers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever reads late finds as much as before, and the store's size stays."""
    lengths: list[int] = []
    trim = Archive.trim

    async def noted(archive: Archive, history: int = 0) -> int:
        dropped = await trim(archive, history)
        newest = (await list_snapshots(venue.link, venue.keys))[-1]
        lengths.append(newest - (await venue.client.entries_after(0, 1))[0].first_seq + 1)
        return dropped

    monkeypatch.setattr(Archive, "trim", noted)
    monkeypatch.setattr(snapshotter, "GROWN", 300)
    monkeypatch.setattr(snapshotter, "LOOK_SECONDS", 0.01)
    settings = msgspec.structs.replace(OFTEN, snapshot_ms=86_400_000, history=1000)
    for name in "ab":
        venue.start(name, settings=settings)
    await venue.leader()
    load = Load(venue.client)
    await eventually(partial(_value, lengths), lambda found: len(found) >= 6)
    await load.stop()
    # A node of the stream more, which does not go in part.
    assert min(lengths) >= 1000
    assert max(lengths[1:]) < 2000


async def _value(found: list[int]) -> list[int]:
    return found


async def test_a_snapshot_that_took_long_is_followed_by_a_long_pause(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshotter, "PAUSE_FACTOR", 10_000)
    write = Archive.write

    async def slow(*args: object) -> None:
        await write(*args)  # type: ignore[arg-type]
        await asyncio.sleep(0.05)

    monkeypatch.setattr(Archive, "write", slow)
    await venue.lead("a", settings=OFTEN)
    venue.start("b", settings=OFTEN)
    await venue.client.submit([buy()])
    await eventually(lambda: list_snapshots(venue.link, venue.keys))

    async def left() -> int:
        return int(await venue.link.call("PTTL", venue.keys.snapshot_turn))

    await eventually(left, lambda ms: ms > 100_000)


async def test_a_leader_that_is_alone_stands_in(venue: Venue, writers: Writers) -> None:
    await venue.lead("a", settings=OFTEN)
    load = Load(venue.client)
    await writers.count(3)
    assert {name for name, _ in writers.taken} == {"a"}
    # As soon as somebody follows, it leaves that to him.
    venue.start("b", settings=OFTEN)
    await eventually(venue.client.cluster, lambda status: len(status.instances) == 2)
    await writers.count(1)
    seen = len(writers.taken)
    await writers.count(4)
    await load.stop()
    assert {name for name, _ in writers.taken[seen:]} == {"b"}
    await venue.handled()
    assert (await venue.restored()).exchange.state_hash() == (
        venue.instances["a"].node.replica.exchange.state_hash()
    )


@pytest.mark.parametrize("large", [False, True])
async def test_a_leader_that_is_alone_copies_a_small_state_and_recovers_a_large_one(
    venue: Venue, writers: Writers, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    recovered = 0
    recover = recovery.recover

    async def counted(*args: Any) -> Replica:
        nonlocal recovered
        recovered += 1
        return await recover(*args)

    monkeypatch.setattr(snapshotter, "recover", counted)
    monkeypatch.setattr(snapshotter, "COPIED", 0 if large else 100_000)
    await venue.lead("a", settings=OFTEN)
    load = Load(venue.client)
    await writers.count(2)
    await load.stop()
    await venue.handled()
    # What came last is in one too, though no commit follows it.
    tip = (await venue.client.cluster()).seq
    await eventually(lambda: list_snapshots(venue.link, venue.keys), lambda seqs: tip in seqs)
    assert bool(recovered) is large
    await venue.instances["a"].stop()
    head, replica = await load_snapshot(venue.link, venue.keys, tip)
    last = venue.instances["a"].node.replica
    assert (head.seq, head.chain) == (last.seq, last.chain)
    assert replica.exchange.state_hash() == last.exchange.state_hash()


@pytest.mark.parametrize("names", ["a", "ab"])
async def test_nothing_is_taken_twice_of_a_venue_where_nothing_happens(
    venue: Venue, writers: Writers, names: str
) -> None:
    for name in names:
        venue.start(name, settings=OFTEN)
    await venue.leader()
    for _ in range(2):
        await asyncio.sleep(0.25)
        assert writers.taken == []
    await venue.client.submit([buy()])
    await writers.count(1)
    await asyncio.sleep(0.8)
    assert len(writers.taken) == 1


async def test_a_newcomer_does_not_take_again_what_another_has_taken(
    venue: Venue, writers: Writers
) -> None:
    # Whose turn ends while it still writes is not alone in taking it.
    settings = msgspec.structs.replace(OFTEN, snapshot_ms=300)
    await venue.lead("a", settings=settings)
    venue.start("b", settings=settings)
    await venue.client.submit([buy()])
    await writers.count(1)
    await venue.instances["b"].stop()
    venue.start("c", settings=settings)
    await eventually(venue.client.cluster, lambda status: len(status.instances) == 2)
    await asyncio.sleep(1.2)
    assert len(writers.taken) == 1


async def test_where_all_share_a_data_directory_the_files_are_of_the_same_places(
    venue: Venue, writers: Writers, tmp_path: Path
) -> None:
    for name in "abc":
        venue.start(name, settings=OFTEN, data_dir=tmp_path)
    await venue.leader()
    load = Load(venue.client)
    await writers.count(5)
    await load.stop()

    async def newest() -> int:
        return SnapshotFiles(tmp_path).newest_place()

    # The last one, after which nothing is trimmed any more.
    tip = await venue.handled()
    await eventually(newest, lambda seq: seq == tip)
    bases = [base.replica async for base in SnapshotFiles(tmp_path).bases()]
    assert len(bases) == 2
    for replica in bases:
        await venue.client.catch_up(replica)
        assert replica.exchange.state_hash() == (await venue.restored()).exchange.state_hash()


@pytest.mark.parametrize("who", ["follower", "leader"])
async def test_what_goes_wrong_with_a_snapshot_is_said_and_nothing_else(
    venue: Venue, who: str, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    (tmp_path / "snapshots").write_text("in the way")
    await venue.lead("a", settings=OFTEN, data_dir=tmp_path)
    if who == "follower":
        venue.start("b", settings=OFTEN, data_dir=tmp_path)
    await venue.client.submit([buy()])

    async def said() -> str:
        return caplog.text

    await eventually(said, lambda text: f"No snapshot files in {tmp_path}/snapshots" in text)
    await venue.link.call("DEL", venue.keys.snapshots)
    await venue.link.call("SET", venue.keys.snapshots, "in the way")
    await venue.client.submit([buy()])
    await eventually(said, lambda text: "No snapshot: " in text)
    assert await venue.handled() == 2
    assert not any(instance.task.done() for instance in venue.instances.values())
    await venue.link.call("DEL", venue.keys.snapshots)
    await venue.client.submit([buy()])
    await eventually(lambda: list_snapshots(venue.link, venue.keys))


# Elections


@pytest.mark.parametrize("what", ["store", "files"])
async def test_a_snapshot_that_an_election_interrupts_is_dropped_and_the_follower_leads(
    venue: Venue, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, what: str
) -> None:
    monkeypatch.setattr(state, "PART_SIZE", 1)
    monkeypatch.setattr(snapshot_module, "SEND_BYTES", 1)
    reached = asyncio.Event()

    async def stuck(*_: object) -> None:
        reached.set()
        await asyncio.Event().wait()

    push, pushes = snapshot_module._push, itertools.count(1)

    async def half(*args: object) -> None:
        await (stuck() if next(pushes) == 5 else push(*args))  # type: ignore[arg-type]

    leader = await venue.lead("a", settings=QUIET)
    await venue.client.submit([buy(price) for price in range(1, 20)])
    await venue.handled()
    with monkeypatch.context() as patch:
        if what == "store":
            patch.setattr(snapshot_module, "_push", half)
        else:
            patch.setattr(SnapshotFiles, "_put_in_place", stuck)
        follower = venue.start("b", settings=OFTEN, data_dir=tmp_path)
        await reached.wait()
        await leader.crash()
        await venue.leads("b")
    assert follower.node.replica.seq == 19
    assert await list_snapshots(venue.link, venue.keys) == ([] if what == "store" else [19])
    assert SnapshotFiles(tmp_path).newest_place() == 0
    await venue.client.submit([buy()])
    assert await venue.handled() == 20
    # It is alone now, and takes its snapshots itself.
    await venue.link.call("DEL", venue.keys.instance("a"))
    await eventually(lambda: list_snapshots(venue.link, venue.keys), lambda seqs: 20 in seqs)


async def test_an_instance_killed_and_started_again_under_its_name_does_not_wait_for_its_lease(
    venue: Venue,
) -> None:
    slow = msgspec.structs.replace(QUIET, lease_ms=600_000)
    first = await venue.lead("a", settings=slow)
    await venue.client.submit([buy()])
    await venue.handled()
    await first.crash()
    assert await venue.link.call("GET", venue.keys.leader) == b"a"
    again = await venue.lead("a", settings=slow)
    assert again.node.epoch == 2
    await venue.client.submit([buy()])
    assert await venue.handled() == 2


async def test_two_of_one_name_don_t_depose_each_other_for_ever(venue: Venue) -> None:
    instances = []
    for _ in range(2):
        instances.append(venue.start("same", settings=QUIET))
        await asyncio.sleep(0.1)
    await eventually(_leading(instances), lambda count: count == 1)
    epoch = (await venue.client.cluster()).epoch
    for n in range(20):
        await venue.client.submit([buy(1 + n)])
        await asyncio.sleep(0.02)
    assert await venue.handled() == 20
    assert (await venue.client.cluster()).epoch == epoch <= 3
    assert await _leading(instances)() == 1
    # And where that one dies, another takes over.
    (leader,) = (one for one in instances if one.node.role is Role.LEADING)
    await leader.crash()
    instances.remove(leader)
    await venue.client.submit([buy()])
    assert await venue.handled() == 21
    for one in instances:
        await one.stop()


def _leading(instances: list[Instance]) -> Callable[[], Awaitable[int]]:
    async def count() -> int:
        return sum(one.node.role is Role.LEADING for one in instances)

    return count
