"""Watching a recorded run: every key, on a run that was really recorded."""

from pathlib import Path

import pytest
from textual.pilot import Pilot

from matchbox_tui.engine import TradeExecuted
from matchbox_tui.store import Entry
from matchbox_tui.tui import FULL_SPEED, KeyTable, Look, ReplayApp
from matchbox_tui.tui.places import parse_place, stopwatch
from sim.recording import JOURNAL, Playback, indexed, indexing, open_run
from tests.sim.evidence import Story
from tests.sim.recording.runs import STEP, begun, recorded, traded
from tests.tui.cockpit import press, screen_text, until, until_shown

SIZE = (110, 36)


@pytest.fixture(scope="module")
def told() -> Story:
    return traded(400, hash_every=1)


@pytest.fixture(scope="module")
def directory(told: Story, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded(tmp_path_factory.mktemp("replay") / "run", told)


@pytest.fixture
def playback(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Playback:
    monkeypatch.setattr(indexing, "EVERY", 50)
    monkeypatch.setattr(indexing, "GROWTH", 0)
    run = open_run(directory)
    return Playback(run, indexed(run))


def commits(playback: Playback) -> list[Entry]:
    return [entry for _, entry in playback.entries(0)]


def state_of(app: ReplayApp) -> tuple[int, str]:
    exchange = app.feed.replica.exchange
    return exchange.seq, exchange.state_hash()


def states(told: Story) -> dict[int, str]:
    return {one.seq: one.hash for one in told.hashes}


async def until_at(pilot: Pilot[None], seq: int) -> None:
    """Waits until the run was played up to a command, and no further."""
    app = pilot.app
    assert isinstance(app, ReplayApp)

    def there() -> bool:
        return app.feed.replica.seq == seq and not app.player.seeking

    await until(pilot, there, f"command {seq}")
    await until_shown(pilot, f"seq {seq:,} of")


async def test_a_run_is_played_to_its_end(playback: Playback, told: Story) -> None:
    app = ReplayApp(playback)
    async with app.run_test(size=SIZE) as pilot:
        await until_shown(pilot, "■ the end", f"seq {playback.last:,} of {playback.last:,}")
        assert state_of(app) == (playback.last, told.exchange.state_hash())
        await until_shown(pilot, f"{stopwatch(playback.end)} of {stopwatch(playback.end)}")
        await press(pilot, "s")
        await until_shown(pilot, "this is the end")


async def test_only_the_markets_of_the_run_are_shown(playback: Playback) -> None:
    app = ReplayApp(playback, paused=True)
    async with app.run_test(size=SIZE) as pilot:
        # Before its first command the venue has but the market that is always there.
        await until_shown(pilot, "‖ paused", "seq 0 of", " RAIN ")
        assert "MAIN" not in screen_text(app)
        await press(pilot, "m")
        await until_shown(pilot, "↑ ↓ choose")
        assert "MAIN" not in screen_text(app)
        await press(pilot, "escape s")
        await until_at(pilot, 1)
        assert app.desk.market is not None
        assert app.desk.market.symbol == "RAIN"
        await press(pilot, "m")
        await until_shown(pilot, "▸ RAIN")
        await press(pilot, "escape end")
        await until_shown(pilot, "■ the end", " RAIN ")
        assert "MAIN" not in screen_text(app)
        assert "/2" not in screen_text(app).splitlines()[0]


async def test_space_pauses_and_plays_on(playback: Playback) -> None:
    app = ReplayApp(playback, paused=True)
    async with app.run_test(size=SIZE) as pilot:
        await until_shown(pilot, "‖ paused", "seq 0 of")
        assert app.feed.replica.seq == 0
        await press(pilot, "space")
        await until_shown(pilot, "■ the end")


async def test_a_pause_in_the_middle_holds_the_time(playback: Playback) -> None:
    app = ReplayApp(playback, speed=0.1)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.feed.replica.seq > 3, "a few commands")
        await press(pilot, "space")
        seq, position = app.feed.replica.seq, app.player.position
        await pilot.pause(0.1)
        assert (app.feed.replica.seq, app.player.position) == (seq, position)
        assert seq < playback.last


async def test_s_steps_by_one_commit(playback: Playback, told: Story) -> None:
    app = ReplayApp(playback, paused=True)
    entries = commits(playback)
    async with app.run_test(size=SIZE) as pilot:
        for entry in entries[:6]:
            await press(pilot, "s")
            await until_at(pilot, entry.seq)
            assert app.player.paused
        seq, found = state_of(app)
        assert found == states(told).get(seq, found)


async def test_s_while_it_plays_pauses(playback: Playback) -> None:
    app = ReplayApp(playback, speed=0.1)
    async with app.run_test(size=SIZE) as pilot:
        await until_shown(pilot, "▶ playing", "0.1x")
        await press(pilot, "s")
        await until_shown(pilot, "‖ paused")


async def test_t_goes_to_the_next_trade_again_and_again(playback: Playback) -> None:
    app = ReplayApp(playback, paused=True)
    trades = [
        entry.seq
        for entry in commits(playback)
        if any(isinstance(event, TradeExecuted) for event in entry.events)
    ]
    async with app.run_test(size=SIZE) as pilot:
        await until_shown(pilot, "‖ paused")
        for seq in trades[:4]:
            await press(pilot, "t")
            await until_at(pilot, seq)
            last = app.feed.model.tape("RAIN")[-1]
            assert isinstance(last, TradeExecuted)
            assert seq - 3 < last.seq <= seq
        await press(pilot, "end")
        await until_shown(pilot, "■ the end")
        await press(pilot, "t")
        await until_shown(pilot, "nothing trades after this")


async def test_e_goes_to_the_next_change_of_leader(playback: Playback) -> None:
    app = ReplayApp(playback, paused=True)
    entries = commits(playback)
    turns = [
        one for one, before in zip(entries[1:], entries, strict=False) if one.epoch != before.epoch
    ]
    async with app.run_test(size=SIZE) as pilot:
        await until_shown(pilot, "‖ paused")
        for entry in turns[:2]:
            await press(pilot, "e")
            await until_at(pilot, entry.seq)
            assert app.feed.replica.epoch == entry.epoch
        await press(pilot, "end")
        await until_shown(pilot, "■ the end")
        await press(pilot, "e")
        await until_shown(pilot, "nobody else leads after this")


async def test_a_sequence_is_typed_forwards_and_backwards(playback: Playback, told: Story) -> None:
    app = ReplayApp(playback, paused=True)
    known = states(told)
    far, near = sorted(known)[-20], sorted(known)[30]
    async with app.run_test(size=SIZE) as pilot:
        for seq in (far, near, far, near):
            await press(pilot, "p")
            await until_shown(pilot, "go to a sequence, or to a time since the start")
            await press(pilot, " ".join(str(seq)) + " enter")
            await until_at(pilot, seq)
            assert state_of(app) == (seq, known[seq])
            assert app.player.paused


async def test_a_time_is_typed(playback: Playback) -> None:
    app = ReplayApp(playback, paused=True)
    async with app.run_test(size=SIZE) as pilot:
        await until_shown(pilot, "‖ paused")
        await press(pilot, "p 2 5 0 m s enter")
        await until_at(pilot, playback.seq_at(250 * STEP))
        assert app.player.position == 250 * STEP
        await until_shown(pilot, "0:00:00.2 of 0:00:00.3")


async def test_what_is_no_place_is_told_and_can_be_left(playback: Playback) -> None:
    app = ReplayApp(playback, paused=True)
    async with app.run_test(size=SIZE) as pilot:
        await until_shown(pilot, "‖ paused")
        await press(pilot, "p x y enter")
        await until_shown(pilot, "'xy': use a sequence")
        await press(pilot, "escape")
        await until(pilot, lambda: "go to a sequence" not in screen_text(app), "the screen")
        assert app.feed.replica.seq == 0
        await press(pilot, "p 9 9 9 9 9 9 enter")
        await until_shown(pilot, f"the last command is {playback.last:,}", "■ the end")


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("[/]", "'[/]': use a sequence"),
        ("[red]x", "'[red]x': use a sequence"),
        ("\\[", "'\\\\[': use a sequence"),
    ],
)
async def test_brackets_are_told_as_they_were_typed(
    playback: Playback, typed: str, words: str
) -> None:
    app = ReplayApp(playback, paused=True)
    async with app.run_test(size=SIZE) as pilot:
        await until_shown(pilot, "‖ paused")
        await press(pilot, f"p {' '.join(typed)} enter")
        await until_shown(pilot, words)


