"""The fills stay as long as the journal tells of them or anybody has them to read; not for ever.

As with the journal, the tests that want to see the exact place use the script with an exact trim.
"""

from collections.abc import Callable

import pytest

from matchbox_tui.engine import Side
from matchbox_tui.store import Archive, FillMessage, Keys, Link, Refused, Store, Tip
from matchbox_tui.store import archive as archive_module
from matchbox_tui.store.trim_scripts import TRIM_FILLS
from tests.store.build import altered, content
from tests.store.states import Past

pytestmark = pytest.mark.usefixtures("unsynced")

EXACT = ("'~', from, 'LIMIT', string.format('%.0f', most)", "'=', from")
Cut = Callable[..., None]


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> Cut:
    """The script trims to the entry. Called with changes, it also loses those guards."""

    def cut(*changes: tuple[str, str]) -> None:
        monkeypatch.setattr(archive_module, "TRIM_FILLS", altered(TRIM_FILLS, EXACT, *changes))

    cut()
    return cut


@pytest.fixture
def archive(link: Link, keys: Keys) -> Archive:
    return Archive(link, keys, "a")


async def _publish(store: Store, past: Past) -> None:
    """Two fills for each command."""
    last = (0, -1)
    for entry in await store.read(0, 1000):
        ids = [(seq, n) for seq in range(entry.first_seq, entry.seq + 1) for n in (0, 1)]
        fills = [
            (seq, n, FillMessage(1, 2, 50, 1, 0, "MAIN", f"{seq}-{n}", Side.BUY)) for seq, n in ids
        ]
        assert await store.publish(Tip(entry.seq, entry.chain), last, fills)
        last = ids[-1]


@pytest.fixture
async def past(store: Store, link: Link, keys: Keys) -> Past:
    """Ten commits of two commands, with two fills each; the journal begins with its fourth."""
    past = await Past.of(store, link, keys)
    await past.go_on(10, orders=2)
    await _publish(store, past)
    await link.call("XTRIM", keys.log, "MINID", "7-0")
    return past


async def _ids(link: Link, keys: Keys) -> list[str]:
    return [entry[0].decode() for entry in await link.call("XRANGE", keys.fills_stream, "-", "+")]


async def _read(link: Link, keys: Keys, group: str, count: int, *, ack: int = 0) -> None:
    """A reader of the group is given so many fills, and acknowledges the first of them."""
    stream = keys.fills_stream
    reply = await link.call(
        *("XREADGROUP", "GROUP", group, "someone", "COUNT", count, "STREAMS", stream, ">")
    )
    for entry_id, _ in reply[0][1][:ack]:
        await link.call("XACK", stream, group, entry_id)


# How far


async def test_the_fills_of_the_journal_stay(
    past: Past, archive: Archive, store: Store, link: Link, keys: Keys, exact: Cut
) -> None:
    last = await store.last_published()
    assert await archive.trim_fills(0) == 12
    assert (await _ids(link, keys))[:3] == ["7-0", "7-1", "8-0"]
    assert await archive.trim_fills(0) == 0
    # The publisher goes on where it was.
    assert await store.last_published() == last == (20, 1)


async def test_of_a_whole_journal_all_fills_stay(
    store: Store, archive: Archive, link: Link, keys: Keys, exact: Cut
) -> None:
    past = await Past.of(store, link, keys)
    await past.go_on(3)
    await _publish(store, past)
    assert await archive.trim_fills(0) == 0
    # Without its first command's number the first entry's own would go.
    exact(("local seq, n = tonumber(ARGV[3]), 0", "local seq, n = tonumber(ARGV[3]) + 1, 0"))
    assert await archive.trim_fills(0) == 2


@pytest.mark.parametrize("keep", [40, 1000])
async def test_where_there_are_few_all_stay(
    past: Past, archive: Archive, exact: Cut, keep: int
) -> None:
    assert await archive.trim_fills(keep) == 0
    exact(("if spare <= 0 then", "if false then"))
    assert await archive.trim_fills(keep) == 12


async def test_without_a_journal_or_fills_nothing_happens(
    archive: Archive, link: Link, keys: Keys, prefix: str, store: Store
) -> None:
    assert await archive.trim_fills(0) == 0
    past = await Past.of(store, link, keys)
    await past.go_on(2)
    before = await content(link, prefix)
    assert await archive.trim_fills(0) == 0
    assert await content(link, prefix) == before


async def test_another_programs_value_is_named(
    past: Past, archive: Archive, link: Link, keys: Keys
) -> None:
    await link.call("SET", keys.fills_stream, "x")
    with pytest.raises(Refused, match="events_stream holds a value of type string"):
        await archive.trim_fills(0)


