"""Small scenarios, agents whose every act is known, and runs that are recorded."""

import functools
import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from matchbox_tui.engine import Market, NewOrder, Side, TimeInForce
from matchbox_tui.store import Entry, parse_entry
from sim.agents import Action, Agent, Sight
from sim.hiring import Hired, hire, roster
from sim.recording import JOURNAL, Recording
from sim.recording.run import RunFacts, Sample
from sim.recording.run_writer import RunWriter
from sim.run_result import RunResult
from sim.scenario import Latency, MarketPlan, Population, Scenario
from sim.scenario.standard import standard_population
from sim.virtual import START, run

MS = 1_000_000
SECOND = 1000 * MS
RAIN = MarketPlan(market=Market.prediction("RAIN"), opening=50)
SNOW = MarketPlan(market=Market("SNOW"), opening=1000)
FAST = Latency(least=2 * MS, jitter=0)


class Nothing(msgspec.Struct, frozen=True):
    """No parameters."""


class Scripted:
    """Does what it is told to, one step an act, `wait` ns apart; notes what it saw and when."""

    def __init__(
        self,
        trader: str,
        steps: Iterable[Callable[[Sight], list[Action]]],
        wait: int = 10 * MS,
        market: str = "RAIN",
    ) -> None:
        self.trader = trader
        self.market = market
        self.acted: list[int] = []
        self.open: list[int] = []
        self._steps = iter(steps)
        self._wait = wait

    def wait(self) -> int:
        return self._wait

    def act(self, sight: Sight) -> list[Action]:
        self.acted.append(sight.now - START)
        self.open.append(sight.open_orders)
        step = next(self._steps, None)
        return step(sight) if step is not None else []


def limit(side: Side, price: int, qty: int = 1, **more: Any) -> Callable[[Sight], list[Action]]:
    """A step: one limit order."""

    def step(sight: Sight) -> list[Action]:
        symbol = sight.market.symbol
        return [
            NewOrder(
                order_id=0,
                market=symbol,
                side=side,
                price=price,
                qty=qty,
                trader=sight.trader,
                **more,
            )
        ]

    return step


def busy() -> Iterator[Callable[[Sight], list[Action]]]:
    """Orders without end that find nobody and leave nothing behind."""
    return itertools.repeat(limit(Side.BUY, 40, time_in_force=TimeInForce.IOC))


def cast(*agents: Agent, latency: Latency = FAST) -> list[Hired]:
    """Agents as if they had been hired, of one population."""
    population = Population(
        kind="scripted", count=len(agents), latency=latency, parameters=Nothing()
    )
    return [Hired(agent, population, 0, "scripted", agent.market) for agent in agents]


def scene(**fields: Any) -> Scenario:
    """Half a second of a small standard population, where nothing else is said."""
    standard: dict[str, Any] = {
        "name": "scene",
        "duration": 500 * MS,
        "markets": (RAIN,),
        "populations": standard_population(20, 10 * MS),
    }
    return Scenario(**(standard | fields))


@dataclass
class Played:
    """A run that is over: what came of it, and where it is."""

    result: RunResult
    directory: Path
    samples: list[Sample]

    @property
    def recording(self) -> Recording:
        return Recording(self.directory)

    @functools.cached_property
    def entries(self) -> list[Entry]:
        return [parse_entry((one.id, one.flat)) for one in self.recording.journal()]

    @property
    def digest(self) -> str:
        """Of the journal, entry by entry."""
        digest = hashlib.blake2b(digest_size=16)
        for one in self.recording.journal():
            digest.update(b"\0".join((one.id, *one.flat)))
        return digest.hexdigest()

    @property
    def journal_file(self) -> bytes:
        return (self.directory / JOURNAL).read_bytes()


def play(
    directory: Path,
    scenario: Scenario,
    seed: int = 1,
    hired: Sequence[Hired] | None = None,
    stopping: Callable[[], bool] | None = None,
) -> Played:
    """Runs it, recorded in `directory`."""
    everybody = list(hired) if hired is not None else hire(scenario, seed, START)
    facts = RunFacts(
        scenario=scenario.name,
        seed=seed,
        virtual=True,
        start=START,
        duration=scenario.duration,
        created=0,
        versions={},
    )
    samples: list[Sample] = []
    with RunWriter(directory, facts, "", roster(scenario, everybody)) as writer:
        more = {} if stopping is None else {"stopping": stopping}
        result = run(scenario, seed, writer, hired=everybody, told=samples.append, **more)
    return Played(result, directory, samples)