async def test_r_goes_back_to_the_beginning(playback: Playback, told: Story) -> None:
    app = ReplayApp(playback, speed=FULL_SPEED)
    async with app.run_test(size=SIZE) as pilot:
        await until_shown(pilot, "■ the end", "full speed")
        await press(pilot, "space r")
        await until_at(pilot, 0)
        assert app.player.position == 0
        assert not app.feed.model.tape("RAIN")
        await press(pilot, "space")
        await until_shown(pilot, "■ the end")
        assert state_of(app) == (playback.last, told.exchange.state_hash())


async def test_keys_in_a_hurry_end_where_the_last_one_leads(playback: Playback) -> None:
    app = ReplayApp(playback, paused=True)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "end r end p 1 0 0 enter r end t r p 6 0 enter")
        await until(pilot, lambda: not app.player.seeking, "a place")
        await until(pilot, lambda: app.feed.replica.seq >= 60, "command 60")
        assert app.feed.replica.seq <= 62


async def test_the_speed_is_changed(playback: Playback) -> None:
    app = ReplayApp(playback, paused=True)
    async with app.run_test(size=SIZE) as pilot:
        await until_shown(pilot, "1x")
        await press(pilot, "plus plus equals_sign")
        await until_shown(pilot, "10x")
        await press(pilot, "minus")
        await until_shown(pilot, "5x")
        await press(pilot, "f")
        await until_shown(pilot, "full speed")
        await press(pilot, "minus plus")
        await until_shown(pilot, "1000x")
        await press(pilot, " ".join(["minus"] * 20))
        await until_shown(pilot, "0.1x")


