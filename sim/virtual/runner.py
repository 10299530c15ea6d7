"""One run: the loop that lets one thing happen after the other."""

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from heapq import heappop, heappush, heapreplace

from matchbox_tui.engine import (
    HaltMarket,
    ResumeMarket,
)
from matchbox_tui.store import MAX_BATCH
from sim.agents import Dice, Sight
from sim.agents.dice import CELLS_BITS
from sim.bursts import burst_orders
from sim.hiring import Hired, burst_trader, hire
from sim.recording.run import Sample
from sim.recording.run_writer import RunWriter
from sim.run_result import RunResult
from sim.scenario import Burst, Fault, Halt, RestartServer, Resume, Scenario
from sim.virtual.agenda import LAST_SEAT, MOST_SEATS, NEVER, SEAT_BITS, START, Agenda
from sim.virtual.outages import Outages
from sim.virtual.seat import Seat
from sim.virtual.venue import EXPIRY_CHECK_NS, Venue

SAMPLES = 600
"""Samples in a run, as far as they are `LEAST_SAMPLE_NS` apart."""

LEAST_SAMPLE_NS = 1_000_000

LEAST_WAIT_NS = 1_000
"""Whoever wants to act again at once, having done nothing, would never let time go by."""

LOOK_EVERY = 256
"""Happenings between two looks at whether the run is to stop."""


def never() -> bool:
    return False


