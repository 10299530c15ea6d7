"""A venue comes back from what there is: snapshots, the journal, files; or it says why not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from matchbox_tui.engine import Side, dump_parts, encode_command
from matchbox_tui.store import (
    Client,
    Header,
    JournalBroken,
    Replica,
    SnapshotFiles,
)
from matchbox_tui.store.snapshot import write_snapshot
from tests.node.traded import (
    comes_back,
    mixed_orders,
    spoil,
    traded,
    trim_to,
)
from tests.node.venue import QUIET, Venue, buy
from tests.store.states import (
    busy,
    elements_of,
    grown,
    point_at,
    write_as_version_1,
)

pytestmark = pytest.mark.usefixtures("unsynced")

# Where it begins


async def test_it_begins_at_the_newest_snapshot_and_reads_the_journal_after_it(
    venue: Venue, caplog: pytest.LogCaptureFixture
) -> None:
    expected = await traded(venue)
    await trim_to(venue, 121)
    assert await comes_back(venue, expected, caplog) == 121


async def test_it_begins_at_a_snapshot_of_the_tip_without_any_journal(
    venue: Venue, caplog: pytest.LogCaptureFixture
) -> None:
    expected = await traded(venue)
    assert await venue.snapshot() == 181
    await venue.link.call("DEL", venue.keys.log)
    assert await comes_back(venue, expected, caplog) == 181


async def test_it_begins_at_the_journal_s_beginning_where_there_is_no_snapshot(
    venue: Venue, caplog: pytest.LogCaptureFixture
) -> None:
    expected = await traded(venue)
    await venue.link.call("DEL", *await venue.link.call("KEYS", f"{venue.prefix}engine:snapshot*"))
    assert await comes_back(venue, expected, caplog) == 0


@pytest.mark.parametrize("how", ["torn", "half written", "altered", "future", "gone", "elsewhere"])
async def test_it_begins_at_the_older_snapshot_where_the_newest_is_of_no_use(
    venue: Venue, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    expected = await traded(venue)
    await trim_to(venue, 61)
    await spoil(venue, 121, how)
    assert await comes_back(venue, expected, caplog) == 61
    assert "Snapshot 121 can't be used" in caplog.text


async def test_it_begins_at_the_journal_where_both_snapshots_are_of_no_use(
    venue: Venue, caplog: pytest.LogCaptureFixture
) -> None:
    expected = await traded(venue)
    for seq in (61, 121):
        await spoil(venue, seq, "torn")
    assert await comes_back(venue, expected, caplog) == 0


async def test_a_snapshot_that_contradicts_the_journal_costs_nothing(
    venue: Venue, caplog: pytest.LogCaptureFixture
) -> None:
    """Whole and sealed, of the right place, but with a state that the journal does not fit."""
    expected = await traded(venue)
    base = await venue.client.restore()
    book = base.exchange.book("MAIN")
    for held in [*book.queue(Side.BUY), *book.queue(Side.SELL)]:
        book.remove(held)
    head = Header(121, base.chain, base.epoch, 0, 0)
    await write_snapshot(venue.link, venue.keys, "odd", head, dump_parts(base.exchange))
    assert await comes_back(venue, expected, caplog) == 61
    assert "The journal can't be followed from 121" in caplog.text


async def test_an_upgraded_venue_keeps_its_book(
    venue: Venue, caplog: pytest.LogCaptureFixture
) -> None:
    expected = await traded(venue)
    base = await venue.client.restore()
    head = Header(base.seq, base.chain, base.epoch, 120, 0)
    await write_as_version_1(venue.link, venue.keys, head, base.exchange)
    await venue.link.call("ZREM", venue.keys.snapshots, 61)
    await trim_to(venue, 121)
    assert await comes_back(venue, expected, caplog) == 121
    # What it writes from now on is of its own version.
    seq = await venue.snapshot()
    assert b'"version":2' in (await elements_of(venue.link, venue.keys, seq))[-1]


async def test_a_state_that_was_recovered_is_the_same_to_the_last_order_and_name(
    venue: Venue, caplog: pytest.LogCaptureFixture
) -> None:
    exchange = busy(6)
    await point_at(venue.link, venue.keys, exchange.seq, "c")
    head = Header(exchange.seq, "c", 1, 5000, 0)
    await write_snapshot(venue.link, venue.keys, "a", head, dump_parts(exchange))
    expected = Replica(exchange, "c", 1)
    assert await comes_back(venue, expected, caplog) == exchange.seq


# Files


async def test_it_begins_at_the_files_where_the_store_s_snapshots_are_gone(
    venue: Venue, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    expected = await traded(venue, tmp_path)
    await trim_to(venue, 61)
    await venue.link.call("DEL", *await venue.link.call("KEYS", f"{venue.prefix}engine:snapshot*"))
    assert await comes_back(venue, expected, caplog, tmp_path) == 121


async def test_it_begins_at_the_older_files_where_the_newest_are_torn(
    venue: Venue, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    expected = await traded(venue, tmp_path)
    await trim_to(venue, 61)
    for seq in (61, 121):
        await spoil(venue, seq, "torn")
    path = tmp_path / "snapshots" / "RAIN.json"
    path.write_bytes(path.read_bytes()[:-9])
    assert await comes_back(venue, expected, caplog, tmp_path) == 61
    assert "RAIN.json: it is torn" in caplog.text


async def test_files_of_another_history_are_not_used(
    venue: Venue, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    expected = await traded(venue)
    exchange = grown(100)
    await SnapshotFiles(tmp_path).write(Header(100, "another", 1, 100, 0), exchange)
    for seq in (61, 121):
        await spoil(venue, seq, "torn")
    assert await comes_back(venue, expected, caplog, tmp_path) == 0
    assert "The snapshot files of 100 can't be used" in caplog.text


# Nowhere to begin


async def test_an_instance_with_nowhere_to_begin_ends(venue: Venue) -> None:
    await traded(venue)
    await trim_to(venue, 100)
    for seq in (61, 121):
        await spoil(venue, seq, "altered")
    instance = venue.start("next", settings=QUIET)
    with pytest.raises(JournalBroken, match=r"beginning is gone, and no snapshot.*backup"):
        await instance.task
    status = await venue.client.cluster()
    assert (status.leader, status.instances, status.seq) == (None, (), 181)


async def test_an_engine_with_nowhere_to_begin_ends_with_exit_code_3_and_one_line(
    venue: Venue, tmp_path: Path
) -> None:
    await traded(venue)
    await venue.link.call("DEL", venue.keys.log)
    ended = subprocess.run(  # noqa: ASYNC221  # nothing else happens meanwhile
        [
            *(sys.executable, "-m", "matchbox_tui", "engine", "--log-level", "error"),
            *("--data-dir", str(tmp_path)),
        ],
        env={**os.environ, "REDIS_URL": venue.url, "MATCHBOX_KEY_PREFIX": venue.prefix},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 3
    lines = [line for line in ended.stderr.splitlines() if line.startswith("matchbox:")]
    # That the server of these tests is unsynced is said as well.
    (line,) = [line for line in lines if "warning: appendfsync" not in line]
    assert "no snapshot of it can be used: put a backup of the server's data" in line
    assert "Traceback" not in ended.stderr


# The highest id


async def test_a_lost_counter_goes_on_above_the_ids_of_a_journal_without_snapshots(
    venue: Venue, caplog: pytest.LogCaptureFixture
) -> None:
    await venue.lead(settings=QUIET)
    given = await venue.client.submit(mixed_orders(1))
    await venue.handled()
    await venue.instances["a"].stop()
    await venue.link.call("DEL", venue.keys.order_id)
    await venue.lead("b", settings=QUIET)
    stranger = await Client.connect(venue.url, venue.prefix)
    again = await stranger.submit(mixed_orders(2))
    await stranger.close()
    assert min(again) > max(given)
    assert "The order id counter was set back from" in caplog.text


async def test_ids_of_other_programs_don_t_move_a_counter_that_is_there(venue: Venue) -> None:
    await venue.client.submit([buy()])
    foreign = encode_command(buy(order_id=900_000))
    await venue.link.call("RPUSH", venue.keys.queue, foreign)
    await venue.lead(settings=QUIET)
    await venue.handled()
    await venue.instances["a"].stop()
    await venue.lead("b", settings=QUIET)
    assert await venue.client.submit([buy()]) == [2]
