"""Topic `sim`: how many actions of simulated agents a second of real time is enough for.

The standard population trades in a virtual run that is recorded as any other. What it makes is
compared with what the engine alone makes of the same commands in the same round.
"""

import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from sim.bench.figures import ratios
from sim.bench.jobs import SimJob, Simulated
from sim.bench.machine import this_machine
from sim.bench.processes import Process, Processes
from sim.bench.report import Plan, Report, Row
from sim.bench.venue import environment

SIZES = (100, 1_000, 10_000)
"""Agents."""

ENOUGH = 100_000
"""Actions a second."""


async def bench_sim(plan: Plan, say: Callable[[str], None]) -> Report:
    """Measures each size once a round, each in a process of its own. Raises `Failed`."""
    found: dict[int, list[Simulated]] = {size: [] for size in SIZES}
    problems: list[str] = []
    with (
        tempfile.TemporaryDirectory(prefix="matchbox-bench-") as name,
        Processes(environment(""), Path(name)) as start,
    ):
        workers = {size: start.start(f"sim-{size}", "sim.bench.worker") for size in SIZES}
        for number in range(1, plan.rounds + 1):
            for size in SIZES if number % 2 else SIZES[::-1]:
                one = await _simulated(workers[size], size, number, plan.seconds)
                found[size].append(one)
                problems += [words for words in one.wrong if words not in problems]
            words = ", ".join(
                f"{size:,} agents {rate(made[-1]):,.0f} actions/s" for size, made in found.items()
            )
            say(f"{number}/{plan.rounds} {words}")
    rows = [sim_row(size, made) for size, made in found.items()]
    return Report("sim", this_machine(), plan, rows, problems)


async def _simulated(worker: Process, agents: int, seed: int, seconds: float) -> Simulated:
    return await worker.work(SimJob(agents, seconds, seed), Simulated)


def rate(one: Simulated) -> float:
    """Actions a second of real time."""
    return one.actions / one.seconds if one.seconds else 0.0


def sim_row(agents: int, made: Sequence[Simulated]) -> Row:
    """A size's rounds beside the engine's."""
    ours, theirs = [rate(one) for one in made], [one.alone for one in made]
    each = ratios(ours, theirs)
    value = statistics.median(ours)
    cost = statistics.median(
        one.cpu_seconds / one.actions * 1e6 if one.actions else 0 for one in made
    )
    faster = statistics.median(one.simulated_seconds / one.seconds for one in made)
    return Row(
        what=f"{agents:,} agents",
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
