"""What a scenario makes happen: halts, bursts and faults, and what traders notice of it."""

from pathlib import Path

import pytest

from matchbox_tui.engine import (
    Event,
    MarketHalted,
    MarketResumed,
    OrderAccepted,
    OrderRejected,
    OrderRested,
    Reason,
    Side,
    TradeExecuted,
)
from sim.audit import audit_recording
from sim.recording.run import FAULTS, FaultRow
from sim.scenario import (
    Burst,
    Cut,
    Fault,
    Halt,
    Kill,
    Latency,
    News,
    Pause,
    RestartServer,
    Resume,
    Stop,
)
from sim.virtual import COMMAND_NS, COMMIT_NS, START
from tests.sim.virtual.stage import (
    MS,
    SECOND,
    Played,
    Scripted,
    busy,
    cast,
    limit,
    play,
    scene,
)

US = 1_000


def events(played: Played) -> list[Event]:
    return [event for entry in played.entries for event in entry.events]


def faults(played: Played) -> list[FaultRow]:
    import msgspec

    return msgspec.json.decode((played.directory / FAULTS).read_bytes(), type=list[FaultRow])


def test_a_halted_market_takes_no_orders_until_it_is_resumed(tmp_path: Path) -> None:
    scenario = scene(
        happenings=(Halt(at=100 * MS, market="RAIN"), Resume(at=300 * MS, market="RAIN"))
    )
    agent = Scripted("a", busy())
    told = events(play(tmp_path / "run", scenario, hired=cast(agent)))
    halted, resumed = (
        next(event.timestamp for event in told if isinstance(event, kind))
        for kind in (MarketHalted, MarketResumed)
    )
    assert (halted, resumed) == (START + 100 * MS, START + 300 * MS)
    refused = [event for event in told if isinstance(event, OrderRejected)]
    assert {event.reason for event in refused} == {Reason.MARKET_HALTED}
    assert len(refused) > 10
    taken = [event.timestamp for event in told if isinstance(event, OrderAccepted)]
    assert not [one for one in taken if START + 100 * MS <= one < START + 290 * MS]
    assert taken[-1] > resumed


def test_what_arrived_before_a_halt_is_taken_though_a_commit_was_under_way(tmp_path: Path) -> None:
    first, second = Scripted("a", [limit(Side.BUY, 40)]), Scripted("b", [limit(Side.BUY, 40)])
    hired = cast(first) + cast(second, latency=Latency(least=2 * MS + 100 * US, jitter=0))
    halt = Halt(at=12 * MS + 200 * US, market="RAIN")
    told = events(play(tmp_path / "run", scene(happenings=(halt,)), hired=hired))
    assert [type(one) for one in told[3:]] == [OrderAccepted, OrderRested, MarketHalted]


@pytest.mark.parametrize(("side", "traded"), [("sell", {"buy": 0, "sell": 700}), ("", None)])
def test_a_burst_arrives_at_once(side: str, traded: dict[str, int] | None, tmp_path: Path) -> None:
    scenario = scene(happenings=(Burst(at=200 * MS, market="RAIN", orders=700, side=side, qty=2),))
    makers = [limit(Side.BUY, 40, 5000), limit(Side.SELL, 60, 5000)]
    played = play(tmp_path / "run", scenario, hired=cast(Scripted("a", makers)))
    trades = [event for event in events(played) if isinstance(event, TradeExecuted)]
    count = {one: sum(1 for trade in trades if trade.taker_side == one) for one in ("buy", "sell")}
    assert count == (traded or {"buy": 350, "sell": 350})
    assert {(trade.qty, trade.taker_trader) for trade in trades} == {(2, "burst-0")}
    assert {trade.timestamp for trade in trades} == {START + 200 * MS}
    assert played.result.record.acknowledged == 702
    # More than a leader takes at a time.
    assert [entry.count for entry in played.entries][-2:] == [512, 188]


def test_more_than_the_queue_takes_is_refused_and_told(tmp_path: Path) -> None:
    bursts = tuple(Burst(at=100 * MS, market="RAIN", orders=100_000) for _ in range(3))
    played = play(tmp_path / "run", scene(duration=110 * MS, happenings=bursts), hired=[])
    record = played.result.record
    assert record.commands == 300_000
    assert record.acknowledged == 200_000
    assert record.overloaded == 100_000
    assert record.order_ids == [[1, 200_000]]
    assert played.samples[-1].waiting == 0


