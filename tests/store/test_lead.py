"""The lead: one winner, rising epochs, and nobody acts in another's name."""

import asyncio

import pytest

from matchbox_tui.store import Keys, Link, Outcome, Refused, Replica, Server, Store, Tip
from matchbox_tui.store import store as store_module
from matchbox_tui.store.scripts import ELECT, RELEASE, RENEW, USURP, Script
from tests.store.build import LEASE, altered, buy, content, elected, match, put


async def test_one_of_many_wins_an_election(url: str, keys: Keys, link: Link) -> None:
    stores = [Store(Server(url), keys, f"n{n}") for n in range(8)]
    tenures = await asyncio.gather(*(store.elect(LEASE) for store in stores))
    winners = [store.instance_id for store, tenure in zip(stores, tenures, strict=True) if tenure]
    assert len(winners) == 1
    assert await link.call("GET", keys.leader) == winners[0].encode()
    assert await link.call("GET", keys.epoch) == b"1"
    for store in stores:
        await store.close()


async def test_the_epoch_rises_with_every_election(store: Store, rival: Store) -> None:
    epochs = []
    for instance in (store, rival, store):
        tenure = await elected(instance)
        epochs.append(tenure.epoch)
        assert await instance.release(tenure.epoch)
    assert epochs == [1, 2, 3]


@pytest.mark.parametrize("left", [None, b"1", b"no number"])
async def test_an_epoch_that_was_lost_goes_on_above_the_journal_s(
    store: Store, rival: Store, link: Link, keys: Keys, left: bytes | None
) -> None:
    for _ in range(3):
        await store.release((await elected(store)).epoch)
    await elected(store)
    await put(link, keys, buy())
    assert (await store.commit(match(await store.peek(1), Replica(), 4), LEASE, 1))[0] is Outcome.OK
    await link.call("DEL", keys.epoch, keys.leader)
    if left is not None:
        await link.call("SET", keys.epoch, left)
    assert (await elected(rival)).epoch == 5
    await link.call("DEL", keys.epoch)
    usurping = await store.usurp(0, LEASE)
    assert usurping is not None
    assert usurping.epoch == 5


async def test_the_winner_learns_the_journal_s_tip(store: Store, link: Link, keys: Keys) -> None:
    assert (await elected(store)).tip == Tip(0, "")
    await store.release(1)
    await link.call("HSET", keys.cursor, "seq", 7, "chain", "abc")
    assert (await elected(store)).tip == Tip(7, "abc")


async def test_the_lead_ends_with_its_lease(store: Store, link: Link, keys: Keys) -> None:
    await elected(store)
    assert 0 < await link.call("PTTL", keys.leader) <= LEASE
    assert await store.renew(1, 2 * LEASE)
    assert LEASE < await link.call("PTTL", keys.leader) <= 2 * LEASE


async def test_a_usurper_takes_the_lead_from_the_epoch_it_saw(
    store: Store, rival: Store, link: Link, keys: Keys
) -> None:
    await elected(store)
    tenure = await rival.usurp(1, LEASE)
    assert tenure is not None
    assert tenure.epoch == 2
    assert await link.call("GET", keys.leader) == b"b"


async def test_only_one_of_many_usurpers_wins(url: str, keys: Keys, store: Store) -> None:
    await elected(store)
    stores = [Store(Server(url), keys, f"n{n}") for n in range(8)]
    tenures = await asyncio.gather(*(usurper.usurp(1, LEASE) for usurper in stores))
    assert [tenure.epoch for tenure in tenures if tenure] == [2]
    for usurper in stores:
        await usurper.close()


async def test_a_late_usurper_changes_nothing(
    store: Store, rival: Store, link: Link, prefix: str
) -> None:
    await elected(store)
    await store.release(1)
    await elected(store)
    before = await content(link, prefix)
    assert await rival.usurp(1, LEASE) is None
    assert await rival.elect(LEASE) is None
    assert await content(link, prefix) == before


