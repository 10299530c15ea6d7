"""What agents can rely on: when their commands arrive, and when they are asked again."""

import itertools
from pathlib import Path

import pytest

from matchbox_tui.engine import (
    Exchange,
    MarketCreated,
    NewOrder,
    OrderAccepted,
    OrderExpired,
    Reason,
    Side,
    TimeInForce,
    TradeExecuted,
)
from sim.agents import Action, Sight
from sim.audit import audit_recording
from sim.hiring import hire, roster
from sim.recording.opening import open_run
from sim.scenario import Burst, Latency, Population
from sim.scenario.standard import standard_population
from sim.virtual import COMMAND_NS, COMMIT_NS, START
from tests.sim.virtual.stage import (
    MS,
    RAIN,
    SECOND,
    SNOW,
    Played,
    Scripted,
    busy,
    cast,
    limit,
    play,
    scene,
)


def accepted(played: Played) -> list[NewOrder]:
    return [
        event.order
        for entry in played.entries
        for event in entry.events
        if isinstance(event, OrderAccepted)
    ]


def state_of(played: Played) -> Exchange:
    exchange = Exchange()
    for entry in played.entries:
        exchange.replay(entry.events)
    return exchange


async def test_an_audit_finds_nothing_wrong(tmp_path: Path) -> None:
    played = play(tmp_path / "run", scene(markets=(RAIN, SNOW), duration=2 * SECOND))
    verdict = await audit_recording(played.directory)
    assert verdict.ok, [check for check in verdict.checks if check.offences]
    assert {str(check.status) for check in verdict.checks} == {"ok"}
    record = played.result.record
    assert record.commands == record.acknowledged > 500
    assert not played.result.interrupted
    assert played.result.simulated_ns == 2 * SECOND
    assert played.result.problems == ()


def test_the_first_commit_creates_the_markets(tmp_path: Path) -> None:
    first = play(tmp_path / "run", scene(markets=(RAIN, SNOW)), hired=[]).entries[0]
    assert [type(event) for event in first.events] == [MarketCreated, MarketCreated]
    assert [event.market for event in first.events] == ["RAIN", "SNOW"]
    assert {event.timestamp for event in first.events} == {START}


def test_positions_and_cash_of_all_traders_sum_to_zero(tmp_path: Path) -> None:
    exchange = state_of(
        play(
            tmp_path / "run",
            scene(
                markets=(RAIN, SNOW),
                duration=2 * SECOND,
                happenings=(Burst(at=SECOND, market="SNOW", orders=50),),
            ),
        )
    )
    for symbol in ("RAIN", "SNOW"):
        held = [one for _, market, one in exchange.positions.items() if market == symbol]
        assert sum(abs(one.qty) for one in held) > 0
        assert sum(one.qty for one in held) == 0
        assert sum(one.cash for one in held) == 0


def test_whoever_is_nearer_comes_first(tmp_path: Path) -> None:
    near, far = (Scripted(name, [limit(Side.BUY, 40)]) for name in ("near", "far"))
    hired = cast(far, latency=Latency(least=3 * MS, jitter=0)) + cast(near)
    played = play(tmp_path / "run", scene(), hired=hired)
    orders = accepted(played)
    assert [(one.trader, one.order_id) for one in orders] == [("near", 1), ("far", 2)]
    # Both were sent at the same time, and say so.
    assert {one.timestamp for one in orders} == {START + 10 * MS}


def test_jitter_comes_on_top_of_the_least_latency(tmp_path: Path) -> None:
    agents = [Scripted(f"a{n}", busy()) for n in range(20)]
    play(
        tmp_path / "run",
        scene(),
        hired=cast(*agents, latency=Latency(least=15 * MS, jitter=5 * MS)),
    )
    gaps = [
        after - before
        for one in agents
        for before, after in zip(one.acted, one.acted[1:], strict=False)
    ]
    assert min(gaps) >= 15 * MS + COMMIT_NS
    assert len(set(gaps)) > len(gaps) // 2
    assert 19 * MS < sum(gaps) // len(gaps) < 23 * MS


def test_an_agent_is_not_asked_while_its_commands_are_under_way(tmp_path: Path) -> None:
    slow = Latency(least=25 * MS, jitter=0)
    agent = Scripted("a", itertools.repeat(limit(Side.BUY, 40)), wait=10 * MS)
    play(tmp_path / "run", scene(), hired=cast(agent, latency=slow))
    cycle = 25 * MS + COMMIT_NS + COMMAND_NS
    assert agent.acted == [10 * MS + n * cycle for n in range(len(agent.acted))]
    # And it always sees what it did.
    assert agent.open == list(range(len(agent.acted)))


