"""Which snapshots are kept: whole ones, in time, of this journal, and two of them."""

import asyncio
import contextlib
import itertools
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchbox_tui.engine import Part, dump_parts
from matchbox_tui.store import (
    Archive,
    Header,
    Keys,
    Link,
    Server,
    SnapshotUnusable,
    Store,
)
from matchbox_tui.store import snapshot as snapshot_module
from matchbox_tui.store.scripts import KEEP
from matchbox_tui.store.snapshot import (
    DRAFT_MS,
    list_snapshots,
    load_snapshot,
    prune_snapshots,
    superfluous,
    write_snapshot,
)
from tests.store.build import altered, content
from tests.store.states import (
    HEAD,
    SEQ,
    Past,
    busy,
    head_of,
    point_at,
    put_snapshot,
    write,
)

pytestmark = pytest.mark.usefixtures("unsynced")

# Drafts


class Killed(BaseException):
    pass


def _killed_after(parts: Iterator[Part], count: int) -> Iterator[Part]:
    yield from itertools.islice(parts, count)
    raise Killed


@pytest.mark.parametrize("count", [0, 1, 8])
async def test_a_draft_whose_writer_was_killed_never_shows_and_goes(
    link: Link, keys: Keys, small_parts: None, count: int
) -> None:
    exchange = busy(1)
    await point_at(link, keys, SEQ)
    with pytest.raises(Killed):
        await write_snapshot(link, keys, "a", HEAD, _killed_after(dump_parts(exchange), count))
    assert await list_snapshots(link, keys) == []
    assert await link.call("EXISTS", keys.snapshot(SEQ)) == 0
    draft = keys.snapshot_draft("a")
    assert await link.call("LLEN", draft) == count
    assert count == 0 or 0 < await link.call("PTTL", draft) <= DRAFT_MS
    # The next life of the same instance begins anew.
    await write(link, keys, exchange)
    assert (await load_snapshot(link, keys, SEQ))[1].exchange.state_hash() == exchange.state_hash()
    assert await link.call("EXISTS", draft) == 0


