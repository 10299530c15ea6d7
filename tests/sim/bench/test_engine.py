"""The engine's benchmark: its commands, its race with peers, and what a growing book costs."""

import random
import sys
from itertools import islice
from pathlib import Path

import pytest

from matchbox_tui.engine import CancelOrder, Exchange, NewOrder, TimeInForce, TradeExecuted
from matchbox_tui.store import Sparing
from sim.bench import peers, racing
from sim.bench.commands import Asked, Workload
from sim.bench.engine import growth_rows, level_row, race_rows, size_row, weight_row
from sim.bench.jobs import (
    GrowJob,
    Grown,
    LevelJob,
    Raced,
    RaceJob,
    Rated,
    SizeJob,
    Weighed,
    WeighJob,
)
from sim.bench.peers import AKHIL4N, DYN4MIK3, Missing, Ours, load
from sim.bench.racing import OURS, PREPARED, difference, race
from sim.bench.sizing import Sizing, SteadyBook, resting_orders


class Slow:
    """A peer that trades as the engine does, or but for one contract."""

    def __init__(self, wrong: bool = False) -> None:
        self.wrong = wrong
        self.ours = Ours(Workload(99, 1).market, keep=True)

    def run(self, commands: list[Asked]) -> None:
        self.ours.run(commands)

    def trades(self) -> list[peers.Trade]:
        trades = self.ours.trades()
        if self.wrong:
            maker, taker, price, qty = trades[4]
            trades[4] = (maker, taker, price, qty + 1)
        return trades


@pytest.mark.parametrize("ticks", [99, 999])
def test_the_commands_are_of_the_kinds_that_they_are_said_to_be(ticks: int) -> None:
    commands = Workload(ticks, 1).commands(5000)
    cancels = sum(type(one) is CancelOrder for one in commands)
    immediate = sum(
        isinstance(one, NewOrder) and one.time_in_force is TimeInForce.IOC for one in commands
    )
    assert cancels / 5000 == pytest.approx(0.25, abs=0.03)
    assert immediate / 5000 == pytest.approx(0.30, abs=0.03)
    assert all(1 <= one.price <= ticks for one in commands if isinstance(one, NewOrder))
    exchange = Exchange([Workload(ticks, 1).market])
    events = [exchange.apply(one) for one in commands]
    kinds = {event.__struct_config__.tag for some in events for event in some}
    assert kinds == {
        *("order.accepted", "order.rested", "trade.executed", "order.cancelled", "order.expired"),
    }
    traded = sum(type(some[-1]) is TradeExecuted or len(some) > 2 for some in events)
    assert traded >= immediate
    assert len(exchange.orders) > 200


def test_the_same_seed_gives_the_same_commands() -> None:
    assert Workload(99, 7).commands(500) == Workload(99, 7).commands(500)
    assert Workload(99, 7).commands(500) != Workload(99, 8).commands(500)


def test_a_peer_that_is_not_there_is_told_and_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(Missing, match=r"akhil4n-orderbook is not installed: pip install"):
        load(AKHIL4N, "orderbook.py")
    done = race(RaceJob(99, 2000, 1, check=True))
    assert set(done.rates) == {OURS}
    assert [words.split()[0] for words in done.missing] == [AKHIL4N, DYN4MIK3]


