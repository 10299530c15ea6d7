"""The player alone: what comes when, by a clock that the test turns."""

import asyncio
import copy
import threading
import time
from typing import Any

import pytest

from matchbox_tui.engine import NewOrder, Side
from matchbox_tui.store import Refused
from matchbox_tui.tui.player import FULL_SPEED, Player
from matchbox_tui.tui.replay_rows import player_line
from sim.recording import Playback, indexed, open_run
from tests.sim.recording.runs import START, STEP, recorded, traded
from tests.waiting import PATIENCE

COMMITS = 40


class Turned:
    """A clock in seconds."""

    def __init__(self) -> None:
        self.now = 5.0

    def __call__(self) -> float:
        return self.now


class Watcher:
    """Follows a player, as a feed does."""

    def __init__(self, player: Player) -> None:
        self.player = player
        self.moves = 0
        self.seqs: list[int] = []
        self._following: asyncio.Task[None] | None = None
        player.when_moved = self._moved

    async def __aenter__(self) -> "Watcher":
        self._begin()
        await self.settle()
        return self

    async def __aexit__(self, *unused: object) -> None:
        assert self._following is not None
        self._following.cancel()
        await asyncio.gather(self._following, return_exceptions=True)

    async def settle(self) -> None:
        """Until nothing more comes without the clock."""
        known, deadline = -1, time.monotonic() + PATIENCE
        while known != len(self.seqs) or self.player.seeking:
            assert time.monotonic() < deadline, f"still on its way at {self.player.seq}"
            known = len(self.seqs)
            for _ in range(20):
                await asyncio.sleep(0.001)

    def _begin(self) -> None:
        self._following = asyncio.ensure_future(self._follow())

    def _moved(self) -> None:
        self.moves += 1
        if self._following is not None:
            self._following.cancel()
            self._begin()

    async def _follow(self) -> None:
        replica = await self.player.restore(oldest=True)
        self.seqs.clear()
        async for entry in self.player.follow(replica):
            self.seqs.append(entry.seq)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Playback:
    run = open_run(recorded(tmp_path_factory.mktemp("player") / "run", traded(COMMITS)))
    return Playback(run, indexed(run))


@pytest.fixture
def timer() -> Turned:
    return Turned()


def by(source: Playback, time: int) -> list[int]:
    """The commits up to a time."""
    return [entry.seq for at, entry in source.entries(0) if at <= time]


async def tick(timer: Turned, watcher: Watcher, seconds: float) -> None:
    """Turns the clock; whoever waits looks at it again."""
    timer.now += seconds
    watcher.player._changed.set()
    await watcher.settle()


@pytest.mark.parametrize("speed", [0.5, 1.0, 1000.0])
async def test_commits_come_at_their_times(source: Playback, timer: Turned, speed: float) -> None:
    player = Player(source, speed=speed, timer=timer)
    async with Watcher(player) as watcher:
        assert watcher.seqs == by(source, 0)
        step = STEP / 1e9 / speed
        await tick(timer, watcher, 10.5 * step)
        assert watcher.seqs == by(source, 10 * STEP)
        assert 10 * STEP < player.position < 11 * STEP
        assert player.clock() == START + player.position
        await tick(timer, watcher, 0.4 * step)
        assert watcher.seqs == by(source, 10 * STEP)
        await tick(timer, watcher, 100 * step)
        assert watcher.seqs == by(source, source.end)
        assert player.ended
        assert player.position == source.end


async def test_nothing_comes_while_it_is_paused(source: Playback, timer: Turned) -> None:
    player = Player(source, timer=timer)
    async with Watcher(player) as watcher:
        await tick(timer, watcher, 3.5 * STEP / 1e9)
        player.pause()
        seqs, position = list(watcher.seqs), player.position
        await tick(timer, watcher, 1000)
        assert (watcher.seqs, player.position) == (seqs, position)
        player.pause()
        await tick(timer, watcher, STEP / 1e9)
        assert watcher.seqs == by(source, position + STEP)


async def test_another_speed_goes_on_from_the_same_time(source: Playback, timer: Turned) -> None:
    player = Player(source, timer=timer)
    async with Watcher(player) as watcher:
        await tick(timer, watcher, 3.5 * STEP / 1e9)
        before = player.position
        player.change_speed(1)
        assert (player.speed, player.position) == (2.0, before)
        await tick(timer, watcher, STEP / 1e9)
        assert player.position == before + 2 * STEP