@pytest.mark.parametrize("when", [3, 11])
async def test_a_draft_that_is_lost_becomes_no_snapshot(
    link: Link, keys: Keys, small_parts: None, when: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    await point_at(link, keys, SEQ)
    push = snapshot_module._push
    pushes = itertools.count(1)

    async def push_and_lose(*args: object) -> None:
        await push(*args)  # type: ignore[arg-type]
        if next(pushes) == when:
            await link.call("DEL", keys.snapshot_draft("a"))

    monkeypatch.setattr(snapshot_module, "_push", push_and_lose)
    with pytest.raises(SnapshotUnusable, match="its draft was lost"):
        await write_snapshot(link, keys, "a", HEAD, dump_parts(busy(1)))
    assert next(pushes) > when
    assert await list_snapshots(link, keys) == []
    assert await link.call("EXISTS", keys.snapshot(SEQ)) == 0


async def test_two_that_write_at_once_both_leave_whole_ones(
    link: Link, keys: Keys, url: str, small_parts: None
) -> None:
    other = Server(url).link()
    await point_at(link, keys, SEQ)
    one, two = busy(1), busy(2)
    await asyncio.gather(
        write_snapshot(link, keys, "a", HEAD, dump_parts(one)),
        write_snapshot(other, keys, "b", Header(SEQ - 1, "b", 3, 0, 0), dump_parts(two)),
        return_exceptions=True,
    )
    await other.close()
    for seq in await list_snapshots(link, keys):
        await load_snapshot(link, keys, seq)
    _, replica = await load_snapshot(link, keys, SEQ)
    assert replica.exchange.state_hash() == one.state_hash()


async def test_two_of_one_name_that_write_at_once_leave_nothing_that_is_mixed(
    link: Link, keys: Keys, url: str, small_parts: None, caplog: pytest.LogCaptureFixture
) -> None:
    others = [Server(url).link() for _ in range(2)]
    await point_at(link, keys, SEQ)
    await asyncio.gather(
        *(
            write_snapshot(other, keys, "same", HEAD, dump_parts(busy(seed)))
            for seed, other in enumerate(others)
        ),
        return_exceptions=True,
    )
    for other in others:
        await other.close()
    hashes = {busy(seed).state_hash() for seed in range(2)}
    for seq in await list_snapshots(link, keys):
        with contextlib.suppress(SnapshotUnusable):
            assert (await load_snapshot(link, keys, seq))[1].exchange.state_hash() in hashes


# What KEEP refuses, and what would happen if it didn't


def _use(monkeypatch: pytest.MonkeyPatch, *changes: tuple[str, str]) -> None:
    monkeypatch.setattr(snapshot_module, "KEEP", altered(KEEP, *changes))


LOST = ("redis.call('LLEN', KEYS[1]) ~= tonumber(ARGV[3])", "false")
AHEAD = ("tonumber(ARGV[2]) > tonumber(tip)", "false")
LATE = ("redis.call('ZCOUNT', KEYS[3], '(' .. ARGV[2], tip) > 0", "false")


async def _write_and_lose(link: Link, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    """A draft that was cut before it was kept."""
    run = Link.run

    async def run_late(self: Link, *args: object) -> object:
        await link.call("LTRIM", keys.snapshot_draft("a"), 0, -2)
        return await run(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Link, "run", run_late)
    await write(link, keys, busy(1))


async def test_without_the_count_half_a_draft_is_named_a_snapshot(
    link: Link, keys: Keys, small_parts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SnapshotUnusable, match="draft was lost"):
        await _write_and_lose(link, keys, monkeypatch)
    assert await list_snapshots(link, keys) == []
    _use(monkeypatch, LOST)
    await _write_and_lose(link, keys, monkeypatch)
    assert await list_snapshots(link, keys) == [SEQ]
    with pytest.raises(SnapshotUnusable):
        await load_snapshot(link, keys, SEQ)


async def test_without_the_tip_a_lost_history_is_kept(
    link: Link, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    await point_at(link, keys, SEQ - 1)
    with pytest.raises(SnapshotUnusable, match="4000 is not kept: the journal ends before it"):
        await write_snapshot(link, keys, "a", HEAD, dump_parts(busy(1)))
    assert await list_snapshots(link, keys) == []
    _use(monkeypatch, AHEAD)
    await write_snapshot(link, keys, "a", HEAD, dump_parts(busy(1)))
    assert await list_snapshots(link, keys) == [SEQ]


async def _late(store: Store, link: Link, keys: Keys) -> list[int]:
    """One that writes so slowly that two others were taken, and the journal trimmed, meanwhile.

    Where one can begin afterwards.
    """
    past = await Past.of(store, link, keys, 1)
    slow = head_of(past.replica)
    parts = list(dump_parts(past.replica.exchange))
    archive = Archive(link, keys, "a")
    for _ in range(2):
        await past.go_on(2, orders=25)
        await archive.write(head_of(past.replica), dump_parts(past.replica.exchange), 1000)
    await store.published(past.replica.seq)
    assert await archive.trim() > 0
    with contextlib.suppress(SnapshotUnusable):
        await archive.write(slow, parts, 1000)
    return [base.replica.seq async for base in archive.bases()]


async def test_without_looking_for_newer_ones_a_late_snapshot_leaves_nothing_to_begin_at(
    store: Store, link: Link, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await _late(store, link, keys) == [101, 51]
    await link.call("DEL", *await link.call("KEYS", f"{keys.prefix}*"))
    _use(monkeypatch, LATE)
    # As it would be if whoever writes took its own for the newest.
    monkeypatch.setattr("matchbox_tui.store.archive.prune_snapshots", _prune_beyond_1)
    assert await _late(store, link, keys) == []


async def _prune_beyond_1(link: Link, keys: Keys, history: int) -> None:
    found = await list_snapshots(link, keys)
    if 1 in found:
        await link.call("ZREM", keys.snapshots, *superfluous(found, 1, history))


async def test_a_refusal_changes_nothing(link: Link, keys: Keys, prefix: str) -> None:
    for seq in (SEQ - 1, SEQ + 2):
        exchange = busy(1)
        await write(link, keys, exchange, msgspec.structs.replace(HEAD, seq=seq))
    before = await content(link, prefix)
    for seq in (SEQ, SEQ + 3):
        with pytest.raises(SnapshotUnusable):
            await write_snapshot(
                *(link, keys, "a", msgspec.structs.replace(HEAD, seq=seq)), dump_parts(busy(2))
            )
        await link.call("DEL", keys.snapshot_draft("a"))
        assert await content(link, prefix) == before


# Which stay


SEQS = st.lists(st.integers(1, 2**53 - 1), unique=True, min_size=1, max_size=8).map(sorted)


@given(SEQS, st.data(), st.integers(0, 2**53))
def test_the_newest_stays_and_the_oldest_within_the_history(
    found: list[int], data: st.DataObject, history: int
) -> None:
    newest = data.draw(st.sampled_from(found))
    drop = superfluous(found, newest, history)
    left = [seq for seq in found if seq not in drop]
    assert set(drop) < set(found)
    assert newest == left[-1]
    assert len(left) <= 2
    older = [seq for seq in found if seq < newest]
    if not older:
        assert left == [newest]
    elif newest - older[0] <= history:
        assert left == [older[0], newest]
    else:
        assert left == [older[-1], newest]


@given(st.lists(st.integers(1, 400), min_size=1, max_size=60), st.integers(0, 2000))
def test_over_time_the_journal_goes_back_for_the_history_but_not_much_further(
    steps: list[int], history: int
) -> None:
    found: list[int] = []
    for now in itertools.accumulate(steps):
        found.append(now)
        drop = superfluous(found, now, history)
        found = [seq for seq in found if seq not in drop]
        assert len(found) <= 2
        assert now - found[0] <= history + max(steps)


@pytest.mark.parametrize(("history", "left"), [(0, [30, 40]), (29, [30, 40]), (30, [10, 40])])
async def test_pruning_leaves_two_and_what_is_listed_is_there(
    link: Link, keys: Keys, history: int, left: list[int]
) -> None:
    await point_at(link, keys, 45)
    for seq in (10, 20, 30, 40, 50, 60):
        await put_snapshot(link, keys, seq, [b"x"])
    await prune_snapshots(link, keys, history)
    assert await list_snapshots(link, keys) == left
    for seq in (10, 20, 30, 40, 50, 60):
        assert await link.call("EXISTS", keys.snapshot(seq)) == (seq in left)


async def test_where_all_that_is_listed_is_of_a_lost_history_nothing_is_dropped_yet(
    link: Link, keys: Keys
) -> None:
    for seq in (10, 20):
        await put_snapshot(link, keys, seq, [b"x"])
    await prune_snapshots(link, keys, 5)
    assert await list_snapshots(link, keys) == [10, 20]


async def test_names_in_the_list_that_are_none_are_passed_over(link: Link, keys: Keys) -> None:
    await link.call("ZADD", keys.snapshots, 3, "3", 4, "x", 5, "-5")
    assert await list_snapshots(link, keys) == [3]
