"""Topic `engine`: the matching engine alone, beside other order books and beside itself."""

import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

from sim.bench.figures import ratios
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
from sim.bench.machine import this_machine
from sim.bench.peers import AKHIL4N, DYN4MIK3, PEERS, versions
from sim.bench.processes import Process, Processes
from sim.bench.racing import OURS, PREPARED
from sim.bench.report import Plan, Report, Row, compare
from sim.bench.venue import environment

TICKS = (99, 999)
SEED = 1
LEAST = {AKHIL4N: 3.0, DYN4MIK3: 5.0, PREPARED: 0.0}

SMALL = 1_000
BIG = 50_000
"""Orders on a level that one-lot takers meet."""

STEADY = 0.6
FLAT = 1.3
MOST_BYTES = 200.0
LONGEST_MS = 60.0
TRADERS = 100


async def bench_engine(plan: Plan, say: Callable[[str], None]) -> Report:
    """Measures all once a round. Raises `Failed`."""
    races: dict[int, list[Raced]] = {ticks: [] for ticks in TICKS}
    sized: list[Rated] = []
    taken: list[Rated] = []
    grown: list[Grown] = []
    sizes = _sizes(plan.orders)
    with (
        tempfile.TemporaryDirectory(prefix="matchbox-bench-") as name,
        Processes(environment(""), Path(name)) as start,
    ):
        racer, sizer = (start.start(one, "sim.bench.worker") for one in ("racer", "sizer"))
        for number in range(1, plan.rounds + 1):
            for ticks in TICKS:
                job = RaceJob(ticks, plan.commands, SEED, check=number == 1)
                races[ticks].append(await racer.work(job, Raced))
            sized.append(await sizer.work(SizeJob(sizes, plan.commands), Rated))
            taken.append(await sizer.work(LevelJob([SMALL, BIG], plan.commands // 10), Rated))
            words = ", ".join(
                f"{ticks} ticks {made[-1].rates[OURS]:,.0f} commands/s"
                for ticks, made in races.items()
            )
            say(f"{number}/{plan.rounds} {words}")
        sizer.ask_to_end()
        grower = start.start("grower", "sim.bench.worker")
        grown.append(await grower.work(GrowJob(plan.orders), Grown))
        weights = [
            await _weight(start.start(f"scale-{traders}", "sim.bench.worker"), plan, traders)
            for traders in (0, TRADERS)
        ]
    rows = [row for ticks, made in races.items() for row in race_rows(ticks, made)]
    rows += [size_row(sizes, sized), level_row(taken), *growth_rows(plan.orders, grown[0])]
    rows.append(weight_row(plan.orders, *weights))
    for words in races[TICKS[0]][0].missing:
        say(words)
    return Report("engine", this_machine(versions()), plan, rows, _problems(races))


async def _weight(worker: Process, plan: Plan, traders: int) -> float:
    found = await worker.work(WeighJob(plan.orders, traders), Weighed)
    worker.ask_to_end()
    return found.bytes_each


def _sizes(orders: int) -> list[int]:
    return [size for size in (1_000, 100_000) if size < orders] + [orders]


def _problems(races: dict[int, list[Raced]]) -> list[str]:
    """A peer that trades otherwise is not wrong, but its rate compares with nothing."""
    return [
        f"{name} on {ticks} ticks: {words}"
        for ticks, made in races.items()
        for name, words in made[0].differs.items()
    ]


def race_rows(ticks: int, made: list[Raced]) -> list[Row]:
    """The engine beside each peer that is there; alone, where none is."""
    ours = [one.rates[OURS] for one in made]
    found = []
    for name in (*PEERS, PREPARED):
        if name in made[0].rates:
            theirs = [one.rates[name] for one in made]
            row = compare(
                f"{ticks} ticks", "commands/s", ours, name, theirs, least_ratio=LEAST[name]
            )
            found.append(row if LEAST[name] else _without_goal(row))
    if not found:
        value = round(statistics.median(ours), 1)
        found.append(Row(what=f"{ticks} ticks", value=value, unit="commands/s"))
    return found


def _without_goal(row: Row) -> Row:
    return Row(
        what=row.what,
        value=row.value,
        unit=row.unit,
        against=row.against,
        base=row.base,
        ratio=row.ratio,
        ratios=row.ratios,
    )


def size_row(sizes: list[int], made: list[Rated]) -> Row:
    """The rate in the biggest book beside that in the smallest."""
    return compare(
        f"{sizes[-1]:,} resting",
        "commands/s",
        [one.rates[-1] for one in made],
        f"{sizes[0]:,} resting",
        [one.rates[0] for one in made],
        least_ratio=STEADY,
        more={
            f"ns a command at {size:,}": round(1e9 / statistics.median(rates), 1)
            for size, rates in zip(
                sizes, zip(*(one.rates for one in made), strict=True), strict=True
            )
        },
    )


def level_row(made: list[Rated]) -> Row:
    """A taker's rate at the deep level beside that at the shallow one."""
    return compare(
        f"one-lot taker, level of {BIG:,}",
        "orders/s",
        [one.rates[1] for one in made],
        f"level of {SMALL:,}",
        [one.rates[0] for one in made],
        least_ratio=round(1 / FLAT, 3),
    )


def growth_rows(orders: int, grown: Grown) -> list[Row]:
    """The longest pause, beside that of a process whose collector nobody looks after."""
    each = ratios([grown.longest_ms], [grown.untended_ms])
    return [
        Row(
            what=f"longest pause, growing to {orders:,}",
            value=round(grown.longest_ms, 1),
            unit="ms",
            against="with the collector as it is",
            base=round(grown.untended_ms, 1),
            ratio=each[0],
            ratios=each,
            goal=f"{LONGEST_MS:g} ms at most",
            reached=grown.longest_ms <= LONGEST_MS,
            more={"orders/s meanwhile": round(grown.rate, 1)},
        )
    ]


def weight_row(orders: int, anonymous: float, named: float) -> Row:
    """What a resting order takes beyond its message: of nobody, and of traders with a name."""
    return Row(
        what=f"memory of each of {orders:,}",
        value=round(anonymous, 1),
        unit="bytes",
        goal=f"{MOST_BYTES:g} at most",
        reached=max(anonymous, named) <= MOST_BYTES,
        more={f"bytes, {TRADERS} traders": round(named, 1)},
    )
