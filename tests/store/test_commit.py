"""COMMIT: a batch goes in whole, once, and only from the leader that saw what is there."""

import pytest

from matchbox_tui.engine import decode_command
from matchbox_tui.store import (
    Commit,
    Keys,
    Link,
    Outcome,
    Refused,
    Replica,
    Server,
    Store,
    Tip,
)
from matchbox_tui.store.scripts import COMMIT, CUT
from tests.servers import OwnServer
from tests.store.build import LEASE, buy, content, elected, match, put, sell


async def _ready(store: Store, link: Link, keys: Keys, count: int = 1) -> Commit:
    """The store leads in epoch 1 and has matched the first of `count` orders and one more."""
    await elected(store)
    orders = [buy(50, order_id=1), sell(50, order_id=2), *(buy(order_id=n) for n in (3, 4))]
    elements = await put(link, keys, *orders)
    return match(elements[:count], Replica(), 1)


async def _commit(store: Store, commit: Commit) -> Outcome:
    return (await store.commit(commit, LEASE, 10))[0]


async def test_a_commit_moves_commands_from_the_queue_to_the_journal(
    store: Store, link: Link, keys: Keys
) -> None:
    commit = await _ready(store, link, keys, 2)
    outcome, peeked = await store.commit(commit, LEASE, 10)
    assert outcome is Outcome.OK
    assert [decode_command(element).order_id for element in peeked] == [3, 4]  # type: ignore[union-attr]
    (entry,) = await store.read(0, 10)
    assert (entry.seq, entry.epoch, entry.count) == (2, 1, 2)
    assert entry.blob == commit.blob
    assert await store.tip() == Tip(2, entry.chain) == commit.after
    assert await link.call("GET", keys.book("MAIN")) == b"{}"
    assert await link.call("LLEN", keys.queue) == 2


async def test_a_server_that_knows_commit_alone_still_tells_what_comes_next(
    own: OwnServer,
) -> None:
    server, keys = Server(own.url), Keys("")
    leader, link = Store(server, keys, "a"), server.link()
    try:
        commit = await _ready(leader, link, keys, 2)
        await link.call("SCRIPT", "LOAD", COMMIT.text)
        outcome, peeked = await leader.commit(commit, LEASE, 10)
        assert outcome is Outcome.OK
        assert len(peeked) == 2
        assert (await leader.commit(commit, LEASE, 10)) == (Outcome.DUP, peeked)
    finally:
        await leader.close()
        await link.close()


async def test_a_commit_renews_the_lease(store: Store, link: Link, keys: Keys) -> None:
    commit = await _ready(store, link, keys)
    await store.commit(commit, 3 * LEASE, 10)
    assert await link.call("PTTL", keys.leader) > 2 * LEASE
    assert await link.call("GET", keys.leader) == b"a"


async def test_a_commit_sent_again_is_in_already(
    store: Store, link: Link, keys: Keys, prefix: str
) -> None:
    commit = await _ready(store, link, keys)
    await _commit(store, commit)
    before = await content(link, prefix)
    outcome, peeked = await store.commit(commit, LEASE, 10)
    assert outcome is Outcome.DUP
    assert len(peeked) == 3
    assert await content(link, prefix) == before


async def test_a_commit_sent_again_after_the_lead_was_lost_is_still_in(
    store: Store, rival: Store, link: Link, keys: Keys
) -> None:
    commit = await _ready(store, link, keys)
    await _commit(store, commit)
    await rival.usurp(1, LEASE)
    assert await _commit(store, commit) is Outcome.DUP


async def test_a_commit_of_a_deposed_leader_changes_nothing(
    store: Store, rival: Store, link: Link, keys: Keys, prefix: str
) -> None:
    commit = await _ready(store, link, keys)
    await rival.usurp(1, LEASE)
    before = await content(link, prefix)
    assert await _commit(store, commit) is Outcome.FENCED
    assert await content(link, prefix) == before


async def test_a_commit_of_a_zombie_after_its_successor_s_first_changes_nothing(
    store: Store, rival: Store, link: Link, keys: Keys, prefix: str
) -> None:
    commit = await _ready(store, link, keys)
    await rival.usurp(1, LEASE)
    assert await _commit(rival, match(await rival.peek(2), Replica(), 2)) is Outcome.OK
    before = await content(link, prefix)
    assert await _commit(store, commit) is Outcome.FENCED
    assert await content(link, prefix) == before


