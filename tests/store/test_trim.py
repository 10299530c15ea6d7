"""The journal loses what nobody needs any more, and never anything else.

The server trims by whole nodes of a stream. Where the tests want to see the exact place, they use
the script with an exact trim; the guards are the same.
"""

import asyncio
from collections.abc import Callable

import pytest

from matchbox_tui.engine import dump_parts
from matchbox_tui.store import Archive, Client, JournalBroken, Keys, Link, Replica, Store
from matchbox_tui.store import archive as archive_module
from matchbox_tui.store.archive import PUBLISHER
from matchbox_tui.store.restore import bases
from matchbox_tui.store.trim_scripts import TRIM
from tests.store.build import altered, content
from tests.store.states import Past, head_of

pytestmark = pytest.mark.usefixtures("unsynced")

EXACT = ("'~', from, 'LIMIT', ARGV[2]", "'=', from")
Cut = Callable[..., None]


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> Cut:
    """The script trims to the entry. Called with changes, it also loses those guards."""

    def cut(*changes: tuple[str, str]) -> None:
        monkeypatch.setattr(archive_module, "TRIM", altered(TRIM, EXACT, *changes))

    cut()
    return cut


@pytest.fixture
def archive(link: Link, keys: Keys) -> Archive:
    return Archive(link, keys, "a")


@pytest.fixture
async def past(store: Store, link: Link, keys: Keys) -> Past:
    """Ten commits, with snapshots at 4 and 8, of which everything is published."""
    past = await Past.of(store, link, keys)
    for _ in range(2):
        await past.go_on(4)
        await past.snapshot()
    await past.go_on(2)
    await store.published(10)
    return past


async def _first(link: Link, keys: Keys) -> int:
    """The first entry's sequence, 0 where there is none."""
    entries = await link.call("XRANGE", keys.log, "-", "+", "COUNT", 1)
    return int(entries[0][0].partition(b"-")[0]) if entries else 0


async def _read(link: Link, keys: Keys, group: str, count: int, *, ack: int = 0) -> None:
    """A consumer of the group reads so many entries, and acknowledges the first of them."""
    reply = await link.call(
        *("XREADGROUP", "GROUP", group, "someone", "COUNT", count, "STREAMS", keys.log, ">")
    )
    for entry_id, _ in reply[0][1][:ack]:
        await link.call("XACK", keys.log, group, entry_id)


# How far


async def test_it_goes_up_to_the_older_of_two_snapshots(
    past: Past, archive: Archive, link: Link, keys: Keys, exact: Cut
) -> None:
    assert await archive.trim() == 4
    assert await _first(link, keys) == 5
    assert await archive.trim() == 0
    assert [base.replica.seq async for base in archive.bases()] == [8, 4]


@pytest.mark.parametrize(("history", "begins"), [(0, 5), (4, 5), (5, 4), (7, 2), (8, 1), (100, 1)])
async def test_what_comes_before_the_older_one_stays_for_those_who_read_late(
    past: Past, archive: Archive, link: Link, keys: Keys, exact: Cut, history: int, begins: int
) -> None:
    """`history` commands before the newest snapshot, at 8."""
    assert await archive.trim(history) == begins - 1
    assert await _first(link, keys) == begins


@pytest.mark.parametrize("left", [0, 1])
async def test_with_less_than_two_snapshots_nothing_goes(
    past: Past, archive: Archive, link: Link, keys: Keys, prefix: str, exact: Cut, left: int
) -> None:
    await link.call("ZREMRANGEBYRANK", keys.snapshots, 0, 1 - left)
    before = await content(link, prefix)
    assert await archive.trim() == 0
    assert await content(link, prefix) == before
    # Without that, the only place to begin at could be torn.
    exact(("if #kept < 2 or", "if #kept < 1 or"))
    assert await archive.trim() == (8 if left else 0)


async def test_taken_up_to_the_newer_one_the_older_one_would_be_of_no_use(
    past: Past, archive: Archive, exact: Cut
) -> None:
    exact(("local needed = tonumber(kept[1]) + 1", "local needed = tonumber(kept[2]) + 1"))
    assert await archive.trim() == 8
    assert [base.replica.seq async for base in archive.bases()] == [8]