async def test_a_deposed_leader_can_neither_renew_nor_release(
    store: Store, rival: Store, link: Link, prefix: str
) -> None:
    await elected(store)
    await rival.usurp(1, LEASE)
    before = await content(link, prefix)
    assert not await store.renew(1, LEASE)
    assert not await store.release(1)
    assert await content(link, prefix) == before


async def test_an_earlier_lead_of_the_same_instance_can_neither_renew_nor_release(
    store: Store, link: Link, prefix: str
) -> None:
    await elected(store)
    await store.release(1)
    await elected(store)
    before = await content(link, prefix)
    assert not await store.renew(1, LEASE)
    assert not await store.release(1)
    assert await content(link, prefix) == before


async def test_a_lease_that_nobody_took_over_can_be_renewed(
    store: Store, rival: Store, link: Link, keys: Keys
) -> None:
    await elected(store)
    await link.call("DEL", keys.leader)
    assert await store.renew(1, LEASE)
    assert await rival.elect(LEASE) is None


@pytest.mark.parametrize("victim", ["leader", "epoch", "cursor", "order_id"])
async def test_an_election_over_keys_of_another_type_changes_nothing(
    store: Store, link: Link, keys: Keys, prefix: str, victim: str
) -> None:
    await link.call("RPUSH", getattr(keys, victim), "x")
    before = await content(link, prefix)
    for election in (store.elect(LEASE), store.usurp(0, LEASE)):
        try:
            won = await election
        except Refused:
            won = None
        assert won is None or victim == "leader"
        if won is None:
            assert await content(link, prefix) == before


# Each guard matters: without it, this happens.


def _use(monkeypatch: pytest.MonkeyPatch, name: str, script: Script) -> None:
    monkeypatch.setattr(store_module, name, script)


async def test_without_its_first_guard_an_election_has_two_winners(
    store: Store, rival: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    _use(monkeypatch, "ELECT", altered(ELECT, ("redis.call('EXISTS', KEYS[1]) == 1", "false")))
    await elected(store)
    assert await rival.elect(LEASE) is not None


async def test_without_the_seen_epoch_a_late_usurper_deposes_a_living_leader(
    store: Store, rival: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = "(redis.call('GET', KEYS[2]) or '0') ~= ARGV[5]"
    _use(monkeypatch, "USURP", altered(USURP, (guard, "false")))
    await elected(store)
    await store.release(1)
    await elected(store)
    assert await rival.usurp(1, LEASE) is not None
    assert not await store.renew(2, LEASE)


async def test_without_the_epoch_an_earlier_lead_renews_a_later_one(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    _use(monkeypatch, "RENEW", altered(RENEW, ("redis.call('GET', KEYS[2]) ~= ARGV[2]", "false")))
    await elected(store)
    await store.release(1)
    await elected(store)
    assert await store.renew(1, LEASE)


async def test_without_the_name_a_renewal_steals_the_lead(
    store: Store, rival: Store, link: Link, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    _use(monkeypatch, "RENEW", altered(RENEW, ("leader and leader ~= ARGV[1]", "false")))
    await elected(store)
    assert await rival.renew(1, LEASE)
    assert await link.call("GET", keys.leader) == b"b"


@pytest.mark.parametrize(
    ("guard", "harmless"),
    [
        ("redis.call('GET', KEYS[2]) ~= ARGV[2]", "false"),
        ("redis.call('GET', KEYS[1]) ~= ARGV[1]", "false"),
    ],
)
async def test_without_its_guards_a_release_ends_another_s_lead(
    store: Store,
    rival: Store,
    link: Link,
    keys: Keys,
    monkeypatch: pytest.MonkeyPatch,
    guard: str,
    harmless: str,
) -> None:
    _use(monkeypatch, "RELEASE", altered(RELEASE, (guard, harmless)))
    await elected(store)
    if "KEYS[2]" in guard:
        await store.release(1)
        await elected(store)
        assert await store.release(1)
    else:
        assert await rival.release(1)
    assert await link.call("GET", keys.leader) is None