def test_news_moves_what_the_informed_believe(tmp_path: Path) -> None:
    calm = play(tmp_path / "calm", scene(duration=3 * SECOND))
    news = News(at=500 * MS, market="RAIN", by=30)
    moved = play(tmp_path / "moved", scene(duration=3 * SECOND, happenings=(news,)))

    def last(played: Played) -> int:
        trades = [event for event in events(played) if isinstance(event, TradeExecuted)]
        return trades[-1].price

    assert last(moved) >= last(calm) + 10


@pytest.mark.parametrize(
    ("fault", "least", "most"),
    [
        (Kill(at=200 * MS), 8 * MS, 28 * MS),
        (Stop(at=200 * MS), 11 * MS, 35 * MS),
        (Cut(at=200 * MS), 8 * MS, 24 * MS),
        (Pause(at=200 * MS), 94 * MS, 102 * MS),
        (RestartServer(at=200 * MS), 70 * MS, 608 * MS),
    ],
)
async def test_a_fault_is_an_outage_in_which_nothing_is_lost(
    fault: Fault | RestartServer, least: int, most: int, tmp_path: Path
) -> None:
    agents = [Scripted(f"a{n}", busy(), wait=MS * (1 + n % 4)) for n in range(12)]
    scenario = scene(duration=850 * MS, lease=100 * MS, happenings=(fault,))
    played = play(tmp_path / "run", scenario, hired=cast(*agents))
    (row,) = faults(played)
    who = "server" if isinstance(fault, RestartServer) else "node-1"
    assert (row.who, row.at) == (who, 200 * MS)
    assert (row.old_epoch, row.new_epoch, row.new_leader) == (1, 2, "node-2")
    assert row.elected_us is not None
    assert row.recovered_us is not None
    assert least <= row.elected_us * US <= most
    assert row.elected_us < row.recovered_us
    if isinstance(fault, RestartServer):
        assert row.back_us is not None
        assert row.back_us < row.elected_us

    # What arrived meanwhile waited, and was committed by the next leader.
    away = [one for one in played.samples if not one.leader]
    assert max(one.waiting for one in away) == len(agents)
    assert {one.seq for one in away} == {away[0].seq}
    assert [entry.epoch for entry in played.entries] == sorted(
        entry.epoch for entry in played.entries
    )
    first = next(entry for entry in played.entries if entry.epoch == 2)
    assert first.count == len(agents)
    assert played.entries[-1].epoch == 2
    sent = sum(len(one.acted) for one in agents)
    assert played.result.record.acknowledged == sent
    assert sum(isinstance(event, OrderAccepted) for event in events(played)) == sent
    assert (await audit_recording(played.directory)).ok


def test_what_a_paused_leader_had_taken_is_refused(tmp_path: Path) -> None:
    # The order arrives at 12 ms, so a commit is under way at 12.2 ms and none at 30 ms.
    for at, refused in ((12_200 * US, 1), (30 * MS, 0)):
        agent = Scripted("a", [limit(Side.BUY, 40), limit(Side.BUY, 41)], wait=10 * MS)
        scenario = scene(lease=100 * MS, happenings=(Pause(at=at),))
        played = play(tmp_path / str(at), scenario, hired=cast(agent))
        assert [row.refused for row in faults(played)] == [refused]
        assert sum(isinstance(event, OrderAccepted) for event in events(played)) == 2


def test_a_standby_that_falls_is_not_noticed_and_does_not_lead_meanwhile(tmp_path: Path) -> None:
    happenings = (
        Kill(at=100 * MS, who="node-2"),
        Kill(at=200 * MS),
        Kill(at=800 * MS),
    )
    agents = [Scripted(f"a{n}", busy(), wait=2 * MS) for n in range(3)]
    played = play(
        tmp_path / "run", scene(duration=SECOND, happenings=happenings), hired=cast(*agents)
    )
    rows = faults(played)
    assert [(row.who, row.new_leader) for row in rows] == [
        ("node-2", "node-1"),
        ("node-1", "node-3"),
        ("node-3", "node-1"),
    ]
    assert [(row.old_epoch, row.new_epoch) for row in rows] == [(1, 1), (1, 2), (2, 3)]
    assert rows[0].elected_us is None
    assert rows[0].recovered_us is not None