# Consumer groups


@pytest.mark.parametrize(("read", "gone"), [(0, 0), (1, 1), (11, 11), (12, 12), (30, 12)])
async def test_no_fill_goes_that_a_group_was_not_given(
    past: Past, archive: Archive, link: Link, keys: Keys, exact: Cut, read: int, gone: int
) -> None:
    await link.call("XGROUP", "CREATE", keys.fills_stream, "ledger", "0")
    if read:
        await _read(link, keys, "ledger", read, ack=read)
    following = (await _ids(link, keys))[read]
    assert await archive.trim_fills(0) == gone
    await _read(link, keys, "ledger", 1)
    ((given, *_),) = await link.call("XPENDING", keys.fills_stream, "ledger", "-", "+", 1)
    assert given.decode() == following


@pytest.mark.parametrize(("ack", "gone"), [(0, 0), (3, 3), (12, 12), (20, 12)])
async def test_no_fill_goes_that_a_group_has_pending(
    past: Past, archive: Archive, link: Link, keys: Keys, exact: Cut, ack: int, gone: int
) -> None:
    await link.call("XGROUP", "CREATE", keys.fills_stream, "ledger", "0")
    await _read(link, keys, "ledger", 20, ack=ack)
    assert await archive.trim_fills(0) == gone


async def test_without_the_pending_ones_a_fill_under_work_would_go(
    past: Past, archive: Archive, link: Link, keys: Keys, exact: Cut
) -> None:
    exact(("group['pending'] > 0", "false"))
    await link.call("XGROUP", "CREATE", keys.fills_stream, "ledger", "0")
    await _read(link, keys, "ledger", 20)
    assert await archive.trim_fills(0) == 12


async def test_without_the_groups_an_unread_fill_would_go(
    past: Past, archive: Archive, link: Link, keys: Keys, exact: Cut
) -> None:
    exact(("keep(group['last-delivered-id'], 1)", ""))
    await link.call("XGROUP", "CREATE", keys.fills_stream, "ledger", "0")
    assert await archive.trim_fills(0) == 12


async def test_the_slowest_of_many_groups_counts(
    past: Past, archive: Archive, link: Link, keys: Keys, exact: Cut
) -> None:
    for name, read in (("quick", 9), ("slow", 3), ("odd name: {}", 5)):
        await link.call("XGROUP", "CREATE", keys.fills_stream, name, "0")
        await _read(link, keys, name, read, ack=read)
    assert await archive.trim_fills(0) == 3
    await link.call("XGROUP", "DESTROY", keys.fills_stream, "slow")
    assert await archive.trim_fills(0) == 2


# The journal must be the one that was looked at


async def test_where_the_journal_begins_elsewhere_by_now_nothing_goes(
    past: Past,
    archive: Archive,
    link: Link,
    keys: Keys,
    exact: Cut,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run, journal = link.run, await link.call("DUMP", keys.log)

    async def late(*args: object) -> object:
        """Between the look and the script the store is set back to another journal."""
        await link.call("DEL", keys.log)
        await link.call("XADD", keys.log, "8-0", "c", "another history", "b", "[]")
        return await run(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(link, "run", late)
    assert await archive.trim_fills(0) == 0
    exact((" or chain ~= ARGV[2]", ""))
    await link.call("RESTORE", keys.log, 0, journal, "REPLACE")
    assert await archive.trim_fills(0) == 12


# As it is: by nodes, in steps


async def test_many_fills_go_in_many_steps_and_never_too_many(
    store: Store, archive: Archive, link: Link, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    past = await Past.of(store, link, keys)
    await past.go_on(20, orders=50)
    await _publish(store, past)
    await link.call("XTRIM", keys.log, "MINID", "600-0")
    monkeypatch.setattr(archive_module, "TRIM_ENTRIES", 200)
    run, steps = link.run, []

    async def counted(*args: object) -> object:
        steps.append(await run(*args))  # type: ignore[arg-type]
        return steps[-1]

    monkeypatch.setattr(link, "run", counted)
    assert 900 <= await archive.trim_fills(0) == sum(steps) <= 1100
    assert all(0 < gone <= 200 for gone in steps[:-1])
    assert len(steps) > 5
    left = await _ids(link, keys)
    assert int(left[0].partition("-")[0]) <= 551
    assert left[-1] == "1000-1"
    # Of the rest no more than would leave so many.
    await link.call("XTRIM", keys.log, "MINID", "1000-0")
    await archive.trim_fills(500)
    assert 500 <= len(await _ids(link, keys)) <= 600
