"""Topic `idle`: what a venue uses of the processor while nothing happens on it."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean

from sim.bench.figures import ratios
from sim.bench.full_venue import SCREEN, SERVER, FullVenue, open_full_venue
from sim.bench.machine import cpu_seconds, this_machine
from sim.bench.report import Plan, Report, Row

LEADER = "the leader"
FOLLOWERS = ("a follower", "another follower")
INSTANCES = {LEADER: "engine", FOLLOWERS[0]: "engine", FOLLOWERS[1]: "engine"}

MOST_FOLLOWER = 1.0
MOST_VENUE = 10.0
"""Percent of a core."""

SETTLE_SECONDS = 7.0
"""Until all that comes with a start is over and followers look less often; shorter where
measurements are.
"""

WAKER = "a process that only wakes up"


async def bench_idle(plan: Plan, say: Callable[[str], None]) -> Report:
    """Measures a private venue of three instances and a screen, telling of each round.

    Raises `Failed`, or a `StoreError` where there is no server to be had.
    """
    rounds: list[dict[str, float]] = []
    problems: list[str] = []
    async with open_full_venue(INSTANCES) as venue:
        waker = venue.processes.start("waker", "sim.bench.waker")
        venue.parts[WAKER] = waker.pid
        await asyncio.sleep(min(SETTLE_SECONDS, 2 * plan.seconds))
        began = (await venue.client.cluster()).seq
        for number in range(1, plan.rounds + 1):
            found = await _measure(venue, plan.seconds)
            if found:
                rounds.append(found)
            told = ", ".join(f"{name} {share:.2f} %" for name, share in found.items())
            say(f"{number}/{plan.rounds} {told or 'this system does not tell'}")
        if (await venue.client.cluster()).seq != began:
            problems.append("it was not idle: there were commands in the journal")
    return Report("idle", this_machine(), plan, idle_rows(rounds), problems)


async def _measure(venue: FullVenue, seconds: float) -> dict[str, float]:
    """Percent of a core that each part used; nothing where the system does not tell."""
    before, began = _cpu(venue.parts), time.perf_counter()
    await asyncio.sleep(seconds)
    venue.check()
    after, took = _cpu(venue.parts), time.perf_counter() - began
    return {name: 100 * (used - before[name]) / took for name, used in after.items()}


def _cpu(parts: Mapping[str, int]) -> dict[str, float]:
    used = {name: cpu_seconds(pid) for name, pid in parts.items()}
    known = {name: seconds for name, seconds in used.items() if seconds is not None}
    return known if len(known) == len(used) else {}


def idle_rows(rounds: Sequence[Mapping[str, float]]) -> list[Row]:
    """Means over the rounds, since much of what an idle process does it does seldom."""
    if not rounds:
        return []
    followers = [sum(found[name] for name in FOLLOWERS) / len(FOLLOWERS) for found in rounds]
    wakers = [found[WAKER] for found in rounds]
    together = [sum(found.values()) - found[WAKER] for found in rounds]
    return [
        _row(
            *("a follower with nothing to do", followers, MOST_FOLLOWER),
            against=WAKER,
            base=round(fmean(wakers), 2),
            ratio=round(fmean(followers) / fmean(wakers), 3),
            ratios=ratios(followers, wakers),
        ),
        *(_row(name, [found[name] for found in rounds]) for name in (LEADER, SERVER, SCREEN)),
        _row("three instances, the server and the screen", together, MOST_VENUE),
    ]


def _row(
    what: str,
    shares: Sequence[float],
    most: float | None = None,
    *,
    against: str = "",
    base: float | None = None,
    ratio: float | None = None,
    ratios: Sequence[float] = (),
) -> Row:
    value = fmean(shares)
    return Row(
        what=what,
        value=round(value, 2),
        unit="% of a core",
        against=against,
        base=base,
        ratio=ratio,
        ratios=list(ratios),
        goal="" if most is None else f"less than {most:g} %",
        reached=None if most is None else value < most,
    )