@pytest.mark.parametrize("key", ["a", "b", "x", "X", "v", "enter", "5", "H", "K", "D"])
async def test_a_recording_can_not_be_traded_on(playback: Playback, key: str) -> None:
    app = ReplayApp(playback, "ann", paused=True)
    async with app.run_test(size=SIZE) as pilot:
        await until_shown(pilot, "‖ paused")
        await press(pilot, key)
        await until_shown(pilot, "a recording can't be traded on")
        assert app.desk.locked
        assert not app.desk.ticket.prepared


async def test_a_traders_own_orders_and_positions_are_shown(
    playback: Playback, told: Story
) -> None:
    app = ReplayApp(playback, "ann", "RAIN", speed=FULL_SPEED)
    async with app.run_test(size=(160, 40)) as pilot:
        await until_shown(pilot, "■ the end")
        held = told.exchange.position("ann", "RAIN").qty
        assert held
        assert app.feed.model.holding("RAIN").qty == held
        assert app.desk.orders
        await until_shown(pilot, f"{held:+,}")


async def test_the_venue_is_shown_as_the_samples_tell(playback: Playback, told: Story) -> None:
    app = ReplayApp(playback, speed=FULL_SPEED)
    async with app.run_test(size=(160, 40)) as pilot:
        await until_shown(pilot, "▷ recorded", f"leader a  epoch {told.epoch}  queue 3", "quiet")
        await until_shown(pilot, "● a", "leads")