async def test_a_commit_in_the_right_epoch_by_another_than_the_leader_changes_nothing(
    store: Store, rival: Store, link: Link, keys: Keys, prefix: str
) -> None:
    commit = await _ready(store, link, keys)
    before = await content(link, prefix)
    assert await _commit(rival, commit) is Outcome.FENCED
    assert await content(link, prefix) == before


async def test_a_commit_after_the_lease_ran_out_is_fine_while_nobody_else_leads(
    store: Store, rival: Store, link: Link, keys: Keys
) -> None:
    commit = await _ready(store, link, keys)
    await link.call("DEL", keys.leader)
    assert await _commit(store, commit) is Outcome.OK
    assert await rival.elect(LEASE) is None


@pytest.mark.parametrize(
    "before", [Tip(1, ""), Tip(0, "another"), Tip(1, "another")], ids=["seq", "chain", "both"]
)
async def test_a_commit_on_another_tip_changes_nothing(
    store: Store, link: Link, keys: Keys, prefix: str, before: Tip
) -> None:
    commit = await _ready(store, link, keys)
    stale = Commit(1, before, commit.after, commit.elements, commit.blob, commit.books)
    there = await content(link, prefix)
    assert await _commit(store, stale) is Outcome.CAS
    assert await content(link, prefix) == there


@pytest.mark.parametrize("trick", ["head changed", "head gone", "too few"])
async def test_a_commit_of_other_commands_than_the_queue_s_changes_nothing(
    store: Store, link: Link, keys: Keys, prefix: str, trick: str
) -> None:
    commit = await _ready(store, link, keys, 2)
    if trick == "head changed":
        await link.call("LSET", keys.queue, 0, b"{}")
    elif trick == "head gone":
        await link.call("LPOP", keys.queue)
    else:
        await link.call("LTRIM", keys.queue, 0, 0)
    before = await content(link, prefix)
    assert await _commit(store, commit) is Outcome.INPUT
    assert await content(link, prefix) == before


@pytest.mark.parametrize("victim", ["cursor", "epoch", "leader", "log", "queue"])
async def test_a_commit_over_a_key_of_another_type_changes_nothing(
    store: Store, link: Link, keys: Keys, prefix: str, victim: str
) -> None:
    commit = await _ready(store, link, keys)
    key = getattr(keys, victim)
    await link.call("DEL", key)
    await link.call("SADD", key, "x")
    before = await content(link, prefix)
    with pytest.raises(Refused, match=f"{key} holds a value of type set, .* delete the key"):
        await _commit(store, commit)
    assert await content(link, prefix) == before


async def test_a_commit_to_a_journal_that_is_further_than_the_cursor_changes_nothing(
    store: Store, link: Link, keys: Keys, prefix: str
) -> None:
    commit = await _ready(store, link, keys)
    await link.call("XADD", keys.log, "9-0", "b", "[]")
    before = await content(link, prefix)
    with pytest.raises(Refused, match="equal or smaller"):
        await _commit(store, commit)
    assert await content(link, prefix) == before


async def test_elements_with_any_bytes_are_committed(store: Store, link: Link, keys: Keys) -> None:
    await elected(store)
    await link.call("RPUSH", keys.queue, b"", b"\0\r\n", b"\xff\xfe", b"x" * 100_000)
    commit = match(await store.peek(10), Replica(), 1)
    assert await _commit(store, commit) is Outcome.OK
    assert [entry.count for entry in await store.read(0, 10)] == [4]
    assert await link.call("EXISTS", keys.queue) == 0


async def test_elements_of_any_size_are_peeked_at_in_bites(
    store: Store, link: Link, keys: Keys
) -> None:
    await elected(store)
    (first, last) = await put(link, keys, buy(order_id=1), buy(order_id=2))
    huge = [bytes([letter]) * 3_000_000 for letter in b"xyz"]
    for element in huge:
        await link.call("LINSERT", keys.queue, "BEFORE", last, element)
    replica = Replica()
    batch = await store.peek(10)
    assert batch == [first]
    for following in ([huge[0][:CUT]], [huge[1][:CUT]], [huge[2][:CUT]], [last], []):
        assert await store.wait_for_command(0.1) == batch[0]
        outcome, batch = await store.commit(match(batch, replica, 1), LEASE, 10)
        assert outcome is Outcome.OK
        assert batch == following
    assert await link.call("EXISTS", keys.queue) == 0


async def test_a_peek_goes_as_far_as_asked(store: Store, link: Link, keys: Keys) -> None:
    elements = await put(link, keys, *(buy(order_id=n) for n in range(1, 71)))
    for limit in (1, 31, 32, 33, 64, 65, 70, 71, 512):
        assert await store.peek(limit) == elements[:limit]
