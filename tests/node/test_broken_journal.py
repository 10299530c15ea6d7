"""A journal that can't be followed ends an instance with the reason; a store set back doesn't."""

import os
import subprocess
import sys
from functools import partial

import pytest

from matchbox_tui.engine import ExpireOrders
from matchbox_tui.node import Node
from matchbox_tui.node.follower import catch_up
from matchbox_tui.store import JournalBroken, Tenure
from tests.node.venue import Venue, buy, sell
from tests.waiting import eventually


async def _strange_entry(venue: Venue, entry_id: str, /, **fields: bytes) -> None:
    """An entry of a future version, which an upgraded leader has left."""
    whole = {"v": b"2", "e": b"9", "c": b"c", "b": b"[]", **fields}
    flat = [part for field in whole.items() for part in field]
    await venue.link.call("XADD", venue.keys.log, entry_id, *flat)
    seq = entry_id.partition("-")[0]
    await venue.link.call("HSET", venue.keys.cursor, "seq", seq, "chain", whole["c"], "epoch", "9")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"v": b"2"}, "has version 2.*upgrade matchbox"),
        ({"v": b"1", "b": b'[{"type":"order.teleported","seq":1}]'}, "order.teleported"),
        ({"v": b"1", "b": b'[{"type":"market.halted","seq":1,"market":"X","timestamp":0}]'}, "1"),
    ],
    ids=["version", "event", "contradiction"],
)
async def test_an_instance_ends_at_an_entry_that_it_can_t_read(
    venue: Venue, fields: dict[str, bytes], words: str
) -> None:
    await _strange_entry(venue, "1-0", **fields)
    instance = venue.start("a")
    with pytest.raises(JournalBroken, match=words):
        await instance.task
    status = await venue.client.cluster()
    assert (status.leader, status.instances) == (None, ())


async def test_instances_that_follow_end_at_an_entry_that_they_can_t_read(venue: Venue) -> None:
    leader = await venue.lead("a")
    follower = venue.start("b")
    await venue.client.submit([buy()])
    await venue.handled()
    await venue.caught_up(follower)
    await _strange_entry(venue, "2-0")
    with pytest.raises(JournalBroken, match="version 2"):
        await follower.task
    await venue.client.submit([buy()])
    with pytest.raises(JournalBroken, match="version 2"):
        await leader.task


async def test_a_journal_that_lost_its_end_ends_an_instance(venue: Venue) -> None:
    await venue.link.call("HSET", venue.keys.cursor, "seq", 5, "chain", "c", "epoch", 1)
    instance = venue.start("a")
    with pytest.raises(JournalBroken, match="beginning is gone"):
        await instance.task


async def test_a_cursor_that_was_lost_ends_an_instance_with_what_puts_it_right(
    venue: Venue,
) -> None:
    leader = await venue.lead("a")
    await venue.client.submit([buy(), sell(51)])
    await venue.handled()
    await leader.stop()
    await venue.link.call("DEL", venue.keys.cursor)
    with pytest.raises(JournalBroken, match=r"goes up to 2: .*HSET \S+ seq 2") as raised:
        await venue.start("b").task
    command = str(raised.value).partition("with ")[2].split()
    await venue.link.call(*command)
    await venue.lead("c")
    assert len((await venue.replica()).exchange.orders) == 2


async def test_an_engine_process_ends_with_exit_code_3_and_one_line(venue: Venue) -> None:
    await _strange_entry(venue, "1-0")
    ended = subprocess.run(  # noqa: ASYNC221  # nothing else happens meanwhile
        [sys.executable, "-m", "matchbox_tui", "engine", "--id", "a", "--log-level", "error"],
        env={**os.environ, "REDIS_URL": venue.url, "MATCHBOX_KEY_PREFIX": venue.prefix},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 3
    (line,) = [line for line in ended.stderr.splitlines() if line.startswith("matchbox:")]
    assert "has version 2" in line
    assert "Traceback" not in ended.stderr


async def test_instances_start_over_where_the_store_was_set_back(venue: Venue) -> None:
    instances = [await venue.lead("a"), venue.start("b")]
    await venue.client.submit([buy(), sell(51)])
    await venue.handled()
    for instance in instances:
        await venue.caught_up(instance)
    # Everything is gone, as after a restore of an older backup.
    await venue.link.call("DEL", *await venue.link.call("KEYS", f"{venue.prefix}*"))
    await venue.client.submit([buy(40)])
    await venue.handled()
    for instance in instances:
        assert not instance.task.done()
    assert [order.price for order in (await venue.replica()).exchange.orders.values()] == [40]
    # Their own place is passed, so that whoever still holds the old history finds out.
    for price in (41, 42, 43):
        await venue.client.submit([buy(price)])
        await venue.handled()
    expected = (await venue.replica()).exchange.state_hash()
    for instance in instances:
        await eventually(partial(_hash, instance.node), lambda seen: seen == expected)


@pytest.mark.parametrize("odd", ["another chain", "further on"])
async def test_who_holds_another_history_than_the_store_does_not_lead(
    venue: Venue, odd: str
) -> None:
    await venue.lead("a")
    await venue.client.submit([buy(), sell(51)])
    await venue.handled()
    replica = await venue.replica()
    tenure = Tenure(2, replica.tip)
    store = venue.instances["a"].node.store
    await catch_up(store, replica, tenure)
    if odd == "another chain":
        replica.chain = "another history"
    else:
        replica.exchange.apply(ExpireOrders(1))
    with pytest.raises(JournalBroken, match="SET BACK"):
        await catch_up(store, replica, tenure)


async def _hash(node: Node) -> str:
    return node.replica.exchange.state_hash()