async def test_taken_one_further_the_older_one_would_be_of_no_use(
    past: Past, archive: Archive, exact: Cut
) -> None:
    exact(("local needed = tonumber(kept[1]) + 1", "local needed = tonumber(kept[1]) + 2"))
    assert await archive.trim() == 5
    assert [base.replica.seq async for base in archive.bases()] == [8]


async def test_without_a_journal_nothing_happens(
    archive: Archive, link: Link, keys: Keys, prefix: str
) -> None:
    assert await archive.trim() == 0
    await link.call("ZADD", keys.snapshots, 4, "4", 8, "8")
    assert await archive.trim() == 0
    await link.call("DEL", keys.snapshots)
    assert await content(link, prefix) == {}


# The publisher


async def test_nothing_goes_before_the_fills_are_published_at_all(
    past: Past, archive: Archive, link: Link, keys: Keys, exact: Cut
) -> None:
    await link.call("XGROUP", "DESTROY", keys.log, PUBLISHER)
    assert await archive.trim() == 0
    await link.call("XGROUP", "CREATE", keys.log, "analytics", "$")
    assert await archive.trim() == 0
    # Without that, a publisher that never began would miss the first fills.
    exact(("if not published then", "if false then"))
    assert await archive.trim() == 4


@pytest.mark.parametrize(("published", "first"), [(0, 1), (1, 2), (3, 4), (4, 5), (9, 5)])
async def test_nothing_goes_of_which_the_fills_are_not_published(
    past: Past,
    store: Store,
    archive: Archive,
    link: Link,
    keys: Keys,
    exact: Cut,
    published: int,
    first: int,
) -> None:
    await store.published(published)
    assert await archive.trim() == first - 1
    assert await _first(link, keys) == first


# Consumer groups


@pytest.mark.parametrize(("read", "first"), [(0, 1), (1, 2), (3, 4), (4, 5), (10, 5)])
async def test_nothing_goes_that_a_group_has_not_read(
    past: Past, archive: Archive, link: Link, keys: Keys, exact: Cut, read: int, first: int
) -> None:
    await link.call("XGROUP", "CREATE", keys.log, "analytics", "0")
    if read:
        await _read(link, keys, "analytics", read, ack=read)
    assert await archive.trim() == first - 1
    assert await _first(link, keys) == first


async def test_without_the_groups_an_unread_entry_would_go(
    past: Past, archive: Archive, link: Link, keys: Keys, exact: Cut
) -> None:
    exact(("needed = math.min(needed, unread)", ""))
    await link.call("XGROUP", "CREATE", keys.log, "analytics", "0")
    assert await archive.trim() == 4
    reply = await link.call(
        *("XREADGROUP", "GROUP", "analytics", "x", "COUNT", 1, "STREAMS", keys.log, ">")
    )
    assert reply[0][1][0][0] == b"5-0"


@pytest.mark.parametrize(("ack", "first"), [(0, 1), (2, 3), (3, 4), (9, 5)])
async def test_nothing_goes_that_a_group_has_pending(
    past: Past, archive: Archive, link: Link, keys: Keys, exact: Cut, ack: int, first: int
) -> None:
    await link.call("XGROUP", "CREATE", keys.log, "analytics", "0")
    await _read(link, keys, "analytics", 9, ack=ack)
    assert await archive.trim() == first - 1
    assert await _first(link, keys) == first


async def test_without_the_pending_ones_an_entry_under_work_would_go(
    past: Past, archive: Archive, link: Link, keys: Keys, exact: Cut
) -> None:
    exact(("group['pending'] > 0", "false"))
    await link.call("XGROUP", "CREATE", keys.log, "analytics", "0")
    await _read(link, keys, "analytics", 9)
    assert await archive.trim() == 4
    pending = await link.call("XPENDING", keys.log, "analytics")
    claimed = await link.call("XCLAIM", keys.log, "analytics", "next", 0, pending[1])
    assert not claimed or claimed == [None]


async def test_the_slowest_of_many_groups_counts(
    past: Past, archive: Archive, link: Link, keys: Keys, exact: Cut
) -> None:
    for name, read in (("analytics", 7), ("persistence", 2), ("odd name: {}", 5)):
        await link.call("XGROUP", "CREATE", keys.log, name, "0")
        await _read(link, keys, name, read, ack=read)
    assert await archive.trim() == 2
    await link.call("XGROUP", "DESTROY", keys.log, "persistence")
    assert await archive.trim() == 2
    assert await _first(link, keys) == 5