async def test_who_is_far_behind_does_not_make_up_for_it(source: Playback, timer: Turned) -> None:
    player = Player(source, timer=timer)
    async with Watcher(player) as watcher:
        # As if the machine had slept: the run goes on from where it was, at its speed.
        await tick(timer, watcher, 3.5 * STEP / 1e9)
        assert player._next is not None
        at = player._next
        await tick(timer, watcher, 10.0)
        assert at <= player.position < at + 2 * STEP
        assert watcher.seqs == by(source, at)


async def test_a_near_place_is_played_to_and_a_far_one_is_begun_at(
    source: Playback, timer: Turned, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("matchbox_tui.tui.player.NEAR", 10)
    player = Player(source, paused=True, timer=timer)
    async with Watcher(player) as watcher:
        player.go(8)
        await watcher.settle()
        assert watcher.moves == 0
        assert 8 <= player.seq <= 10
        player.go(60)
        await watcher.settle()
        assert watcher.moves == 1
        assert 60 <= player.seq <= 62
        player.go(8)
        await watcher.settle()
        assert watcher.moves == 2
        assert 8 <= player.seq <= 10


async def test_a_place_that_is_where_it_is_already(source: Playback, timer: Turned) -> None:
    player = Player(source, speed=FULL_SPEED, timer=timer)
    async with Watcher(player) as watcher:
        await watcher.settle()
        assert player.ended
        player.go_to_end()
        await watcher.settle()
        assert player.ended
        assert player.position == source.end


async def test_another_place_while_one_is_sought(
    source: Playback, timer: Turned, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("matchbox_tui.tui.player.NEAR", 10)
    monkeypatch.setattr("matchbox_tui.tui.player.HISTORY", 0)
    player = Player(source, paused=True, timer=timer)
    async with Watcher(player) as watcher:
        player.go_to_end()
        player.rewind()
        player.go(30)
        await watcher.settle()
        assert 30 <= player.seq <= 32
        assert not player.seeking
        # Near to where it was, and not to where it is going.
        player.go_to_end()
        player.go(31)
        assert watcher.moves == 5
        await watcher.settle()
        assert 31 <= player.seq <= 33


@pytest.mark.parametrize("sought", ["time", "trade"])
async def test_a_place_that_is_asked_for_while_another_is_looked_for_is_the_one(
    source: Playback, timer: Turned, sought: str
) -> None:
    """Home, right after a time was typed: the time takes a while to be found."""
    looking, found = threading.Event(), threading.Event()

    def slowly(*_: int) -> int:
        looking.set()
        assert found.wait(PATIENCE)
        return 30

    slow: Any = copy.copy(source)
    slow.seq_at = slow.next_trade = slowly
    player = Player(slow, paused=True, timer=timer)
    async with Watcher(player) as watcher:
        work = player.go_to_time(5 * STEP) if sought == "time" else player.go_to_trade()
        seeking = asyncio.ensure_future(work)
        await asyncio.to_thread(looking.wait, PATIENCE)
        player.rewind()
        found.set()
        await seeking
        await watcher.settle()
        assert (player.seq, player.position) == (0, 0)


async def test_at_full_speed_the_end_is_the_end(source: Playback, timer: Turned) -> None:
    later = copy.copy(source)
    later.end += 10 * STEP
    player = Player(later, speed=FULL_SPEED, timer=timer)
    async with Watcher(player):
        assert player.ended
        assert player.position == later.end
        assert player_line(player).done == 1000
        player.full_speed()
        assert player.position == later.end


async def test_the_bar_is_full_where_the_last_commit_was_played(
    source: Playback, timer: Turned
) -> None:
    later = copy.copy(source)
    later.end += 10 * STEP
    player = Player(later, paused=True, timer=timer)
    async with Watcher(player) as watcher:
        player.go(later.last - 1)
        await watcher.settle()
        while not player.ended:
            assert player_line(player).done < 1000
            player.step()
            await watcher.settle()
        assert player_line(player).done == 1000
        assert player.position < later.end


async def test_nothing_can_be_sent(source: Playback) -> None:
    order = NewOrder(order_id=0, side=Side.BUY, price=1, qty=1)
    with pytest.raises(Refused, match="a recording can't be traded on"):
        await Player(source).submit([order])


async def test_a_run_that_grew_since_is_played_as_far_as_it_was(source: Playback) -> None:
    at, entry = list(source.entries(0))[COMMITS // 2]
    known = copy.copy(source)
    known.last, known.end = entry.seq, at
    player = Player(known, speed=FULL_SPEED)
    async with Watcher(player) as watcher:
        assert watcher.seqs[-1] == player.seq == known.last
        assert player.ended
        player.rewind()
        await watcher.settle()
        player.go_to_end()
        await watcher.settle()
        assert watcher.seqs[-1] == player.seq == known.last
        assert player.position <= known.end
