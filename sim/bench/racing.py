"""One round of the engines' race: the same commands in all of them, slice by slice in turn.

Whatever else the machine does meanwhile slows all of them down alike. The processor's time counts,
not the clock's.
"""

import gc
import time
from collections.abc import Callable

from sim.bench.commands import Asked, Workload
from sim.bench.jobs import Raced, RaceJob
from sim.bench.peers import AKHIL4N, ENTRANTS, PEERS, Akhil4nPrepared, Entrant, Missing, Ours, Trade

SLICE = 1000
"""Commands before it is the next one's turn."""

OURS = "matchbox"
PREPARED = f"{AKHIL4N}, its orders made beforehand, of plain integers"

_workloads: dict[tuple[int, int, int], list[Asked]] = {}


def race(job: RaceJob) -> Raced:
    """Runs all that are there. `differs` says where a peer's trades are not the engine's."""
    commands = _commands(job)
    market = Workload(job.ticks, job.seed).market
    missing, present = _present()
    differs = {}
    if job.check:
        ours = Ours(market, keep=True)
        ours.run(commands)
        for name in present:
            words = _difference(ours.trades(), name, commands)
            if words is not None:
                differs[name] = words
    takers: dict[str, Callable[[list[Asked]], int]] = {OURS: _timed(Ours(market))}
    for name in present:
        takers[name] = _timed(ENTRANTS[name]())
    if AKHIL4N in present:
        takers[PREPARED] = _timed_prepared()
    spent = dict.fromkeys(takers, 0)
    names = list(takers)
    gc.collect()
    for number, start in enumerate(range(0, len(commands), SLICE)):
        # One of them must not pay for what the collector looks at of the others.
        gc.freeze()
        some = commands[start : start + SLICE]
        for name in names if number % 2 else reversed(names):
            spent[name] += takers[name](some)
    gc.unfreeze()
    rates = {name: len(commands) / ns * 1e9 for name, ns in spent.items()}
    return Raced(rates, len(commands), missing, differs)


def _commands(job: RaceJob) -> list[Asked]:
    key = (job.ticks, job.commands, job.seed)
    if key not in _workloads:
        _workloads[key] = Workload(job.ticks, job.seed).commands(job.commands)
    return _workloads[key]


def _present() -> tuple[list[str], list[str]]:
    """How to get the peers that are missing, and those that are there."""
    missing, present = [], []
    for name in PEERS:
        try:
            ENTRANTS[name]()
        except Missing as words:
            missing.append(str(words))
        else:
            present.append(name)
    return missing, present


def _difference(ours: list[Trade], name: str, commands: list[Asked]) -> str | None:
    entrant = ENTRANTS[name]()
    entrant.run(commands)
    return difference(ours, entrant.trades())


def difference(ours: list[Trade], theirs: list[Trade]) -> str | None:
    """Where the first one is, None where there is none."""
    for number, (mine, other) in enumerate(zip(ours, theirs, strict=False), start=1):
        if mine != other:
            return f"trade {number} is {other}, and {mine} here"
    if len(ours) != len(theirs):
        return f"{len(theirs)} trades, and {len(ours)} here"
    return None


def _timed(entrant: Entrant) -> Callable[[list[Asked]], int]:
    def take(commands: list[Asked]) -> int:
        began = time.thread_time_ns()
        entrant.run(commands)
        return time.thread_time_ns() - began

    return take


def _timed_prepared() -> Callable[[list[Asked]], int]:
    entrant = Akhil4nPrepared()

    def take(commands: list[Asked]) -> int:
        prepared = entrant.prepare(commands)
        began = time.thread_time_ns()
        entrant.run_prepared(prepared)
        return time.thread_time_ns() - began

    return take
