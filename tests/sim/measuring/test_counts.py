"""What is counted over the whole run."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from matchbox_tui.engine import (
    CancelAll,
    CancelOrder,
    ExpireOrders,
    HaltMarket,
    ReplaceOrder,
    TradeExecuted,
)
from matchbox_tui.store import Entry
from sim.measuring import MEASURES, measure, measure_of, written_names
from sim.recording import RecordingError, Trader
from tests.sim.evidence import story
from tests.sim.measuring.told import Day, fault, sample


def test_commands_are_counted_by_what_they_asked_for() -> None:
    day = Day("RAIN")
    day.at(1, "sell", 50, 5, trader="ann")
    day.at(2, "buy", 50, 2, trader="bob")
    day.at(3, "buy", 50, 0, trader="bob")
    day.commit(ReplaceOrder(order_id=1, qty=4), ReplaceOrder(order_id=9, qty=4))
    day.then(5, CancelOrder, 1)
    day.then(6, CancelOrder, 1)
    day.commit(CancelAll("nobody"), ExpireOrders(1), HaltMarket("RAIN"), HaltMarket("NONE"))
    values = day.measured(1_000_000_000).values
    assert values["commands"] == 12
    assert values["commits"] == 8
    assert values["rate"] == 12
    assert values["orders"] == 3
    assert values["trades"] == 1
    assert values["volume"] == 2
    assert values["cancels"] == 1
    assert values["replaces"] == 1
    # The order of no contracts, the change and the cancel of what was not there.
    assert values["rejected"] == 3
    assert values["order_to_trade_ratio"] == 7


def test_a_run_that_was_stopped_at_once_has_no_rate() -> None:
    day = Day("RAIN")
    day.at(1, "sell", 50)
    assert day.measured(10**9, samples=[sample(0, 2)]).values["rate"] is None
    assert day.measured(10**9, samples=[sample(999_999, 2)]).values["rate"] is None
    assert day.measured(10**9, samples=[sample(1_000_000, 2)]).values["rate"] == 2000


def test_every_measure_is_there_and_no_other() -> None:
    day = Day("RAIN", "SNOW")
    values = day.measured(10).values
    assert list(values) == written_names(["RAIN", "SNOW"])
    assert values["commands"] == 2
    assert values["order_to_trade_ratio"] is None


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("lost", "lost"),
        ("RAIN.spread_median", "spread_median"),
        ("RAIN.trades", "trades"),
        ("A.B.trades", "trades"),
        ("RAIN.lost", None),
        ("SNOW.trades", None),
        ("spread_medium", None),
        ("RAIN.", None),
        ("", None),
    ],
)
def test_a_name_is_known_or_not(written: str, name: str | None) -> None:
    found = measure_of(written, ["RAIN", "A.B"])
    assert (found.name if found else None) == name


def test_every_measure_says_what_it_is() -> None:
    for name, one in MEASURES.items():
        assert one.name == name
        assert len(one.meaning) > 5
        assert one.unit


def test_recoveries_are_ranked_and_one_that_never_came_is_the_longest() -> None:
    day = Day("RAIN")
    rows = [fault(5_000), fault(20_000), fault(1_500, refused=2), fault(7_000)]
    values = day.measured(100, faults=rows).values
    assert values["recovery_ms_min"] == 1.5
    assert values["recovery_ms_median"] == 5
    assert values["recovery_ms_p99"] == values["recovery_ms_max"] == 20
    assert (values["faults"], values["faults_unrecovered"]) == (4, 0)
    assert values["refused_commits"] == 2
    never = day.measured(100, faults=[*rows, fault(None)]).values
    assert never["recovery_ms_median"] == 7
    assert never["recovery_ms_p99"] is None
    assert never["faults_unrecovered"] == 1
    cut_short = replace(fault(None), cut_short=True)
    values = day.measured(100, faults=[*rows, cut_short]).values
    assert (values["faults"], values["faults_unrecovered"]) == (5, 0)
    assert (values["recovery_ms_median"], values["recovery_ms_p99"]) == (5, 20)
    assert day.measured(100).values["recovery_ms_max"] is None


def test_the_queue_around_a_fault() -> None:
    ms = 1_000_000
    samples = [sample(n * 10 * ms, 1, waiting=n % 7) for n in range(400)]
    found = Day("RAIN").measured(4000 * ms, samples=samples, faults=[fault(5_000, at=2000 * ms)])
    assert found.values["queue_max"] == 6
    around = found.faults[0].queue
    assert around[0][0] == -100 * ms
    assert around[-1][0] == 300 * ms
    assert dict(around)[0] == 200 % 7
    assert max(filter(None, found.queue)) == 6
    assert len(found.queue) == len(found.grid)


def test_elections_are_what_the_epoch_rose_by() -> None:
    day = Day("RAIN")
    day.epoch = 4
    day.at(1, "buy", 40)
    assert day.measured(100).values["elections"] == 3
    # One that was elected after the last commit.
    samples = [sample(50, 1), sample(100, 2, epoch=5)]
    assert day.measured(100, samples=samples).values["elections"] == 4


def test_what_the_traders_were_told() -> None:
    day = Day("RAIN")
    assert day.measured(100).values["acknowledged"] is None
    day.acknowledged([1, 1])
    assert day.record is not None
    day.record.acknowledged, day.record.in_doubt, day.record.overloaded = 7, 3, 2
    values = day.measured(100).values
    assert [values[name] for name in ("acknowledged", "in_doubt", "overloaded")] == [7, 3, 2]


def test_hashes_that_differ_are_counted() -> None:
    day = Day("RAIN")
    for who in ("a", "b", "c"):
        day.hash(who)
    assert day.measured(100).values["hashes_compared"] == 3
    assert day.measured(100).values["hashes_differing"] == 0
    day.hashes[1] = type(day.hashes[1])("b", "follower", 1, 1, "other")
    assert day.measured(100).values["hashes_differing"] == 1


def test_positions_and_cash_sum_to_zero_in_every_column() -> None:
    day = Day("RAIN")
    names = ["ann", "bob", "cy", "dee"]
    for n in range(200):
        side = "buy" if n % 2 else "sell"
        price = 40 + (n * 7) % 20
        day.at(n * 5, side, price, 1 + n % 4, trader=names[n * 3 % 4])
    roster = [Trader("ann", "noise", "RAIN"), Trader("bob", "maker", "RAIN")]
    found = day.measured(1000, roster=roster)
    assert found.values["positions_sum"] == 0
    assert found.values["cash_sum"] == 0
    assert set(found.profits) == {"noise", "maker", "others"}
    columns = list(zip(*found.profits.values(), strict=True))
    assert len(columns) == len(found.grid)
    assert all(sum(column) == 0 for column in columns)
    assert any(any(column) for column in columns)
    assert sum(kind.profit for kind in found.kinds) == 0
    assert sum(kind.position for kind in found.kinds) == 0
    assert sum(kind.trades for kind in found.kinds) == 2 * (found.values["trades"] or 0)


def test_what_each_kind_did_and_earned() -> None:
    day = Day("RAIN")
    day.at(1, "sell", 50, 5, trader="ann")
    day.at(2, "buy", 50, 5, trader="bob")
    day.at(3, "buy", 58, 1, trader="ann")
    day.at(4, "sell", 62, 1, trader="ann")
    day.then(5, CancelOrder, 4)
    roster = [Trader("ann", "noise", "RAIN"), Trader("bob", "maker", "RAIN")]
    maker, noise = sorted(day.measured(100, roster=roster).kinds, key=lambda one: one.kind)
    assert (noise.commands, noise.orders, noise.trades, noise.volume) == (4, 3, 1, 5)
    assert noise.order_to_trade_ratio == 4
    assert (noise.position, maker.position) == (-5, 5)
    # The ask is gone, so that what was traded last counts: nobody gained.
    assert (noise.profit, maker.profit) == (0, 0)
    day.at(6, "sell", 62, 1, trader="ann")
    maker, noise = sorted(day.measured(100, roster=roster).kinds, key=lambda one: one.kind)
    # The middle of 58 and 62 is 60, ten above what five were sold at.
    assert (noise.profit, maker.profit) == (-50, 50)


def test_a_journal_that_contradicts_itself_is_measured_up_to_there() -> None:
    told = story()
    day = Day()
    day.entries = list(told.entries)
    whole = day.measured(100)
    assert whole.problems == []
    day.entries.pop(3)
    broken = day.measured(100)
    assert len(broken.problems) == 1
    assert "can't be replayed at" in broken.problems[0]
    assert 0 < (broken.values["commands"] or 0) < (whole.values["commands"] or 0)


def test_a_journal_that_can_not_be_read_on_is_a_problem_in_words() -> None:
    day = Day("RAIN")
    evidence = day.evidence(100)

    def torn() -> Iterator[Entry]:
        yield from evidence.journal()
        raise RecordingError("journal.gz ends too early")

    found = measure(replace(evidence, journal=torn))
    assert found.problems == ["journal.gz ends too early"]
    assert found.values["commands"] == 1


def test_series_hold_what_happened_in_each_column() -> None:
    day = Day("RAIN")
    for time, price in ((10, 50), (20, 55), (590, 45)):
        day.at(time, "sell", price, 3, trader="ann")
        events = day.commit(day.buy(price, 3, market="RAIN", trader="bob"))
        assert any(isinstance(event, TradeExecuted) for event in events)
    series = day.measured(6000).markets[0]
    # Columns of 10 ns; what happens at a column's end belongs to it.
    assert sum(series.volume) == 9
    assert series.volume[0] == 3
    assert series.last[0] == 50
    assert series.last[30] == 55
    assert series.last[-1] == 45
    assert (series.low[58], series.high[58]) == (45, 45)
    assert series.low[30] is None
