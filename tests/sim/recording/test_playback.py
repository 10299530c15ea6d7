"""A run is read from any place on, and everywhere the state is what it was."""

import gzip
import os
import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from matchbox_tui.engine import TradeExecuted, dump_parts
from sim.recording import (
    JOURNAL,
    Checkpoints,
    Playback,
    RecordingError,
    RunWriter,
    Sample,
    Trader,
    indexed,
    indexing,
    open_run,
)
from sim.recording.checkpoints import VERSION
from sim.recording.run import CHECKPOINTS, INDEX
from tests.sim.evidence import Story
from tests.sim.recording.runs import SCENARIO, STEP, begun, facts, recorded, traded

EVERY = 25


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many checkpoints in a short run, whatever they cost."""
    monkeypatch.setattr(indexing, "EVERY", EVERY)
    monkeypatch.setattr(indexing, "GROWTH", 0)


@pytest.fixture(scope="module")
def told() -> Story:
    return traded(400, hash_every=1)


@pytest.fixture(scope="module")
def original(told: Story, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded(tmp_path_factory.mktemp("original") / "run", told)


@pytest.fixture
def path(original: Path, tmp_path: Path) -> Path:
    """The run, without an index yet."""
    return Path(shutil.copytree(original, tmp_path / "run"))


def opened(path: Path) -> tuple[Playback, Checkpoints]:
    run = open_run(path)
    points = indexed(run)
    return Playback(run, points), points


def test_the_state_at_every_checkpoint_is_the_original_one(path: Path, told: Story) -> None:
    published = {one.seq: one.hash for one in told.hashes}
    _, points = opened(path)
    assert len(points.index.checkpoints) > 20
    compared = 0
    for point in points.index.checkpoints[1:]:
        replica = points.load(point)
        if point.seq in published:
            assert replica.exchange.state_hash() == published[point.seq]
            compared += 1
        assert (replica.seq, replica.chain) == (point.seq, point.chain)
    assert compared > 10


def test_the_default_market_is_one_of_the_run_where_it_is_used(path: Path, tmp_path: Path) -> None:
    assert opened(path)[0].markets == ["RAIN"]
    used = traded(3)
    used.commit(used.buy(market="MAIN"))
    used.acknowledged()
    assert opened(recorded(tmp_path / "used", used))[0].markets == ["MAIN", "RAIN"]
    # Nobody has traded there yet, but somebody was to.
    writer = RunWriter(tmp_path / "named", facts(), SCENARIO, [Trader("ann", "noise", "MAIN")])
    for entry in traded(3).entries:
        writer.entry(entry)
    writer.close()
    assert opened(tmp_path / "named")[0].markets == ["MAIN", "RAIN"]


def test_playing_on_from_every_checkpoint_ends_as_the_original_did(path: Path, told: Story) -> None:
    playback, points = opened(path)
    for point in points.index.checkpoints:
        replica = points.load(point)
        for _, entry in playback.entries(replica.seq):
            replica.apply(entry)
        assert replica.exchange.state_hash() == told.exchange.state_hash()


def test_the_index_is_kept_and_read_again(path: Path) -> None:
    heard: list[tuple[int, int]] = []
    first = indexed(open_run(path), lambda read, size: heard.append((read, size))).index
    assert heard
    assert all(read <= size for read, size in heard)
    heard.clear()
    assert indexed(open_run(path), lambda read, size: heard.append((read, size))).index == first
    assert not heard
    assert sorted(os.listdir(path))[:2] == [CHECKPOINTS, "faults.json"]


def test_an_index_of_another_journal_is_made_anew(path: Path, tmp_path: Path) -> None:
    indexed(open_run(path))
    other = recorded(tmp_path / "other", traded(300, seed=2))
    for name in (INDEX, CHECKPOINTS):
        shutil.copy(path / name, other / name)
    said: list[str] = []
    indexed(open_run(other), told=said.append)
    assert said == [f"{other / INDEX} is not of this journal: it is made anew"]
    playback, points = opened(other)
    assert points.index.seq == int(traded(300, seed=2).entries[-1].id.partition(b"-")[0])
    replica = playback.begin(playback.last)
    for _, entry in playback.entries(replica.seq):
        replica.apply(entry)
    assert replica.seq == playback.last


@pytest.mark.parametrize("name", [INDEX, CHECKPOINTS])
def test_an_index_that_is_damaged_is_made_anew(name: str, path: Path) -> None:
    first = indexed(open_run(path)).index
    raw = (path / name).read_bytes()
    for damaged in (raw[: len(raw) // 2], os.urandom(len(raw)), b""):
        (path / name).write_bytes(damaged)
        said: list[str] = []
        indexed(open_run(path), told=said.append)
        assert [": it is made anew" in words for words in said] == [True]
        playback, points = opened(path)
        assert points.index == first
        assert playback.begin(playback.last).seq == first.checkpoints[-1].seq


def test_an_index_in_which_somebody_changed_a_number_is_made_anew(path: Path) -> None:
    first = indexed(open_run(path)).index
    raw = (path / INDEX).read_text()
    (path / INDEX).write_text(raw.replace(f'"trades":{first.trades}', '"trades":1'))
    said: list[str] = []
    assert indexed(open_run(path), told=said.append).index == first
    assert said == [f"{path / INDEX} is damaged: it is made anew"]
    (path / INDEX).write_text(raw.replace(f'"version":{VERSION}', '"version":1'))
    indexed(open_run(path), told=said.append)
    assert said[1:] == [f"{path / INDEX} is of another version of this program: it is made anew"]
    (path / INDEX).unlink()
    indexed(open_run(path), told=said.append)
    assert len(said) == 2


def test_a_state_that_is_damaged_meanwhile_is_told(path: Path) -> None:
    playback, _ = opened(path)
    (path / CHECKPOINTS).write_bytes(os.urandom((path / CHECKPOINTS).stat().st_size))
    with pytest.raises(RecordingError, match=r"checkpoints.gz is damaged .*: remove it"):
        playback.begin(playback.last)


def test_a_directory_that_can_not_be_written_to(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The superuser may write anywhere; a directory in the way stops everybody.
    (path / f"{CHECKPOINTS}.new").mkdir()
    run = open_run(path)
    points = indexed(run)
    assert not (path / CHECKPOINTS).exists()
    assert points.load(points.index.checkpoints[-1]).seq > 0
    run.close()
    with pytest.raises(RecordingError, match="missing"):
        points.load(points.index.checkpoints[-1])


def test_any_command_is_reached(path: Path, told: Story) -> None:
    playback, _ = opened(path)
    assert (playback.first, playback.last) == (0, told.exchange.seq)
    states = {one.seq: one.hash for one in told.hashes}
    for seq in sorted(states)[::17]:
        replica = playback.begin(seq)
        assert seq - replica.seq < 4 * EVERY
        for _, entry in playback.entries(replica.seq):
            if entry.first_seq > seq:
                break
            replica.apply(entry)
        assert replica.exchange.state_hash() == states[seq]


def test_entries_begin_behind_any_command(path: Path) -> None:
    playback, _ = opened(path)
    everything = [(at, entry.seq) for at, entry in playback.entries(0)]
    for n in range(0, len(everything), 37):
        after = everything[n][1]
        assert [(at, one.seq) for at, one in playback.entries(after)] == everything[n + 1 :]


def test_times_are_those_of_the_orders(path: Path) -> None:
    playback, _ = opened(path)
    times = [at for at, _ in playback.entries(0)]
    assert times == sorted(times)
    assert times[0] == 0
    assert times[-1] == 399 * STEP
    assert times[-1] == playback.end
    assert {at % STEP for at in times} == {0}


def test_a_time_leads_to_the_last_command_by_then(path: Path) -> None:
    playback, _ = opened(path)
    pairs = [(at, entry.seq) for at, entry in playback.entries(0)]
    for time in (0, STEP, STEP + 1, 117 * STEP - 1, playback.end, 10 * playback.end):
        assert playback.seq_at(time) == max(seq for at, seq in pairs if at <= time)
    assert playback.seq_at(-1) == 0


def test_the_next_trade_and_the_next_leader(path: Path) -> None:
    playback, _ = opened(path)
    entries = [entry for _, entry in playback.entries(0)]
    trades = [
        entry.seq
        for entry in entries
        if any(isinstance(event, TradeExecuted) for event in entry.events)
    ]
    turns = [after.seq for before, after in pairwise(entries) if before.epoch != after.epoch]
    assert len(trades) > 50
    assert turns
    for seq in range(0, playback.last + 1, 7):
        assert playback.next_trade(seq) == next((one for one in trades if one > seq), None)
        assert playback.next_turn(seq) == next((one for one in turns if one > seq), None)


def test_who_led_is_what_the_samples_say(path: Path, told: Story, tmp_path: Path) -> None:
    playback, _ = opened(path)
    assert playback.standing(0, 0) == (None, 0, 0)
    assert playback.standing(playback.end - 1, 1) == (None, 1, 0)
    assert playback.standing(playback.end, 1) == ("a", told.epoch, 3)
    assert playback.standing(10**12, 1) == ("a", told.epoch, 3)
    plain = told.write(tmp_path / "plain")
    assert opened(plain)[0].standing(0, 1) == ("virtual", 1, 0)


def test_samples_hold_the_times_of_orders_that_have_none(tmp_path: Path) -> None:
    told = Story()
    for _ in range(3):
        told.commit(told.buy(50, 1))
    told.commit(told.buy(50, 1, timestamp=2**62))
    told.commit(told.buy(50, 1, timestamp=1))
    writer = begun(tmp_path / "run", told)
    writer.close()
    run = open_run(tmp_path / "run")
    run.samples = [Sample(0, 0, 0, "a", 1), Sample(40, 2, 0, "a", 1), Sample(90, 4, 0, "a", 1)]
    times = [at for at, _ in Playback(run, indexed(run)).entries(0)]
    assert times[:4] == [0, 0, 40, 90]
    assert times[4] == 90


def test_an_interrupted_run_is_played_as_far_as_it_goes(tmp_path: Path, told: Story) -> None:
    begun(tmp_path / "run", told).close()
    journal = tmp_path / "run" / JOURNAL
    journal.write_bytes(journal.read_bytes()[: journal.stat().st_size * 2 // 3])
    playback, _ = opened(tmp_path / "run")
    assert playback.interrupted
    assert 0 < playback.last < told.exchange.seq
    assert [entry.seq for _, entry in playback.entries(0)][-1] == playback.last


def test_a_run_that_began_after_a_snapshot(tmp_path: Path) -> None:
    before = traded(50)
    told = Story(before.exchange, "c0ffee")
    for _ in range(80):
        told.commit(told.buy(47, 1, market="RAIN", trader="zed"))
    told.hash()
    playback, points = opened(told.write(tmp_path / "run"))
    assert playback.first == told.place.seq
    assert list(dump_parts(points.load(points.index.checkpoints[0]).exchange)) == told.base_parts
    replica = playback.begin(playback.last)
    assert replica.seq > playback.first
    for _, entry in playback.entries(replica.seq):
        replica.apply(entry)
    assert replica.exchange.state_hash() == told.hashes[-1].hash


def test_checkpoints_take_no_more_than_their_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "GROWTH", 3)
    told = Story()
    for _ in range(500):
        told.commit(*(told.buy(50, 1) for _ in range(20)))
    path = recorded(tmp_path / "run", told, start=0)
    points = indexed(open_run(path))
    assert len(points.index.checkpoints) > 10
    unpacked = len(gzip.decompress((path / JOURNAL).read_bytes()))
    last = points.index.checkpoints[-1]
    assert last.state <= unpacked / 3
    monkeypatch.setattr(indexing, "GROWTH", 0)
    (path / INDEX).unlink()
    assert len(indexed(open_run(path)).index.checkpoints) > 2 * len(points.index.checkpoints)