async def test_who_led_before_is_not_said_to_be_gone(
    playback: Playback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that is known of it is that it leads no more."""

    def standing(at: int, epoch: int) -> tuple[str, int, int]:
        return f"node-{epoch}", epoch, 0

    monkeypatch.setattr(playback, "standing", standing)
    app = ReplayApp(playback, paused=True)
    async with app.run_test(size=(160, 40)) as pilot:
        await press(pilot, "s")
        await until_shown(pilot, "● node-1", "leads")
        await press(pilot, "e")
        await until_shown(pilot, "● node-2", "leads")
        names = [one.instance.id for one in app.desk.model.roster.members()]
        assert names == ["node-2"]


async def test_the_help_and_the_palette_know_the_keys(playback: Playback) -> None:
    app = ReplayApp(playback, paused=True)
    async with app.run_test(size=SIZE) as pilot:
        await until_shown(pilot, "Space pause", "p go to")
        await press(pilot, "question_mark")
        await until_shown(pilot, "pause, or play on", "to the next change of leader")
        assert "prepare a buy" not in screen_text(app)
        await press(pilot, "escape ctrl+p")
        await until_shown(pilot, "to the next trade")
        await press(pilot, "n e x t space t r a d e enter")
        await until(pilot, lambda: app.feed.replica.seq > 0, "a trade")


async def test_a_changed_key_plays(playback: Playback) -> None:
    look = Look(KeyTable().changed({"step": ("N",), "pause": ("b",)}))
    app = ReplayApp(playback, paused=True, look=look)
    async with app.run_test(size=SIZE) as pilot:
        await until_shown(pilot, "b pause", "N step")
        await press(pilot, "N")
        await until_at(pilot, 1)
        await press(pilot, "b")
        await until_shown(pilot, "■ the end")


async def test_a_small_screen_says_the_same(playback: Playback) -> None:
    app = ReplayApp(playback, paused=True)
    async with app.run_test(size=(50, 10)) as pilot:
        await until_shown(pilot, "‖ paused  1x  0:00:00.0")
        await press(pilot, "b")
        await until_shown(pilot, "a recording can't be traded on")


@pytest.mark.parametrize("size", [(1, 1), (20, 5), (200, 60)])
async def test_any_size_will_do(playback: Playback, size: tuple[int, int]) -> None:
    app = ReplayApp(playback, speed=FULL_SPEED)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.player.ended, "the end")
        await press(pilot, "p 5 enter")
        assert app.is_running


async def test_a_replay_begins_where_it_was_told_to(playback: Playback, told: Story) -> None:
    seq = sorted(states(told))[200]
    app = ReplayApp(playback, paused=True, begin=(seq, None))
    async with app.run_test(size=SIZE) as pilot:
        await until_at(pilot, seq)
        assert state_of(app) == (seq, states(told)[seq])


async def test_an_interrupted_run_says_so(told: Story, tmp_path: Path) -> None:
    begun(tmp_path / "run", told).close()
    run = open_run(tmp_path / "run")
    app = ReplayApp(Playback(run, indexed(run)), speed=FULL_SPEED)
    async with app.run_test(size=SIZE) as pilot:
        await until_shown(pilot, "■ the end", "interrupted")


async def test_a_file_that_goes_away_is_told(told: Story, tmp_path: Path) -> None:
    path = recorded(tmp_path / "run", told)
    run = open_run(path)
    app = ReplayApp(Playback(run, indexed(run)), paused=True)
    async with app.run_test(size=SIZE) as pilot:
        await until_shown(pilot, "‖ paused")
        (path / JOURNAL).unlink()
        await press(pilot, "t")
        await until_shown(pilot, "journal.gz is missing")
        assert app.is_running


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("12345", (12345, None)),
        (" 12,345 ", (12345, None)),
        ("#7", (7, None)),
        ("90s", (None, 90_000_000_000)),
        ("250 ms", (None, 250_000_000)),
        ("1.5s", (None, 1_500_000_000)),
        ("2m", (None, 120_000_000_000)),
        ("1h", (None, 3_600_000_000_000)),
        ("1:30", (None, 90_000_000_000)),
        ("1:02:03.5", (None, 3_723_500_000_000)),
    ],
)
def test_a_place_is_a_sequence_or_a_time(text: str, place: tuple[int | None, int | None]) -> None:
    assert parse_place(text) == place


@pytest.mark.parametrize("text", ["", "x", "-1", "1:2:3:4", "1e9", "١٢", "1.5", "9" * 30, "s"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="use a sequence such as 12345, or a time"):
        parse_place(text)