def run(
    scenario: Scenario,
    seed: int,
    writer: RunWriter,
    *,
    hired: Sequence[Hired] | None = None,
    stopping: Callable[[], bool] = never,
    told: Callable[[Sample], None] | None = None,
) -> RunResult:
    """The whole run, recorded: `writer` is finished when this returns.

    `hired` are the agents, fresh from `hire(scenario, seed, START)`, which is what is done where
    they are not given. Ends early once `stopping()` is true, asked a hundred times a second or
    so; `told` hears of each sample. What is under way at the end is waited for: the journal has an
    outcome of every command that was sent. Raises `ValueError` for more than
    a million agents, `RecordingError`, and what an agent raises.
    """
    began = time.perf_counter()
    agents = hire(scenario, seed, START) if hired is None else hired
    if len(agents) > MOST_SEATS:
        raise ValueError(f"{len(agents):,} agents: a virtual run takes {MOST_SEATS:,} at most")
    one = _Run(scenario, seed, writer, agents, stopping, told)
    with _undisturbed():
        one.run()
    return one.result(time.perf_counter() - began)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Without the garbage collector: nothing that the loop drops refers to itself."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _Run:
    def __init__(
        self,
        scenario: Scenario,
        seed: int,
        writer: RunWriter,
        hired: Sequence[Hired],
        stopping: Callable[[], bool],
        told: Callable[[Sample], None] | None,
    ) -> None:
        self._scenario = scenario
        self._seed = seed
        self._writer = writer
        self._hired = hired
        self._stopping = stopping
        self._told = told
        self._agenda = Agenda()
        self._venue = Venue(self._agenda, writer)
        self._outages = Outages(
            self._agenda,
            self._venue,
            writer,
            scenario.instances,
            scenario.lease,
            Dice(seed, "outages"),
        )
        self._over = False
        self._interrupted = False
        self._simulated = 0
        self._step = max(LEAST_SAMPLE_NS, scenario.duration // SAMPLES)

    def run(self) -> None:
        self._outages.begin()
        self._venue.open([plan.market for plan in self._scenario.markets])
        agenda = self._agenda
        agenda.at(self._scenario.duration, self._end)
        self._sample()
        self._watch_expiries()
        self._seat()
        for number, happening in enumerate(self._scenario.happenings):
            agenda.at(happening.at, partial(self._happen, number))
        try:
            while not self._over:
                if self._stopping():
                    self._interrupted = True
                    self._end()
                self._go_on(LOOK_EVERY)
            # What is under way: nobody acts any more.
            while self._go_on(LOOK_EVERY):
                pass
        finally:
            # An agent that fails takes nothing along that was committed before.
            self._venue.write_out()
        # At the time at which it ended: nothing that anybody waits for goes by until the last turn.
        self._say_how_it_stands(self._simulated)
        self._outages.finish(self._simulated, interrupted=self._interrupted)
        self._writer.finish(self._venue.finish(), self._venue.record)

    def result(self, wall_seconds: float) -> RunResult:
        return RunResult(
            record=self._venue.record,
            interrupted=self._interrupted,
            wall_seconds=wall_seconds,
            simulated_ns=self._simulated,
            problems=tuple(self._outages.problems),
        )

    def _go_on(self, count: int) -> bool:
        """Lets the next so many things happen, up to the end where it is among them; whether there
        is more to come.
        """
        agenda, seats, over = self._agenda, self._venue.seats, self._over
        turns, arrivals = agenda.turns, agenda.arrivals
        for _ in range(count):
            turn = turns[0] if turns else NEVER
            if turn >= agenda.bound:
                if not agenda.call():
                    return False
                if self._over is not over:
                    break
                continue
            if over:
                turns.clear()
                continue
            now = turn >> SEAT_BITS
            number = turn & LAST_SEAT
            seat = seats[number]
            sight = seat.sight
            instant = sight.now = START + now
            agent = seat.agent
            actions = agent.act(sight)
            wait = agent.wait() or LEAST_WAIT_NS
            if not actions:
                heapreplace(turns, (now + wait) << SEAT_BITS | number)
                continue
            heappop(turns)
            seat.sent = actions
            seat.sent_at = instant
            seat.ready = now + wait
            arrival = now + seat.least
            jitter = seat.jitter
            if jitter:
                arrival += jitter[seat.bits(CELLS_BITS)]
            arrival = arrival << SEAT_BITS | number
            heappush(arrivals, arrival)
            if agenda.idle:
                agenda.expect(arrival)
        return True

    def _seat(self) -> None:
        """Everybody sees their market, and wants to act after a first wait."""
        chance: dict[int, Dice] = {}
        jitters: dict[int, tuple[int, ...]] = {}
        exchange, tapes = self._venue.exchange, self._venue.tapes
        for number, hired in enumerate(self._hired):
            dice = chance.get(hired.number)
            if dice is None:
                dice = chance[hired.number] = Dice(self._seed, "latency", hired.number)
            mean = hired.population.latency.jitter
            if mean not in jitters:
                jitters[mean] = dice.exponentials(mean) if mean else ()
            sight = Sight(exchange, hired.market, hired.agent.trader, tapes[hired.market])
            seat = Seat(number, hired, sight, dice.bits, jitters[mean])
            self._venue.seats.append(seat)
            self._agenda.turn(hired.agent.wait() or LEAST_WAIT_NS, seat)

    def _happen(self, number: int) -> None:
        if self._over:
            return
        happening = self._scenario.happenings[number]
        now = self._agenda.instant
        match happening:
            case Halt():
                self._venue.ask(HaltMarket(happening.market, now))
            case Resume():
                self._venue.ask(ResumeMarket(happening.market, now))
            case Burst():
                orders = burst_orders(happening, burst_trader(number))
                for first in range(0, len(orders), MAX_BATCH):
                    self._venue.submit(orders[first : first + MAX_BATCH], now)
            case Fault() | RestartServer():
                self._outages.strike(happening)
            case _:
                # News is in the values' paths.
                pass

    def _watch_expiries(self) -> None:
        if not self._over:
            self._venue.watch_expiries()
            self._agenda.at(self._agenda.now + EXPIRY_CHECK_NS, self._watch_expiries)

    def _sample(self) -> None:
        if not self._over:
            self._say_how_it_stands(self._agenda.now)
            self._agenda.at(self._agenda.now + self._step, self._sample)

    def _say_how_it_stands(self, at: int) -> None:
        venue = self._venue
        sample = Sample(at, venue.seq, venue.waiting, venue.leader, venue.epoch)
        self._writer.sample(sample)
        if self._told is not None:
            self._told(sample)

    def _end(self) -> None:
        if not self._over:
            self._over = True
            self._simulated = self._agenda.now
