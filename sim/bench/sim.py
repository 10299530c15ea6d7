"""Topic `sim`: how many actions of simulated agents a second of real time is enough for.

The standard population trades on the standard market, in a virtual run that is recorded as any
other. What it makes is compared with what the engine alone makes of the same commands in the same
round.

How often an agent acts matters: where two commands seldom come within a millisecond of each other,
each of them is a commit of its own, with all that a commit costs.
"""

import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from sim.bench.figures import ratios
from sim.bench.jobs import SimJob, Simulated
from sim.bench.machine import this_machine
from sim.bench.processes import Process, Processes
from sim.bench.report import Plan, Report, Row
from sim.bench.venue import environment
from sim.durations import duration_text

MS = 1_000_000
SECOND = 1_000 * MS


class Crowd(NamedTuple):
    """So many agents, of whom each frequent one acts every `every` ns on average."""

    agents: int
    every: int

    def __str__(self) -> str:
        return f"{self.agents:,} agents, each every {duration_text(self.every)}"


CROWDS = (
    # At 10,000 acts a second of the run, whoever makes them,
    Crowd(100, 10 * MS),
    Crowd(1_000, 100 * MS),
    Crowd(10_000, SECOND),
    # and at the pace of docs/standard.toml: some 500 a second, and 50,000.
    Crowd(100, 200 * MS),
    Crowd(10_000, 200 * MS),
)

ENOUGH = 100_000
"""Actions a second."""


async def bench_sim(plan: Plan, say: Callable[[str], None]) -> Report:
    """Measures each crowd once a round, each in a process of its own. Raises `Failed`."""
    found: dict[Crowd, list[Simulated]] = {crowd: [] for crowd in CROWDS}
    problems: list[str] = []
    with (
        tempfile.TemporaryDirectory(prefix="matchbox-bench-") as name,
        Processes(environment(""), Path(name)) as start,
    ):
        workers = {
            crowd: start.start(f"sim-{number}", "sim.bench.worker")
            for number, crowd in enumerate(CROWDS)
        }
        for number in range(1, plan.rounds + 1):
            for crowd in CROWDS if number % 2 else CROWDS[::-1]:
                one = await _simulated(workers[crowd], crowd, number, plan.seconds)
                found[crowd].append(one)
                problems += [words for words in one.wrong if words not in problems]
            words = "; ".join(
                f"{crowd} {rate(made[-1]):,.0f} actions/s" for crowd, made in found.items()
            )
            say(f"{number}/{plan.rounds} {words}")
    rows = [sim_row(crowd, made) for crowd, made in found.items()]
    return Report("sim", this_machine(), plan, rows, problems)


async def _simulated(worker: Process, crowd: Crowd, seed: int, seconds: float) -> Simulated:
    return await worker.work(SimJob(crowd.agents, crowd.every, seconds, seed), Simulated)


def rate(one: Simulated) -> float:
    """Actions a second of real time."""
    return one.actions / one.seconds if one.seconds else 0.0


def sim_row(crowd: Crowd, made: Sequence[Simulated]) -> Row:
    """A crowd's rounds beside the engine's."""
    ours, theirs = [rate(one) for one in made], [one.alone for one in made]
    each = ratios(ours, theirs)
    value = statistics.median(ours)
    cost = statistics.median(
        one.cpu_seconds / one.actions * 1e6 if one.actions else 0 for one in made
    )
    faster = statistics.median(one.simulated_seconds / one.seconds for one in made)
    return Row(
        what=str(crowd),
        value=round(value, 1),
        unit="actions/s",
        against="the engine alone",
        base=round(statistics.median(theirs), 1),
        ratio=round(statistics.median(each), 3),
        ratios=each,
        goal=f"{ENOUGH:,}",
        reached=value >= ENOUGH,
        more={
            "us of the processor an action": round(cost, 2),
            # Later rounds hold what was read back for the comparison.
            "MB resident": round(made[0].resident_mb, 1),
            "simulated seconds a second": round(faster, 2),
        },
    )