def test_a_peer_for_another_python_is_told_as_well(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    facts = tmp_path / "OrderBook-0.1.2.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: OrderBook\nVersion: 0.1.2\n")
    (tmp_path / "orderbook").mkdir()
    (tmp_path / "orderbook" / "__init__.py").write_text("print quote\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(Missing, match=r"OrderBook does not run here .*dyn4mik3"):
        load(DYN4MIK3, "orderbook/__init__.py")
    assert peers.versions() == {DYN4MIK3: "0.1.2"}


@pytest.mark.parametrize("wrong", [False, True])
def test_a_peer_runs_beside_it_and_its_trades_are_compared(
    monkeypatch: pytest.MonkeyPatch, wrong: bool
) -> None:
    monkeypatch.setattr(racing, "PEERS", (DYN4MIK3,))
    monkeypatch.setattr(racing, "ENTRANTS", {DYN4MIK3: lambda: Slow(wrong)})
    done = race(RaceJob(99, 3000, 1, check=True))
    assert done.missing == []
    assert done.commands == 3000
    assert min(done.rates[OURS], done.rates[DYN4MIK3]) > 0
    assert list(done.differs) == ([DYN4MIK3] if wrong else [])
    assert all(words.startswith("trade 5 is (") for words in done.differs.values())


def test_where_trades_differ_first() -> None:
    one, other = (1, 2, 50, 3), (1, 2, 50, 4)
    assert difference([one], [one]) is None
    assert difference([one, one], [one, other]) == f"trade 2 is {other}, and {one} here"
    assert difference([one, one], [one]) == "1 trades, and 2 here"


def test_a_book_in_which_as_many_orders_come_as_go_stays_as_big_as_it_is() -> None:
    book = SteadyBook(2000)
    for _ in range(5):
        assert book.turn_over(400) > 0
    assert len(book._exchange.orders) == pytest.approx(2000, abs=25)


def test_books_and_levels_are_measured_by_size() -> None:
    sizing = Sizing()
    for job in (SizeJob([500, 2000], 2000), LevelJob([100, 1000], 500)):
        done = sizing.work(job)
        assert isinstance(done, Rated)
        assert len(done.rates) == 2
        assert min(done.rates) > 0


def test_what_an_order_weighs_and_how_long_growing_holds_it_up() -> None:
    grown = Sizing().work(GrowJob(3000))
    assert isinstance(grown, Grown)
    assert min(grown.rate, grown.longest_ms, grown.untended_ms) > 0
    weighed = Sizing().work(WeighJob(3000, 0))
    named = Sizing().work(WeighJob(3000, 10))
    assert isinstance(weighed, Weighed)
    assert isinstance(named, Weighed)
    # An order without its message has eight fields at least, and is in one index at least.
    assert 8 * 8 < weighed.bytes_each < named.bytes_each < 1000


def test_orders_that_rest_never_meet() -> None:
    exchange = Exchange()
    for order in islice(resting_orders(random.Random(1), traders=3), 500):
        assert len(exchange.apply(order)) == 2
    assert len(exchange.orders) == 500
    assert set(exchange.book().by_trader) == {"t0", "t1", "t2"}


def test_rows_say_what_was_reached() -> None:
    fast = Raced({OURS: 900.0, AKHIL4N: 300.0, DYN4MIK3: 200.0, PREPARED: 450.0}, 10, [], {})
    akhil4n, dyn4mik3, prepared = race_rows(99, [fast, fast, fast])
    assert (akhil4n.ratio, akhil4n.reached, akhil4n.base) == (3.0, True, 300.0)
    assert (dyn4mik3.ratio, dyn4mik3.reached) == (4.5, False)
    assert (prepared.ratio, prepared.reached, prepared.goal) == (2.0, None, "")
    (alone,) = race_rows(99, [Raced({OURS: 900.0}, 10, [], {})])
    assert (alone.value, alone.ratio) == (900.0, None)

    sized = size_row([10, 100, 1000], [Rated([100.0, 80.0, 59.0])])
    assert (sized.what, sized.ratio, sized.reached) == ("1,000 resting", 0.59, False)
    assert sized.more["ns a command at 10"] == 1e7
    assert level_row([Rated([100.0, 78.0])]).reached is True
    assert level_row([Rated([100.0, 75.0])]).reached is False
    (pause,) = growth_rows(1000, Grown(5.0, 61.0, 122.0))
    assert (pause.value, pause.ratio, pause.reached) == (61.0, 0.5, False)
    assert weight_row(1000, 150.0, 201.0).reached is False
    assert weight_row(1000, 150.0, 200.0).reached is True


def test_a_growing_book_is_spared_by_the_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr("gc.freeze", lambda: done.append("freeze"))
    monkeypatch.setattr("gc.collect", lambda young: done.append(f"collect {young}"))
    sparing = Sparing()
    for orders in (10, 19_999, 20_000, 39_999, 40_000):
        sparing.look(orders)
    assert done == ["collect 1", "freeze"] * 2
    sparing.look(1000)
    sparing.look(20_999)
    assert len(done) == 4
    sparing.look(21_000)
    assert len(done) == 6