async def test_sequences_of_any_size_are_trimmed_exactly(
    store: Store, archive: Archive, link: Link, keys: Keys, exact: Cut
) -> None:
    top = 2**53 - 1
    for seq in range(top - 9, top + 1):
        await link.call("XADD", keys.log, f"{seq}-0", "b", "[]")
    await link.call("ZADD", keys.snapshots, top - 5, top - 5, top - 1, top - 1)
    await store.published(top)
    assert await archive.trim() == 5
    assert await _first(link, keys) == top - 4


# As it is: by nodes


async def _long(store: Store, link: Link, keys: Keys) -> Past:
    """Twenty commits that fill a node each; snapshots after the tenth and the last."""
    past = await Past.of(store, link, keys)
    for _ in range(2):
        await past.go_on(10, orders=25)
        await past.snapshot()
    await store.published(past.replica.seq)
    return past


async def test_by_nodes_most_of_it_goes_and_never_too_much(
    store: Store, archive: Archive, client: Client, link: Link, keys: Keys
) -> None:
    past = await _long(store, link, keys)
    assert 5 <= await archive.trim() <= 10
    assert await _first(link, keys) <= 275
    for oldest in (False, True):
        replica = await client.restore(oldest=oldest)
        assert replica.seq == (250 if oldest else 500)
        await client.catch_up(replica)
        assert replica.tip == past.replica.tip


async def test_a_long_journal_is_trimmed_in_many_steps(
    store: Store, archive: Archive, link: Link, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_module, "TRIM_ENTRIES", 2)
    await _long(store, link, keys)
    run, calls = link.run, []

    async def counted(*args: object) -> object:
        calls.append(await run(*args))  # type: ignore[arg-type]
        return calls[-1]

    monkeypatch.setattr(link, "run", counted)
    assert await archive.trim() == sum(calls) >= 5
    assert len(calls) > 3
    assert all(0 < gone <= 2 for gone in calls[:-1])
    assert calls[-1] == 0


# Readers


async def test_readers_go_on_after_a_trim(
    store: Store, archive: Archive, client: Client, link: Link, keys: Keys
) -> None:
    past = await _long(store, link, keys)
    replica = Replica()
    await client.catch_up(replica)
    assert await archive.trim() > 0
    reading = asyncio.ensure_future(_follow(client, replica, past.replica.seq + 2))
    await past.go_on(2)
    async with asyncio.timeout(30):
        await reading
    assert replica.tip == past.replica.tip


async def _follow(client: Client, replica: Replica, until: int) -> None:
    async for _ in client.follow(replica, until=until):
        pass


async def test_a_reader_that_was_left_behind_is_told_and_begins_anew(
    store: Store, archive: Archive, client: Client, link: Link, keys: Keys
) -> None:
    past = await _long(store, link, keys)
    behind = Replica()
    await _follow(client, behind, 25)
    assert await archive.trim() > 0
    with pytest.raises(JournalBroken, match=r"the journal has \d+ after 25"):
        await _follow(client, behind, past.replica.seq)
    replica = await client.restore()
    await past.go_on(1)
    await _follow(client, replica, past.replica.seq)
    assert replica.tip == past.replica.tip


async def test_a_writer_prunes_and_trims_without_end_and_the_venue_can_always_be_begun(
    store: Store, archive: Archive, link: Link, keys: Keys
) -> None:
    past = await Past.of(store, link, keys)
    lengths = []
    for _ in range(12):
        await past.go_on(3, orders=25)
        await store.published(past.replica.seq)
        await archive.write(head_of(past.replica), dump_parts(past.replica.exchange), history=150)
        await archive.trim()
        lengths.append(await link.call("XLEN", keys.log))
        found = [base.replica async for base in bases(link, keys)]
        assert len([replica for replica in found if replica.seq]) == min(2, len(lengths))
        assert found[0].exchange.state_hash() == past.replica.exchange.state_hash()
    # Six commits are within the history, three more were since the last snapshot.
    assert max(lengths) <= 6 + 3 + 3