def test_an_agent_that_does_nothing_is_asked_after_its_wait(tmp_path: Path) -> None:
    agent = Scripted("a", [], wait=7 * MS)
    play(tmp_path / "run", scene(duration=70 * MS), hired=cast(agent))
    assert agent.acted == [7 * MS * n for n in range(1, 10)]


def test_an_agent_that_never_waits_lets_time_go_by(tmp_path: Path) -> None:
    agent = Scripted("a", [], wait=0)
    played = play(tmp_path / "run", scene(duration=MS), hired=cast(agent))
    assert len(agent.acted) == 999
    assert played.result.simulated_ns == MS


def test_who_is_there_as_the_venue_opens_waits_no_less_than_others(tmp_path: Path) -> None:
    at_once = Latency(least=MS // 10, jitter=0)
    agent = Scripted("a", itertools.repeat(limit(Side.BUY, 40)), wait=MS // 10)
    play(tmp_path / "run", scene(), hired=cast(agent, latency=at_once))
    assert agent.acted[1] - agent.acted[0] == MS // 10 + COMMIT_NS + COMMAND_NS


def test_what_arrives_while_a_commit_is_under_way_shares_the_next(tmp_path: Path) -> None:
    early = [Scripted("early", [limit(Side.BUY, 40)])]
    late = [Scripted(f"late{n}", [limit(Side.BUY, 40)]) for n in range(5)]
    hired = cast(*early) + cast(*late, latency=Latency(least=2 * MS + COMMIT_NS // 2, jitter=0))
    played = play(tmp_path / "run", scene(), hired=hired)
    assert [entry.count for entry in played.entries] == [1, 1, 5]


def test_who_is_nearer_is_queued_first_while_a_commit_is_under_way(tmp_path: Path) -> None:
    def at(share: int) -> Latency:
        return Latency(least=2 * MS + COMMIT_NS * share // 8, jitter=0)

    early, far, near = (Scripted(one, [limit(Side.BUY, 40)]) for one in ("early", "far", "near"))
    hired = cast(early) + cast(far, latency=at(6)) + cast(near, latency=at(2))
    played = play(tmp_path / "run", scene(), hired=hired)
    assert [entry.count for entry in played.entries] == [1, 1, 2]
    assert [one.trader for one in accepted(played)] == ["early", "near", "far"]


def test_what_is_committed_is_seen_by_whoever_acts_next(tmp_path: Path) -> None:
    seen: list[int | None] = []

    def looks(sight: Sight) -> list[Action]:
        seen.append(sight.best_bid)
        return []

    # Nothing else happens for a tenth of a second.
    hired = cast(
        Scripted("a", [limit(Side.BUY, 40)]),
        Scripted("b", [looks], wait=12 * MS + COMMIT_NS + COMMAND_NS),
        Scripted("c", [looks], wait=12 * MS + COMMIT_NS + COMMAND_NS - 1),
    )
    play(tmp_path / "run", scene(duration=60 * SECOND), hired=hired)
    assert seen == [None, 40]


def test_every_published_hash_has_the_chain_of_its_commit(tmp_path: Path) -> None:
    played = play(tmp_path / "run", scene(populations=standard_population(100, 10 * MS)))
    chains = {entry.seq: entry.chain for entry in played.entries}
    hashes = list(played.recording.hashes())
    assert len(hashes) > 1
    assert [one.chain for one in hashes] == [chains[one.seq] for one in hashes]


def test_an_order_that_is_sent_again_is_another_one(tmp_path: Path) -> None:
    kept: list[Action] = []

    def again(sight: Sight) -> list[Action]:
        kept[:] = kept or limit(Side.BUY, 40)(sight)
        return [kept[0], kept[0]]

    played = play(tmp_path / "run", scene(), hired=cast(Scripted("a", [again, again])))
    orders = accepted(played)
    assert [one.order_id for one in orders] == [1, 2, 3, 4]
    assert orders[0].timestamp == orders[1].timestamp < orders[2].timestamp
    assert state_of(played).state_hash() == list(played.recording.hashes())[-1].hash


def test_gtd_orders_expire_when_they_are_due(tmp_path: Path) -> None:
    due = START + 130 * MS
    step = limit(Side.BUY, 40, time_in_force=TimeInForce.GTD, expires_at=due)
    played = play(tmp_path / "run", scene(), hired=cast(Scripted("a", [step])))
    expired = [
        event
        for entry in played.entries
        for event in entry.events
        if isinstance(event, OrderExpired)
    ]
    assert [(event.order_id, event.reason) for event in expired] == [(1, Reason.TIME)]
    assert due <= expired[0].timestamp <= due + 50 * MS


def test_fills_are_told_as_they_are_in_the_journal(tmp_path: Path) -> None:
    played = play(tmp_path / "run", scene())
    trades = [
        event.trade_id.encode()
        for entry in played.entries
        for event in entry.events
        if isinstance(event, TradeExecuted)
    ]
    assert len(trades) > 20
    assert [one.id for one in played.recording.fills()] == trades
    assert played.recording.manifest.moment.last_fill.encode() == trades[-1]


def test_commands_on_their_way_at_the_end_still_arrive(tmp_path: Path) -> None:
    slow = Latency(least=100 * MS, jitter=0)
    agent = Scripted("a", busy(), wait=MS)
    played = play(tmp_path / "run", scene(duration=50 * MS), hired=cast(agent, latency=slow))
    assert [one.trader for one in accepted(played)] == ["a"]
    assert agent.acted == [MS]
    assert played.recording.manifest.moment.waiting == 0


async def test_a_run_that_is_stopped_has_what_was_until_then(tmp_path: Path) -> None:
    asked = 0

    def stopping() -> bool:
        nonlocal asked
        asked += 1
        return asked > 4

    scenario = scene(duration=3600 * SECOND)
    played = play(tmp_path / "run", scenario, stopping=stopping)
    assert played.result.interrupted
    assert 0 < played.result.simulated_ns < 60 * SECOND
    assert played.result.record.commands > 100
    assert (await audit_recording(played.directory)).ok


def test_samples_tell_how_the_venue_stood(tmp_path: Path) -> None:
    played = play(tmp_path / "run", scene(duration=1200 * MS))
    samples = played.samples
    assert [one.at for one in samples[:-1]] == [n * 2 * MS for n in range(600)]
    assert [one.seq for one in samples] == sorted(one.seq for one in samples)
    assert samples[-1].seq == played.entries[-1].seq
    assert {(one.leader, one.epoch) for one in samples} == {("node-1", 1)}


def test_agents_are_hired_in_turn_under_names_of_their_own() -> None:
    scenario = scene(
        markets=(RAIN, SNOW),
        populations=standard_population(2000, SECOND),
        happenings=(Burst(at=0, market="RAIN", orders=1),),
    )
    hired = hire(scenario, 1, START)
    names = [one.agent.trader for one in hired]
    assert len(set(names)) == len(names) == 2000
    assert {one.market for one in hired} == {"RAIN", "SNOW"}
    assert roster(scenario, hired)[-1].kind == "burst"
    assert [one.agent.trader for one in hire(scenario, 2, START)] != names


def test_a_population_trades_in_the_markets_that_it_names() -> None:
    template = standard_population(20, SECOND)[1]
    population = Population(
        kind=template.kind, count=3, markets=("SNOW",), parameters=template.parameters
    )
    hired = hire(scene(markets=(RAIN, SNOW), populations=(population,)), 1, START)
    assert [one.market for one in hired] == ["SNOW"] * 3


async def test_ten_thousand_agents_trade(tmp_path: Path) -> None:
    scenario = scene(duration=200 * MS, populations=standard_population(10_000, SECOND))
    played = play(tmp_path / "run", scenario)
    assert played.result.record.commands > 1000
    assert (await audit_recording(played.directory)).ok


def test_an_agent_that_fails_leaves_a_run_with_all_that_was_committed(tmp_path: Path) -> None:
    def fails(_: Sight) -> list[Action]:
        raise RuntimeError("bad agent")

    steps = [limit(Side.BUY, 40), limit(Side.SELL, 40), fails]
    with pytest.raises(RuntimeError, match="bad agent"):
        play(tmp_path / "run", scene(), hired=cast(Scripted("a", steps[:1]), Scripted("b", steps)))
    assert not (tmp_path / "run" / "manifest.json").exists()
    run = open_run(tmp_path / "run")
    assert [entry.count for entry in run.entries()] == [1, 1, 1, 1]
    assert len(list(run.fills())) == 1
    run.close()
