"""What each guard of COMMIT is for: the script without it, and the damage that it then does."""

from collections.abc import Callable

import pytest

from matchbox_tui.engine import encode_command
from matchbox_tui.store import (
    Commit,
    JournalBroken,
    Keys,
    Link,
    Outcome,
    Refused,
    Replica,
    Store,
    Tip,
    chained,
)
from matchbox_tui.store import store as store_module
from matchbox_tui.store.scripts import COMMIT
from tests.store.build import LEASE, altered, buy, cancel, elected, match, put, sell

Cut = Callable[..., None]


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Cut:
    def cut(*changes: tuple[str, str]) -> None:
        monkeypatch.setattr(store_module, "COMMIT", altered(COMMIT, *changes))

    return cut


async def _commit(store: Store, commit: Commit) -> Outcome:
    return (await store.commit(commit, LEASE, 10))[0]


async def _replayed(store: Store) -> Replica:
    replica = Replica()
    for entry in await store.read(0, 100):
        replica.apply(entry)
    return replica


async def test_without_dup_a_leader_steps_down_over_its_own_commit(
    store: Store, link: Link, keys: Keys, without: Cut
) -> None:
    without(("seq == ARGV[5] and chain == ARGV[6]", "false"))
    await elected(store)
    commit = match(await put(link, keys, buy(order_id=1)), Replica(), 1)
    assert await _commit(store, commit) is Outcome.OK
    assert await _commit(store, commit) is Outcome.CAS


async def test_without_the_epoch_a_zombie_writes_after_its_end(
    store: Store, rival: Store, link: Link, keys: Keys, without: Cut
) -> None:
    without(("redis.call('GET', KEYS[2]) ~= ARGV[2] or ", ""))
    await elected(store)
    commit = match(await put(link, keys, buy(order_id=1)), Replica(), 1)
    await rival.usurp(1, LEASE)
    await link.call("DEL", keys.leader)
    assert await _commit(store, commit) is Outcome.OK
    assert await link.call("GET", keys.leader) == b"a"


async def test_without_the_name_a_stranger_takes_the_lead(
    store: Store, rival: Store, link: Link, keys: Keys, without: Cut
) -> None:
    without((" or (leader and leader ~= ARGV[1])", ""))
    await elected(store)
    commit = match(await put(link, keys, buy(order_id=1)), Replica(), 1)
    assert await _commit(rival, commit) is Outcome.OK
    assert await link.call("GET", keys.leader) == b"b"


async def test_without_the_sequence_the_journal_says_the_same_number_twice(
    store: Store, link: Link, keys: Keys, without: Cut
) -> None:
    without(("if seq ~= ARGV[3] or chain ~= ARGV[4] then", "if false then"))
    await elected(store)
    elements = await put(link, keys, cancel(1), cancel(1), cancel(1))
    stale = match(elements[:2], Replica(), 1)
    assert await _commit(store, match(elements[:1], Replica(), 1)) is Outcome.OK
    assert await _commit(store, stale) is Outcome.OK
    with pytest.raises(JournalBroken):
        await _replayed(store)


async def test_without_the_chain_the_journal_s_halves_don_t_fit(
    store: Store, link: Link, keys: Keys, without: Cut
) -> None:
    without((" or chain ~= ARGV[4]", ""))
    await elected(store)
    elements = await put(link, keys, buy(order_id=1), sell(order_id=2))
    replica = Replica()
    assert await _commit(store, match(elements[:1], replica, 1)) is Outcome.OK
    replica.chain = "another history"
    assert await _commit(store, match(elements[1:], replica, 1)) is Outcome.OK
    with pytest.raises(JournalBroken, match="chain"):
        await _replayed(store)


async def test_without_the_digest_an_order_is_thrown_away_unmatched(
    store: Store, link: Link, keys: Keys, without: Cut
) -> None:
    without(("redis.sha1hex(table.concat(head, '\\0')) ~= ARGV[8]", "false"))
    await elected(store)
    commit = match(await put(link, keys, buy(order_id=1)), Replica(), 1)
    await link.call("LSET", keys.queue, 0, encode_command(sell(order_id=2)))
    assert await _commit(store, commit) is Outcome.OK
    assert await link.call("LLEN", keys.queue) == 0
    assert list((await _replayed(store)).exchange.orders) == [1]


async def test_with_the_queue_trimmed_first_a_refused_entry_loses_its_orders(
    store: Store, link: Link, keys: Keys, without: Cut
) -> None:
    trim = "redis.call('LTRIM', KEYS[5], n, -1)\n"
    without((trim, ""), ("redis.call(\n  'XADD'", f"{trim}redis.call(\n  'XADD'"))
    await elected(store)
    commit = match(await put(link, keys, buy(order_id=1)), Replica(), 1)
    await link.call("SET", keys.log, "x")
    with pytest.raises(Refused):
        await _commit(store, commit)
    assert await link.call("LLEN", keys.queue) == 0


async def test_the_unharmed_script_withstands_all_of_that(
    store: Store, rival: Store, link: Link, keys: Keys, without: Cut
) -> None:
    without()
    await elected(store)
    elements = await put(link, keys, cancel(1), cancel(1), cancel(1))
    first, stale = match(elements[:1], Replica(), 1), match(elements[:2], Replica(), 1)
    assert await _commit(rival, first) is Outcome.FENCED
    assert await _commit(store, first) is Outcome.OK
    assert await _commit(store, first) is Outcome.DUP
    assert await _commit(store, stale) is Outcome.CAS
    forked = Tip(2, chained("another history", stale.blob))
    fork = Commit(1, Tip(1, "another history"), forked, elements[:1], stale.blob, {})
    assert await _commit(store, fork) is Outcome.CAS
    assert (await _replayed(store)).tip == first.after
