"""The standard population makes a market that lives, and that finds the hidden value."""

import heapq
from collections import Counter
from itertools import pairwise

import msgspec
import pytest

from matchbox_tui.engine import Exchange, Market, NewOrder, OrderRejected, Side, TradeExecuted
from sim.agents import Dice, Hire, Sight, Tape
from sim.agents.kinds import KINDS
from sim.realism.statistics import autocorrelations, dispersion, hurst, mean
from sim.scenario.standard import LEAST, standard_population
from tests.sim.agents.pit import SECOND

MS = 1_000_000


class Day:
    """A market of the standard population, half a second and more of wait between two acts of an
    agent, and a value that jumps. No latency: what is to be seen is what they do to each other.
    """

    def __init__(self, agents: int, opening: int, jumps: dict[int, int], seed: int) -> None:
        """`jumps`: second -> the value from then on."""
        self.exchange = Exchange([Market.prediction("RAIN")])
        self.book = self.exchange.book("RAIN")
        self.tape = Tape()
        self.spreads: list[int] = []
        self.middles: list[int] = []
        """Twice the middle, every 100 ms; 0 where a side is empty."""
        self.depths: list[int] = []
        self.takes: list[tuple[int, int]] = []
        """When somebody took, in ns, and whether they bought (1) or sold (-1)."""
        self.sent: Counter[str] = Counter()
        """Commands of each kind."""
        self.rejected = 0
        self._opening, self._jumps, self._seed = opening, jumps, seed
        self._agents = agents

    def value(self, now: int) -> int:
        value = self._opening
        for second, to in self._jumps.items():
            if now >= second * SECOND:
                value = to
        return value

    def play(self, seconds: int) -> None:
        wanted = []
        kinds = []
        for population in standard_population(self._agents, 500 * MS):
            for _ in range(population.count):
                number = len(wanted)
                dice = Dice(self._seed, number)
                hire = Hire(f"t{number}", "RAIN", dice, self._opening, self.value)
                agent = KINDS[population.kind].agent(hire, population.parameters)
                sight = Sight(self.exchange, "RAIN", f"t{number}", self.tape)
                kinds.append(population.kind)
                wanted.append((agent.wait(), number, agent, sight))
        heapq.heapify(wanted)
        look = order_id = 0
        while wanted[0][0] < seconds * SECOND:
            now, number, agent, sight = wanted[0]
            while look <= now:
                self._look()
                look += 100 * MS
            sight.now = now
            for action in agent.act(sight):
                if isinstance(action, NewOrder):
                    order_id += 1
                    action = msgspec.structs.replace(action, order_id=order_id)
                took = 0
                for event in self.exchange.apply(msgspec.structs.replace(action, timestamp=now)):
                    if isinstance(event, TradeExecuted):
                        self.tape.record(event)
                        took = 1 if event.taker_side is Side.BUY else -1
                    self.rejected += isinstance(event, OrderRejected)
                self.sent[kinds[number]] += 1
                if took:
                    self.takes.append((now, took))
            heapq.heapreplace(wanted, (now + agent.wait(), number, agent, sight))

    def _look(self) -> None:
        bid, ask = self.book.best_bid, self.book.best_ask
        two_sided = bid is not None and ask is not None
        self.spreads.append(ask - bid if two_sided else 99)
        self.middles.append(ask + bid if two_sided else 0)
        self.depths.append(min(len(self.book.bids.levels), len(self.book.asks.levels)))


def median(values: list[int]) -> int:
    return sorted(values)[len(values) // 2]


@pytest.mark.parametrize(("agents", "opening"), [(20, 50), (100, 50), (100, 8), (60, 92)])
def test_its_book_has_two_sides_and_a_narrow_spread(agents: int, opening: int) -> None:
    day = Day(agents, opening, {}, seed=4)
    day.play(40)
    spreads = sorted(day.spreads[10:])
    assert 1 <= median(spreads) <= 3
    assert spreads[len(spreads) * 9 // 10] <= 4
    assert spreads[-1] < 99, "there was no market at times"
    assert median(day.depths) >= 5
    assert abs(median(day.middles) - 2 * opening) <= 4
    assert day.tape.trades > agents * 4
    assert day.rejected == 0


@pytest.mark.parametrize(("agents", "to"), [(20, 62), (100, 62), (100, 36)])
def test_its_price_follows_the_news(agents: int, to: int) -> None:
    """Within ten seconds, and not before it."""
    day = Day(agents, 50, {15: to}, seed=5)
    day.play(45)
    assert abs(median(day.middles[50:150]) - 100) <= 6
    assert abs(median(day.middles[250:]) - 2 * to) <= 6


def test_it_trades_in_bursts_and_its_takers_go_on_as_they_did() -> None:
    day = Day(100, 50, {}, seed=6)
    day.play(300)
    times, sides = zip(*day.takes, strict=True)
    assert dispersion([after - before for before, after in pairwise(times)]) > 1.1
    assert mean(autocorrelations(sides, range(1, 11))) > 0.03
    assert hurst(sides, 10, 300) > 0.6
    # Nothing of it for want of a market.
    assert sum(spread == 99 for spread in day.spreads[10:]) == 0


@pytest.mark.parametrize("agents", [10, 20, 100, 400])
def test_those_who_take_in_slices_are_a_part_of_all_and_not_the_most_of_it(agents: int) -> None:
    day = Day(agents, 50, {}, seed=7)
    day.play(200)
    sliced = day.sent["slicer"]
    assert 0.05 < sliced / sum(day.sent.values()) < 0.35


@pytest.mark.parametrize("markets", [1, 6])
@pytest.mark.parametrize("agents", [1, 10, 11, 99, 1_000, 10_000])
def test_it_has_as_many_agents_as_asked_and_every_market_has_all_kinds_but_the_spoofer(
    agents: int, markets: int
) -> None:
    populations = standard_population(agents, 200 * MS, markets)
    assert sum(population.count for population in populations) == max(LEAST * markets, agents)
    assert {population.kind for population in populations} == KINDS.keys() - {"spoofer"}
    assert all(population.count >= markets for population in populations)
    counts = {population.kind: population.count for population in populations}
    assert counts["market-maker"] >= 2 * markets
    assert counts["zero-intelligence"] == max(counts.values())
    for population in populations:
        assert isinstance(population.parameters, KINDS[population.kind].parameters)