def test_a_fault_of_the_leader_waits_until_there_is_one(tmp_path: Path) -> None:
    happenings = (Kill(at=100 * MS), Kill(at=101 * MS), Stop(at=101 * MS))
    agents = [Scripted(f"a{n}", busy(), wait=MS) for n in range(3)]
    played = play(tmp_path / "run", scene(happenings=happenings), hired=cast(*agents))
    rows = faults(played)
    assert [row.kind for row in rows] == ["kill", "kill", "stop"]
    assert [row.new_epoch for row in rows] == [2, 3, 4]
    assert [row.who for row in rows] == ["node-1", "node-2", "node-3"]


def test_an_instance_that_is_all_alone_leads_again(tmp_path: Path) -> None:
    agent = Scripted("a", busy())
    scenario = scene(
        duration=2 * SECOND, instances=1, lease=100 * MS, happenings=(Kill(at=MS), Pause(at=SECOND))
    )
    played = play(tmp_path / "run", scenario, hired=cast(agent))
    kill, pause = faults(played)
    assert (kill.who, kill.new_leader, kill.new_epoch) == ("node-1", "node-1", 2)
    assert kill.elected_us is not None
    assert kill.elected_us > 500_000
    assert (pause.new_leader, pause.new_epoch) == ("node-1", 3)


def test_a_fault_at_the_very_end_is_recorded(tmp_path: Path) -> None:
    scenario = scene(happenings=(Kill(at=499 * MS),))
    played = play(tmp_path / "run", scenario, hired=[])
    (row,) = faults(played)
    assert row.new_epoch == 2
    assert row.recovered_us is None


def test_an_instance_that_is_not_there_is_a_problem_of_the_run(tmp_path: Path) -> None:
    scenario = scene(happenings=(Kill(at=100 * MS, who="node-9"),))
    played = play(tmp_path / "run", scenario)
    assert played.result.problems == ("kill node-9: there is no such instance",)
    assert faults(played) == []


@pytest.mark.parametrize("seed", range(4))
def test_a_fallen_leader_s_commit_is_not_its_successor_s(seed: int, tmp_path: Path) -> None:
    # So short a lease that the next leader has taken the same commands before that commit was due.
    happenings = (Burst(at=100 * MS, market="RAIN", orders=512), Pause(at=100_100 * US))
    scenario = scene(duration=200 * MS, lease=2 * MS, happenings=happenings)
    played = play(tmp_path / "run", scenario, seed, hired=[])
    (row,) = faults(played)
    assert row.elected_us is not None
    assert row.recovered_us is not None
    assert row.elected_us < 5000
    took = row.recovered_us - row.elected_us
    assert took == (COMMIT_NS + 512 * COMMAND_NS) // US
    assert [(entry.epoch, entry.count) for entry in played.entries] == [(1, 1), (2, 512)]


@pytest.mark.parametrize("stopped", [True, False])
def test_a_fault_that_a_stop_cuts_short_says_so(tmp_path: Path, stopped: bool) -> None:
    """After it nobody acts any more: that nothing was committed then says nothing."""
    scenario = scene(happenings=(Kill(at=100 * MS),))
    looks = iter([False])
    played = play(
        tmp_path / "run",
        scenario,
        hired=cast(Scripted("a", [limit(Side.BUY, 40)])),
        stopping=lambda: next(looks, stopped),
    )
    assert played.result.interrupted is stopped
    [row] = faults(played)
    assert (row.recovered_us, row.cut_short) == (None, stopped)


def test_a_fault_whose_heir_leads_after_the_end_is_cut_short_too(tmp_path: Path) -> None:
    """Nobody acts any more by then: that nothing is committed says nothing of the venue."""
    happenings = (Kill(at=998 * MS), Cut(at=999 * MS, who="node-2"))
    scenario = scene(duration=SECOND, happenings=happenings)
    played = play(tmp_path / "run", scenario, hired=cast(Scripted("a", [limit(Side.BUY, 40)])))
    assert played.result.problems == ()
    rows = faults(played)
    assert [(row.kind, row.recovered_us, row.cut_short) for row in rows] == [
        ("kill", None, True),
        ("cut", None, True),
    ]
