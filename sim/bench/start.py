"""Topic `start`: how soon there is something to see, beside an interpreter that does nothing."""

import asyncio
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from sim.bench.figures import ratios
from sim.bench.machine import family_cpu_seconds, this_machine
from sim.bench.processes import Failed
from sim.bench.report import Plan, Report, Row
from sim.bench.terminal import Terminal, screen_environment
from sim.bench.venue import environment

NOTHING = ("-c", "pass")
HELP = ("-m", "matchbox_tui", "--help")
MARKET = ("matchbox_tui", "play")

BAR = "█"
"""What the ladder draws for contracts at a price; a frame of an empty one has none."""

MOVES = 2
"""Frames with contracts in them: the second one shows that they move."""

MOST_HELP_MS = 300.0
MOST_MARKET_MS = 3000.0


class Took(msgspec.Struct, frozen=True):
    """How long a process took, and what it used of the processor, both in ms."""

    ms: float
    cpu_ms: float


class Began(msgspec.Struct, frozen=True):
    """When a market's screen showed its first frame, and when its ladder moved, in ms; and what all
    its processes together had used of the processor by then, None where the system does not tell.
    """

    frame_ms: float
    moving_ms: float
    cpu_ms: float | None


async def bench_start(plan: Plan, say: Callable[[str], None]) -> Report:
    """Starts each once a round, one after the other. Raises `Failed`."""
    nothing: list[Took] = []
    helps: list[Took] = []
    markets: list[Began] = []
    with tempfile.TemporaryDirectory(prefix="matchbox-bench-") as name:
        env = screen_environment(environment(""), Path(name))
        # A private server is what most will begin with.
        del env["REDIS_URL"]
        # The first time files are read and compiled that lie ready later.
        for arguments in (NOTHING, HELP):
            await asyncio.to_thread(_run, arguments, env)
        for number in range(1, plan.rounds + 1):
            nothing.append(await asyncio.to_thread(_run, NOTHING, env))
            helps.append(await asyncio.to_thread(_run, HELP, env))
            markets.append(await _begin(env))
            say(
                f"{number}/{plan.rounds} --help {helps[-1].ms:.0f} ms,"
                f" moving after {markets[-1].moving_ms:.0f} ms,"
                f" nothing at all {nothing[-1].ms:.0f} ms"
            )
    return Report("start", this_machine(), plan, start_rows(nothing, helps, markets), [])


def _run(arguments: Sequence[str], env: dict[str, str]) -> Took:
    """Runs Python to its end. Raises `Failed` where that is not a good one."""
    before, began = _cpu_of_children(), time.perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments], stdout=subprocess.DEVNULL, env=env, check=False
    )
    took, after = time.perf_counter() - began, _cpu_of_children()
    if done.returncode:
        raise Failed(f"python {' '.join(arguments)} ended with {done.returncode}")
    return Took(1000 * took, 1000 * (after - before))


def _cpu_of_children() -> float:
    """Seconds of the processor that children used who have ended: one at a time does so here."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


async def _begin(env: dict[str, str]) -> Began:
    """Starts a whole market on a terminal, waits until its ladder moves, and ends it."""
    began = time.perf_counter_ns()
    with Terminal("matchbox", MARKET, env, mark=BAR) as terminal:
        await terminal.marked_frames(MOVES)
        used = family_cpu_seconds(terminal.pid)
        first, moving = terminal.frames.ends[0], terminal.frames.marked[MOVES - 1]
    cpu_ms = None if used is None else 1000 * used
    return Began((first - began) / 1e6, (moving - began) / 1e6, cpu_ms)


def start_rows(
    nothing: Sequence[Took], helps: Sequence[Took], markets: Sequence[Began]
) -> list[Row]:
    """What is waited for, beside what Python itself needs."""
    base = [one.ms for one in nothing]
    more = {"ms to the first frame": _median([one.frame_ms for one in markets])}
    used = [one.cpu_ms for one in markets if one.cpu_ms is not None]
    if used:
        more["ms of the processor, all processes"] = _median(used)
    return [
        _row(
            "matchbox --help",
            *([one.ms for one in helps], base, MOST_HELP_MS),
            {
                "ms of the processor": _median([one.cpu_ms for one in helps]),
                "of python -c pass": _median([one.cpu_ms for one in nothing]),
            },
        ),
        _row(
            "matchbox, until the ladder moves",
            *([one.moving_ms for one in markets], base, MOST_MARKET_MS),
            more,
        ),
    ]


def _row(
    what: str, ours: Sequence[float], base: Sequence[float], most: float, more: dict[str, float]
) -> Row:
    each = ratios(ours, base)
    value = statistics.median(ours)
    return Row(
        what=what,
        value=round(value, 1),
        unit="ms",
        against="python -c pass",
        base=_median(base),
        ratio=round(statistics.median(each), 3),
        ratios=each,
        goal=f"less than {most:g} ms",
        reached=value < most,
        more=more,
    )


def _median(values: Sequence[float]) -> float:
    return round(statistics.median(values), 1)
